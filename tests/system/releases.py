# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Servers of several Debian releases: unpacked below the build, started in namespaces, never installed.

Maintainers' scripts do not run. What they would make, users and configurations, the tests make.
"""

import glob
import gzip
import os
import pathlib
import re

import debian
from conftest import BUILD

# Packages that conflict are in different groups: each group is one request to apt.
GROUPS = [
    ["base-files", "base-passwd", "coreutils", "dash", "findutils", "grep", "hostname", "login", "mawk", "perl-base",
     "sed", "openssh-server", "postfix", "vsftpd",
     "mariadb-server-core", "dovecot-imapd", "dovecot-pop3d", "inn2", "inspircd", "inetutils-telnetd",
     "inetutils-inetd", "tigervnc-standalone-server", "x11vnc", "rsync", "dropbear-bin", "mpd", "gpsd"],
    ["exim4-daemon-light", "proftpd-core", "ngircd", "leafnode", "cyrus-imapd"],
    ["opensmtpd", "courier-imap", "courier-pop", "pure-ftpd", "hylafax-server"],
    ["sendmail-bin"], ["courier-mta", "popa3d", "bitlbee"]]
SYSTEM_USERS = {
    "postfix": 201, "sshd": 202, "Debian-exim": 203, "proftpd": 204, "courier": 205, "cyrus": 206, "opensmtpd": 207,
    "opensmtpq": 208, "dovecot": 209, "dovenull": 210, "mysql": 211, "smmta": 212, "smmsp": 213, "mpd": 214,
    "gpsd": 215, "bitlbee": 216, "telnetd": 217, "ftp": 218, "popa3d": 219}
GROUPS_OF_OWN = {"postdrop": 301, "ssl-cert": 302, "telnetd": 303, "utmp": 304}
TOP = ["bin", "sbin", "lib", "lib64"]	# links to /usr's


def _apt(folder, *words):
    at = {"Dir::Etc::main": "/dev/null", "Dir::Etc::parts": "/dev/null", "Dir::Etc::sourceparts": "/dev/null",
          "Dir::Etc::sourcelist": f"{folder}/apt.sources", "Dir::State": f"{folder}/state",
          "Dir::State::status": f"{folder}/status", "Dir::Cache": f"{folder}/cache",
          "APT::Install-Recommends": "false", "APT::Sandbox::User": "root"}
    debian.run("apt-get", "-qq", *[word for key, value in at.items() for word in ("-o", f"{key}={value}")], *words)


def _fetch(folder, suite):
    for part in "state/lists/partial", "cache/archives/partial":
        os.makedirs(f"{folder}/{part}", exist_ok=True)
    with open(f"{folder}/apt.sources", "w") as file:
        file.write(debian.apt_sources([suite]))
    open(f"{folder}/status", "w").close()	# nothing is installed
    _apt(folder, "update")
    for group in GROUPS:
        _apt(folder, "install", "--download-only", "--yes", *group)


def _unpack(folder):
    root = f"{folder}/root"
    for name in TOP:
        os.makedirs(f"{root}/usr/{name}", exist_ok=True)
        if not os.path.islink(f"{root}/{name}"):
            os.symlink(f"usr/{name}", f"{root}/{name}")
    for package in sorted(glob.glob(f"{folder}/cache/archives/*.deb")):
        debian.run("sh", "-c", 'dpkg-deb --fsys-tarfile "$1" | tar -x --keep-directory-symlink -C "$2"', "sh",
                   package, root)
        os.unlink(package)
    if not os.path.lexists(f"{root}/usr/bin/awk"):
        os.symlink("mawk", f"{root}/usr/bin/awk")	# an alternative
    for name, more in ("passwd", SYSTEM_USERS), ("group", SYSTEM_USERS | GROUPS_OF_OWN):
        with open(f"{root}/usr/share/base-passwd/{name}.master") as master, open(f"{root}/etc/{name}", "w") as file:
            file.write(master.read())
            file.writelines(f"{user}:*:{number}:{number}::/var/empty:/usr/sbin/nologin\n" if name == "passwd" else
                            f"{user}:*:{number}:\n" for user, number in more.items())
    with open(f"{root}/etc/hosts", "w") as file:
        file.write("127.0.0.1 mail.example.org mail localhost\n")


def root_of(suite):
    """The folder with a release's servers; RuntimeError where they cannot be had."""
    folder = os.path.join(BUILD, "releases", suite)
    done, wanted = pathlib.Path(folder, "unpacked"), repr((GROUPS, SYSTEM_USERS, GROUPS_OF_OWN))
    with debian.packages_locked():
        if not done.exists() or done.read_text() != wanted:
            os.makedirs(folder, exist_ok=True)
            _fetch(folder, suite)
            _unpack(folder)
            done.write_text(wanted)
    return f"{folder}/root"


def version_of(suite, package):
    """The upstream's part of a package's version."""
    doc = f"{root_of(suite)}/usr/share/doc/{package}"
    with gzip.open(next(name for name in glob.glob(f"{doc}/changelog*.gz") if "ebian" in name), "rt") as changes:
        return re.search(r"\((?:\d+:)?([\d.]*\d)", changes.readline())[1]


# The release below what this server writes, in namespaces of its own: all ends with the first process in them. That
# one stays a shell, because a program that changes its user would no longer end with its parent.
_START = """
upper=$1 root=$2 script=$3
mkdir -p "$upper/changed" "$upper/work" "$upper/root"
mount -t overlay -o "lowerdir=$root,upperdir=$upper/changed,workdir=$upper/work" overlay "$upper/root"
cd "$upper/root"
mkdir -p dev proc tmp run/lock var/empty
chmod 1777 tmp
mount --rbind /dev dev
mount -t proc proc proc
hostname mail.example.org
code=0
env -i PATH=/usr/sbin:/usr/bin HOME=/root TERM=dumb chroot . /bin/sh -e -c "$script" || code=$?
exit $code
"""


def command(root, folder, script):
    """Runs a script in a release; what it writes goes to the folder."""
    return ["unshare", "--mount", "--pid", "--uts", "--ipc", "--fork", "--kill-child", "sh", "-e", "-c", _START, "sh",
            folder, root, script]

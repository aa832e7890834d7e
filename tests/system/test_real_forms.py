# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""The stable form of real servers: asked again and again, restarted twice, then reconfigured."""

import contextlib
import os
import re
import socket
import subprocess
import tempfile
import time

import pytest

import demo
import netns
import rig
from conftest import BUILD
from netns import wait_for
from test_inventory import Inventory, line

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="servers need root")
ASKED = 12		# connections to each run of a server


def sshd(folder, changed):
    if not os.path.exists(f"{folder}/key"):
        netns.sh("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", f"{folder}/key")
    os.makedirs("/run/sshd", exist_ok=True)
    return ["/usr/sbin/sshd", "-D", "-e", "-f", "/dev/null", "-h", f"{folder}/key", "-p", "2022", "-o",
            f"VersionAddendum={'tuned' if changed else 'none'}", "-o", f"PidFile={folder}/pid"], [2022]


def dropbear(folder, changed):
    if not os.path.exists(f"{folder}/dropbear"):
        netns.sh("dropbearkey", "-t", "ed25519", "-f", f"{folder}/dropbear")
    return ["/usr/sbin/dropbear", "-F", "-E", "-r", f"{folder}/dropbear", "-p", "2023", "-P", f"{folder}/pid",
            *(["-j", "-k"] if changed else [])], [2023]


def vsftpd(folder, changed):
    text = demo.VSFTPD.replace("listen_port=21", "listen_port=2021")
    if changed:
        text += "ftpd_banner=Welcome to the archive\n"
    return ["/usr/sbin/vsftpd", demo.configured(folder, "vsftpd.conf", text)], [2021]


def exim(folder, changed):
    name = "mx2" if changed else "mx1"
    path = f"{folder}/exim.conf"
    with open(path, "w") as file:
        file.write(f"primary_hostname = {name}.example.org\nspool_directory = {folder}/spool\n"
                   f"log_file_path = syslog\ntls_advertise_hosts =\nlocal_interfaces = 127.0.0.1\n"
                   "daemon_smtp_ports = 2025\n"
                   "host_lookup =\nrfc1413_query_timeout = 0s\nkeep_environment =\nadd_environment =\n")
    return ["/usr/sbin/exim4", "-bdf", "-C", path, "-oP", f"{folder}/pid"], [2025]


def dovecot(folder, changed):
    text = demo.DOVECOT.replace("{address}", "127.0.0.1") + (
        "service imap-login {{\n  inet_listener imap {{\n    port = 2143\n  }}\n}}\n"
        "service pop3-login {{\n  inet_listener pop3 {{\n    port = 2110\n  }}\n}}\n"
        "auth_mechanisms = plain {more}\n".replace("{more}", "login" if changed else "cram-md5")
        + ("login_greeting = Mail here.\n" if changed else ""))
    return ["/usr/sbin/dovecot", "-F", "-c", demo.configured(folder, "dovecot.conf", text)], [2143, 2110]


def mariadb(folder, changed):
    data = f"{folder}/mariadb"
    os.makedirs(data, exist_ok=True)
    return ["/usr/sbin/mariadbd", "--no-defaults", "--user=root", f"--datadir={data}", "--skip-grant-tables",
            "--innodb-log-file-size=4M", f"--socket={data}/socket", f"--pid-file={data}/pid",
            "--bind-address=127.0.0.1", "--port=3307", f"--tmpdir={data}", "--lc-messages-dir=/usr/share/mysql",
            *(["--version=10.11.99-MariaDB-tuned"] if changed else [])], [3307]


def rsync(folder, changed):
    with open(f"{folder}/rsyncd.conf", "w") as file:
        file.write("use chroot = no\n" + (f"motd file = {folder}/motd\n" if changed else ""))
    with open(f"{folder}/motd", "w") as file:
        file.write("A mirror of the archive\n")
    return ["/usr/bin/rsync", "--daemon", "--no-detach", "--port=2873", f"--config={folder}/rsyncd.conf",
            f"--log-file={folder}/rsync.log"], [2873]


def pure_ftpd(folder, changed):
    unpacked = os.path.join(BUILD, "pure-ftpd")
    return [f"{unpacked}/usr/sbin/pure-ftpd", "-S", "127.0.0.1,2121", "-H", "-g", f"{folder}/pid", "-p", "3000:3100",
            *(["-c", "7"] if changed else [])], [2121]


# What no option of theirs changes what they say.
UNCHANGED = {dropbear}
# Servers, and Debian's packages of each.
SERVERS = {sshd: "openssh-server", dropbear: "dropbear-bin", vsftpd: "vsftpd", exim: "exim4-daemon-light",
           dovecot: "dovecot-imapd dovecot-pop3d", mariadb: "mariadb-server-core", rsync: "rsync",
           pure_ftpd: None}


# What ends the greeting of a server that writes it in several pieces, once it is reconfigured.
LAST_WRITTEN = {rsync: b"archive\n\n"}


def greeting(port, last):
    """All that is said to a client that says nothing: to the last line of a reply, and to the bytes `last`."""
    with socket.create_connection(("127.0.0.1", port), timeout=netns.PATIENCE) as client:
        own = client.getsockname()[1]
        said = client.recv(4096)
        while re.match(rb"\d\d\d-", said) and not re.search(rb"(^|\n)\d\d\d [^\n]*\n$", said):
            said += client.recv(4096)
        while last not in said:
            more = client.recv(4096)
            assert more, said
            said += more
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        return said, own


@contextlib.contextmanager
def running(ns, command, ports, log):
    env = dict(os.environ)
    if "pure-ftpd" in command[0]:
        folder = os.path.join(BUILD, "pure-ftpd")
        env["LD_LIBRARY_PATH"] = ":".join(path for path, _, _ in os.walk(folder) if path.endswith("-linux-gnu"))
    process = subprocess.Popen(ns.argv(*command), stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=env,
                               start_new_session=True)
    try:
        wait_for(f"{command[0]} to listen", lambda: process.poll() is not None or
                 set(ports) <= demo.listening(ns), 60)
        assert process.poll() is None, f"{command[0]} has ended"
        yield
    finally:
        demo.end(process)
        wait_for("its port", lambda: not set(ports) & demo.listening(ns))


def ask(ns, ports, clock, last):
    """Lines of the log of so many connections, minutes apart."""
    for _ in range(ASKED):
        for port in ports:
            with ns.entered():
                said, own = greeting(port, last)
            assert said
            clock[0] += 61
            yield line(said, clock[0], server="127.0.0.1", port=port, client="127.0.0.1", client_port=own)


@pytest.mark.parametrize("server", SERVERS, ids=lambda server: server.__name__)
def test_real_server(server, tmp_path, unpacked):
    if SERVERS[server]:
        rig.install(*SERVERS[server].split())
    else:
        unpacked("pure-ftpd", "libsodium23")
    inventory = Inventory(tmp_path)
    clock = [time.time() - 86400]
    changed_ports = []
    # Its name is short, because that of a Unix socket in it has at most 107 bytes.
    with netns.Namespace("forms") as ns, open(tmp_path / "log", "w") as log, \
            tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        os.chmod(folder, 0o755)
        for changed in False, False, False, True, True:
            command, ports = server(folder, changed)
            if not os.path.exists(command[0]):
                pytest.skip(f"{command[0]} cannot be had")
            with running(ns, command, ports, log):
                inventory.take(*ask(ns, ports, clock, LAST_WRITTEN.get(server, b"") if changed else b""))
            if not changed:
                assert inventory.changes() == ["new"] * len(ports), inventory.forms()
        changed_ports = inventory.ask("SELECT port, count(*) FROM change JOIN service ON service.id = service_id"
                                      " WHERE kind <> 'new' GROUP BY port")
    assert bool(changed_ports) == (server not in UNCHANGED)
    assert all(count == 1 for _, count in changed_ports), (changed_ports, inventory.forms())

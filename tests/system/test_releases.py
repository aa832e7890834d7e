# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Debian's servers, of two releases: restarted, reconfigured, and then upgraded. Each is at most one change."""

import collections
import concurrent.futures
import contextlib
import os
import re
import socket
import subprocess
import time

import pytest

import demo
import netns
import releases
from netns import wait_for
from test_inventory import Inventory, line

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="servers need root")
BEFORE, AFTER = "bookworm", "trixie"
ASKED = 6		# connections to each run of a server
MANY = int(os.environ.get("RELEASES_CONNECTIONS", "200"))	# to a server that nobody touches
AT_ONCE = 2
SSH = rb"SSH-[^\n]*\n"
LINES = rb"(?:\A|\n)(?!\d\d\d-)[^\n]*\n\Z"

# What is asked and expected of a server: its script, given whether it is reconfigured and which release it is of;
# package: whose version it says, None if it says none; product: by port; reconfigured, upgraded: the change's kind
# on each port (None: what it says is the same); end: a pattern at a greeting's end.
Server = collections.namedtuple("Server", "products package reconfigured upgraded end",
                                defaults=("banner", "version", LINES))


def file(path, text):
    return f"mkdir -p {os.path.dirname(path)}; cat >{path} <<'END'\n{text}\nEND\n"


def openssh(changed, suite):
    return ("mkdir -p /run/sshd; [ -f /key ] || ssh-keygen -q -t ed25519 -N '' -f /key\n"
            "exec /usr/sbin/sshd -D -e -f /dev/null -h /key -p 22 -o UsePAM=no -o MaxStartups=1000 -o VersionAddendum="
            + ("tuned" if changed else "none"))


def dropbear(changed, suite):
    return ("[ -f /key ] || dropbearkey -t ed25519 -f /key\n"
            f"exec /usr/sbin/dropbear -F -E -r /key -p 22 -P /run/pid {'-j -k' if changed else ''}")


def postfix(changed, suite):
    banner = "$myhostname ESMTP $mail_name $mail_version" if changed else "$myhostname ESMTP $mail_name (Debian/GNU)"
    return (file("/etc/postfix/main.cf", "compatibility_level = 3.6\nmyhostname = mail.example.org\n"
                 f"inet_interfaces = loopback-only\ninet_protocols = ipv4\nsmtpd_banner = {banner}\nmynetworks = "
                 f"127.0.0.0/8\n"
                 "smtpd_peername_lookup = no\nmaillog_file = /dev/stdout\nalias_maps =\n")
            + "mkdir -p /var/lib/postfix; chown postfix /var/lib/postfix\ncp /usr/share/postfix/master.cf.dist "
              "/etc/postfix/master.cf\nrm -f /var/spool/postfix/pid/*\n"
              "exec postfix start-fg")


def exim(changed, suite):
    return (file("/exim.conf", f"primary_hostname = {'mx2' if changed else 'mx1'}.example.org\ntls_advertise_hosts =\n"
                 "log_file_path = syslog\nlocal_interfaces = 127.0.0.1\nhost_lookup =\nrfc1413_query_timeout = 0s\n"
                 "keep_environment =\nadd_environment =\n")
            + "exec exim4 -bdf -C /exim.conf -oP /run/pid")


def sendmail(changed, suite):
    return (file("/my.mc", "include(`/usr/share/sendmail/cf/m4/cf.m4')dnl\n"
                 "OSTYPE(`debian')dnl\nDOMAIN(`debian-mta')dnl\n"
                 + ("define(`confSMTP_LOGIN_MSG', `$j Sendmail $v/$Z; $b; go away')dnl\n" if changed else "")
                 + "define(`confREFUSE_LA', `1000')dnl\ndefine(`confQUEUE_LA', `1000')dnl\n"
                 "DAEMON_OPTIONS(`Family=inet, Port=25, Addr=127.0.0.1')dnl\nMAILER(`local')dnl\nMAILER(`smtp')dnl\n")
            + "mkdir -p /etc/mail /var/spool/mqueue /var/run/sendmail/mta; touch /etc/mail/local-host-names\n"
              "m4 /my.mc >/etc/mail/sendmail.cf\n"
              "exec $(ls /usr/libexec/sendmail/sendmail /usr/lib/sm.bin/sendmail 2>/dev/null | head -n 1) -bD")


def opensmtpd(changed, suite):
    return (file("/etc/smtpd.conf", f"listen on 127.0.0.1 hostname {'mx2' if changed else 'mx1'}.example.org\n"
                 "action \"local\" mbox\nmatch for local action \"local\"\n")
            + "mkdir -p /var/spool/smtpd; chmod 711 /var/spool/smtpd\nexec smtpd -d")


COURIERTCPD = "couriertcpd -address=127.0.0.1 -nodnslookup -maxperip=1000 -maxperc=1000"


def courier_mta(changed, suite):
    return ("set -a; . /etc/courier/esmtpd; PATH=/usr/sbin:/usr/bin; set +a\n"
            + file("/etc/courier/me", "mx2.example.org" if changed else "mx1.example.org")
            + "exec " + COURIERTCPD + " 25 "
              "/usr/lib/courier/courier/modules/esmtp/courieresmtpd")


def courier_imap(changed, suite):
    return ("set -a; . /etc/courier/imapd; . /etc/courier/pop3d; set +a\n"
            "export IMAP_CAPABILITY=\"$IMAP_CAPABILITY" + (" XTUNED" if changed else "") + "\"\n"
            + COURIERTCPD + " 110 $(ls /usr/lib/courier/courier/courierpop3login "
            "/usr/sbin/courierpop3login /usr/sbin/pop3login 2>/dev/null | head -n 1) "
            "/usr/lib/courier/courier/courierpop3d Maildir &\n"
            "exec " + COURIERTCPD + " 143 $(ls /usr/lib/courier/courier/imaplogin "
            "/usr/sbin/imaplogin 2>/dev/null | head -n 1) /usr/bin/imapd Maildir")


def cyrus(changed, suite):
    return (file("/etc/imapd.conf", "configdirectory: /var/lib/cyrus\npartition-default: /var/spool/cyrus/mail\n"
                 "defaultpartition: default\nadmins: cyrus\nallowplaintext: yes\nsasl_pwcheck_method: auxprop\n"
                 f"servername: {'mail2' if changed else 'mail1'}.example.org\nserverinfo: on\n")
            + file("/etc/cyrus.conf", "START {\n}\nSERVICES {\n imap cmd=\"imapd\" listen=\"127.0.0.1:143\" prefork=0\n"
                   " lmtp cmd=\"lmtpd -a\" listen=\"127.0.0.1:24\" prefork=0\n}\nEVENTS {\n}\n")
            + "mkdir -p /run/cyrus/socket /var/lib/cyrus /var/spool/cyrus/mail /var/spool/sieve\n"
              "chown -R cyrus:cyrus /run/cyrus /var/lib/cyrus /var/spool/cyrus /var/spool/sieve\n"
              "exec $(ls /usr/sbin/cyrmaster /usr/lib/cyrus/bin/master 2>/dev/null | head -n 1) -D")


def dovecot(changed, suite):
    common = ("protocols = imap pop3\nssl = no\nlisten = 127.0.0.1\nlog_path = /dev/stderr\n"
              + ("login_greeting = Mail here.\n" if changed else "") + "passdb {more}{{\n  driver = static\n}}\n")
    old = "auth_mechanisms = plain {0}\ndisable_plaintext_auth = no\n"
    new = ("dovecot_config_version = 2.4.0\ndovecot_storage_version = 2.4.0\nauth_mechanisms = plain {0}\n"
           "auth_allow_cleartext = yes\n")
    text = (old if suite == BEFORE else new).format("login" if changed else "cram-md5")
    return (file("/dovecot.conf", text + common.format(more="" if suite == BEFORE else "static "))
            + "mkdir -p /run/dovecot\nexec dovecot -F -c /dovecot.conf")


def vsftpd(changed, suite):
    return (file("/vsftpd.conf", "listen=YES\nlisten_address=127.0.0.1\nanonymous_enable=YES\nbackground=NO\n"
                 "secure_chroot_dir=/var/empty\nseccomp_sandbox=NO\n" + ("write_enable=YES\n" if changed else ""))
            + "exec vsftpd /vsftpd.conf")


def proftpd(changed, suite):
    return (file("/proftpd.conf", f"ServerName \"{'Files' if changed else 'Debian'}\"\nServerType standalone\nPort 21\n"
                 "DefaultAddress 127.0.0.1\nUseIPv6 off\nUser nobody\nGroup nogroup\nWtmpLog off\nTransferLog none\n")
            + "exec proftpd -n -q -c /proftpd.conf")


def pure_ftpd(changed, suite):
    return f"exec pure-ftpd -S 127.0.0.1,21 -H -g /run/pid {'-c 7' if changed else ''}"


def mariadb(changed, suite):
    return ("rm -rf /data; mkdir /data; exec mariadbd --no-defaults --user=root --datadir=/data --skip-grant-tables "
            "--port=3306 --innodb-log-file-size=4M --socket=/data/socket --pid-file=/data/pid --bind-address=127.0.0.1"
            " --lc-messages-dir=/usr/share/mysql --innodb-use-native-aio=0"
            + (" --max-connections=50" if changed else ""))


def inn(changed, suite):
    name = f"{'feed' if changed else 'news'}.example.org"
    return (file("/etc/news/inn.conf", f"pathhost: {name}\norganization: x\ndomain: example.org\nfromhost: {name}\n"
                 "mta: \"/bin/true %s\"\novmethod: tradindexed\nhismethod: hisv6\nnnrpdloadlimit: 0\n"
                 "pathnews: /usr/lib/news\npathspool: /var/spool/news\npathdb: /var/lib/news\npathetc: /etc/news\n"
                 "pathrun: /run/news\npathlog: /var/log/news\npathbin: /usr/lib/news/bin\n")
            + file("/etc/news/storage.conf", "method trash {\n newsgroups: *\n class: 0\n}")
            + file("/etc/news/newsfeeds", "ME:!*::")
            + file("/etc/news/incoming.conf", "peer me {\n hostname: 127.0.0.1\n}")
            + file("/var/lib/news/active", "control 0000000000 0000000001 n\njunk 0000000000 0000000001 n")
            + "mkdir -p /run/news /var/log/news /var/spool/news/articles /var/spool/news/overview\n"
              "rm -f /run/news/* /var/lib/news/history*; touch /var/lib/news/history /var/lib/news/active.times\n"
              "chown -R news:news /run/news /var/lib/news /var/log/news /etc/news /var/spool/news\n"
              "cat >/as_news <<'END'\n$( = 9; $) = '9 9'; $< = $> = 9;\n"
              "system('/usr/lib/news/bin/makedbz', '-i', '-o', '-s', '1000', '-f', '/var/lib/news/history');\n"
              "system('/usr/lib/news/bin/innd', '-f', '-P', '1118');\t# makes the overview, and ends without a peer\n"
              "exec '/usr/lib/news/bin/nnrpd', '-D', '-f', '-p', '1119';\nEND\nexec perl /as_news")


def leafnode(changed, suite):
    return (file("/etc/news/leafnode/config", f"server = news.example.net\nexpire = 20\nhostname = "
                                              f"{'feed' if changed else 'news'}.leaf.lan\n")
            + "mkdir -p /var/spool/news/leaf.node /var/spool/news/interesting.groups /var/spool/news/message.id "
              "/var/spool/news/out.going\n"
              "touch /var/spool/news/leaf.node/groupinfo; chown -R news:news /var/spool/news /etc/news\n"
            + file("/inetd.conf", "127.0.0.1:119 stream tcp nowait news /usr/sbin/leafnode leafnode")
            + "exec inetutils-inetd -R 100000 -d /inetd.conf")


def telnetd(changed, suite):
    return (file("/ask", "#!/bin/sh\nprintf 'login: '\nread name") + "chmod +x /ask\n"
            + f"hostname {'mail2' if changed else 'mail1'}.example.org\n"
            + file("/inetd.conf", "127.0.0.1:23 stream tcp nowait root /usr/sbin/telnetd telnetd -E /ask")
            + "exec inetutils-inetd -R 100000 -d /inetd.conf")


def inspircd(changed, suite):
    return (file("/etc/inspircd/my.conf", f'<server name="{"hub" if changed else "irc"}.example.org" description="x" '
                                          f'network="Net">\n'
                 '<admin name="x" nick="x" email="x@example.org">\n<bind address="127.0.0.1" port="6667" '
                 'type="clients">\n'
                 '<connect allow="*" timeout="60" resolvehostnames="yes" registration="60" ident="no">\n<dns '
                 'server="127.0.0.1" timeout="5">\n'
                 '<power hash="plain" diepass="x" restartpass="x">\n<log method="stdout" type="*" level="default">\n'
                 '<pid file="/run/inspircd.pid">\n')
            + "chown -R irc /etc/inspircd; exec inspircd --nofork --runasroot --config=/etc/inspircd/my.conf")


def ngircd(changed, suite):
    return (file("/ngircd.conf", f"[Global]\nName = {'hub' if changed else 'irc'}.example.org\nInfo = x\nListen = "
                                 f"127.0.0.1\n"
                 "ServerUID = irc\nServerGID = irc\n[Limits]\n"
                 "MaxConnectionsIP = 0\n[Options]\nNoticeBeforeRegistration = yes\nDNS = yes\nIdent = "
                 "no\nPAM = no\n")
            + "exec ngircd -n -f /ngircd.conf")


def bitlbee(changed, suite):
    return (file("/bitlbee.conf", f"[settings]\nRunMode = Daemon\nDaemonInterface = 127.0.0.1\nDaemonPort = 6667\n"
                 f"ConfigDir = /var/lib/bitlbee\nHostName = {'hub' if changed else 'irc'}.example.org\n")
            + "mkdir -p /var/lib/bitlbee\nexec bitlbee -D -n -c /bitlbee.conf")


def vnc(changed, suite):
    depth = 16 if changed else 24
    return ("rm -rf /tmp/.X*; mkdir -p /tmp/.X11-unix\n"
            f"Xtigervnc :1 -rfbport 5901 -SecurityTypes None -BlacklistThreshold 100000 -interface 127.0.0.1 -geometry "
            f"320x200 -depth {depth} &\n"
            "until [ -S /tmp/.X11-unix/X1 ]; do sleep 0.1; done\n"
            "exec x11vnc -display :1 -rfbport 5902 -localhost -forever -shared -no6 -nopw"
            + (" -viewonly" if changed else ""))


def rsync(changed, suite):
    return (file("/motd", "A mirror of the archive" if changed else "A mirror")
            + file("/rsyncd.conf", "use chroot = no\naddress = 127.0.0.1\nmotd file = /motd\n")
            + "exec rsync --daemon --no-detach --port=873 --config=/rsyncd.conf --log-file=/dev/stdout")


def mpd(changed, suite):
    return (file("/mpd.conf", 'music_directory "/tmp"\nbind_to_address "127.0.0.1"\nport "6600"\nlog_file '
                              '"/dev/stdout"\n'
                 'zeroconf_enabled "no"\naudio_output {\n type "null"\n name "x"\n}\n'
                 + ('max_connections "50"\n' if changed else ""))
            + "export LD_LIBRARY_PATH=$(echo /usr/lib/*-linux-gnu/blas):$(echo /usr/lib/*-linux-gnu/lapack)\nexec mpd "
              "--no-daemon /mpd.conf")


def gpsd(changed, suite):
    return f"exec gpsd -N {'-b' if changed else ''} -F /run/gpsd.sock -S 2947"


def hylafax(changed, suite):
    return ("mkdir -p /var/spool/hylafax/etc /var/spool/hylafax/tmp /var/spool/hylafax/docq; cd /var/spool/hylafax\n"
            + file("/etc/hylafax/hosts.hfaxd", "127.0.0.1\nlocalhost")
            + "cp -r /etc/hylafax/. etc/ 2>/dev/null || true; chown -R uucp:uucp .\n"
              "exec hfaxd -d -i 4559")


def popa3d(changed, suite):
    return (file("/inetd.conf", "127.0.0.1:110 stream tcp nowait root /usr/sbin/popa3d popa3d")
            + "exec inetutils-inetd -R 100000 -d /inetd.conf")


SERVERS = {
    openssh: Server({22: "OpenSSH"}, "openssh-server", "version", end=SSH),
    dropbear: Server({22: "Dropbear sshd"}, "dropbear-bin", reconfigured=None, end=SSH),
    postfix: Server({25: "Postfix"}, None, "version"),
    exim: Server({25: "Exim"}, "exim4-daemon-light"),
    sendmail: Server({25: "Sendmail"}, "sendmail-bin"),
    opensmtpd: Server({25: "OpenSMTPD"}, None, upgraded=None),
    courier_mta: Server({25: None}, None, upgraded=None),
    courier_imap: Server({143: "Courier-IMAP", 110: "Courier pop3d"}, None, {143: "banner"}, {143: "banner"}),
    cyrus: Server({143: "Cyrus IMAP", 24: "Cyrus IMAP lmtpd"}, "cyrus-imapd"),
    dovecot: Server({143: "Dovecot", 110: "Dovecot"}, None, upgraded={143: "banner"}),
    vsftpd: Server({21: "vsftpd"}, "vsftpd", None),
    proftpd: Server({21: "ProFTPD"}, None, upgraded=None),
    pure_ftpd: Server({21: "Pure-FTPd"}, None, reconfigured="banner", upgraded=None, end=rb"\n220 [^\n]*\n\Z"),
    mariadb: Server({3306: "MariaDB"}, "mariadb-server-core", None, end=rb"(?s)\A.{4}\n.*\0\Z"),
    inn: Server({1119: "INN"}, "inn2"),
    leafnode: Server({119: "Leafnode"}, "leafnode", upgraded=None),
    telnetd: Server({23: "GNU inetutils telnetd"}, None, upgraded=None, end=rb"login: (\xff..)*\Z"),
    inspircd: Server({6667: None}, None, upgraded=None),
    ngircd: Server({6667: None}, None, None, None),
    bitlbee: Server({6667: "BitlBee"}, None, upgraded=None),
    vnc: Server({5901: None, 5902: None}, None, reconfigured=None, upgraded=None),
    rsync: Server({873: "rsync"}, None, upgraded=None, end=rb"\n\n\Z"),	# an empty line ends the text of the day
    mpd: Server({6600: "Music Player Daemon"}, None, reconfigured=None, upgraded="banner"),
    gpsd: Server({2947: "gpsd"}, "gpsd", reconfigured=None),
    hylafax: Server({4559: "HylaFAX"}, "hylafax-server", None, None),
    popa3d: Server({110: None}, None, reconfigured=None, upgraded=None),
}


def refuse_options(client, said):
    """Answers telnet's negotiation: WONT to DO, DONT to WILL."""
    asked = re.findall(rb"(?s)\xff([\xfb\xfd])(.)", said)
    client.sendall(b"".join(b"\xff" + (b"\xfc" if verb == b"\xfd" else b"\xfe") + option for verb, option in asked))


def greeting(port, end):
    """What it says, and the client's port; None: the server is at its limit, and closes without a word."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as client:
        own, said = client.getsockname()[1], b""
        while not re.search(end, said):
            try:
                more = client.recv(4096)
            except TimeoutError:
                raise AssertionError((port, said))
            if not more and not said:
                return None
            assert more, (port, said)
            said += more
            if port == 23:
                refuse_options(client, more)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        return said, own


@contextlib.contextmanager
def running(ns, command, ports, log):
    process = subprocess.Popen(ns.argv(*command), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                               start_new_session=True)
    try:
        wait_for("the server to listen", lambda: process.poll() is not None or set(ports) <= demo.listening(ns), 60)
        assert process.poll() is None, "the server has ended"
        yield
    finally:
        process.kill()	# unshare(1) minds nothing else
        process.wait()
        wait_for("its ports", lambda: not set(ports) & demo.listening(ns), 10)


class Watched:
    """A server and the inventory of what it says."""

    def __init__(self, script, ns, folder, log):
        self.script, self.server, self.ns, self.folder, self.log = script, SERVERS[script], ns, folder, log
        self.inventory = Inventory(folder)
        self.clock = time.time() - 86400

    def greeting(self, port):
        return wait_for("a greeting", lambda: greeting(port, self.server.end))

    def ask(self, times, at_once):
        """The greetings of so many connections to each port, as records of a log."""
        ports = list(self.server.products) * times
        # Threads stay in the namespace in which they begin.
        with self.ns.entered(), concurrent.futures.ThreadPoolExecutor(at_once) as threads:
            for port, (said, own) in zip(ports, threads.map(self.greeting, ports)):
                self.clock += 61
                yield line(said, self.clock, server="127.0.0.1", port=port, client="127.0.0.1", client_port=own)

    def run(self, suite, changed, times=ASKED, at_once=1):
        command = releases.command(releases.root_of(suite), f"{self.folder}/{suite}", self.script(changed, suite))
        with running(self.ns, command, self.server.products, self.log):
            self.inventory.take(*self.ask(times, at_once))

    def changes(self):
        """The kinds of changes on each port since the last call."""
        new = self.inventory.ask("SELECT port, kind FROM change JOIN service ON service.id = service_id ORDER BY "
                                 "change.id")
        self.seen, before = new, getattr(self, "seen", [])
        return {port: [kind for at, kind in new[len(before):] if at == port] for port in self.server.products}

    def identified(self):
        """(product, version, cpe) of the current form on each port."""
        return {port: what for port, *what in self.inventory.ask(
            "SELECT port, banner.product, version, cpe FROM service JOIN banner ON banner.id = banner_id")}


def expected(server, kind):
    """`kind`: of a change on all ports, None: on none; or one by port."""
    kinds = kind if isinstance(kind, dict) else dict.fromkeys(server.products, kind)
    return {port: [kinds[port]] if kinds.get(port) else [] for port in server.products}


def check_identity(watched, suite):
    server = watched.server
    for port, (product, version, cpe) in watched.identified().items():
        assert product == server.products[port]
        if product:
            assert cpe and cpe != "[]"
        if server.package:
            assert version and version.startswith(releases.version_of(suite, server.package))


@pytest.fixture(scope="session")
def both():
    for suite in BEFORE, AFTER:
        try:
            releases.root_of(suite)
        except RuntimeError as error:
            pytest.skip(f"Debian {suite} cannot be had: {error}")


@pytest.fixture(params=SERVERS, ids=lambda script: script.__name__)
def watched(request, both, tmp_path):
    os.chmod(tmp_path, 0o755)
    with netns.Namespace("releases") as ns, open(tmp_path / "log", "w") as log:
        yield Watched(request.param, ns, tmp_path, log)


def test_server(watched):
    for _ in range(3):
        watched.run(BEFORE, False)
    assert watched.changes() == expected(watched.server, "new"), watched.inventory.forms()
    check_identity(watched, BEFORE)
    for _ in range(2):
        watched.run(BEFORE, True)
    assert watched.changes() == expected(watched.server, watched.server.reconfigured), watched.inventory.forms()
    for _ in range(2):
        watched.run(AFTER, True)
    assert watched.changes() == expected(watched.server, watched.server.upgraded), watched.inventory.forms()


def test_many_connections(watched):
    """No change, however often a server is asked: RELEASES_CONNECTIONS is the number for each port."""
    watched.run(BEFORE, False, MANY, AT_ONCE)
    assert watched.changes() == expected(watched.server, "new"), watched.inventory.forms()
    counted = dict(watched.inventory.ask("SELECT port, connections FROM service"))
    assert counted == dict.fromkeys(watched.server.products, MANY)

#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Shows bannerprobe at work on real servers: `make demo`, as root, on Debian.

Two network namespaces joined by a veth pair: servers in one, bannerprobe and
the clients in the other. The machine's own network is not touched. First the
banners, as they are logged; then the inventory, in which sshd is upgraded.
Recorded (`make picture`), it is slow enough for the eye.
"""

import argparse
import contextlib
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "system"))

import debian
import netns
import servers

ADDRESS = "10.99.0.2"
IFACE = "eth0"
INVENTORY = os.path.join(netns.ROOT, "bannerprobe-inventory")
SHOWN = "/var/lib/bannerprobe/inventory.db"	# what stands for the demo's own file
COLUMNS = 110			# of the recorded terminal: most records fit
EYE_SECONDS = 0.7		# from client to client, for the viewer of the recording
PACKAGES = ["openssh-server", "vsftpd", "python3-aiosmtpd", "dovecot-imapd", "dovecot-pop3d",
            "mariadb-server-core", "nginx-light"]

VSFTPD = """listen=YES
listen_port=21
background=NO
anonymous_enable=YES
run_as_launching_user=YES
secure_chroot_dir={folder}
"""
DOVECOT = """protocols = imap pop3
base_dir = {folder}/dovecot
state_dir = {folder}/dovecot
log_path = /dev/stderr
ssl = no
listen = {address}
passdb {{
  driver = static
  args = nopassword=y
}}
userdb {{
  driver = static
  args = uid=nobody gid=nogroup home=/nonexistent
}}
"""
NGINX = """daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log stderr;
events {{ }}
http {{
  access_log off;
  client_body_temp_path {folder}/nginx;
  server {{ listen {address}:80; location / {{ return 200 "hello\\n"; }} }}
}}
"""


SIGNALS = signal.SIGINT, signal.SIGTERM


@contextlib.contextmanager
def undisturbed():
    """A signal that comes meanwhile counts afterwards: nothing is made and then forgotten."""
    pending = []
    before = {n: signal.signal(n, lambda number, _: pending.append(number)) for n in SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        for number in pending:
            signal.raise_signal(number)


# --- packages ---------------------------------------------------------------------------------

def install():
    missing = [package for package in PACKAGES if not debian.installed(package)]
    if not missing:
        return
    print("Installing", *missing, "...", flush=True)
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    command = ["apt-get", "-qq", "-o", "Dpkg::Use-Pty=0"]
    with debian.no_services_started():
        subprocess.run([*command, "update"], env=env, check=True)
        subprocess.run([*command, "install", "-y", "--no-install-recommends", *missing],
                       env=env, check=True, stdout=subprocess.DEVNULL)


# --- servers ----------------------------------------------------------------------------------

def ssh(folder):
    if not os.path.exists(f"{folder}/key"):
        netns.sh("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", f"{folder}/key")
    os.makedirs("/run/sshd", exist_ok=True)	# its privilege separation insists
    return ["/usr/sbin/sshd", "-D", "-e", "-f", "/dev/null", "-h", f"{folder}/key",
            "-o", f"ListenAddress={ADDRESS}", "-o", f"PidFile={folder}/sshd.pid"]


def smtp(folder):
    return ["/usr/bin/python3", "-m", "aiosmtpd", "-n", "-l", f"{ADDRESS}:25",
            "-c", "aiosmtpd.handlers.Sink"]


def ftp(folder):
    return ["/usr/sbin/vsftpd", configured(folder, "vsftpd.conf", VSFTPD)]


def mail(folder):
    return ["/usr/sbin/dovecot", "-F", "-c", configured(folder, "dovecot.conf", DOVECOT)]


def mariadb(folder):
    data = f"{folder}/mariadb"
    os.mkdir(data)
    return ["/usr/sbin/mariadbd", "--no-defaults", "--user=root", f"--datadir={data}",
            "--skip-grant-tables", "--innodb-log-file-size=4M", f"--socket={data}/socket",
            f"--pid-file={data}/pid", f"--bind-address={ADDRESS}", f"--tmpdir={data}",
            "--lc-messages-dir=/usr/share/mysql"]


def nginx(folder):
    return ["/usr/sbin/nginx", "-p", folder, "-e", "stderr",
            "-c", configured(folder, "nginx.conf", NGINX)]


def configured(folder, name, text):
    path = os.path.join(folder, name)
    with open(path, "w") as file:
        file.write(text.format(folder=folder, address=ADDRESS))
    return path


# Programs, and the ports that each must listen on.
SERVERS = {ssh: [22], smtp: [25], ftp: [21], mail: [143, 110], mariadb: [3306], nginx: [80]}
PORTS = [22, 25, 21, 143, 110, 3306]	# nginx's has no banner
# In the inventory. So many new ones of a server are told at once; FTP's is the last one: where it
# is known, other ports may be its data connections.
KEPT = [22, 25, 143, 3306, 21]


def end(process):
    """By its own pid, and without mercy if it does not mind."""
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def listening(ns):
    return {int(port) for port in re.findall(r":(\d+)\s", ns.run("ss", "-Hltn").stdout)}


def start_server(stack, ns, log, command):
    with undisturbed():
        # In a session of its own: Ctrl-C is for the demo, which then ends it in order.
        process = subprocess.Popen(ns.argv(*command), stdin=subprocess.DEVNULL, stdout=log,
                                   stderr=log, start_new_session=True)
        stack.callback(end, process)
    return process


def start_servers(stack, ns, folder):
    """Their processes, by their functions."""
    log = stack.enter_context(open(os.path.join(folder, "log"), "w+"))
    wanted = {port for ports in SERVERS.values() for port in ports}
    processes = {server: start_server(stack, ns, log, server(folder)) for server in SERVERS}

    def ready():
        if any(process.poll() is not None for process in processes.values()):
            return True		# one gave up: reported below, without the wait
        return wanted <= listening(ns)
    with contextlib.suppress(AssertionError):
        netns.wait_for("the servers", ready, 40)
    if missing := wanted - listening(ns):
        log.seek(0)
        sys.exit(f"{log.read()}\nnobody listens on {sorted(missing)}")
    return processes


def upgraded(folder, said):
    """A copy of sshd whose last number is one more: what an update of the package would say."""
    old = said.removeprefix(b"SSH-2.0-").rstrip()
    head, number, tail = re.fullmatch(rb"(.*?)(\d+)(\D*)", old).groups()
    new = head + str((int(number) + 1) % 10 ** len(number)).encode().rjust(len(number), b"0") + tail
    with open("/usr/sbin/sshd", "rb") as file:
        program = file.read()
    if old not in program:
        sys.exit(f"sshd says {old}, and its program does not have it")
    path = os.path.join(folder, "sshd")
    with open(path, "wb") as file:
        file.write(program.replace(old, new))
    os.chmod(path, 0o755)
    return path, new.decode()


# --- the show ---------------------------------------------------------------------------------

def first_words(ns, port):
    """What a server says to a client that says nothing, and the client's port."""
    with servers.connect(ns, ADDRESS, port) as client:
        return client.recv(4096), client.getsockname()[1]


def web_answer(ns):
    with servers.connect(ns, ADDRESS, 80) as client:
        client.sendall(b"GET / HTTP/1.0\r\n\r\n")
        return client.recv(4096).split(b"\r\n")[0].decode()


class Screen:
    """What a viewer sees, and when each line of it came."""

    def __init__(self, slow):
        self.began, self.slow, self.lines = time.monotonic(), slow, []

    def typed(self, command):
        print(f"\n$ {command}")
        now = time.monotonic()
        self.lines += [(now, "")] * bool(self.lines) + [(now, f"$ {command}")]

    def came(self, *lines):
        """Lines that the probe or a command wrote."""
        print(*lines, sep="\n", flush=True)
        self.lines += [(getattr(line, "when", time.monotonic()), line) for line in lines]

    def wait(self):
        if self.slow:
            time.sleep(EYE_SECONDS)

    def record(self, path):
        """As asciinema would have recorded it (asciicast v2): what a user types, what comes."""
        header = {"version": 2, "width": COLUMNS, "height": 24, "timestamp": int(time.time()),
                  "title": "bannerprobe: servers that speak first, what they are, and what changed"}
        with open(path, "w") as file:
            print(json.dumps(header), file=file)
            for when, line in self.lines:
                print(json.dumps([round(max(when - self.began, 0), 6), "o", line + "\r\n"]), file=file)


def show_banners(net, stack, screen):
    """Connects to every server; true if each banner was logged, as its client read it."""
    screen.typed(f"sudo ./bannerprobe {IFACE}")
    with undisturbed():
        probe = stack.enter_context(netns.Probe(net.host, IFACE))
    screen.came(*probe.stderr)
    print("\nnginx, which speaks only when spoken to, answered:", web_answer(net.host))
    print("\nThe others spoke first, and bannerprobe logged:")
    expected = []
    for port in PORTS:
        screen.wait()
        said, client_port = first_words(net.host, port)
        expected.append((f"{ADDRESS}:{port}", f"10.99.0.1:{client_port}", said))
        screen.came(probe.line())
    probe.send(signal.SIGTERM)
    return judged(probe, probe.ended(), expected)


def listed(path):
    """The inventory's table, and the services of it."""
    command = [INVENTORY, path, "list"]
    return (subprocess.run(command, env={**os.environ, "COLUMNS": str(COLUMNS)}, capture_output=True,
                           text=True, check=True, timeout=netns.PATIENCE).stdout.splitlines(),
            [json.loads(line) for line in netns.sh(*command, "--json").splitlines()])


def show_inventory(net, stack, screen, folder, restart):
    """The list of services; then sshd is upgraded: true if that is the one change."""
    path = os.path.join(folder, "inventory", "inventory.db")
    screen.typed(f"sudo ./bannerprobe --inventory {SHOWN} --log changes {IFACE}")
    with undisturbed():
        probe = stack.enter_context(netns.Probe(net.host, "--inventory", path, "--log", "changes", IFACE))
    screen.came(*probe.stderr)
    for port in KEPT:
        screen.wait()
        said, _ = first_words(net.host, port)
        if port == 22:
            ssh_said = said
        screen.came(probe.line())
    for port in KEPT:		# again: no change, though MariaDB's salt is another one
        first_words(net.host, port)
    netns.wait_for("all of them", lambda: os.path.exists(path) and
                   sum(service["connections"] for service in listed(path)[1]) == 2 * len(KEPT))
    screen.wait()
    screen.typed("sudo ./bannerprobe-inventory")
    screen.came(*listed(path)[0])
    program, version = upgraded(folder, ssh_said)
    print(f"\nsshd is upgraded (a copy that says {version}), and the next client that comes is told:")
    restart(program)
    screen.wait()
    first_words(net.host, 22)
    change = probe.line()
    screen.came(change)
    probe.send(signal.SIGTERM)
    good = not probe.ended() and " change version " in change and len(probe.stdout) == len(KEPT) + 1
    if not good:
        print("FAILED: expected one change of a version, but there was", *probe.stdout, *probe.stderr, sep="\n")
    return good


def judged(probe, code, expected):
    found = [re.fullmatch(r".* (\S+) -> (\S+) (.*)", line) for line in probe.stdout]
    found = [(m[1], m[2], netns.decoded(m[3])) for m in found if m]
    kept = [(server, client, said[:256]) for server, client, said in expected]
    if code or found != kept or len(found) != len(probe.stdout):
        print("FAILED: expected", kept, "exit 0, but there was", found, f"exit {code}",
              *probe.stderr, sep="\n")
        return False
    print(f"\nAll {len(found)} banners, each as its client read it. nginx's answer is not among "
          "them: there the client spoke first.")
    return True


def demo(stack, cast):
    with undisturbed():
        folder = tempfile.mkdtemp(prefix="bannerprobe-demo-")
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        net = stack.enter_context(netns.Network(name=IFACE[:-1]))
    os.chmod(folder, 0o755)		# some servers drop their privileges
    print("Starting sshd, aiosmtpd, vsftpd, dovecot, mariadbd and nginx ...", flush=True)
    processes = start_servers(stack, net.peer, folder)

    def restart(program):
        """sshd, as another program of it."""
        end(processes[ssh])
        [_, *words] = ssh(folder)
        log = stack.enter_context(open(os.path.join(folder, "log.sshd"), "w"))
        start_server(stack, net.peer, log, [program, *words])
        netns.wait_for("sshd", lambda: 22 in listening(net.peer))
    screen = Screen(cast)
    good = show_banners(net, stack, screen) and show_inventory(net, stack, screen, folder, restart)
    if good and cast:
        screen.record(cast)
    return good


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cast", metavar="FILE", help="record the probe's terminal (asciicast)")
    cast = parser.parse_args().cast
    if os.geteuid():
        sys.exit("demo: needs root, for network namespaces and BPF")
    for program in netns.BINARY, INVENTORY:
        if not os.access(program, os.X_OK):
            sys.exit(f"demo: there is no {program}: run make first")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    install()
    stack = contextlib.ExitStack()
    try:
        return 0 if demo(stack, cast) else 1
    finally:
        for number in SIGNALS:		# from here on it tidies up, come what may
            signal.signal(number, signal.SIG_IGN)
        stack.close()


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)

# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Which servers are wanted: --port, --net, --not-net, --local, --remote."""

import os
import subprocess

import pytest

import packets
from netns import BINARY, ROOT
from servers import Server, listen_to
from ways import start

SERVERS = os.path.join(ROOT, "tests", "captures", "servers.pcap")
LIVE = pytest.mark.skipif(os.geteuid() != 0, reason="needs root: it makes network namespaces")


def ports_of(records):
    return {record["server_port"] for record in records}


# --- captures ---------------------------------------------------------------------------------

@pytest.mark.parametrize("ports, expected", [
    ("22", {22}), ("21,22", {21, 22}), ("20-25", {21, 22, 25}), ("1-21,143,3306-65535", {21, 143, 3306}),
    ("1-65535", {21, 22, 25, 110, 143, 3306}), ("23", set())])
def test_ports(ports, expected):
    assert ports_of(packets.records("--port", ports, "-r", SERVERS)) == expected


def test_ports_add_up():
    assert ports_of(packets.records("--port", "22", "--port", "25", "-r", SERVERS)) == {22, 25}


CONNECTIONS = {"192.0.2.1": 1, "192.0.2.200": 2, "198.51.100.7": 3, "2001:db8::1": 4, "2001:db9::1": 5}


@pytest.mark.parametrize("options, expected", [
    (["--net", "192.0.2.0/24"], {1, 2}),
    (["--net", "192.0.2.1"], {1}),
    (["--net", "::ffff:192.0.2.1"], {1}),
    (["--net", "::ffff:192.0.2.0/120", "--not-net", "::ffff:192.0.2.128/121"], {1}),
    (["--net", "192.0.2.0/24", "--not-net", "192.0.2.128/25"], {1}),
    (["--net", "192.0.2.128/25", "--not-net", "192.0.2.0/24"], set()),
    (["--net", "2001:db8::/32"], {4}),
    (["--net", "2001:db8::/31", "--net", "198.0.0.0/8"], {3, 4, 5}),
    (["--not-net", "::/0"], {1, 2, 3}),
    (["--not-net", "0.0.0.0/0"], {4, 5}),
    (["--net", "192.0.2.0/24", "--port", "2"], {2}),
])
def test_nets(tmp_path, options, expected):
    capture = tmp_path / "capture"
    frames = []
    for address, port in CONNECTIONS.items():
        client = "2001:db8::99" if ":" in address else "192.0.2.99"
        talk = packets.Connection((client, 40000), (address, port))
        frames += [packets.ethernet(packet) for packet in talk.greeted(b"hello")]
    capture.write_bytes(packets.pcap(frames))
    assert ports_of(packets.records(*options, "-r", capture)) == expected


def test_nets_of_a_file(tmp_path):
    """One a line, with comments and blanks; they add up with those that are given."""
    nets = tmp_path / "nets"
    nets.write_text("# ours\n\n  192.0.2.10  # the first\r\n2001:db8::/32\n192.0.2.77/25")
    done = packets.probe("-f", "json", "--net", f"@{nets}", "-r", SERVERS)
    of_file = packets.parsed(done.stdout)
    assert done.stderr.endswith(b":5: 192.0.2.77/25: taken for 192.0.2.0/25\n")
    assert of_file == packets.records("--net", "192.0.2.10", "--net", "2001:db8::/32",
                                      "--net", "192.0.2.0/25", "-r", SERVERS)
    done = packets.probe("-f", "json", "--not-net", f"@{nets}", "-r", SERVERS)
    assert packets.parsed(done.stdout) == \
        [record for record in packets.records("-r", SERVERS) if record not in of_file]


@pytest.mark.parametrize("text, line", [("10.0.0.0/8\n\n10.0.0.0/33\n", 3), ("example.org", 1),
                                        ("10.0.0.0/8\n10.0.0.1\x00junk\n", 2), ("\x1b[2J\n", 1)])
def test_a_line_that_is_no_net(tmp_path, text, line):
    nets = tmp_path / "nets"
    nets.write_text(text)
    done = packets.probe("--net", f"@{nets}", "-r", SERVERS)
    assert done.returncode == 2 and done.stderr.count(b"\n") == 1 and b"\x1b" not in done.stderr
    assert f"{nets}:{line}: ".encode() in done.stderr


@pytest.mark.parametrize("path", ["/nowhere/nets", "/tmp"])
def test_a_file_of_nets_that_cannot_be_read(path):
    done = packets.probe("--net", f"@{path}", "-r", SERVERS)
    assert done.returncode == 2 and done.stderr.startswith(f"bannerprobe: --net @{path}: ".encode())


def test_nets_of_a_pipe_without_a_writer(tmp_path):
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    done = subprocess.run([BINARY, "--net", f"@{fifo}", "-r", SERVERS], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=30)
    assert done.returncode == 2 and done.stderr == (
        f"bannerprobe: --net @{fifo}: its end did not come within 5 seconds: name a file, or a pipe that "
        "something writes to\n")


def test_nets_without_a_limit():
    done = packets.probe("--net", "@/dev/zero", "-r", SERVERS)
    assert done.returncode == 2 and done.stderr == b"bannerprobe: --net @/dev/zero: it has more than 64 MiB\n"


def test_nets_of_a_pipe(tmp_path):
    """As of a shell's <(command): all of it, also where it comes in pieces, up to the writer's end."""
    reading, writing = os.pipe()
    with subprocess.Popen([BINARY, "-f", "json", "--net", f"@/dev/fd/{reading}", "-r", SERVERS], pass_fds=[reading],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE) as probe:
        os.close(reading)
        for piece in b"192.0.", b"2.10\n2001:db8", b"::/32\n192.0.2.0/25\n":
            os.write(writing, piece)
        os.close(writing)
        out, err = probe.communicate(timeout=30)
    assert not err and len(out.splitlines()) == len(packets.records(
        "--net", "192.0.2.10", "--net", "2001:db8::/32", "--net", "192.0.2.0/25", "-r", SERVERS))


def test_ten_thousand_nets(tmp_path):
    """They cost no more than a few: each is found by hash."""
    nets = tmp_path / "nets"
    nets.write_text("".join(f"10.{n >> 8}.{n & 255}.0/24\n" for n in range(10000)))
    before = os.times()
    assert packets.records("--not-net", f"@{nets}", "-r", SERVERS) == packets.records("-r", SERVERS)
    after = os.times()
    assert sum(after[2:4]) - sum(before[2:4]) < 1		# of CPU; one after the other: 2.4 s


def test_what_is_passed_over_is_counted():
    done = packets.probe("--port", "22", "--stats", "-r", SERVERS)
    count = packets.counters(done.stderr)
    assert count["connections"] == count["banners"] > 0 and count["passed_over"] > 20


def of_many_clients(talk, count):
    """The same packets from so many addresses."""
    once = [packets.ethernet(packet) for packet in talk]	# of 5.6.7.8
    for n in range(count):
        yield from (frame.replace(bytes((5, 6, 7, 8)), (10 << 24 | n).to_bytes(4, "big")) for frame in once)


def test_what_passes_the_filter_by_chance_is_counted(tmp_path):
    """Beside many that wait, some servers that were not asked for are noticed late; nothing is evicted."""
    capture = tmp_path / "capture"
    wanted, other = packets.Connection(server=("1.2.3.4", 22)), packets.Connection(server=("1.2.3.4", 80))
    capture.write_bytes(packets.pcap([
        *of_many_clients(wanted.opening(), 4000),
        *of_many_clients([other.syn(), other.synack(), other.c("PA", data=b"GET"), other.s("PA", ack=4, data=b"200")],
                         9000)]))
    done = packets.probe("--port", "22", "--events=all", "--stats", "-r", capture)
    count = packets.counters(done.stderr)
    assert count["client_first"] == count["connections"] - 4000 > 0 and count["evicted"] == 0, count


@pytest.mark.parametrize("options", [
    ["--port", "x"], ["--port", "25-22"], ["--port", "65536"], ["--port", "22,"], ["--port", ""],
    ["--port", "22-"], ["--net", "192.0.2"], ["--net", "192.0.2.0/33"], ["--net", "::/129"],
    ["--net", "192.0.2.0/"], ["--net", "example.org"], ["--local"], ["--remote"]])
def test_wrong_usage(options):
    done = packets.probe(*options, "-r", SERVERS)
    assert (done.returncode, done.stdout) == (2, b"")
    assert options[-1].encode() in done.stderr.splitlines()[0]


# --- live -------------------------------------------------------------------------------------

@LIVE
@pytest.mark.parametrize("way", ["auto", "xdp-generic"])
def test_live(net, way):
    """Of two servers on the host, and two on the peer, that which is asked for."""
    with Server(net.host, "10.99.0.1") as here, Server(net.peer, "10.99.0.2") as there, \
            Server(net.host, "fd99:0::1") as here6:
        for options, wanted in [(["--port", str(there.port)], {there.port}),
                                (["--net", "10.99.0.1/32"], {here.port}),
                                (["--not-net", "10.0.0.0/8"], {here6.port}),
                                (["--local"], {here.port, here6.port}),
                                (["--remote"], {there.port})]:
            with start(net.host, way, *options, "veth0") as probe:
                listen_to(net.peer, here)
                listen_to(net.peer, here6)
                listen_to(net.host, there)
                assert ports_of(probe.stop()) == wanted, options


@LIVE
@pytest.mark.parametrize("nets", [[], ["10.99.0.77", "10.99.0.88"], ["10.99.0.0/24"]])
def test_local_follows_the_addresses(net, nets):
    """One that is added while it runs is this host's, too, whatever else is asked of it."""
    options = ["--local", *(word for one in nets for word in ("--net", one))]
    net.host.ip("address", "add", "10.99.0.77/24", "dev", "veth0")
    with start(net.host, "auto", *options, "veth0") as probe, \
            Server(net.host, "0.0.0.0") as server:
        listen_to(net.peer, server, "10.99.0.77")
        assert "10.99.0.77" in probe.line()
        net.host.ip("address", "add", "10.99.0.88/24", "dev", "veth0")
        for _ in range(100):		# until the kernel has reported it
            listen_to(net.peer, server, "10.99.0.88")
            listen_to(net.peer, server, "10.99.0.77")
            if "10.99.0.88" in probe.line():
                break
        else:
            pytest.fail("the new address was never known")


@LIVE
def test_contradiction(net):
    done = net.host.run(BINARY, "--local", "--remote", "veth0")
    assert done.returncode == 2 and "no such server" in done.stderr

# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Forgeries by somebody who sees no packet: they hide no banner, and invent none.

Where the probe stands: on the server's own host, on the client's own host, and on a router or a
bridge between them, 30 ms of round trip away from the client or the server.
"""

import os

import pytest

from forgery import (HOOKS, POSITIONS, SWEEP, Held, all_logged, dialling, ended, forge, forging,
                     listen_all, next_seq, ports_for, watching)
from netns import Probe
from packets import counters
from servers import Server, Talk

if os.geteuid():
    pytest.skip("needs root: it makes network namespaces", allow_module_level=True)

HONEST, PER_SECOND = 40, 100
BANNER = b"220 honest\r\n"


@pytest.fixture(scope="module")
def sites():
    """Each position's network, made when it is first asked for."""
    made = {}

    def site(position):
        if position not in made:
            made[position] = POSITIONS[position]().__enter__()
        return made[position]
    yield site
    for one in made.values():
        one.close()


def places(*pairs):
    """Tests at these positions, by these hooks."""
    return pytest.mark.parametrize("position, hook", pairs, ids=[f"{p}-{h}" for p, h in pairs])


EVERYWHERE = [(position, hook) for position in ("server", "client", "router") for hook in HOOKS]
FORWARDING = [("router", "tc"), ("bridge", "tc")]


# --- all sequence numbers -----------------------------------------------------------------------

def sweep(site, held, step):
    """A segment for every 65,535th number, on each four-tuple."""
    return forge(site, step[0], held.ports[0], held.port, [step], "-q", "sweep", "-a", "random",
                 "-n", SWEEP * len(held.ports), "-p", len(held.ports), family=held.family)


def survives_sweep(site, hook, step, **kwargs):
    with watching(site, hook) as probe, Held(site, 3, **kwargs) as held:
        forged = sweep(site, held, step)
        all_logged(probe, held.say(BANNER), forged)


@places(*EVERYWHERE, ("bridge", "tc"), ("bridge", "xdp-generic"))
def test_all_numbers_by_pure_acknowledgements(sites, position, hook):
    """Three connections wait for a server that is slow to greet."""
    survives_sweep(sites(position), hook, "c:A")


# The client's: a byte, no flag at all, FINs; and the server's.
@pytest.mark.parametrize("step", ["c:PA:1", "c:-", "c:-:1", "c:FA", "c:F", "s:PA:1", "s:A", "s:FA"])
@places(("server", "tc"), ("router", "tc"))
def test_all_numbers(sites, position, hook, step):
    survives_sweep(sites(position), hook, step)


def test_all_numbers_of_ipv6(sites):
    survives_sweep(sites("router"), "tc", "c:A", family=6)


@pytest.mark.parametrize("step", ["c:A", "c:PA:1", "c:-", "c:FA", "c:F", "s:PA:1", "s:FA"])
@places(("server", "tc"), ("router", "xdp-generic"))
def test_all_numbers_within_a_greeting(sites, position, hook, step):
    """It goes on after them: they end nothing, and add nothing."""
    site = sites(position)
    with watching(site, hook, "--gather=60000") as probe, Held(site, 3) as held:
        held.say(b"220-one\r\n")
        forged = sweep(site, held, step)
        talks = held.say(b"220 two\r\n")
        held.answer()
        all_logged(probe, [talk._replace(said=b"220-one\r\n220 two\r\n") for talk in talks], forged)


# --- floods on four-tuples that are known --------------------------------------------------------

def survives_flood(site, hook, side, steps, *options, rate=PER_SECOND, honest=HONEST, args=(),
                   family=4):
    """The flood goes on before, during and after each handshake."""
    ports = ports_for(honest)
    with Server(site.server, site.servers_address[family], lambda n: BANNER) as server, \
            watching(site, hook, *args) as probe:
        with forging(site, side, ports[0], server.port, steps, "-r", rate * honest, "-p", honest,
                     *options, family=family) as sent:
            talks = listen_all(site, server, ports, family)
        return all_logged(probe, talks, *sent)


FLOODS = {
    "SYNs of the client": "c:S",
    "SYNs of the server": "s:S",
    "SYNs of the client with data": "c:S:9",
    "SYN-ACKs of the server": "s:SA",
    "SYN-ACKs of the client": "c:SA",
    "SYN-ACKs of the server with data": "s:SA:9",
    "RSTs of the server": "s:RA",
    "RSTs of the client": "c:R",
}


@pytest.mark.parametrize("flood", ["SYNs of the client", "SYNs of the server",
                                   "SYN-ACKs of the server"])
@places(*EVERYWHERE)
def test_flood(sites, position, hook, flood):
    """A hundred a second on each of forty four-tuples, all numbers random."""
    survives_flood(sites(position), hook, FLOODS[flood][0], [FLOODS[flood]], "-q", "random",
                   "-a", "random")


@pytest.mark.parametrize("flood", FLOODS)
@places(*FORWARDING)
def test_flood_through(sites, position, hook, flood):
    """The same where no address is the host's own, at ten times the rate."""
    survives_flood(sites(position), hook, FLOODS[flood][0], [FLOODS[flood]], "-q", "random",
                   "-a", "random", rate=10 * PER_SECOND)


@pytest.mark.parametrize("steps", [["c:S", "s:SA"], ["c:S", "s:SA", "c:A"],
                                   ["c:S", "s:SA", "c:A", "s:PA:9"]],
                         ids=["handshakes begun", "handshakes", "conversations"])
@places(("server", "tc"), ("server", "xdp-generic"), ("client", "tc"))
def test_both_ends_spoofed(sites, position, hook, steps):
    """Of two ends, one is this host: what comes in is not its own word."""
    survives_flood(sites(position), hook, "c", steps)


# --- hosts and ports that fall together with the victim's ------------------------------------------

@pytest.mark.parametrize("steps", [["c:S"], ["s:SA"], ["c:S", "s:SA", "c:A"]],
                         ids=["SYNs", "SYN-ACKs", "handshakes"])
@places(*EVERYWHERE)
def test_ends_whose_xor_is_the_victims(sites, position, hook, steps):
    """A thousand a second for each victim; other hosts' only where those of others pass."""
    who = "ends" if position == "router" else "ports"
    survives_flood(sites(position), hook, "c", steps, "-w", who, rate=1000)


def test_ends_whose_xor_is_the_victims_of_ipv6(sites):
    survives_flood(sites("router"), "tc", "c", ["c:S", "s:SA", "c:A"], "-w", "ends", rate=1000,
                   family=6)


# --- what this host did not ask for ----------------------------------------------------------------

@pytest.mark.parametrize("checksums", ["wrong", "good"])
@places(("client", "tc"), ("client", "xdp-generic"))
def test_greeting_that_was_not_asked_for(sites, position, hook, checksums):
    """One SYN-ACK with data, as if of an innocent server."""
    site = sites(position)
    with watching(site, hook) as probe:
        forge(site, "s", *ports_for(1), 22, ["s:SA:64"], *["-g"] * (checksums == "good"))
        assert all_logged(probe, [], 1)["unsolicited"] == 1


def test_greetings_that_were_not_asked_for(sites):
    """300,000 of them as fast as they go, and forty honest connections meanwhile."""
    site, count = sites("client"), 300_000
    ports = ports_for(HONEST)
    with Server(site.server, site.servers_address[4], lambda n: BANNER) as server, \
            watching(site, "tc", "-l", "4096") as probe, \
            dialling(site, server.port, ports) as clients:
        sent = forge(site, "s", *ports_for(1), 22, ["s:SA:1024"], "-w", "servers", "-n", count)
        talks = [Talk(server.port, port, client.recv(65536)) for client, port in zip(clients, ports)]
        talks += listen_all(site, server, ports_for(HONEST))
        counted = all_logged(probe, talks, sent)
    assert counted["unsolicited"] == sent == count


@places(("server", "tc"), ("server", "xdp-generic"))
def test_this_host_did_not_say_so(sites, position, hook):
    """Whole conversations of nobody, spoofed from both ends."""
    site = sites(position)
    with watching(site, hook) as probe:
        sent = forge(site, "c", ports_for(HONEST)[0], 22, ["c:S", "s:SA", "c:A", "s:PA:64"],
                     "-n", HONEST, "-p", HONEST)
        counted = all_logged(probe, [], sent)
    assert counted["not_seen_leaving"] >= HONEST


# --- resets --------------------------------------------------------------------------------------

RESETS = {		# what is true of them, where the connection is open
    "acknowledging the SYN": ("s:RA", "-q", "random"),
    "with no true number": ("s:RA", "-q", "random", "-a", "random"),
    "without ACK": ("s:R", "-q", "random"),
    "of the client": ("c:R", "-q", "random"),
}


def resets(site, held, step, *options):
    """A thousand for each connection, with what is true of it."""
    return sum(forge(site, step[0], port, held.port, [step], "-n", 1000,
                     "-c", next_seq(client) - 1, "-s", next_seq(server) - 1, *options)
               for port, (client, server) in held.pairs.items())


@pytest.mark.parametrize("reset", RESETS)
@places(*EVERYWHERE)
def test_resets(sites, position, hook, reset):
    site = sites(position)
    with watching(site, hook) as probe, Held(site, 3) as held:
        forged = resets(site, held, *RESETS[reset])
        all_logged(probe, held.say(BANNER), forged)


@places(("client", "tc"), ("router", "tc"))
def test_resets_within_a_greeting(sites, position, hook):
    site = sites(position)
    with watching(site, hook, "--gather=60000") as probe, Held(site, 3) as held:
        held.say(b"220-one\r\n")
        forged = resets(site, held, *RESETS["acknowledging the SYN"])
        talks = held.say(b"220 two\r\n")
        held.answer()
        all_logged(probe, [talk._replace(said=b"220-one\r\n220 two\r\n") for talk in talks], forged)


# --- honest floods -----------------------------------------------------------------------------------

def test_max_rate(net):
    """Two thousand connections as fast as they come, each greeted with 4 kB of backslashes."""
    from servers import listen_often
    count, most = 2000, 100
    with Server(net.host, "10.99.0.1", lambda n: b"\\" * 4096) as server, \
            Probe(net.host, "-f", "json", "-l", "4096", "--stats", "--max-rate", str(most),
                  "veth0") as probe:
        assert len(listen_often(net.peer, server, count)) == count
        records, counted = ended(probe)
    times = sorted(r["ts"] for r in records)
    assert most <= len(records) and len(records) + counted["over_the_rate"] == count
    # Wherever its seconds begin: two of them hold twice as many.
    assert all(later - time >= 1 for time, later in zip(times, times[2 * most:]))
    assert len(records) <= most * (2 + times[-1] - times[0])

# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Forgeries by an attacker that sees no packet: they hide no banner and no other event, and invent none.

Where the probe stands: on the server's own host, on the client's own host, and on a router or a
bridge between them, each 30 ms of round trip away from the next. `make test-forgery` tries more
of the mixtures (FORGERY=all), and measures.
"""

import os

import pytest

from forgery import (HOOKS, ORDERS, POSITIONS, SWEEP, WORDS, Held, Said, all_logged, converse_all, dialling,
                     ended, forge, forging, ports_for, watching)
from netns import Probe
from servers import Server, Talk, listen_often

if os.geteuid():
    pytest.skip("needs root: it makes network namespaces", allow_module_level=True)

ALL = os.environ.get("FORGERY") == "all"
HONEST = 40
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


def mixtures(*some):
    """These pairs of position and hook, or all."""
    return [(p, h) for p in POSITIONS for h in HOOKS if ALL or (p, h) in some]


EVERYWHERE = mixtures(*((p, h) for p in ("server", "client", "router") for h in HOOKS))
EACH = mixtures(("server", "tc"), ("client", "xdp-generic"), ("router", "tc"))
OWN = mixtures(("server", "tc"), ("client", "tc"), ("server", "xdp-generic"))[:4 if ALL else None]


# --- while a connection waits for its server, or within its greeting ------------------------------

def meet(site, held, port, attack, numbers, sound=False):
    """An attack, its steps and options, on a connection; how many packets it took."""
    steps, *options = attack
    return forge(site, steps[0][0], port, held.port, steps, *numbers, *options, *["-g"] * sound)


def survives(site, hook, kinds, each=1, gather=False, sound=False):
    """Each kind of forgery meets so many connections; the server is slow."""
    with watching(site, hook, *["--gather=60000"] * gather) as probe, \
            Held(site, each * len(kinds)) as held:
        kind_of = {port: list(kinds)[i // each] for i, port in enumerate(held.ports)}
        numbers = {port: held.true_numbers(port) for port in held.ports}
        if gather:
            held.say(b"220-one\r\n")
        forged = sum(meet(site, held, port, kinds[kind], numbers[port], sound)
                     for port, kind in kind_of.items())
        talks = held.say(BANNER)
        if gather:
            talks = [talk._replace(said=b"220-one\r\n" + BANNER) for talk in talks]
            held.answer()
        all_logged(probe, talks, forged, kind_of)


# What a connection waits for while the forger is at work: the sides that have spoken by then, and
# those that speak when it is done. An open port waits for the client's acknowledgement.
WAITS = {"request": ("", "cs"), "response": ("c", "s"), "banner": ("", "sc"), "reply": ("s", "c"),
         "open": ("", "")}


def meet_all(site, held, kinds, waits_for):
    """Each kind of forgery meets a connection: what the hosts know of, and how many packets it took.

    Of a connection on which somebody has spoken the forger tries both: its first numbers, and its latest.
    """
    before, after = WAITS[waits_for]
    first = {port: held.true_numbers(port) for port in held.ports}
    said = [("open", {port: b"" for port in held.ports})]
    order = ORDERS[before + after]
    said += [(order[side], held.speak(side, WORDS[side])) for side in before]
    forged = 0
    for port, attack in zip(held.ports, kinds.values()):
        latest = held.true_numbers(port)
        forged += meet(site, held, port, attack, latest)
        if latest != first[port] and "sweep" not in attack:
            forged += meet(site, held, port, attack, first[port])
    held.release()
    said += [(order[side], held.speak(side, WORDS[side])) for side in after]
    return [Said(held.port, port, event, words) for event, heard in said for port, words in heard.items()], forged


def batches(kinds, size):
    """The same kinds of attack, so many at a time."""
    pairs = list(kinds.items())
    return [dict(pairs[i:i + size]) for i in range(0, len(pairs), size)]


def survive_events(site, hook, attacks):
    """Each kind of forgery meets a connection that waits for each kind of event."""
    known, kind_of, forged = [], {}, 0
    with watching(site, hook, "--events=all") as probe:
        for waits_for in WAITS:
            is_open = waits_for == "open"
            kinds = {kind: attack for kind, attack in attacks.items() if not is_open or
                     not (kind in NO_GUESS or "sweep" in attack and kind not in FEW)}
            # A server repeats its SYN-ACK for a minute only: then all is over, so a few at a time.
            for some in batches(kinds, 4 if is_open else len(kinds)):
                with Held(site, len(some), withheld=is_open) as held:
                    kind_of |= {port: f"{waits_for} awaited: {kind}" for port, kind in zip(held.ports, some)}
                    said, sent = meet_all(site, held, some, waits_for)
                known, forged = known + said, forged + sent
        all_logged(probe, known, forged, kind_of)


def sweep(*steps):
    """A segment for every 65,535th number."""
    return {f"all numbers, {step}": ([step], "-q", "sweep", "-a", "wrong", "-n", SWEEP, "-T", 1)
            for step in steps}


def sweep_acknowledgements(*steps):
    """One that acknowledges every 65,535th; its own number may lie ahead or behind, so there are two turns."""
    return {f"all acknowledgements, {step}": ([step], "-q", "wrong", "-a", "sweep", "-n", 2 * SWEEP, "-T", 1)
            for step in steps}


# Of the client: an acknowledgement, a byte, no flag at all, FINs; and of the server.
SWEEPS = sweep("c:A", "c:PA:1", "c:-", "c:-:1", "c:FA", "c:F", "s:PA:1", "s:A", "s:FA")


@places(*EVERYWHERE, *[("bridge", "tc")][ALL:])
def test_all_numbers_by_pure_acknowledgements(sites, position, hook):
    """Three connections, as one would attack one."""
    survives(sites(position), hook, sweep("c:A"), 3)


@places(*mixtures(("server", "tc"), ("router", "tc")))
def test_all_numbers(sites, position, hook):
    survives(sites(position), hook, SWEEPS)


EVENT_SWEEPS = {**SWEEPS, **sweep_acknowledgements("c:PA:1", "s:PA:1", "s:FA")}
FEW = "all numbers, c:A", "all acknowledgements, s:PA:1"


@places(*mixtures(("router", "tc")))
def test_all_numbers_while_events_are_awaited(sites, position, hook):
    survive_events(sites(position), hook, EVENT_SWEEPS if ALL else {kind: EVENT_SWEEPS[kind] for kind in FEW})


@places(*mixtures(("router", "xdp-generic")))
def test_all_numbers_within_a_greeting(sites, position, hook):
    """It goes on after them: they end nothing, and add nothing."""
    survives(sites(position), hook, SWEEPS, gather=True)


THOUSAND = "-n", 1000
TRUE_ACK, TRUE_SEQ = ("-q", "wrong", *THOUSAND), ("-a", "wrong", *THOUSAND)
NONE_TRUE = "-q", "wrong", *TRUE_SEQ
SYN_ACKED = "SYN-ACKs that acknowledge the SYN"
# Until the client has acknowledged a SYN-ACK one number is all that another needs (case 15b).
NO_GUESS = SYN_ACKED,
# The strongest of each kind: one of its two numbers is the true one.
STRAYS = {
    "RSTs that acknowledge the SYN": (["s:RA"], *TRUE_ACK),
    "RSTs of the server": (["s:RA"], *NONE_TRUE),
    "RSTs without ACK": (["s:R"], *NONE_TRUE),
    "RSTs of the client": (["c:R"], *NONE_TRUE),
    "RSTs of the client with the true acknowledgement": (["c:RA"], *TRUE_ACK),
    "SYNs": (["c:S"], *NONE_TRUE),
    "SYNs of the server": (["s:S"], *NONE_TRUE),
    "SYN-ACKs": (["s:SA"], *NONE_TRUE),
    "SYN-ACKs of the client": (["c:SA"], *NONE_TRUE),
    SYN_ACKED: (["s:SA:9"], *TRUE_ACK),
    "FINs of the client that begin where they should": (["c:FA"], *TRUE_SEQ),
    "FINs without ACK that begin where they should": (["c:F"], *THOUSAND),
    "client data without ACK that begins where it should": (["c:P:9"], *THOUSAND),
    "client data that begins where it should": (["c:PA:9"], *TRUE_SEQ),
    "client data that acknowledges what it should": (["c:PA:9"], *TRUE_ACK),
    "server data that begins where it should": (["s:PA:9"], *TRUE_SEQ),
    "server data without ACK that begins where it should": (["s:P:9"], *THOUSAND),
}
# With one number of their own they would be a new connection where both ends can be spoofed.
NEW = {
    "SYNs and SYN-ACKs": (["c:S", "s:SA"], "-c", 1, "-s", 1),
    "SYNs and SYN-ACKs, all different": (["c:S", "s:SA"], "-c", "random", "-s", "random", *THOUSAND),
}
OF_BOTH_ENDS = {
    "conversations": (["c:S", "s:SA", "c:A", "s:PA:9"], "-c", 1, "-s", 1),
    "handshakes": (["c:S", "s:SA", "c:A"], "-c", 1, "-s", 1),
}


@places(*EVERYWHERE, *[("bridge", "tc")][ALL:])
def test_strays(sites, position, hook):
    own = position in ("server", "client")
    survives(sites(position), hook, {**STRAYS, **NEW, **(OF_BOTH_ENDS if own else {})})


@places(*EACH)
def test_strays_while_events_are_awaited(sites, position, hook):
    own = position in ("server", "client")
    survive_events(sites(position), hook, {**STRAYS, **NEW, **(OF_BOTH_ENDS if own else {})})


@places(*EACH)
def test_strays_that_the_hosts_hear(sites, position, hook):
    """With good checksums: what the hosts' stacks answer to them hides nothing, either."""
    survives(sites(position), hook, {**STRAYS, **NEW}, sound=True)


@places(*EACH)
def test_strays_within_a_greeting(sites, position, hook):
    survives(sites(position), hook, STRAYS, gather=True)


def test_all_numbers_of_ipv6(sites):
    site = sites("router")
    with watching(site, "tc") as probe, Held(site, 1, family=6) as held:
        forged = forge(site, "c", held.ports[0], held.port, ["c:A"], *SWEEPS["all numbers, c:A"][1:],
                       family=6)
        all_logged(probe, held.say(BANNER), forged)


# --- floods, before, during and after each handshake ----------------------------------------------

def flooded(site, server, ports, steps, rate, *options, first=None, family=4):
    """Connections from these ports, at each of which so many rounds a second are aimed; what the hosts
    know of, and how many packets came at them."""
    with forging(site, steps[0][0], ports[0], server.port, steps, "-r", rate * len(ports),
                 "-p", len(ports), *options, family=family) as sent:
        talks = converse_all(site, server, ports, first, family)
    return talks, sent[0]


def survives_floods(site, hook, floods, family=4, first=None):
    """Each flood, one after the other, meets forty connections of its own.

    `first`: the side that speaks first, where all events are logged; None: the banners only.
    """
    talks, kind_of, forged = [], {}, 0
    greeting = None if first == "c" else lambda n: BANNER
    with Server(site.server, site.servers_address[family], greeting) as server, \
            watching(site, hook, *["--events=all"] * bool(first)) as probe:
        for kind, flood in floods.items():
            ports = ports_for(HONEST)
            kind_of |= dict.fromkeys(ports, kind)
            heard, sent = flooded(site, server, ports, *flood, first=first, family=family)
            talks, forged = talks + heard, forged + sent
        all_logged(probe, talks, forged, kind_of)


RANDOM = "-q", "random", "-a", "random"
# On the four-tuple, all numbers random; rounds a second.
FLOODS = {f"{rate} {step} a second": ([step], rate, *RANDOM) for step, rate in [
    ("c:S", 100), ("s:S", 100), ("s:SA", 100), ("c:S", 1000), ("s:S", 1000), ("s:SA", 1000),
    ("c:SA", 1000), ("c:S:9", 1000), ("s:RA", 1000), ("c:R", 1000)]}


@places(*EVERYWHERE, *[("bridge", "tc")][ALL:])
def test_floods(sites, position, hook):
    survives_floods(sites(position), hook, FLOODS)


@places(*mixtures(("server", "tc"), ("router", "xdp-generic")))
def test_floods_while_events_are_awaited(sites, position, hook):
    for first in "cs" if ALL else "s" if position == "router" else "c":
        survives_floods(sites(position), hook, FLOODS, first=first)


def test_floods_of_ipv6(sites):
    survives_floods(sites("router"), "tc", FLOODS, family=6)


# With numbers that fit together, as if from both ends: handshakes begun, handshakes, conversations,
# greetings without a SYN.
SPOOFED = {"+".join(steps): (steps, 100) for steps in [
    ["c:S", "s:SA"], ["c:S", "s:SA", "c:A"], ["c:S", "s:SA", "c:A", "s:PA:9"], ["s:SA:9"]]}


@places(*OWN)
def test_both_ends_spoofed(sites, position, hook):
    """Of two ends, one is this host: what comes in is not its own word."""
    survives_floods(sites(position), hook, SPOOFED)


@places(*mixtures(("client", "tc"))[:4 if ALL else None])
@pytest.mark.parametrize("first", "cs" if ALL else "c")
def test_both_ends_spoofed_while_events_are_awaited(sites, position, hook, first):
    spoofed = {"+".join(steps): (steps, 100) for steps in [
        ["c:S", "s:SA", "c:A"], ["c:S", "s:SA", "c:A", "c:PA:9", "s:PA:9"]]}
    survives_floods(sites(position), hook, {**SPOOFED, **spoofed} if ALL else spoofed, first=first)


def crowds(who):
    """From hosts and ports that are not the victim's, and have the same XOR: SYNs, SYN-ACKs,
    handshakes, a thousand a second for each victim."""
    return {"+".join(steps): (steps, 1000, "-w", who) for steps in [
        ["c:S"], ["s:SA"], ["c:S", "s:SA", "c:A"]]}


@places(*EACH)
def test_ends_whose_xor_is_the_victims(sites, position, hook):
    """Other hosts' only where those of others pass: there a spoofed handshake of both is an open port."""
    own = position in ("server", "client")
    floods = crowds("ports" if own else "ends")
    survives_floods(sites(position), hook, floods)
    if ALL:
        some = {kind: flood for kind, flood in floods.items() if own or "c:A" not in flood[0]}
        for first in "cs":
            survives_floods(sites(position), hook, some, first=first)


def test_ends_whose_xor_is_the_victims_of_ipv6(sites):
    survives_floods(sites("router"), "tc", crowds("ends"), family=6)


# --- what this host did not ask for ---------------------------------------------------------------

@pytest.mark.parametrize("checksums, asked", [("wrong", []), ("good", ["--events=all"]),
                                              *[("wrong", ["--events=all"]), ("good", [])][:2 * ALL]])
@places(("client", "tc"), ("client", "xdp-generic"))
def test_greeting_that_was_not_asked_for(sites, position, hook, checksums, asked):
    """One SYN-ACK with data, as if of an innocent server."""
    site = sites(position)
    with watching(site, hook, *asked) as probe:
        forge(site, "s", *ports_for(1), 22, ["s:SA:64"], *["-g"] * (checksums == "good"))
        assert all_logged(probe, [], 1)["unsolicited"] == 1


def test_greetings_that_were_not_asked_for(sites):
    """Up to 300,000 of them as fast as they go, for half a minute, and forty honest connections meanwhile."""
    site, count = sites("client"), 300_000
    ports = ports_for(HONEST)
    with Server(site.server, site.servers_address[4], lambda n: BANNER) as server, \
            watching(site, "tc", "-l", "4096") as probe, \
            dialling(site, server.port, ports) as clients:
        sent = forge(site, "s", *ports_for(1), 22, ["s:SA:1024"], "-w", "servers", "-n", count)
        talks = [Talk(server.port, port, client.recv(65536)) for client, port in zip(clients, ports)]
        talks += converse_all(site, server, ports_for(HONEST))
        counted = all_logged(probe, talks, sent)
    assert counted["unsolicited"] == sent > count // 10


@places(("server", "tc"), ("server", "xdp-generic"))
def test_this_host_did_not_say_so(sites, position, hook):
    """Whole conversations of nobody, spoofed from both ends; one side or the other speaks first."""
    site = sites(position)
    with watching(site, hook, "--events=all") as probe:
        sent = sum(forge(site, "c", ports_for(HONEST)[0], 22, ["c:S", "s:SA", "c:A", *said],
                         "-n", HONEST, "-p", HONEST)
                   for said in (["s:PA:64", "c:PA:9"], ["c:PA:9", "s:PA:64"]))
        counted = all_logged(probe, [], sent)
    assert counted["not_seen_leaving"] >= HONEST


# --- honest floods --------------------------------------------------------------------------------

def test_max_rate(net):
    """Two thousand connections as fast as they come, each greeted with 4 kB of backslashes."""
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

# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""The beginnings of each direction, from captures: what only the records show."""

import json

from packets import Connection, enhanced, ethernet, interface, parsed, pcap, probe, section

one = Connection()
again = Connection(sisn=999000)


def events(talk, *args):
    """The json records of a conversation with all events; each packet comes a millisecond after the last."""
    done = probe("-f", "json", "--events=all", *args, "-r", "-", input=pcap([ethernet(packet) for packet in talk]))
    assert done.returncode == 0
    return parsed(done.stdout)


def said(found):
    return [(record["event"], record.get("banner")) for record in found]


# --- Fast Open --------------------------------------------------------------------------------------

def test_a_response_to_a_syns_data_is_timed_from_the_syn():
    talk = [one.c("S", 0, data=b"GET"), one.s("SA", 0, 4), one.c("A", 4), one.s("PA", 1, 4, b"200")]
    request, opened, response = events(talk)
    assert (request["event"], opened["event"], response["event"]) == ("request", "open", "response")
    assert (request["delay_us"], response["delay_us"]) == (0, 3000)


def test_a_syns_data_is_that_of_its_own_connection():
    """A client that begins with the same number again, after its data was refused or after it was accepted."""
    for acked, end in ((1, [one.c("R", 1)]), (4, [one.c("R", 4)]),
                       (1, [one.c("FA", 1), one.s("FA", 1, 2), one.c("A", 2, 2)])):
        talk = [one.c("S", 0, data=b"GET"), one.s("SA", 0, acked), one.c("A", acked), *end,
                again.c("S", 0, data=b"PUT"), again.s("SA", 0, 4), again.c("A", 4)]
        assert said(events(talk))[-2:] == [("request", "PUT"), ("open", None)]


def test_a_request_that_begins_in_a_syn_is_gathered():
    """Until the server speaks, whether its SYN-ACK accepted all of the SYN's data or a part."""
    for acked in (4, 6):
        talk = [one.c("S", 0, data=b"EHLO "), one.s("SA", 0, acked), one.c("PA", acked, data=b"EHLO me"[acked - 1:]),
                one.s("PA", 1, 8, b"250"), one.c("PA", 8, 4, b"QUIT")]
        records = events(talk, "--gather")
        assert said(records) == [("open", None), ("request", "EHLO me"), ("response", "250")]
        assert [record.get("len") for record in records] == [None, 7, 3]


def test_a_response_in_the_syn_ack_ends_the_request():
    talk = [one.c("S", 0, data=b"EHLO "), one.s("SA", 0, 6, b"250"), one.c("PA", 6, 4, data=b"QUIT")]
    assert set(said(events(talk, "--gather"))) == {("request", "EHLO "), ("open", None), ("response", "250")}
    assert {record["event"]: record["history"] for record in events(talk)} == \
        {"request": "ShD", "response": "ShDd", "open": "ShDd"}


def test_a_reset_at_the_end_of_a_syns_data():
    """It ends the connection before the SYN-ACK, as one at the data's beginning does."""
    for seq in (1, 4):
        assert events([one.c("S", 0, data=b"GET"), one.c("R", seq), one.s("SA", 0, 4), one.s("PA", 1, 4, b"200")]) == []
    assert events([one.c("S", 0, data=b"GET"), one.c("R", 3), one.s("SA", 0, 4)])


def test_many_syns_with_data_wait_for_their_syn_acks():
    clients = [Connection(client=("5.6.7.8", 1000 + i)) for i in range(200)]
    syns = [client.c("S", 0, data=b"GET %d" % client.client[1]) for client in clients]
    records = events(syns + [client.s("SA", 0, 9) for client in clients])
    assert [record["banner"] for record in records] == [f"GET {1000 + i}" for i in range(200)]


def test_a_syns_data_comes_from_its_own_place(tmp_path):
    """The interface and the file are those of the SYN, not of the SYN-ACK that accepts its data."""
    asked, accepted = ethernet(one.c("S", 0, data=b"GET")), ethernet(one.s("SA", 0, 4))
    both = tmp_path / "both.pcapng"
    both.write_bytes(section() + interface(name=b"first") + interface(name=b"second") +
                     enhanced(asked, 1000) + enhanced(accepted, 2000, number=1))
    for n, packet in enumerate((asked, accepted)):
        (tmp_path / f"{n}.pcap").write_bytes(pcap([packet]))
    for args in [], ["--gather"]:
        [record] = parsed(probe("-f", "json", "--events=request", *args, "-r", both).stdout)
        assert record["capture_iface"] == "first"
        files = [tmp_path / f"{n}.pcap" for n in range(2)]
        [record] = parsed(probe("-f", "json", "--events=request", "--sequence", *args, "-r", *files).stdout)
        assert record["iface"].endswith("0.pcap")


# --- gathered -----------------------------------------------------------------------------------------

def test_gathering_a_banner_does_not_hide_the_clients_acknowledgement():
    talk = [one.syn(), one.synack(data=b"220 x\r\n"), one.c("A", 1, 8), one.c("PA", 1, 8, b"QUIT")]
    for args in ([], ["--gather"]):
        assert [record["history"] for record in events(talk, *args) if record["event"] == "reply"] == ["ShAdD"]


# --- history ----------------------------------------------------------------------------------------

def test_a_fin_in_the_segment_itself_is_not_before_it():
    def histories(*talk):
        return {record["event"]: record["history"] for record in events([*one.opening()[:2], *talk])}
    together = one.c("FPA", 1, data=b"GET")
    assert histories(one.c("A"), together, one.s("PA", 1, 5, b"200")) == {
        "open": "ShA", "request": "ShAD", "response": "ShAFDd"}
    assert histories(together) == {"open": "Sh", "request": "ShD"}
    assert histories(one.c("A"), one.s("PA", data=b"220"), one.c("FPA", 1, 4, b"EHLO")) == {
        "open": "ShA", "banner": "ShAd", "reply": "ShAdD"}
    # The FIN passed before the data, which is sent again with it.
    assert histories(one.c("A"), one.c("FA", 4), together)["request"] == "ShAFD"
    # The server's own FIN has no letter; the client's before it has one.
    assert histories(one.c("A"), one.c("FA"), one.s("FPA", 1, 2, b"220"))["banner"] == "ShAFd"


def test_data_before_a_port_is_open():
    """That of the server, and that of a SYN; the data of the segment that answers the SYN-ACK is not before it."""
    def history(*talk):
        [record] = events(talk, "--events=open")
        return record["history"]
    assert history(one.syn(), one.synack(), one.s("PA", data=b"220"), one.c("A", ack=4)) == "ShAd"
    assert history(one.syn(), one.synack(data=b"220"), one.c("PA", ack=4, data=b"EHLO")) == "Shd"
    assert history(one.c("S", 0, data=b"GET"), one.s("SA", 0, 4), one.c("A", 4)) == "ShAD"
    assert history(one.c("S", 0, data=b"GET"), one.s("SA", 0, 4, b"200"), one.c("A", 4, 4)) == "ShADd"
    assert history(one.c("S", 0, data=b"GET"), one.s("SA", 0, 1), one.c("PA", data=b"GET")) == "Sh"


# --- a connection of an end with itself -------------------------------------------------------------

def test_a_connection_with_itself_is_counted():
    """Each event that is asked for has a reason, and --port applies."""
    ends = ("192.0.2.1", 4000)
    itself = Connection(ends, ends, 5000, 5000)
    capture = pcap([ethernet(packet) for packet in (itself.syn(), itself.synack(), itself.c("A"),
                                                    itself.c("PA", data=b"echo"))])
    done = probe("-f", "json", "--events=all", "--stats", "--stats-format=json", "-r", "-", input=capture)
    stats = json.loads(done.stderr.splitlines()[-1])
    assert not done.stdout and (stats["connections"], stats["no_server"], stats["evicted"]) == (1, 1, 0)
    assert all(fates["no_server"] == 1 and not fates["evicted"] for fates in stats["events"].values()), stats["events"]
    done = probe("--stats", "--stats-format=json", "--port", "25", "-r", "-", input=capture)
    stats = json.loads(done.stderr.splitlines()[-1])
    assert (stats["connections"], stats["passed_over"]) == (0, 2)

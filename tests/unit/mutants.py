#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Breaks the core, one mutant at a time, and shows which test notices: mutants.py [NAME...]

Each mutant is one text of include/ exchanged for another, in a copy of the tree.
core_test, law_test, property_test and law_events_test are built and run there, in
this order, until one fails. No root is needed. The exit code is 1 where a mutant survives.
"""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

TREE = pathlib.Path(__file__).resolve().parent.parent.parent
BUILD = pathlib.Path(os.environ.get("BUILD", "build")).resolve()
# The least that kills every mutant; the seed makes it the same each time.
TESTS = [("core_test", []), ("law_test", ["400000", "1"]), ("property_test", ["100000", "1"]),
	 ("law_events_test", ["100000", "1"])]
SECONDS = 120		# for one test: a mutant that hangs is noticed, too

# Name, file, the text, and what it becomes.
MUTANTS = [
	("window ten times as wide", "flow.h", "#define FIRST_WINDOW_MAX 65535",
	 "#define FIRST_WINDOW_MAX 655350"),
	("window one less", "flow.h", "#define FIRST_WINDOW_MAX 65535",
	 "#define FIRST_WINDOW_MAX 65534"),
	("a number within: off by one", "flow.h", "return seq - first <= last - first",
	 "return seq - first < last - first"),
	("a number within: from one before", "flow.h", "return seq - first <= last - first",
	 "return seq - first + 1 <= last - first + 1"),
	("closed by one FIN", "flow.h", "flow_bit(flow, SEEN_RST) | (flow_bit(flow, SEEN_CLIENT_FIN) &",
	 "flow_bit(flow, SEEN_RST) | (flow_bit(flow, SEEN_CLIENT_FIN) |"),
	("a bare FIN has no number", "flow.h", "return flow->reported & REPORTED_BARE_FIN << side ? 1 : 0;",
	 "return 0;"),
	("server data beyond is no data unseen", "flow.h",
	 "if (flow->seen & SEEN_SERVER_AHEAD)\n", "if (0)\n"),
	("what the client acknowledged is no data unseen", "flow.h",
	 "flow->sides[SERVER].acked) > 0)", "flow->sides[SERVER].acked) > 1)"),
	("what is cut off has no data", "flow.h", "outcome == COUNT_NO_DATA ? COUNT_CUT_OFF : outcome", "outcome"),
	("a decision is forgotten", "verdict.h", "flow->seen |= FLOW_DECIDED;", ""),
	("data of a SYN is not looked at", "handshake.h",
	 "if (flow_is_pending(flow))\n\t\tdecide(flow, verdict, COUNT_CLIENT_FIRST_SYN);", ""),
	("early segments are not judged", "handshake.h", "if (count > 0)\n", "if (0)\n"),
	("only one early segment is judged", "handshake.h", "if (count > 1)\n", "if (0)\n"),
	("only one SYN of an end is remembered", "rivals.h",
	 "else if (!(bits & RIVAL_SYN << 1))\n\t\t\tplace = 1;",
	 "else if (!(bits & RIVAL_SYN << 1))\n\t\t\tplace = 0;"),
	("the newer SYN gives way", "rivals.h", "place = !(bits & RIVAL_NEWEST);",
	 "place = !!(bits & RIVAL_NEWEST);"),
	("a SYN beside: the second is not found", "rivals.h", "(int)(first + 2 * (second & ~first)) - 1",
	 "(int)first - 1"),
	("early data beside: far counts from the older SYN", "rivals.h", "far + more * (newest ^ 1)",
	 "far + more * newest"),
	("early data beside is forgotten", "rivals.h",
	 "set_rival_bits(rivals, end, RIVAL_EARLY << syn, true);", ""),
	("early data beside: a window too far", "rivals.h",
	 "FIRST_WINDOW_MAX + segment->payload_len - 1;", "FIRST_WINDOW_MAX * 2;"),
	("data of a SYN beside is forgotten", "rivals.h", "seen |= NEXT_DATA;\n\t\tif (bits & RIVAL_EARLY",
	 ";\n\t\tif (bits & RIVAL_EARLY"),
	("NEXT needs no ACK", "rivals.h", "if (!(rivals->seen & NEXT) || !(segment->flags & TCP_ACK))",
	 "if (!(rivals->seen & NEXT))"),
	("NEXT is proven by any client segment", "rivals.h", "return acked_sisn <= FIRST_WINDOW_MAX &&\n",
	 "return\n"),
	("NEXT is proven by any seq", "rivals.h", "from <= FIRST_WINDOW_MAX &&\n\t\t       (from >= -1 ||",
	 "(true ||"),
	("NEXT is proven by server data with any ack", "rivals.h",
	 "segment->ack == rivals->cisn + 1 &&", ""),
	("NEXT with data gives a banner", "rivals.h", "!(rivals->seen & (NEXT_DATA | NEXT_CLIENT_FIRST)) &&",
	 ""),
	("NEXT is reset by any number", "rivals.h", "rivals->seen & NEXT && segment->seq == number",
	 "rivals->seen & NEXT"),
	("NEXT is refused by an ack", "rivals.h", "if (syn < 0 || (end == client && syn == of_next))",
	 "if (syn < 0)"),
	("NEXT gives way to a SYN-ACK without a SYN", "handshake.h",
	 "((more || (!answered && !asked)) && !(rivals->seen & NEXT_SYN))",
	 "(more || (!answered && !asked))"),
	("a SYN of a closed connection is its own", "handshake.h",
	 "} else if (open && from_client && segment->seq == flow->cisn) {",
	 "} else if (from_client && segment->seq == flow->cisn) {"),
	("any SYN is the connection's", "handshake.h",
	 "} else if (open && from_client && segment->seq == flow->cisn) {",
	 "} else if (open && from_client) {"),
	("simultaneous open has a server", "handshake.h", "if (is_own_syn(flow, rivals, segment, sender)) {",
	 "if (0) {"),
	("any SYN-ACK answers", "handshake.h", "segment->ack - (flow->cisn + 1) <= flow->syn_len;",
	 "true;"),
	("a second SYN-ACK counts after the answer", "handshake.h", "if (flow->seen & SEEN_ANSWERED) {",
	 "if (0) {"),
	("rule 4 is dropped", "handshake.h", "if (!asked && options->need != NEED_NONE &&", "if (0 &&"),
	("an open connection gives way to any SYN-ACK", "handshake.h",
	 "if (open && !(rivals->seen & NEXT_CLIENT_FIRST) &&", "if (0 &&"),
	("a SYN-ACK after the RST begins anew", "handshake.h",
	 "if (answers && syn < 0 && flow->seen & SEEN_SYN) {", "if (0) {"),
	("sides are swapped", "part.h", "struct side *to = &flow->sides[!sender];",
	 "struct side *to = &flow->sides[sender];"),
	("an ack is not needed", "part.h", "return part->has_ack &&\n", "return\n"),
	("far data raises what is known", "part.h", "return !is_far(flow, sender, part) &&\n", "return\n"),
	("a far FIN closes", "stream.h", "part->fin && !is_far(flow, SERVER, part)", "part->fin"),
	("a banner before sisn+1", "stream.h", "if (says && part->from > 0) {", "if (says && part->from > 1) {"),
	("a keep-alive of the server is a banner", "stream.h",
	 "(part->len || part->fin) && part_end(part) + part->fin > 0;", "part->len || part->fin;"),
	("rule 3 is dropped", "stream.h",
	 "if (acked > silent_len(flow, CLIENT))\n\t\tdecide(flow, verdict, COUNT_CLIENT_FIRST_BY_ACK);",
	 "if (0)\n\t\t;"),
	("rule 3 by two", "stream.h",
	 "if (acked > silent_len(flow, CLIENT))\n\t\tdecide", "if (acked > silent_len(flow, CLIENT) + 1)\n\t\tdecide"),
	("--need syn is dropped", "first_bytes.h", "if (wants_syn && ", "if (0 && "),
	("--need handshake is dropped", "first_bytes.h", "if (options->need == NEED_HANDSHAKE && !", "if (0 && !"),
	("a keep-alive of the client is data", "stream.h", "if (part->len && part_end(part) > 0) {",
	 "if (part->len) {"),
	("missed client data is not seen by seq", "stream.h", "} else if (part->from > silent_len(flow, CLIENT)) {",
	 "} else if (part->from > silent_len(flow, CLIENT) + 1) {"),
	("one early segment", "stream.h", "count >= EARLY_MAX ||", "count >= 1 ||"),
	("client data far before it", "stream.h", "(part->from >= -1 || part_end(part) + part->fin > 0);",
	 "(part->from >= -2 || part_end(part) + part->fin > 0);"),
	("client data anywhere", "stream.h", "return part->from <= (__s64)sent + FIRST_WINDOW_MAX &&", "return"),
	("a client's ack is not looked at", "stream.h",
	 "else if (!ack_is_valid(&flow->sides[SERVER], part))\n\t\tverdict->ignored = COUNT_INVALID_CLIENT_SEGMENT;",
	 ""),
	("any RST before the SYN-ACK", "reset.h", "return segment->seq == flow->cisn + 1 ||", "return true ||"),
	("a refusal needs no ack", "reset.h", "segment->ack - (flow->cisn + 1) <= flow->syn_len;", "true;"),
	("any RST", "reset.h", "if (segment->seq == side->sent)\n", "if (1)\n"),
	("a RST at what is acknowledged does not count", "reset.h", "return segment->seq == side->acked &&",
	 "return 0 &&"),
	("a RST decides nothing", "reset.h", "if (flow_is_pending(flow))\n\t\tdecide(flow, verdict, COUNT_RESET);", ""),
	("SYN with FIN opens", "tracker.h",
	 "if (segment->flags & TCP_FIN)\n\t\t\tverdict->ignored", "if (0)\n\t\t\tverdict->ignored"),
	("early data beside is not looked at", "tracker.h",
	 "remember_rival_early(rivals, segment, arrival->sender);", ""),
	("the lowest way with a tag", "table_place.h", "if (place->bucket->ways[way].id == id)", "if (1)"),
	("complete handshakes are half open", "flow_table.h", "(decided ^ 1) * used * (RANK_HALF_OPEN + answered);",
	 "(decided ^ 1) * used * RANK_HALF_OPEN;"),
	("complete handshakes do not overflow", "bucket.h", "> COMPLETE_WAYS;", "> 8;"),
	("the overflow is not searched", "table_place.h", "bucket->overflow_tags.of[next] = tag;", ""),
	("tags of the overflow are not removed", "table_place.h",
	 "four[0] &= ~((found >> 2 & EACH_LANE) * 0xffff);", ""),
	("ends are not mixed", "hash.h", "return keyed ^ keyed >> 32;", "return keyed;"),
	("directions have an id of their own", "hash.h",
	 "(source ^ destination) & -(__u64)from_upper;", "0;"),
	("the newest way is evicted", "bucket.h", "((begun * EACH_LANE | LANE_TOP) - orders)", "(orders | LANE_TOP)"),
	("the way with the greatest key is taken for another", "bucket.h", "return (int)~most & (BUCKET_WAYS - 1);",
	 "return (int)most & (BUCKET_WAYS - 1);"),
	("the next connection has the numbers of the one before", "handshake.h", "if (flow->seen) /*", "if (0) /*"),
	("what is left of a half zeroed flow is the next connection's", "flow_table.h", "if (!known || !flow->seen)",
	 "if (!known)"),
	("a replaced connection has no fates", "handshake.h",
	 "wants_more_events(options) && flow->seen & FLOW_AWAITED", "0"),
	("what nobody asked for has a fate", "first_bytes.h",
	 "bit_times(options->events >> kind & 1, fate_of(kind, fate))", "fate_of(kind, fate)"),
]


def run(command, **kwargs):
	return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **kwargs)


def copy_tree(to):
	"""What the tests are built from, and the skeleton that is there already."""
	for name in ("include", "user", "tests", "bpf", "packaging"):
		shutil.copytree(TREE / name, to / name, ignore=shutil.ignore_patterns("__pycache__", "captures"))
	for name in ("Makefile", "vmlinux.h"):
		shutil.copy(TREE / name, to / name)
	os.symlink(TREE / "tests/captures", to / "tests/captures")
	(to / "build").mkdir()
	shutil.copy(BUILD / "bannerprobe.skel.h", to / "build")
	# As new as can be: the skeleton is not made again for each mutant.
	for name in ("bannerprobe.bpf.o", "bannerprobe.skel.h"):
		(to / "build" / name).touch()


def make(tree, test):
	"""The object of the BPF programs is as old as it was: no mutant is in it."""
	return run(["make", "-s", "SANITIZERS=", "CFLAGS=-O1 -Wno-error", "-o", "build/bannerprobe.bpf.o",
		    "-o", "build/bannerprobe.skel.h", f"build/tests/{test}"], cwd=tree)


def killer(tree):
	"""The test that notices; None if none does."""
	for test, arguments in TESTS:
		built = make(tree, test)
		if built.returncode:
			raise RuntimeError(built.stdout)
		try:
			if run([f"build/tests/{test}", *arguments], cwd=tree, timeout=SECONDS).returncode:
				return test
		except subprocess.TimeoutExpired:
			return f"{test} (hangs)"
	return None


def mutate(tree, mutant):
	"""Applies a mutant, tries it and takes it back."""
	name, file, text, other = mutant
	path = tree / "include" / file
	whole = path.read_text()
	if whole.count(text) != 1:
		raise RuntimeError(f"{name}: its text is {whole.count(text)} times in {file}")
	path.write_text(whole.replace(text, other))
	try:
		return killer(tree)
	finally:
		path.write_text(whole)


def work(scratch, number, mutants):
	"""Tries some mutants, each in the same tree; yields as it goes."""
	tree = scratch / str(number)
	copy_tree(tree)
	results = []
	for mutant in mutants:
		try:
			by = mutate(tree, mutant)
		except RuntimeError as error:
			by = f"cannot be built: {error}"
		print(f"{mutant[0]:52} {by or 'SURVIVES'}", flush=True)
		results.append(by is not None and not by.startswith("cannot"))
	return results


def main():
	names = sys.argv[1:]
	mutants = [mutant for mutant in MUTANTS if not names or mutant[0] in names]
	workers = min(os.cpu_count() or 1, len(mutants) or 1)
	with tempfile.TemporaryDirectory(prefix="bannerprobe-mutants-") as scratch:
		base = pathlib.Path(scratch)
		copy_tree(base / "whole")
		by = killer(base / "whole")
		if by:
			sys.exit(f"mutants.py: {by} fails without a mutant")
		with ThreadPoolExecutor(workers) as pool:
			parts = pool.map(lambda i: work(base, i, mutants[i::workers]), range(workers))
			results = [ok for part in parts for ok in part]
	print(f"{sum(results)} of {len(results)} mutants are killed")
	return 0 if all(results) and results else 1


if __name__ == "__main__":
	sys.exit(main())

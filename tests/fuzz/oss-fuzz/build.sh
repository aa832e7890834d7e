#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# Builds the fuzzers into $OUT: for OSS-Fuzz, which sets all these variables,
# and for `make fuzz`, mostly by their defaults. FUZZERS says which: OSS-Fuzz
# gets all but the kernel's, which needs root, a kernel to load BPF programs
# into, and their skeleton in $SKELETON (a directory).
set -eu

root=${SRC:+$SRC/bannerprobe}
cd "${root:-$(dirname "$0")/../../..}"
: "${FUZZERS:=core capture format}" "${OUT:=$PWD/build/fuzz}" "${WORK:=$OUT/objects}"
: "${CC:=clang}" "${CXX:=clang++}" "${LIB_FUZZING_ENGINE:=-fsanitize=fuzzer}"
: "${CFLAGS:=-O2 -g -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all}"
: "${CXXFLAGS:=$CFLAGS}"
include="-Iinclude ${SKELETON:+-isystem $SKELETON}"
pcap=-lpcap
export CC CXX CFLAGS CXXFLAGS WORK include

# No shared library is at hand where OSS-Fuzz runs them; and so it is fuzzed, too.
build_libpcap() {
	cmake -S "$SRC/libpcap" -B "$WORK/libpcap" -DBUILD_SHARED_LIBS=OFF -DBUILD_WITH_LIBNL=OFF \
		-DDISABLE_DBUS=ON -DDISABLE_USB=ON -DDISABLE_BLUETOOTH=ON -DDISABLE_RDMA=ON \
		-DDISABLE_DPDK=ON -DDISABLE_DAG=ON -DDISABLE_NETMAP=ON -DDISABLE_SNF=ON
	cmake --build "$WORK/libpcap" --target pcap_static
	include="-I$SRC/libpcap $include"
	pcap=$WORK/libpcap/libpcap.a
}

sources_of() {
	core='tests/fuzz/steps.c tests/fuzz/getrandom.c tests/play.c tests/packet.c
		user/native.c user/flowtable.c user/wanted.c user/nets.c'
	echo "tests/fuzz/$1.c"
	case $1 in
	core) echo "$core user/greetings.c" ;;
	kernel) echo "$core tests/homes.c tests/kernel_table.c user/programs.c user/privileges.c user/trie.c
		user/message.c user/stopping.c user/descriptors.c" ;;
	capture) echo 'tests/fuzz/getrandom.c user/capture.c user/greetings.c user/native.c user/flowtable.c user/wanted.c
		user/nets.c user/format.c user/community_id.c user/output.c user/file_helper.c user/files.c user/stats.c
		user/stats_json.c user/events.c user/input.c user/stopping.c user/descriptors.c' ;;
	format) echo 'user/format.c user/community_id.c' ;;
	esac
}

libraries_of() {
	case $1 in
	kernel) echo -lbpf -lcap-ng -lseccomp ;;
	capture) echo "-Wl,--wrap=pcap_next_ex $pcap -l:libnettle.a" ;;
	format) echo -l:libnettle.a ;;
	esac
}

objects_of() {
	for source in $(sources_of "$1"); do
		echo "$WORK/$source.o"
	done
}

# Each source once, whoever needs it.
# shellcheck disable=SC2016
compile() {
	for fuzzer in $FUZZERS; do
		sources_of "$fuzzer"
	done | tr -s ' \t' '\n' | sort -u |
		xargs -P "$(nproc)" -n 1 sh -c 'mkdir -p "$WORK/$(dirname "$1")" &&
			$CC $CFLAGS -std=gnu11 -D_GNU_SOURCE $include -c -o "$WORK/$1.o" "$1"' compile
}

# OSS-Fuzz begins with what is in an archive of this name.
pack_corpus() {
	zip -q -j -r "$OUT/fuzz_$1_seed_corpus.zip" "tests/fuzz/corpus/$1"
}

mkdir -p "$OUT" "$WORK"
[ ! -d "${SRC:-}/libpcap" ] || build_libpcap
compile
for fuzzer in $FUZZERS; do
	# shellcheck disable=SC2046,SC2086
	$CXX $CXXFLAGS $(objects_of "$fuzzer") $LIB_FUZZING_ENGINE $(libraries_of "$fuzzer") \
		-o "$OUT/fuzz_$fuzzer"
	[ -z "${SRC:-}" ] || pack_corpus "$fuzzer"
done

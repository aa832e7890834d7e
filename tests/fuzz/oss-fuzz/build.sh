#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# Builds the fuzzers into $OUT: for OSS-Fuzz, which sets all these variables,
# and for `make fuzz`, mostly by their defaults. FUZZERS says which: OSS-Fuzz
# gets all but the kernel's, which needs root, a kernel to load BPF programs
# into, and their skeleton in $SKELETON (a directory).
set -eu

root=${SRC:+$SRC/bannerprobe}
cd "${root:-$(dirname "$0")/../../..}"
: "${FUZZERS:=core tunnels capture format form identify owner logline}" "${OUT:=$PWD/build/fuzz}" "${WORK:=$OUT/objects}"
: "${CC:=clang}" "${CXX:=clang++}" "${LIB_FUZZING_ENGINE:=-fsanitize=fuzzer}"
: "${CFLAGS:=-O2 -g -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all}"
: "${CXXFLAGS:=$CFLAGS}"
# Small tables: they are made and cleared for each input, and are full more often.
include="-Iinclude -Iuser -Itests ${SKELETON:+-isystem $SKELETON} -DCACHE_PLACES=8 -DGRAM_BITS=8"
export CC CXX CFLAGS CXXFLAGS WORK include

sources_of() {
	core='tests/fuzz/steps.c tests/fuzz/guarded.c tests/fuzz/getrandom.c tests/unit/play.c tests/unit/wrap.c tests/unit/packet.c
		user/engine/packet_engine.c user/engine/overflow.c user/engine/server_list.c user/engine/nets.c'
	format=
	for name in format format_change format_identity format_tunnels format_owner community_id http_headers proxy_header put put_address ssh_line zeek; do
		format="$format user/sinks/$name.c"
	done
	echo "tests/fuzz/fuzz_$1.c"
	case $1 in
	core) echo "$core user/pipeline/reassembly.c" ;;
	tunnels) echo "$core" ;;
	kernel) echo "$core tests/kernel/backends.c tests/kernel/kernel_table.c user/attach/programs.c user/attach/rings.c user/attach/ring_maps.c user/system/privileges.c user/attach/filter_maps.c
		user/system/message.c user/system/stopping.c user/system/descriptors.c" ;;
	capture) echo "tests/fuzz/guarded.c tests/fuzz/memory_file.c tests/fuzz/getrandom.c tests/unit/wrap.c user/pipeline/from_captures.c user/pipeline/capture_tracking.c user/pipeline/capture_jobs.c user/pipeline/read_by_jobs.c user/system/process.c user/pipeline/pipeline.c user/pipeline/seen_twice.c user/pipeline/unfinished.c user/pipeline/identifying.c user/libraries/linked.c user/pipeline/packet_batch.c user/pipeline/progress.c user/pipeline/sequence.c user/capture/capture_list.c user/capture/origins.c
		user/capture/not_opened.c user/capture/packet_reader.c user/capture/pcap_reader.c user/capture/pcapng_reader.c user/capture/byte_source.c user/capture/file_window.c user/system/bus_guard.c
		user/capture/decompress.c user/capture/link_layer.c user/capture/other_tunnels.c user/capture/wifi.c user/pipeline/reassembly.c user/engine/packet_engine.c user/engine/overflow.c user/engine/server_list.c
		user/engine/nets.c $format user/stats/stats.c user/stats/losses.c user/stats/event_stats.c
		user/stats/stats_report.c user/stats/stats_json.c user/system/event_loop.c user/system/stopping.c user/system/descriptors.c" user/identify/*.c ;;
	format) echo "$format" ;;
	identify) echo tests/fuzz/guarded.c tests/fuzz/memory_file.c user/identify/*.c ;;
	owner) echo tests/fuzz/guarded.c user/owner/cgroup_path.c ;;
	logline) echo tests/fuzz/guarded.c user/inventory/command/logline.c user/inventory/address.c ;;
	form) echo tests/fuzz/guarded.c && make -s --no-print-directory --eval 'listed: ; @echo $(INVENTORY_FORMS)' listed ;;
	esac
}

# The functions that tests/fuzz/memory_file.c replaces.
memory_file=-Wl,--wrap=open,--wrap=close,--wrap=stat,--wrap=fstat,--wrap=read,--wrap=poll,--wrap=scandir,--wrap=mmap,--wrap=munmap,--wrap=madvise,--wrap=lseek,--wrap=sysconf,--wrap=sigaction

# No shared library is at hand where OSS-Fuzz runs them.
libraries_of() {
	case $1 in
	kernel) echo -lbpf -lcap-ng -lseccomp ;;
	capture) echo "$memory_file" -Wl,--wrap=packet_reader_begin,--wrap=seen_twice_new,--wrap=seen_twice_free -l:libz.a -l:libzstd.a -l:libnettle.a -l:libpcre2-8.a -l:libexpat.a ;;
	format) echo -l:libnettle.a ;;
	identify) echo "$memory_file" -l:libpcre2-8.a -l:libexpat.a ;;
	logline) echo -l:libjson-c.a -lm ;;
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
compile
for fuzzer in $FUZZERS; do
	# shellcheck disable=SC2046,SC2086
	$CXX $CXXFLAGS $(objects_of "$fuzzer") $LIB_FUZZING_ENGINE $(libraries_of "$fuzzer") \
		-o "$OUT/fuzz_$fuzzer"
	[ -z "${SRC:-}" ] || pack_corpus "$fuzzer"
done

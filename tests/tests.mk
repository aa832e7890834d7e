# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# What tests, measures and shows the program: the Makefile includes this.

# The sanitizers find what an assertion does not.
SANITIZERS ?= -fsanitize=address,undefined -fno-sanitize-recover=all
# -O1 -g1: compiled in half the time, their tests run as fast, and a report still names lines.
TEST_CFLAGS := -O1 -g1 $(SANITIZERS) -fno-omit-frame-pointer

sanitized = $(patsubst %.c,$(BUILD)/sanitized/%.o,$(sort $(1)))
objects = $(patsubst %.c,$(BUILD)/%.o,$(sort $(1)))

MESSAGE := user/system/message.c user/system/stopping.c user/system/descriptors.c
ENGINE := user/engine/packet_engine.c user/engine/overflow.c user/engine/server_list.c user/engine/nets.c
# The engine, and packets for it.
PLAY := tests/unit/wrap.c tests/unit/play.c tests/unit/scenarios.c tests/unit/packet.c $(ENGINE)
# The loaded BPF programs, and packets by the million for them.
DRIVE := tests/unit/wrap.c tests/kernel/drive.c tests/kernel/kernel_table.c tests/unit/packet.c $(MESSAGE) $(ENGINE) \
	user/attach/programs.c user/attach/rings.c user/attach/ring_maps.c user/attach/filter_maps.c user/system/privileges.c
# Captures, packet by packet.
READ := $(addprefix user/capture/,packet_reader.c pcap_reader.c pcapng_reader.c byte_source.c file_window.c decompress.c) user/system/bus_guard.c

# --- the objects of each program

CORE_TEST := $(call sanitized,tests/unit/core_test.c $(PLAY))
NEGOTIATION_TEST := $(call sanitized,tests/unit/negotiation_test.c $(PLAY))
FORMAT := $(addprefix sinks/,format.c format_change.c format_identity.c format_tunnels.c format_owner.c community_id.c http_headers.c proxy_header.c put.c put_address.c ssh_line.c zeek.c)
PROPERTY_TEST := $(call sanitized,tests/unit/property_test.c user/pipeline/reassembly.c $(READ) $(PLAY))
LAW_TEST := $(call sanitized,$(addprefix tests/unit/,law_test.c law_play.c law_cases.c law_attacks.c \
	attacks.c law_judge.c model.c model_events.c conversations.c beginnings.c talk.c) $(PLAY))
LAW_EVENTS_TEST := $(call sanitized,$(addprefix tests/unit/,law_events_test.c law_events_core.c law_events_kinds.c law_events_cases.c law_events_truth.c \
	law_events_attacks.c attacks.c law_cases.c events.c model.c model_events.c conversations.c beginnings.c talk.c) $(PLAY))
PIPELINE_TEST := $(call sanitized,tests/unit/pipeline_test.c $(MESSAGE) $(IDENTIFY) user/libraries/linked.c $(addprefix user/,pipeline/pipeline.c pipeline/identifying.c pipeline/reassembly.c pipeline/unfinished.c pipeline/seen_twice.c \
	sinks/line_sink.c $(FORMAT) system/file_helper.c system/process.c system/files.c \
	system/privileges.c))
PUBLISHED_TEST := $(call sanitized,tests/unit/published_test.c user/attach/publish.c user/attach/published.c)
MESSAGE_TEST := $(call sanitized,tests/unit/message_test.c $(MESSAGE))
CHANGE_TEST := $(call sanitized,tests/unit/change_test.c $(addprefix user/,$(FORMAT)))
PUT_TEST := $(call sanitized,tests/unit/put_test.c $(addprefix user/,$(FORMAT)))
# It includes capture_jobs.c.
JOBS_TEST := $(call sanitized,tests/unit/jobs_test.c $(MESSAGE) $(addprefix user/,$(FORMAT) \
	capture/capture_list.c stats/event_stats.c system/process.c))
OOM_TEST := $(call sanitized,tests/unit/oom_test.c)
ADDRESSES_TEST := $(call sanitized,tests/unit/addresses_test.c user/engine/nets.c \
	$(addprefix user/,attach/routes.c attach/links.c system/netlink.c))
IDENTIFY_TEST := $(call sanitized,tests/unit/identify_test.c $(IDENTIFY))
FORM_TEST := $(call sanitized,tests/unit/form_test.c $(INVENTORY_FORMS))
INVENTORY_TEST := $(call sanitized,tests/unit/inventory_test.c $(INVENTORY) \
	$(addprefix user/inventory/command/,say.c output.c fold.c when.c logline.c logfile.c))
SANITIZED := $(PIPELINE_TEST) $(PUBLISHED_TEST) $(CORE_TEST) $(NEGOTIATION_TEST) $(PROPERTY_TEST) $(LAW_TEST) $(LAW_EVENTS_TEST) $(OOM_TEST) $(ADDRESSES_TEST) $(IDENTIFY_TEST) \
	$(FORM_TEST) $(INVENTORY_TEST) $(CHANGE_TEST) $(PUT_TEST) $(JOBS_TEST) $(MESSAGE_TEST)

PRIVILEGES_TEST := $(call objects,tests/unit/privileges_test.c user/system/privileges.c $(MESSAGE))
KERNEL_TEST := $(call objects,tests/kernel/kernel_test.c tests/kernel/backends.c $(READ) $(PLAY) $(DRIVE))
BENCH_KERNEL := $(call objects,tests/bench/bench_kernel.c $(DRIVE))
BENCH_SCALE := $(call objects,tests/bench/bench_scale.c $(DRIVE))
BENCH_GROWTH := $(call objects,tests/bench/bench_growth.c $(DRIVE))
BENCH_FORMAT := $(call objects,tests/bench/bench_format.c $(MESSAGE) $(addprefix user/,$(FORMAT) \
	sinks/line_sink.c) $(addprefix user/system/,file_helper.c process.c files.c privileges.c))
BENCH_INVENTORY := $(call objects,tests/bench/bench_inventory.c $(INVENTORY))
BENCH_IDENTIFY := $(call objects,tests/bench/bench_identify.c $(IDENTIFY))
# For a writer of rules: identifies the bytes of files.
IDENTIFY_TOOL := $(call objects,tests/tools/identify_files.c $(IDENTIFY))
# The model's judgement of real captures.
JUDGE := $(call objects,tests/tools/judge_segments.c tests/unit/model.c tests/unit/model_events.c)
# What the live tests forge packets with, and a wire that takes its time.
RIG_PROGRAMS := $(BUILD)/forge $(BUILD)/wire
RIG := $(RIG_PROGRAMS:$(BUILD)/%=$(BUILD)/tests/system/%.o)

# --- compiling and linking

$(BUILD)/sanitized/%.o: %.c $(VERSIONED) | $(SKELETON)
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -Itests $(TEST_CFLAGS) $(DEPENDENCIES) -c -o $@ $<

$(BUILD)/tests/%.o: tests/%.c | $(SKELETON)
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -Itests $(DEPENDENCIES) -c -o $@ $<

$(BUILD)/drive.bpf.o: tests/kernel/drive.bpf.c
	$(call say,BPF,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) $(BPF_CFLAGS) $(DEPENDENCIES) -c -o $@ $<

$(BUILD)/drive.skel.h: $(BUILD)/drive.bpf.o
	$(call say,SKELETON,$@)
	$(Q)$(BPFTOOL) gen skeleton $< name drive_bpf > $@.new && mv $@.new $@

$(BUILD)/tests/kernel/drive.o: $(BUILD)/drive.skel.h

link = $(call say,LINK,$@) mkdir -p $(@D) && $(CC) $(LDFLAGS) $(1) -o $@ $^ $(2)

$(BUILD)/tests/core_test: $(CORE_TEST)
$(BUILD)/tests/negotiation_test: $(NEGOTIATION_TEST)
$(BUILD)/tests/property_test: $(PROPERTY_TEST)
$(BUILD)/tests/law_test: $(LAW_TEST)
$(BUILD)/tests/law_events_test: $(LAW_EVENTS_TEST)
$(BUILD)/tests/oom_test: $(OOM_TEST)
$(BUILD)/tests/addresses_test: $(ADDRESSES_TEST)
$(addprefix $(BUILD)/tests/,core_test negotiation_test property_test law_test law_events_test oom_test addresses_test):
	$(Q)$(call link,$(TEST_CFLAGS),-lcmocka -lmnl -lz -lzstd)

$(BUILD)/tests/pipeline_test: $(PIPELINE_TEST)
$(BUILD)/tests/published_test: $(PUBLISHED_TEST)
$(BUILD)/tests/change_test: $(CHANGE_TEST)
$(BUILD)/tests/put_test: $(PUT_TEST)
$(BUILD)/tests/jobs_test: $(JOBS_TEST)
$(BUILD)/tests/message_test: $(MESSAGE_TEST)
$(addprefix $(BUILD)/tests/,pipeline_test published_test change_test put_test jobs_test message_test):
	$(Q)$(call link,$(TEST_CFLAGS),-lcmocka $(LDLIBS) $(IDENTIFY_LIBS))

$(BUILD)/tests/identify_test: $(IDENTIFY_TEST)
	$(Q)$(call link,$(TEST_CFLAGS),-lcmocka $(IDENTIFY_LIBS))

$(BUILD)/tests/form_test: $(FORM_TEST)
$(BUILD)/tests/inventory_test: $(INVENTORY_TEST)
$(BUILD)/tests/form_test $(BUILD)/tests/inventory_test:
	$(Q)$(call link,$(TEST_CFLAGS),-lcmocka $(INVENTORY_LIBS))

$(BUILD)/tests/privileges_test: $(PRIVILEGES_TEST)
$(BUILD)/tests/kernel_test: $(KERNEL_TEST)
$(BUILD)/bench_kernel: $(BENCH_KERNEL)
$(BUILD)/bench_scale: $(BENCH_SCALE)
$(BUILD)/bench_growth: $(BENCH_GROWTH)
$(BUILD)/bench_format: $(BENCH_FORMAT)
$(BUILD)/tests/privileges_test $(BUILD)/tests/kernel_test $(addprefix $(BUILD)/,bench_kernel bench_scale bench_growth bench_format):
	$(Q)$(call link,,-lcmocka $(LDLIBS) -lpthread)

# It can be copied to a machine with more CPUs.
$(STATIC)/bench_scale: $(BENCH_SCALE)
	$(Q)$(call link,$(STATIC_LINK),$(STATIC_LIBS) -lpthread)

$(BUILD)/bench_inventory: $(BENCH_INVENTORY)
	$(Q)$(call link,,$(INVENTORY_LIBS))

$(BUILD)/tests/identify: $(IDENTIFY_TOOL)
$(BUILD)/bench_identify: $(BENCH_IDENTIFY)
$(BUILD)/tests/identify $(BUILD)/bench_identify:
	$(Q)$(call link,,$(IDENTIFY_LIBS))

$(BUILD)/tests/judge_segments: $(JUDGE)
	$(Q)$(call link)

$(RIG_PROGRAMS): $(BUILD)/%: $(BUILD)/tests/system/%.o
	$(Q)$(call link)

# Tells what the verifier followed: for tests/vm/kernels.
$(BUILD)/verified.so: tests/vm/verified.c
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) -std=gnu11 -D_GNU_SOURCE $(WARNINGS) -O2 -shared -fPIC -o $@ $<

-include $(patsubst %,%.d,$(sort $(SANITIZED) $(PRIVILEGES_TEST) $(KERNEL_TEST) $(BENCH_KERNEL) \
	$(BENCH_SCALE) $(BENCH_GROWTH) $(BENCH_FORMAT) $(BENCH_INVENTORY) $(BENCH_IDENTIFY) $(IDENTIFY_TOOL) $(JUDGE) $(RIG) $(BUILD)/drive.bpf.o))

# --- make check: without root, network or installing anything, in less than a minute

CHECKED := core_test negotiation_test pipeline_test published_test owner_path_test law_test law_events_test property_test \
	oom_test identify_test form_test inventory_test change_test put_test jobs_test message_test privileges_test
# Fewer than `make test` tries.
law_test_ARGS := 5000
law_events_test_ARGS := 5000
property_test_ARGS := 100000
CHECKS := $(CHECKED:%=check-%) check-programs check-structure check-scripts

# As many at once as there are CPUs, unless make was told how many.
JOBS = $(if $(findstring jobserver,$(MAKEFLAGS)),,-j$$(nproc))
.PHONY: check $(CHECKS)
check:
	$(Q)$(MAKE) --no-print-directory $(JOBS) $(CHECKS)
	@echo "check: all passed"

# $(call checked,NAME,COMMAND): the command's output is shown only if it fails.
define checked
	$(call say,CHECK,$(1)) mkdir -p $(BUILD)/check && log=$(BUILD)/check/$(1).log && \
	if ! { $(2); } >$$log 2>&1; then cat $$log; exit 1; fi
endef

$(CHECKED:%=check-%): check-%: $(BUILD)/tests/%
	$(Q)$(call checked,$*,CMOCKA_MESSAGE_OUTPUT=TAP timeout 300 $< $($*_ARGS))

# The programs themselves: their command lines, and captures with known records.
check-programs: all
	$(Q)$(call checked,programs,PYTHONDONTWRITEBYTECODE=1 $(PYTHON) -m unittest discover -s tests/unit)

check-structure:
	$(Q)$(call checked,structure,tests/tools/structure.py)

# Python files are parsed by structure.py.
check-scripts:
	$(Q)$(call checked,scripts,grep -rlE --exclude-dir=corpus '^#!/bin/(ba)?sh' .ci packaging tests | \
		xargs -n 1 bash -n && bash -n packaging/*.bash)

# --- coverage of the core and of what reads, by what an ordinary user can run: docs/coverage.md
# Two tests are left out: the users that they become may not write the counts.

COVERAGE := $(BUILD)/coverage
COVERAGE_CFLAGS := -O0 -g --coverage -include tests/unit/not_inlined.h
COVERED := include user/capture $(FORMAT:%=user/%) user/identify user/inventory
COVERAGE_SYSTEM := $(addprefix tests/system/,test_captures.py test_archives.py test_formats.py \
	test_server_filter.py::test_ports test_server_filter.py::test_nets test_inventory.py test_identify.py)
COVERAGE_FUZZERS := core tunnels capture format form identify owner logline
law_test_COVERAGE := 20000
law_events_test_COVERAGE := 20000
property_test_COVERAGE := 200000
COVERAGE_TESTS := $(filter-out privileges_test,$(CHECKED))

.PHONY: coverage
coverage:
	$(Q)packaging/deps.sh gcovr
	$(Q)$(MAKE) --no-print-directory BUILD=$(COVERAGE) CFLAGS="$(COVERAGE_CFLAGS)" LDFLAGS=--coverage \
		SANITIZERS=-O0 HARDENING= HARDENED_LINK= $(COVERAGE_TESTS:%=$(COVERAGE)/tests/%) \
		$(COVERAGE)/bannerprobe $(COVERAGE)/bannerprobe-inventory $(COVERAGE)/tests/identify
	$(Q)env -u SRC -u CXXFLAGS CC="$(CC)" CXX="$(CC)" CFLAGS="$(COVERAGE_CFLAGS)" FUZZERS="$(COVERAGE_FUZZERS)" \
		SKELETON=$(COVERAGE) OUT=$(COVERAGE)/fuzz WORK=$(COVERAGE)/fuzz/objects \
		LIB_FUZZING_ENGINE=tests/fuzz/run_corpus.c tests/fuzz/oss-fuzz/build.sh
	$(Q)find $(COVERAGE) -name '*.gcda' -delete
	$(Q)$(foreach test,$(COVERAGE_TESTS),timeout 300 $(COVERAGE)/tests/$(test) $($(test)_COVERAGE) >/dev/null 2>&1 || exit 1;)
	$(Q)$(foreach name,$(COVERAGE_FUZZERS),timeout 300 $(COVERAGE)/fuzz/fuzz_$(name) tests/fuzz/corpus/$(name) || exit 1;)
	$(Q)BUILD=$(COVERAGE) BANNERPROBE=$(CURDIR)/$(COVERAGE)/bannerprobe \
		BANNERPROBE_INVENTORY=$(CURDIR)/$(COVERAGE)/bannerprobe-inventory \
		$(PYTHON) -m pytest -q -k "not may_not_write and not needs_no_privilege" tests/unit $(COVERAGE_SYSTEM)
	$(Q)gcovr -r . $(COVERED:%=--filter %) --exclude '.*/command/' -s -o $(COVERAGE)/lines.txt $(COVERAGE)
	$(Q)gcovr -r . $(COVERED:%=--filter %) --exclude '.*/command/' --branches -o $(COVERAGE)/branches.txt $(COVERAGE)
	@echo "see $(COVERAGE)/lines.txt, $(COVERAGE)/branches.txt"

# --- fuzzing

FUZZ_SECONDS ?= 60
FUZZERS := core tunnels capture format form identify owner logline kernel

# By the script that OSS-Fuzz runs, all at once; its variables are not make's.
FUZZERS_BUILT := $(BUILD)/fuzz/built
$(FUZZERS_BUILT): tests/fuzz/oss-fuzz/build.sh $(SKELETON) \
		$(wildcard include/*.h user/*/*.[ch] tests/*/*.[ch])
	$(call say,FUZZERS,$(@D))
	$(Q)env -u SRC -u WORK -u CFLAGS -u CXXFLAGS -u LIB_FUZZING_ENGINE CC="$(CLANG)" \
		CXX="$(CLANG)" FUZZERS="$(FUZZERS)" SKELETON="$(BUILD)" OUT="$(@D)" $<
	$(Q)touch $@

# Each for FUZZ_SECONDS; what it finds new is kept in $(BUILD). The kernel's is
# skipped where BPF programs may not be loaded.
.PHONY: fuzz $(FUZZERS:%=fuzz-%)
fuzz: $(FUZZERS:%=fuzz-%)
$(FUZZERS:%=fuzz-%): fuzz-%: $(FUZZERS_BUILT)
	@echo "$*: $(FUZZ_SECONDS) seconds"
	$(Q)mkdir -p $(BUILD)/fuzz/corpus/$*
	$(Q)log=$(BUILD)/fuzz/$*.log code=0; \
	ASAN_OPTIONS=quarantine_size_mb=8:$$ASAN_OPTIONS \
	$(BUILD)/fuzz/fuzz_$* -max_total_time=$(FUZZ_SECONDS) \
		-artifact_prefix=$(BUILD)/fuzz/$*- $(BUILD)/fuzz/corpus/$* \
		tests/fuzz/corpus/$* >$$log 2>&1 || code=$$?; \
	if [ $$code -eq 3 ] && grep 'not permitted' $$log; then echo "$*: skipped"; \
	elif [ $$code -ne 0 ]; then tail -n 40 $$log; exit 1; \
	else grep 'DONE' $$log; fi

# --- the tests

C_TESTS := $(addprefix $(BUILD)/tests/,pipeline_test published_test core_test negotiation_test property_test law_test law_events_test oom_test addresses_test identify_test \
	form_test inventory_test change_test put_test jobs_test message_test owner_path_test owner_test privileges_test kernel_test)
TEST_PROGRAMS := $(C_TESTS) $(addprefix $(BUILD)/tests/,identify owner) $(RIG_PROGRAMS)

# Set up first, then build: what deps installs is not there before.
.PHONY: test
test:
	$(Q)$(MAKE) --no-print-directory deps
	$(Q)$(MAKE) --no-print-directory $(JOBS) all $(TEST_PROGRAMS) $(FUZZERS_BUILT)
	$(Q)BUILD=$(BUILD) $(PYTHON) -m pytest -q --durations=15 $(AT_ONCE) $(LONG_TESTS:%=--ignore %) tests

# Most tests wait: for a server, a deadline, a process. So more run at once than there are CPUs.
TEST_JOBS ?= 4
AT_ONCE = $(shell $(PYTHON) -c 'import xdist' 2>/dev/null && printf '%s' '-n $(TEST_JOBS)')

# They have targets of their own: `make test` is to stay short.
LONG_TESTS := $(addprefix tests/system/,test_coexistence.py test_fleet.py test_live_tunnels.py test_releases.py test_report.py test_rpm.py)

# Tunnels on interfaces, by each way to attach.
.PHONY: test-tunnels
test-tunnels:
	$(Q)$(MAKE) --no-print-directory deps
	$(Q)$(MAKE) --no-print-directory all $(RIG_PROGRAMS)
	$(Q)BUILD=$(BUILD) $(PYTHON) -m pytest -q tests/system/test_live_tunnels.py

# $(call npm,FOLDER,PACKAGES): what a test has from npm, in a folder of its own.
npm = $(Q)command -v npm >/dev/null || packaging/deps.sh nodejs npm; mkdir -p $(1) && \
	npm install --prefix $(1) --no-save --no-audit --no-fund --ignore-scripts $(2)

# The schemas of the API of Kubernetes, as validators and as types.
$(BUILD)/kubernetes/installed: tests/tests.mk
	$(call npm,$(@D),kubernetes-models@4.5.1 typescript@5.9.3)
	$(Q)touch $@

# Whose a service is, and the container's manifests: a part of `make test`, which fetches neither kubectl nor the
# schemas of Kubernetes.
.PHONY: test-owner
test-owner:
	$(Q)$(MAKE) --no-print-directory deps
	$(Q)$(MAKE) --no-print-directory all $(TEST_PROGRAMS) $(BUILD)/kubernetes/installed
	$(Q)command -v kubectl >/dev/null || packaging/deps.sh kubernetes-client
	$(Q)BUILD=$(BUILD) $(PYTHON) -m pytest -q -rs $(AT_ONCE) tests/system/test_owner.py \
		tests/system/test_owner_records.py tests/system/test_container.py

# Installs what the owner of a fleet has, and the other tests do not need.
.PHONY: test-fleet
test-fleet:
	$(Q)$(MAKE) --no-print-directory deps
	$(Q)$(MAKE) --no-print-directory bannerprobe
	$(Q)PYTHONPATH=tests/system $(PYTHON) -c \
		'import rig; rig.install("rsyslog", "rsyslog-relp", "rsyslog-kafka", "kcat")'
	$(Q)$(PYTHON) -m pytest -q -rs tests/system/test_fleet.py

# bannerprobe against tshark and the model, on all captures below some folders.
CAPTURES ?= tests/captures $(wildcard ../shared/captures ../shared/faults)
.PHONY: compare-captures
compare-captures:
	$(Q)$(MAKE) --no-print-directory deps
	$(Q)packaging/deps.sh tshark
	$(Q)$(MAKE) --no-print-directory bannerprobe $(BUILD)/tests/judge_segments
	$(Q)BUILD=$(BUILD) tests/tools/compare_captures.py $(CAPTURES)

# Servers of two Debian releases, restarted, reconfigured and upgraded. Downloads 400 MB, and unpacks 2 GB below the
# build, once; then takes some minutes. RELEASES_ARGS="-k exim": only these. RELEASES_CONNECTIONS=10000: an hour.
.PHONY: test-releases
test-releases:
	$(Q)$(MAKE) --no-print-directory deps
	$(Q)$(MAKE) --no-print-directory bannerprobe-inventory
	$(Q)BUILD=$(BUILD) $(PYTHON) -m pytest -q -rs $(AT_ONCE) tests/system/test_releases.py $(RELEASES_ARGS)

# More mixtures than `make test` tries, and a measurement.
.PHONY: test-forgery
test-forgery:
	$(Q)$(MAKE) --no-print-directory deps
	$(Q)$(MAKE) --no-print-directory bannerprobe $(RIG_PROGRAMS)
	$(Q)FORGERY=all BUILD=$(BUILD) $(PYTHON) -m pytest -q -rP \
		tests/system/test_forgery.py tests/system/test_need.py tests/bench/forgery_cost.py

# kill -9 at 200 moments under load, of the probe, its keeper and an import.
.PHONY: test-kills
test-kills:
	$(Q)$(MAKE) --no-print-directory deps
	$(Q)$(MAKE) --no-print-directory all
	$(Q)KEEPER_KILLS=200 LIVE_KILLS=200 INVENTORY_KILLS=200 BUILD=$(BUILD) $(PYTHON) -m pytest -q \
		tests/system/test_kept.py tests/system/test_inventory.py -k killed

# 10,000 connections to each of the synthetic servers that nobody touched: some minutes.
.PHONY: test-forms
test-forms:
	$(Q)$(MAKE) --no-print-directory deps
	$(Q)$(MAKE) --no-print-directory bannerprobe-inventory
	$(Q)INVENTORY_CONNECTIONS=10000 BUILD=$(BUILD) $(PYTHON) -m pytest -q \
		tests/system/test_inventory.py -k nobody_touched

# --- the report in a browser

# Debian's Chromium; what drives it and what judges its pages, from npm.
BROWSER := $(BUILD)/browser
BROWSER_PACKAGES := playwright-core@1.65.1 axe-core@4.14.1

$(BROWSER)/installed: tests/tests.mk
	$(call npm,$(@D),$(BROWSER_PACKAGES))
	$(Q)touch $@

.PHONY: test-report
test-report:
	$(Q)$(MAKE) --no-print-directory deps
	$(Q)packaging/deps.sh chromium
	$(Q)$(MAKE) --no-print-directory bannerprobe-inventory $(BROWSER)/installed
	$(Q)BUILD=$(BUILD) $(PYTHON) -m pytest -q -rs tests/system/test_report.py

# Prometheus' own program judges the rules of packaging/alerts.yml.
.PHONY: test-alerts
test-alerts:
	$(Q)command -v promtool >/dev/null || packaging/deps.sh prometheus
	$(Q)$(PYTHON) -m pytest -q -rs tests/system/test_alerts.py

# Stops, a full disk, SIGHUPs and veths that come and go, all at once: some minutes.
STORM_ARGS ?=
.PHONY: test-storm
test-storm:
	$(Q)$(MAKE) --no-print-directory deps
	$(Q)$(MAKE) --no-print-directory bannerprobe
	$(Q)tests/tools/storm.py $(STORM_ARGS)

# Under QEMU: each kind of device; every kind of tunnel by its device; beside other programs.
# GUEST_ARGS="--suite trixie -- -k bond": only these.
.PHONY: test-devices test-tunnel-guest test-coexistence
test-devices: GUEST := devices
test-tunnel-guest: GUEST := tunnels
test-coexistence: GUEST := coexistence
test-devices test-tunnel-guest test-coexistence:
	$(Q)$(MAKE) --no-print-directory deps
	$(Q)$(MAKE) --no-print-directory BUILD=build bannerprobe $(RIG_PROGRAMS:$(BUILD)/%=build/%)
	$(Q)tests/vm/$(GUEST) $(GUEST_ARGS)

# Under QEMU: docker, podman and a pod in a Debian that has them; systemd's sockets, inetd.
$(STATIC)/greeter: tests/vm/greeter.c
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) $(HARDENING) $(STATIC_LINK) $(LDFLAGS) -o $@ $<

.PHONY: test-containers-guest
test-containers-guest:
	$(Q)$(MAKE) --no-print-directory deps
	$(Q)$(MAKE) --no-print-directory BUILD=build static build/static/bannerprobe-alive build/static/greeter
	$(Q)tests/vm/containers $(GUEST_ARGS)

.PHONY: test-kernels
test-kernels:
	$(Q)$(MAKE) --no-print-directory deps
	+$(Q)tests/vm/kernels $(KERNELS_ARGS)

# The programs for arm64 and s390x, in QEMU's user mode.
.PHONY: test-architectures
test-architectures:
	$(Q)$(MAKE) --no-print-directory deps
	$(Q)tests/vm/architectures $(ARCHITECTURES_ARGS)

# The Debian package by the compilers of newer Debians.
.PHONY: test-builds
test-builds:
	$(Q)$(MAKE) --no-print-directory deps
	$(Q)tests/vm/builds $(BUILDS_ARGS)

# The Debian packages and the static program: takes some minutes.
# PACKAGE_ARGS=--here: without QEMU, which is faster.
.PHONY: test-package
test-package:
	$(Q)$(MAKE) --no-print-directory deps
	$(Q)$(MAKE) --no-print-directory deb deb-static static
	$(Q)tests/vm/package $(PACKAGE_ARGS)

# --- shown

.PHONY: demo
demo:
	$(Q)$(MAKE) --no-print-directory deps
	$(Q)$(MAKE) --no-print-directory bannerprobe bannerprobe-inventory
	$(Q)tests/tools/demo.py

# The demo, recorded, and the recording drawn.
.PHONY: picture
picture:
	$(Q)$(MAKE) --no-print-directory deps
	$(Q)$(MAKE) --no-print-directory bannerprobe bannerprobe-inventory
	$(Q)tests/tools/demo.py --cast $(BUILD)/demo.cast
	$(Q)tests/tools/picture.py $(BUILD)/demo.cast >$(BUILD)/demo.svg && mv $(BUILD)/demo.svg docs/demo.svg

# --- measured, and at length

BENCHES := $(BUILD)/bench_kernel $(BUILD)/bench_format
.PHONY: bench
bench:
	$(Q)$(MAKE) --no-print-directory deps
	$(Q)$(MAKE) --no-print-directory bannerprobe $(BENCHES)
	$(Q)$(BUILD)/bench_kernel
	$(Q)$(BUILD)/bench_format $(BUILD)
	$(Q)tests/bench/bench_host.py $(BENCH_ARGS)

# What a packet costs in instructions: the same each time, on a busy machine too.
.PHONY: bench-instructions
bench-instructions:
	$(Q)$(MAKE) --no-print-directory deps
	$(Q)tests/vm/instructions

# What becomes of a packet's cost when several CPUs have packets at once.
.PHONY: bench-scale
bench-scale:
	$(Q)$(MAKE) --no-print-directory deps
	$(Q)packaging/deps.sh pkg-config
	$(Q)packaging/libmnl.sh $(STATIC) "$(CC)" $(CROSS)
	$(Q)$(MAKE) --no-print-directory $(STATIC)/bench_scale
	$(Q)$(STATIC)/bench_scale $(SCALE_ARGS)

# Connections a second over loopback, with the probe and without.
.PHONY: bench-rate
bench-rate:
	$(Q)$(MAKE) --no-print-directory deps
	$(Q)$(MAKE) --no-print-directory bannerprobe
	$(Q)tests/bench/bench_rate.py $(RATE_ARGS)

# What becomes of the costs as the work grows: takes some minutes.
.PHONY: bench-growth
bench-growth:
	$(Q)$(MAKE) --no-print-directory deps
	$(Q)command -v gnuplot >/dev/null || apt-get install -y -qq gnuplot-nox
	$(Q)$(MAKE) --no-print-directory $(BUILD)/bench_growth
	$(Q)$(BUILD)/bench_growth | tee $(BUILD)/growth.txt
	$(Q)gnuplot -e "data='$(BUILD)/growth.txt'; picture='docs/growth.png'" tests/bench/growth.gp

# What an inventory costs: takes some minutes.
.PHONY: bench-inventory
bench-inventory: $(BUILD)/bench_inventory
	$(Q)$(BUILD)/bench_inventory $(BUILD)

# What --identify costs: a start, a banner. With nmap's rules where nmap-common is installed.
NMAP_PROBES ?= $(wildcard /usr/share/nmap/nmap-service-probes)
.PHONY: bench-identify
bench-identify: bannerprobe $(BUILD)/bench_identify
	$(Q)$(BUILD)/bench_identify ./bannerprobe packaging/rules tests/captures/servers.pcap $(NMAP_PROBES)

# Breaks the core, one mutant at a time; takes some minutes.
.PHONY: mutants
mutants: $(SKELETON)
	$(Q)BUILD=$(BUILD) $(PYTHON) tests/unit/mutants.py

# Memory must stay flat, no record may be lost unaccounted for, the counters must add up.
SOAK_SECONDS ?= 3600
.PHONY: soak
soak:
	$(Q)$(MAKE) --no-print-directory deps
	$(Q)$(MAKE) --no-print-directory bannerprobe
	$(Q)tests/tools/soak.py $(SOAK_SECONDS)

# No interface that comes and goes may leave a descriptor or a byte behind.
CHURN_VETHS ?= 100000
.PHONY: churn
churn:
	$(Q)$(MAKE) --no-print-directory deps
	$(Q)$(MAKE) --no-print-directory bannerprobe
	$(Q)tests/tools/churn.py $(CHURN_VETHS)

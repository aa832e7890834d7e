# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#
#   make               the program, ./bannerprobe
#   make deps          installs from Debian what building and testing need
#   make demo          real servers in a network namespace, and their banners
#   make picture       the same, drawn: docs/demo.svg
#   make test          the whole test suite (as root)
#   make test-fleet    several hosts, rsyslog and a collector (as root)
#   make test-forgery  forgeries in all mixtures, and what they cost (as root)
#   make test-storm    a million banners while all goes wrong at once (as root)
#   make test-devices  bonds and VRFs, under QEMU (as root)
#   make test-kernels  the BPF programs on Debian's kernels, under QEMU
#   make fuzz          fuzzes the core in both homes, the capture reader, the formats
#   make mutants      breaks the core in many ways: a test has to notice each
#   make lint          clang-tidy, gcc's analyzer, and no layer that includes a higher one
#   make bench         what the probe costs (as root)
#   make bench-growth  the same as connections and table grow, and docs/growth.png
#   make soak          an hour at the highest rate, or SOAK_SECONDS (as root)
#   make churn         a hundred thousand veths come and go, or CHURN_VETHS (as root)
#   make vmlinux.h     the kernel's types anew
#   make install       to $(DESTDIR)$(PREFIX), logrotate's part to $(DESTDIR)/etc; make uninstall
#   make static        the program without shared libraries, build/static/bannerprobe
#   make deb           a Debian package, in build/deb
#   make test-package  both of them on Debian 11 and 12, booted under QEMU (as root)
#   V=1                shows the commands

BUILD ?= build
PREFIX ?= /usr/local
CLANG ?= clang
BPFTOOL ?= $(shell command -v bpftool || echo /usr/sbin/bpftool)
PYTHON ?= /usr/bin/python3
VERSION := 0.1.0

CFLAGS ?= -O2 -g
HARDENING := -fstack-protector-strong -D_FORTIFY_SOURCE=2 -fPIE
HARDENED_LINK := -pie -Wl,-z,relro,-z,now
WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Werror
# -MP: a header that is gone does not stop the next build.
# -MD, not -MMD: the skeleton stands among the system headers.
DEPENDENCIES = -MD -MP -MF $@.d
ALL_CFLAGS = -std=gnu11 -D_GNU_SOURCE -DVERSION='"$(VERSION)"' $(WARNINGS) \
	-isystem $(BUILD) -Iinclude -Iuser $(CFLAGS)
# v3 (Linux 5.1) has 32-bit compares, which spare instructions and verifier states.
BPF_CFLAGS = -target bpf -mcpu=v3 -O2 -g -std=gnu11 $(WARNINGS) \
	-Wno-missing-prototypes -Wno-unknown-attributes
LDLIBS := -lbpf -lmnl -lcap-ng -lseccomp -lnettle -lz -lzstd

V ?= 0
ifeq ($(V),0)
Q := @
say = @printf '  %-8s %s\n' '$(1)' '$(2)';
endif

PROGRAM_FOLDERS := system engine options capture attach sinks stats pipeline
SOURCES := user/bannerprobe.c $(wildcard $(PROGRAM_FOLDERS:%=user/%/*.c))
# Not in the program yet: these need libraries that it does not.
IDENTIFY := $(wildcard user/identify/*.c)
IDENTIFY_LIBS := -lpcre2-8 -lexpat
OBJECTS := $(SOURCES:%.c=$(BUILD)/%.o)
BPF_OBJECT := $(BUILD)/bannerprobe.bpf.o
SKELETON := $(BUILD)/bannerprobe.skel.h

.PHONY: all
all: bannerprobe bannerprobe-inventory

bannerprobe: $(BUILD)/bannerprobe
	$(call say,COPY,$@)
	$(Q)cp -f $< $@

$(BUILD)/bannerprobe: $(OBJECTS)
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(HARDENED_LINK) $(LDFLAGS) -o $@ $^ $(LDLIBS)

$(BUILD)/user/%.o: user/%.c | $(SKELETON)
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) $(HARDENING) $(DEPENDENCIES) -c -o $@ $<

$(BPF_OBJECT): bpf/bannerprobe.bpf.c
	$(call say,BPF,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) $(BPF_CFLAGS) $(DEPENDENCIES) -c -o $@ $<

$(SKELETON): $(BPF_OBJECT)
	$(call say,SKELETON,$@)
	$(Q)$(BPFTOOL) gen skeleton $< name bannerprobe_bpf > $@.new && mv $@.new $@

include user/inventory/build.mk

# --- tests

# The native suite runs under these: they find what an assertion does not.
SANITIZERS ?= -fsanitize=address,undefined -fno-sanitize-recover=all
TEST_CFLAGS := $(SANITIZERS) -fno-omit-frame-pointer

MESSAGE := user/system/message.c user/system/stopping.c user/system/descriptors.c
# The core's native home, and packets for it.
PLAY := tests/play.c tests/cases.c tests/packet.c user/engine/engine.c user/engine/overflow.c user/engine/server_list.c user/engine/nets.c
# The loaded BPF programs, and packets by the million for them.
DRIVE := tests/drive.c tests/kernel_table.c tests/packet.c user/attach/programs.c \
	$(MESSAGE) user/engine/engine.c user/engine/overflow.c user/system/privileges.c user/engine/server_list.c user/engine/nets.c \
	user/attach/filter_maps.c

# Captures, packet by packet.
READ := user/capture/packet_reader.c user/capture/pcap_reader.c user/capture/pcapng_reader.c user/capture/byte_source.c user/capture/decompress.c

CORE_TEST := $(patsubst %.c,$(BUILD)/sanitized/%.o,tests/core_test.c $(PLAY))
PROPERTY_TEST := $(patsubst %.c,$(BUILD)/sanitized/%.o,tests/property_test.c user/pipeline/reassembly.c $(READ) $(PLAY))
LAW_TEST := $(patsubst %.c,$(BUILD)/sanitized/%.o,tests/law_test.c tests/law_play.c tests/law_cases.c \
	tests/law_attacks.c tests/model.c tests/conversations.c tests/talk.c \
	tests/judge.c $(PLAY))
OOM_TEST := $(BUILD)/sanitized/tests/oom_test.o
PIPELINE_TEST := $(patsubst %.c,$(BUILD)/sanitized/%.o,tests/pipeline_test.c user/pipeline/pipeline.c user/pipeline/reassembly.c \
	user/sinks/line_sink.c user/sinks/format.c user/sinks/community_id.c user/system/file_helper.c user/system/files.c \
	user/system/process.c user/system/privileges.c $(MESSAGE))
PUBLISHED_TEST := $(patsubst %.c,$(BUILD)/sanitized/%.o,tests/published_test.c user/attach/publish.c user/attach/published.c)
ADDRESSES_TEST := $(patsubst %.c,$(BUILD)/sanitized/%.o,tests/addresses_test.c user/engine/nets.c user/attach/routes.c \
	user/attach/links.c user/attach/netlink.c)
objects = $(patsubst %.c,$(BUILD)/%.o,$(sort $(1)))
KERNEL_TEST := $(call objects,tests/kernel_test.c tests/homes.c $(READ) $(PLAY) $(DRIVE))
PRIVILEGES_TEST := $(call objects,tests/privileges_test.c user/system/privileges.c $(MESSAGE))
BENCH_KERNEL := $(call objects,tests/bench_kernel.c $(DRIVE))
BENCH_GROWTH := $(call objects,tests/bench_growth.c $(DRIVE))
BENCH_FORMAT := $(call objects,tests/bench_format.c user/sinks/format.c user/sinks/community_id.c user/sinks/line_sink.c \
	user/system/file_helper.c user/system/process.c user/system/files.c user/system/privileges.c $(MESSAGE))

IDENTIFY_TEST := $(patsubst %.c,$(BUILD)/sanitized/%.o,tests/identify_test.c $(IDENTIFY))
IDENTIFY_TOOL := $(call objects,tests/identify.c $(IDENTIFY))

$(BUILD)/sanitized/%.o: %.c | $(SKELETON)
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) $(TEST_CFLAGS) $(DEPENDENCIES) -c -o $@ $<

$(BUILD)/tests/%.o: tests/%.c | $(SKELETON)
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) $(DEPENDENCIES) -c -o $@ $<

$(BUILD)/drive.bpf.o: tests/drive.bpf.c
	$(call say,BPF,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) $(BPF_CFLAGS) -Wno-unused-parameter $(DEPENDENCIES) -c -o $@ $<

$(BUILD)/drive.skel.h: $(BUILD)/drive.bpf.o
	$(call say,SKELETON,$@)
	$(Q)$(BPFTOOL) gen skeleton $< name drive_bpf > $@.new && mv $@.new $@

$(BUILD)/tests/drive.o: $(BUILD)/drive.skel.h

$(BUILD)/tests/core_test: $(CORE_TEST)
$(BUILD)/tests/property_test: $(PROPERTY_TEST)
$(BUILD)/tests/law_test: $(LAW_TEST)
$(BUILD)/tests/oom_test: $(OOM_TEST)
$(BUILD)/tests/addresses_test: $(ADDRESSES_TEST)
$(BUILD)/tests/core_test $(BUILD)/tests/property_test $(BUILD)/tests/law_test $(BUILD)/tests/oom_test $(BUILD)/tests/addresses_test:
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(TEST_CFLAGS) $(LDFLAGS) -o $@ $^ -lcmocka -lmnl -lz -lzstd

$(BUILD)/tests/pipeline_test: $(PIPELINE_TEST)
$(BUILD)/tests/published_test: $(PUBLISHED_TEST)
$(BUILD)/tests/pipeline_test $(BUILD)/tests/published_test:
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(TEST_CFLAGS) $(LDFLAGS) -o $@ $^ -lcmocka $(LDLIBS)

$(BUILD)/tests/kernel_test: $(KERNEL_TEST)
$(BUILD)/tests/privileges_test: $(PRIVILEGES_TEST)
$(BUILD)/bench_kernel: $(BENCH_KERNEL)
$(BUILD)/bench_growth: $(BENCH_GROWTH)
$(BUILD)/bench_format: $(BENCH_FORMAT)
$(BUILD)/tests/kernel_test $(BUILD)/tests/privileges_test $(BUILD)/bench_kernel $(BUILD)/bench_growth $(BUILD)/bench_format:
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ -lcmocka $(LDLIBS) -lpthread

# What the live tests forge packets with, and a wire that takes its time.
RIG_PROGRAMS := $(BUILD)/forge $(BUILD)/wire
$(RIG_PROGRAMS): $(BUILD)/%: $(BUILD)/tests/%.o
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^

$(BUILD)/tests/identify_test: $(IDENTIFY_TEST)
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(TEST_CFLAGS) $(LDFLAGS) -o $@ $^ -lcmocka $(IDENTIFY_LIBS)

# For a writer of rules: identifies the bytes of files.
$(BUILD)/tests/identify: $(IDENTIFY_TOOL)
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(IDENTIFY_LIBS)

-include $(patsubst %,%.d,$(IDENTIFY_TEST) $(IDENTIFY_TOOL))

# --- fuzzing

FUZZ_SECONDS ?= 60
FUZZERS := core capture format form identify kernel

# By the script that OSS-Fuzz runs, all at once; its variables are not make's.
FUZZERS_BUILT := $(BUILD)/fuzz/built
$(FUZZERS_BUILT): tests/fuzz/oss-fuzz/build.sh $(SKELETON) \
		$(wildcard include/*.h user/*.[ch] user/*/*.[ch] tests/*.[ch] tests/fuzz/*.[ch])
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

TEST_PROGRAMS := $(BUILD)/tests/pipeline_test $(BUILD)/tests/published_test $(BUILD)/tests/addresses_test $(BUILD)/tests/core_test $(BUILD)/tests/property_test $(BUILD)/tests/law_test $(BUILD)/tests/oom_test \
	$(BUILD)/tests/privileges_test $(BUILD)/tests/kernel_test $(RIG_PROGRAMS)
TEST_PROGRAMS += $(BUILD)/tests/identify_test $(BUILD)/tests/identify
TEST_PROGRAMS += $(BUILD)/tests/form_test $(BUILD)/tests/inventory_test

# Set up first, then build: what deps installs is not there before.
.PHONY: test
test:
	$(Q)$(MAKE) --no-print-directory deps
	$(Q)$(MAKE) --no-print-directory all $(TEST_PROGRAMS) $(FUZZERS_BUILT)
	$(Q)BUILD=$(BUILD) $(PYTHON) -m pytest -q --ignore tests/test_fleet.py tests

# Installs what the owner of a fleet has, and the other tests do not need.
.PHONY: test-fleet
test-fleet:
	$(Q)$(MAKE) --no-print-directory deps
	$(Q)$(MAKE) --no-print-directory bannerprobe
	$(Q)PYTHONPATH=tests $(PYTHON) -c \
		'import rig; rig.install("rsyslog", "rsyslog-relp", "rsyslog-kafka", "kcat")'
	$(Q)$(PYTHON) -m pytest -q -rs tests/test_fleet.py

# More mixtures than `make test` tries, and a measurement.
.PHONY: test-forgery
test-forgery:
	$(Q)$(MAKE) --no-print-directory deps
	$(Q)$(MAKE) --no-print-directory bannerprobe $(RIG_PROGRAMS)
	$(Q)FORGERY=all BUILD=$(BUILD) $(PYTHON) -m pytest -q -rP \
		tests/test_forgery.py tests/test_need.py tests/forgery_cost.py

# Stops, a full disk, SIGHUPs and veths that come and go, all at once: some minutes.
STORM_ARGS ?=
.PHONY: test-storm
test-storm:
	$(Q)$(MAKE) --no-print-directory deps
	$(Q)$(MAKE) --no-print-directory bannerprobe
	$(Q)tests/storm.py $(STORM_ARGS)

.PHONY: test-devices
test-devices:
	$(Q)$(MAKE) --no-print-directory deps
	$(Q)$(MAKE) --no-print-directory BUILD=build bannerprobe $(RIG_PROGRAMS:$(BUILD)/%=build/%)
	$(Q)tests/devices/run

.PHONY: test-kernels
test-kernels:
	$(Q)$(MAKE) --no-print-directory deps
	+$(Q)tests/kernels/run $(KERNELS_ARGS)

# The Debian package and the static program: takes some minutes.
.PHONY: test-package
test-package:
	$(Q)$(MAKE) --no-print-directory deps
	$(Q)$(MAKE) --no-print-directory deb static
	$(Q)tests/package/run

.PHONY: demo
demo:
	$(Q)$(MAKE) --no-print-directory deps
	$(Q)$(MAKE) --no-print-directory bannerprobe
	$(Q)tests/demo.py

# The demo, recorded, and the recording drawn.
.PHONY: picture
picture:
	$(Q)$(MAKE) --no-print-directory deps
	$(Q)$(MAKE) --no-print-directory bannerprobe
	$(Q)tests/demo.py --cast $(BUILD)/demo.cast
	$(Q)tests/picture.py $(BUILD)/demo.cast >$(BUILD)/demo.svg && mv $(BUILD)/demo.svg docs/demo.svg

BENCHES := $(BUILD)/bench_kernel $(BUILD)/bench_format
.PHONY: bench
bench:
	$(Q)$(MAKE) --no-print-directory deps
	$(Q)$(MAKE) --no-print-directory bannerprobe $(BENCHES)
	$(Q)$(BUILD)/bench_kernel
	$(Q)$(BUILD)/bench_format $(BUILD)
	$(Q)tests/bench_host.py $(BENCH_ARGS)

# What becomes of the costs as the work grows: takes some minutes.
.PHONY: bench-growth
bench-growth:
	$(Q)$(MAKE) --no-print-directory deps
	$(Q)command -v gnuplot >/dev/null || apt-get install -y -qq gnuplot-nox
	$(Q)$(MAKE) --no-print-directory $(BUILD)/bench_growth
	$(Q)$(BUILD)/bench_growth | tee $(BUILD)/growth.txt
	$(Q)gnuplot -e "data='$(BUILD)/growth.txt'; picture='docs/growth.png'" tests/bench/growth.gp

# Breaks the core, one mutant at a time; takes some minutes.
.PHONY: mutants
mutants: $(SKELETON)
	$(Q)BUILD=$(BUILD) $(PYTHON) tests/mutants.py

# Memory must stay flat, no record may be lost unaccounted for, the counters must add up.
SOAK_SECONDS ?= 3600
.PHONY: soak
soak:
	$(Q)$(MAKE) --no-print-directory deps
	$(Q)$(MAKE) --no-print-directory bannerprobe
	$(Q)tests/soak.py $(SOAK_SECONDS)

# No interface that comes and goes may leave a descriptor or a byte behind.
CHURN_VETHS ?= 100000
.PHONY: churn
churn:
	$(Q)$(MAKE) --no-print-directory deps
	$(Q)$(MAKE) --no-print-directory bannerprobe
	$(Q)tests/churn.py $(CHURN_VETHS)

.PHONY: deps
deps:
	$(Q)packaging/deps.sh

LINTED := $(SOURCES) $(IDENTIFY) $(INVENTORY) $(INVENTORY_COMMAND) tests/core_test.c tests/property_test.c tests/kernel_test.c tests/homes.c tests/drive.c
# gcc 12 takes what uthash is given for leaked; ASan looks for leaks, too.
# Not the skeleton, which bpftool writes.
OWN_FILES := [{"name":".c"},{"name":"segment.h"},{"name":"hash.h"},{"name":"front.h"},{"name":"pending.h"},{"name":"tracker.h"},{"name":"record.h"}]
.PHONY: lint
lint: $(SKELETON) $(BUILD)/drive.skel.h
	$(Q)$(PYTHON) tests/layers.py
	$(Q)for source in $(LINTED); do \
		clang-tidy --quiet --line-filter='$(OWN_FILES)' $$source -- $(ALL_CFLAGS) 2>/dev/null && \
		$(CC) $(ALL_CFLAGS) -fanalyzer -Wno-analyzer-malloc-leak \
			-c -o /dev/null $$source || exit 1; done

# --- installing

SBIN := $(DESTDIR)$(PREFIX)/sbin
SHARE := $(DESTDIR)$(PREFIX)/share
UNITS := $(DESTDIR)$(PREFIX)/lib/systemd/system
# logrotate looks nowhere else.
LOGROTATE := $(DESTDIR)/etc/logrotate.d
RULES := $(wildcard packaging/rules/*)
INSTALLED := $(SBIN)/bannerprobe $(RULES:packaging/%=$(SHARE)/bannerprobe/%) $(SHARE)/man/man8/bannerprobe.8 \
	$(SHARE)/bash-completion/completions/bannerprobe \
	$(UNITS)/bannerprobe@.service $(LOGROTATE)/bannerprobe

.PHONY: install
install: bannerprobe install-inventory
	install -d $(dir $(INSTALLED))
	install -m 755 bannerprobe $(SBIN)/bannerprobe
	install -m 644 $(RULES) $(SHARE)/bannerprobe/rules
	install -m 644 packaging/bannerprobe.8 $(SHARE)/man/man8/bannerprobe.8
	install -m 644 packaging/bannerprobe.bash $(SHARE)/bash-completion/completions/bannerprobe
	install -m 644 packaging/bannerprobe@.service $(UNITS)/bannerprobe@.service
	sed -i 's,/usr/sbin/,$(PREFIX)/sbin/,' $(UNITS)/bannerprobe@.service
	install -m 644 packaging/bannerprobe.logrotate $(LOGROTATE)/bannerprobe

.PHONY: uninstall
uninstall:
	rm -f $(INSTALLED) $(INVENTORY_INSTALLED)

# --- static program

STATIC := $(BUILD)/static
# The functions that the linker would warn of look up names, and are never
# called.
STATIC_LINK = -static-pie -Wl,-z,relro,-z,now -Wl,--no-warnings -L$(STATIC)

.PHONY: static
static:
	$(Q)packaging/deps.sh pkg-config
	$(Q)packaging/libmnl.sh $(STATIC)
	$(Q)$(MAKE) --no-print-directory $(STATIC)/bannerprobe

$(STATIC)/bannerprobe: $(OBJECTS)
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(STATIC_LINK) $(LDFLAGS) -o $@ $^ \
		-lbpf -lmnl -lcap-ng -lseccomp -lnettle $$(pkg-config --static --libs libelf) -lz -lzstd

# --- Debian package

DEB := $(BUILD)/deb
DEB_TREE := $(DEB)/bannerprobe-$(VERSION)
# Built in a copy of the tree, which holds what is in the repository.
.PHONY: deb
deb:
	$(Q)packaging/deps.sh debhelper lintian
	rm -rf $(DEB)
	mkdir -p $(DEB_TREE)
	tar -c --exclude-vcs --exclude=./build --exclude=./bannerprobe \
		--exclude=./bannerprobe-inventory --exclude=__pycache__ \
		--exclude=.pytest_cache . | tar -x -C $(DEB_TREE)
	mv $(DEB_TREE)/packaging/debian $(DEB_TREE)/debian
	$(DEB_TREE)/debian/write-changelog $(VERSION) >$(DEB_TREE)/debian/changelog
	cd $(DEB_TREE) && dpkg-buildpackage -us -uc -b
	lintian --allow-root --fail-on error,warning --tag-display-limit 0 $(DEB)/*.changes

# --- types of the kernel

# Types from a kernel's BTF: the running one's, or VMLINUX=file.
VMLINUX ?= /sys/kernel/btf/vmlinux
.PHONY: vmlinux.h
vmlinux.h:
	$(call say,TYPES,$@)
	$(Q)mkdir -p $(BUILD)
	$(Q)$(BPFTOOL) btf dump file $(VMLINUX) format c > $(BUILD)/kernel_types.h
	$(Q)$(CLANG) -target bpf -g -c -o $(BUILD)/vmlinux_types.o \
		-DBPF_NO_PRESERVE_ACCESS_INDEX \
		-DKERNEL_TYPES='"../$(BUILD)/kernel_types.h"' bpf/vmlinux_types.c
	$(Q){ echo '/* Generated by `make vmlinux.h` from bpf/vmlinux_types.c and a kernel. */'; \
		$(BPFTOOL) btf dump file $(BUILD)/vmlinux_types.o format c | \
		sed '/PRESERVE_ACCESS_INDEX/,/^#endif/d' | cat -s; } > $@.new && mv $@.new $@

.PHONY: clean
clean:
	rm -rf $(BUILD) bannerprobe bannerprobe-inventory

-include $(patsubst %,%.d,$(OBJECTS) $(CORE_TEST) $(PROPERTY_TEST) $(LAW_TEST) $(OOM_TEST) $(PIPELINE_TEST) $(PUBLISHED_TEST) $(ADDRESSES_TEST) $(KERNEL_TEST) $(PRIVILEGES_TEST) $(BENCH_KERNEL) $(BENCH_GROWTH) $(BENCH_FORMAT) \
	$(RIG_PROGRAMS:$(BUILD)/%=$(BUILD)/tests/%.o) $(BPF_OBJECT) $(BUILD)/drive.bpf.o)

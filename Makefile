# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#
#   make               the program, ./bannerprobe
#   make ARCH=arm64    the programs for arm64 (or s390x), build/arm64
#   make deps          installs from Debian what building and testing need
#   make demo          real servers in a network namespace, and their banners
#   make picture       the same, drawn: docs/demo.svg
#   make check         what an ordinary user can check, without a network, in less than a minute
#   make coverage      what of the core and the readers the tests without root reach
#   make test          the whole test suite (as root)
#   make test-fleet    several hosts, rsyslog and a collector (as root)
#   make test-kills    the probe, its keeper and an import killed 200 times (as root)
#   make test-forms    10,000 connections to each synthetic server: no change of it
#   make test-releases  servers of two Debian releases: restarted, reconfigured, upgraded (as root)
#   make test-report   the inventory's report, in Chromium (as root)
#   make test-alerts   the alert rules for Prometheus
#   make test-forgery  forgeries in all mixtures, and what they cost (as root)
#   make test-tunnels  tunnels on interfaces, by each way to attach (as root)
#   make test-owner    whose service it is: listeners, containers (as root)
#   make test-storm    a million banners while all goes wrong at once (as root)
#   make test-devices  each kind of device, under QEMU (as root)
#   make test-coexistence  beside programs that use the same hooks, under QEMU (as root)
#   make test-containers-guest  docker, podman and a pod, under QEMU (as root)
#   make test-tunnel-guest  every kind of tunnel by its real device, under QEMU (as root)
#   make test-architectures  arm64 and s390x, under QEMU, against this machine
#   make test-kernels  the BPF programs on Debian's kernels, under QEMU
#   make compare-captures  real captures against tshark and the model: CAPTURES="FOLDER..."
#   make fuzz          fuzzes the core in both backends, the capture reader, the formats
#   make mutants      breaks the core in many ways: a test has to notice each
#   make lint          clang-format, clang-tidy, gcc's analyzer and the tree's structure
#   make format        breaks the lines of all C files as .clang-format says
#   make bench         what the probe costs (as root)
#   make bench-identify  what --identify costs
#   make bench-instructions  what a packet costs in instructions, counted in QEMU (as root)
#   make bench-scale   what a packet costs when several CPUs have packets at once (as root)
#   make bench-rate    connections a second over loopback, with the probe and without (as root)
#   make bench-growth  the same as connections and table grow, and docs/growth.png
#   make soak          an hour at the highest rate, or SOAK_SECONDS (as root)
#   make churn         a hundred thousand veths come and go, or CHURN_VETHS (as root)
#   make vmlinux.h     the kernel's types anew
#   make install       to $(DESTDIR)$(PREFIX), logrotate's part to $(DESTDIR)/etc; make uninstall;
#                      FROM=build/static: the static programs
#   make static        the program without shared libraries, build/static/bannerprobe
#   make deb           a Debian package, in build/deb; ARCH=arm64: for arm64, in build/arm64/deb
#   make deb-static    the same of the static programs, for older Debians, in build/deb-static
#   make rpm           an RPM package, in build/rpm
#   make test-rpm      what it installs, and what its scripts do
#   make test-builds   the Debian package by the compilers of newer Debians (as root)
#   make test-package  the Debian package and the static program on Debian 11, 12 and 13, booted under QEMU (as root)
#   V=1                shows the commands

# The programs where they are easy to find.
PROGRAMS = bannerprobe bannerprobe-inventory
BPF_TARGET := bpf
ifeq ($(origin ARCH),command line)
include packaging/cross.mk
endif

BUILD ?= build
# Where the programs are that `make install` installs.
FROM ?= $(BUILD)
PREFIX ?= /usr/local
CLANG ?= clang
BPFTOOL ?= $(shell command -v bpftool || echo /usr/sbin/bpftool)
PYTHON ?= /usr/bin/python3
VERSION := 0.2.0

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
BPF_CFLAGS = -target $(BPF_TARGET) -mcpu=v3 -O2 -g -std=gnu11 $(WARNINGS) \
	-Wno-missing-prototypes -Wno-unknown-attributes -Wno-unused-parameter
LDLIBS := -lbpf -lmnl -lcap-ng -lseccomp -lnettle -lz -lzstd
STATIC := $(BUILD)/static
# The functions that the linker would warn of look up names, and are never
# called.
STATIC_LINK = -static-pie -Wl,-z,relro,-z,now -Wl,--no-warnings -L$(STATIC)
STATIC_LIBS = -lbpf -lmnl -lcap-ng -lseccomp -lnettle $$(pkg-config --static --libs libelf) -lz -lzstd

V ?= 0
ifeq ($(V),0)
Q := @
say = @printf '  %-8s %s\n' '$(1)' '$(2)';
endif

PROGRAM_FOLDERS := system engine options capture attach owner identify sinks stats pipeline
SOURCES := user/bannerprobe.c $(wildcard $(PROGRAM_FOLDERS:%=user/%/*.c))
IDENTIFY := $(wildcard user/identify/*.c)
IDENTIFY_LIBS := -lpcre2-8 -lexpat
OBJECTS := $(SOURCES:%.c=$(BUILD)/%.o)
# The program loads these libraries where they are needed; the static one has them.
LOADED := $(BUILD)/user/libraries/loaded.o
LINKED := $(BUILD)/user/libraries/linked.o
BPF_OBJECT := $(BUILD)/bannerprobe.bpf.o
SKELETON := $(BUILD)/bannerprobe.skel.h

.PHONY: all
all: $(PROGRAMS)

bannerprobe: $(BUILD)/bannerprobe
	$(call say,COPY,$@)
	$(Q)cp -f $< $@

$(BUILD)/bannerprobe: $(OBJECTS) $(LOADED)
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(HARDENED_LINK) $(LDFLAGS) -o $@ $^ $(LDLIBS) -ldl

# Where the version is another, all is compiled anew.
VERSIONED := $(BUILD)/version-$(VERSION)
$(VERSIONED):
	$(Q)mkdir -p $(@D)
	$(Q)rm -f $(BUILD)/version-*
	$(Q)touch $@

$(BUILD)/user/%.o: user/%.c $(VERSIONED) | $(SKELETON)
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
include tests/tests.mk
include user/owner/build.mk

.PHONY: deps
deps:
	$(Q)packaging/deps.sh

# This version: others break some lines elsewhere. It finds its way in two steps.
CLANG_FORMAT ?= clang-format-14
FORMATTED = $(shell find bpf include packaging tests user -name '*.[ch]')
.PHONY: format check-format
format:
	$(Q)$(CLANG_FORMAT) -i $(FORMATTED)
	$(Q)$(CLANG_FORMAT) -i $(FORMATTED)

check-format:
	$(Q)$(CLANG_FORMAT) --dry-run --Werror $(FORMATTED)

LINTED := $(SOURCES) $(wildcard user/libraries/*.c) $(INVENTORY) $(INVENTORY_COMMAND) \
	$(addprefix tests/unit/,core_test.c property_test.c) $(addprefix tests/kernel/,kernel_test.c backends.c drive.c)
# gcc 12 takes what uthash is given for leaked; ASan looks for leaks, too.
# Not the skeleton, which bpftool writes.
OWN_FILES := [{"name":".c"},{"name":"segment.h"},{"name":"ip.h"},{"name":"layers.h"},{"name":"hash.h"},{"name":"prefilter.h"},{"name":"flow_table.h"},{"name":"tracker.h"},{"name":"event.h"}]
.PHONY: lint $(LINTED:%=lint/%)
lint: check-structure check-scripts check-format
	$(Q)$(MAKE) --no-print-directory $(JOBS) $(LINTED:%=lint/%)
$(LINTED:%=lint/%): lint/%: $(SKELETON) $(BUILD)/drive.skel.h
	$(call say,LINT,$*)
	$(Q)clang-tidy --quiet --line-filter='$(OWN_FILES)' $* -- $(ALL_CFLAGS) -Itests 2>/dev/null
	$(Q)$(CC) $(ALL_CFLAGS) -Itests -fanalyzer -Wno-analyzer-malloc-leak $(ANALYZER_FLAGS) -c -o /dev/null $*
# At -O2 gcc 12 follows what uthash makes there for more than ten minutes; clang-tidy looks for NULL, too.
lint/user/attach/addresses.c: ANALYZER_FLAGS := -O1 -Wno-analyzer-null-dereference

# --- installing

SBIN := $(DESTDIR)$(PREFIX)/sbin
SHARE := $(DESTDIR)$(PREFIX)/share
UNITS := $(DESTDIR)$(PREFIX)/lib/systemd/system
# logrotate looks nowhere else.
LOGROTATE := $(DESTDIR)/etc/logrotate.d
SYSUSERS := $(DESTDIR)$(PREFIX)/lib/sysusers.d
RULES := $(wildcard packaging/rules/*)
INSTALLED := $(SBIN)/bannerprobe $(RULES:packaging/%=$(SHARE)/bannerprobe/%) $(SHARE)/man/man8/bannerprobe.8 \
	$(SHARE)/bash-completion/completions/bannerprobe \
	$(UNITS)/bannerprobe@.service $(SYSUSERS)/bannerprobe.conf $(LOGROTATE)/bannerprobe

.PHONY: install
install: $(FROM)/bannerprobe install-inventory
	install -d $(dir $(INSTALLED))
	install -m 755 $(FROM)/bannerprobe $(SBIN)/bannerprobe
	install -m 644 $(RULES) $(SHARE)/bannerprobe/rules
	install -m 644 packaging/bannerprobe.8 $(SHARE)/man/man8/bannerprobe.8
	install -m 644 packaging/bannerprobe.bash $(SHARE)/bash-completion/completions/bannerprobe
	install -m 644 packaging/bannerprobe@.service $(UNITS)/bannerprobe@.service
	sed -i 's,/usr/sbin/,$(PREFIX)/sbin/,' $(UNITS)/bannerprobe@.service
	install -m 644 packaging/bannerprobe.sysusers $(SYSUSERS)/bannerprobe.conf
	install -m 644 packaging/bannerprobe.logrotate $(LOGROTATE)/bannerprobe

.PHONY: uninstall
uninstall:
	rm -f $(INSTALLED) $(INVENTORY_INSTALLED)

# --- static program

.PHONY: static
static:
	$(Q)packaging/deps.sh pkg-config
	$(Q)packaging/libmnl.sh $(STATIC) "$(CC)" $(CROSS)
	$(Q)$(MAKE) --no-print-directory $(STATIC)/bannerprobe $(STATIC)/bannerprobe-inventory

$(STATIC)/bannerprobe: $(OBJECTS) $(LINKED)
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(STATIC_LINK) $(LDFLAGS) -o $@ $^ $(STATIC_LIBS) $(IDENTIFY_LIBS) -lm

$(STATIC)/bannerprobe-inventory: $(INVENTORY_OBJECTS)
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(STATIC_LINK) $(LDFLAGS) -o $@ $^ $(INVENTORY_LIBS)

include packaging/container.mk

# --- Debian package

DEB := $(BUILD)/deb
DEB_TREE = $(DEB)/bannerprobe-$(VERSION)
DEB_VERSION := $(VERSION)
# A copy of the tree, which holds what is in the repository.
copy_tree = mkdir -p $(1) && tar -c --exclude-vcs --exclude=./build --exclude=./bannerprobe \
	--exclude=./bannerprobe-inventory --exclude=__pycache__ --exclude=.pytest_cache . | tar -x -C $(1)

define build_deb
$(Q)packaging/deps.sh debhelper lintian
rm -rf $(DEB)
$(call copy_tree,$(DEB_TREE))
mv $(DEB_TREE)/packaging/debian $(DEB_TREE)/debian
$(DEB_TREE)/debian/write-changelog $(DEB_VERSION) >$(DEB_TREE)/debian/changelog
$(DEB_PREPARED)
cd $(DEB_TREE) && env -u MAKEFLAGS dpkg-buildpackage -us -uc -b $(DEB_FLAGS)
lintian --allow-root --fail-on error,warning --tag-display-limit 0 $(LINTIAN_FLAGS) $(DEB)/*.changes
endef

.PHONY: deb
deb:
	$(build_deb)

# Of the static programs, for a Debian whose libraries are older: a newer one's package replaces it.
.PHONY: deb-static
deb-static: DEB := $(BUILD)/deb-static
deb-static: DEB_VERSION := $(VERSION)~static
deb-static: DEB_PREPARED = packaging/libmnl.sh $(DEB_TREE)/$(STATIC) "$(CC)" $(CROSS)
deb-static: DEB_FLAGS += -nc --build-profiles=pkg.bannerprobe.static
deb-static: LINTIAN_FLAGS := --suppress-tags \
	statically-linked-binary,embedded-library,shared-library-lacks-prerequisites
deb-static:
	$(Q)packaging/deps.sh pkg-config
	$(build_deb)

include packaging/rpm.mk

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

-include $(patsubst %,%.d,$(OBJECTS) $(LOADED) $(LINKED) $(BPF_OBJECT))

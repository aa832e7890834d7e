# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# make ARCH=arm64 (or s390x): the programs for a machine of another kind, in build/$(ARCH), by
# Debian's cross compiler and a system root of that machine's libraries.

ifeq ($(filter $(ARCH),arm64 s390x),)
$(error ARCH=$(ARCH): only arm64 and s390x can be built for another machine)
endif

MACHINE := $(ARCH:arm64=aarch64)
TRIPLET := $(MACHINE)-linux-gnu
# A package's build, which is a copy of this tree, has it in its environment.
export SYSROOT ?= $(CURDIR)/build/sysroot/$(ARCH)
# Runs a program of that machine.
export EMULATOR := qemu-$(MACHINE)-static -L $(SYSROOT)

.DEFAULT_GOAL := all
CROSS := $(ARCH)
BUILD ?= build/$(ARCH)
# Debhelper names a compiler, too, which knows no such root.
override CC := $(TRIPLET)-gcc --sysroot=$(SYSROOT)
PROGRAMS = $(BUILD)/bannerprobe $(BUILD)/bannerprobe-inventory
export PKG_CONFIG_LIBDIR := $(SYSROOT)/usr/lib/$(TRIPLET)/pkgconfig
export PKG_CONFIG_SYSROOT_DIR := $(SYSROOT)

# BPF programs have the byte order of their kernel, and bpftool reads none but its own.
BPF_TARGET := bpfel
ifeq ($(ARCH),s390x)
BPF_TARGET := bpfeb
BPFTOOL := $(EMULATOR) $(SYSROOT)/usr/sbin/bpftool
endif

# All else waits for their skeletons.
$(addprefix $(BUILD)/,bannerprobe.bpf.o owner.bpf.o drive.bpf.o): | $(SYSROOT)/made

$(SYSROOT)/made: packaging/sysroot.sh packaging/sysroot_database.sh
	$(call say,SYSROOT,$(ARCH))
	$(Q)packaging/sysroot.sh $(ARCH) $(TRIPLET) $(SYSROOT)

# This machine has the tools of the package's build, and the system root its libraries.
DEB_FLAGS := --host-arch=$(ARCH) --build-profiles=cross -d
deb deb-static: $(SYSROOT)/made
deb deb-static: export DEB_BUILD_OPTIONS := $(DEB_BUILD_OPTIONS) crossbuildcanrunhostbinaries

# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# The owners of services: the library, its tests, its benchmark.

OWNER := $(wildcard user/owner/*.c)
OWNER_OBJECT := $(BUILD)/owner.bpf.o
OWNER_SKELETON := $(BUILD)/owner.skel.h
OWNER_LIBS := -lbpf -lmnl -lpthread

$(OWNER_OBJECT): bpf/owner.bpf.c
	$(call say,BPF,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) $(BPF_CFLAGS) $(DEPENDENCIES) -c -o $@ $<

$(OWNER_SKELETON): $(OWNER_OBJECT)
	$(call say,SKELETON,$@)
	$(Q)$(BPFTOOL) gen skeleton $< name owner_bpf > $@.new && mv $@.new $@

OWNER_TEST := $(patsubst %.c,$(BUILD)/sanitized/%.o,tests/unit/owner_test.c $(OWNER) user/system/netlink.c)
OWNER_PATH_TEST := $(patsubst %.c,$(BUILD)/sanitized/%.o,tests/unit/owner_path_test.c \
	$(addprefix user/owner/,cgroup_path.c cgroup_ids.c cgroup_walk.c pod_names.c))
OWNER_TOOL := $(patsubst %.c,$(BUILD)/%.o,tests/tools/owner_of_port.c $(OWNER) user/system/netlink.c)

$(foreach file,processes kernel_watch,$(BUILD)/user/owner/$(file).o $(BUILD)/sanitized/user/owner/$(file).o): $(OWNER_SKELETON)

$(BUILD)/tests/owner_test: $(OWNER_TEST)
$(BUILD)/tests/owner_path_test: $(OWNER_PATH_TEST)
$(BUILD)/tests/owner_test $(BUILD)/tests/owner_path_test:
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(TEST_CFLAGS) $(LDFLAGS) -o $@ $^ -lcmocka $(OWNER_LIBS)

# Prints the owner of a port, what an answer costs, and what it asks the kernel.
comma := ,
ASKING := clock_gettime open openat open_by_handle_at opendir bpf_iter_create mnl_socket_sendto
$(BUILD)/tests/owner: $(OWNER_TOOL)
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(LDFLAGS) $(ASKING:%=-Wl$(comma)--wrap=%) -o $@ $^ $(OWNER_LIBS) -lcap-ng

-include $(patsubst %,%.d,$(OWNER_TEST) $(OWNER_PATH_TEST) $(OWNER_TOOL) $(OWNER_OBJECT))

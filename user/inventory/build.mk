# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# The inventory: bannerprobe-inventory.

INVENTORY := $(wildcard user/inventory/*.c)
INVENTORY_FORMS := $(addprefix user/inventory/,form.c times.c times_clock.c times_rare.c times_marked.c calendar.c time_names.c russian_names.c structure.c \
	structure_mysql.c structure_ssh.c structure_fix.c structure_http.c structure_idioms.c \
	structure_durations.c structure_client.c structure_text.c structure_telnet.c structure_refusal.c looks.c looks_release.c looks_words.c match.c align.c align_text.c difference.c difference_bytes.c difference_numbers.c \
	skeleton.c learn.c)
INVENTORY_COMMAND := $(wildcard user/inventory/command/*.c)
INVENTORY_SYSTEM := user/system/services.c
# The identification, where the tree has it.
INVENTORY_IDENTIFY := $(wildcard user/identify/*.c)
INVENTORY_OBJECTS := $(patsubst %.c,$(BUILD)/%.o,$(INVENTORY) $(INVENTORY_COMMAND) $(INVENTORY_SYSTEM) $(INVENTORY_IDENTIFY))
INVENTORY_LIBS := -lseccomp -lsqlite3 -ljson-c -lz -lnettle -lm $(if $(INVENTORY_IDENTIFY),-lpcre2-8 -lexpat)

# The report's style and script, as arrays of bytes: report_css, report_js.
REPORT_ASSETS := $(addprefix user/inventory/command/report/,report.css report.js)
$(BUILD)/report_assets.h: $(REPORT_ASSETS)
	$(call say,ASSETS,$@)
	$(Q)mkdir -p $(@D)
	$(Q)for file in $^; do \
		echo "static const unsigned char $$(basename $$file | tr . _)[] = {"; \
		od -An -v -tx1 $$file | sed 's/ \(..\)/0x\1,/g'; \
		echo '};'; \
	done >$@.new && mv $@.new $@
$(BUILD)/user/inventory/command/report_page.o lint: | $(BUILD)/report_assets.h

bannerprobe-inventory: $(BUILD)/bannerprobe-inventory
	$(call say,COPY,$@)
	$(Q)cp -f $< $@

$(BUILD)/bannerprobe-inventory: $(INVENTORY_OBJECTS)
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(HARDENED_LINK) $(LDFLAGS) -o $@ $^ $(INVENTORY_LIBS)

# --- installing

BIN := $(DESTDIR)$(PREFIX)/bin
INVENTORY_INSTALLED := $(BIN)/bannerprobe-inventory \
	$(DESTDIR)$(PREFIX)/share/man/man1/bannerprobe-inventory.1 \
	$(DESTDIR)$(PREFIX)/share/bash-completion/completions/bannerprobe-inventory

.PHONY: install-inventory
install-inventory: $(FROM)/bannerprobe-inventory
	install -d $(dir $(INVENTORY_INSTALLED))
	install -m 755 $(FROM)/bannerprobe-inventory $(BIN)/bannerprobe-inventory
	install -m 644 packaging/bannerprobe-inventory.1 \
		$(DESTDIR)$(PREFIX)/share/man/man1/bannerprobe-inventory.1
	install -m 644 packaging/bannerprobe-inventory.bash \
		$(DESTDIR)$(PREFIX)/share/bash-completion/completions/bannerprobe-inventory

-include $(patsubst %,%.d,$(INVENTORY_OBJECTS))

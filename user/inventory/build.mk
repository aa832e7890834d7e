# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# The inventory: bannerprobe-inventory, its tests, its benchmark.

INVENTORY := $(wildcard user/inventory/*.c)
INVENTORY_FORMS := $(addprefix user/inventory/,form.c times.c structure.c structure_mysql.c \
	structure_ssh.c structure_http.c structure_idioms.c structure_client.c structure_text.c \
	looks.c match.c align.c verdict.c learn.c)
INVENTORY_COMMAND := $(wildcard user/inventory/command/*.c)
# The identification, where the tree has it.
INVENTORY_IDENTIFY := $(wildcard user/identify/*.c)
INVENTORY_OBJECTS := $(patsubst %.c,$(BUILD)/%.o,$(INVENTORY) $(INVENTORY_COMMAND) $(INVENTORY_IDENTIFY))
INVENTORY_LIBS := -lsqlite3 -ljson-c -lz -lnettle -lm $(if $(INVENTORY_IDENTIFY),-lpcre2-8 -lexpat)

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

FORM_TEST := $(patsubst %.c,$(BUILD)/sanitized/%.o,tests/form_test.c $(INVENTORY_FORMS))
INVENTORY_TEST := $(patsubst %.c,$(BUILD)/sanitized/%.o,tests/inventory_test.c $(INVENTORY) \
	$(addprefix user/inventory/command/,say.c when.c logline.c logfile.c))
BENCH_INVENTORY := $(patsubst %.c,$(BUILD)/%.o,tests/bench_inventory.c $(INVENTORY))

$(BUILD)/tests/form_test: $(FORM_TEST)
$(BUILD)/tests/inventory_test: $(INVENTORY_TEST)
$(BUILD)/tests/form_test $(BUILD)/tests/inventory_test:
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(TEST_CFLAGS) $(LDFLAGS) -o $@ $^ -lcmocka $(INVENTORY_LIBS)

$(BUILD)/bench_inventory: $(BENCH_INVENTORY)
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(INVENTORY_LIBS)

# What it costs: takes some minutes.
.PHONY: bench-inventory
bench-inventory: $(BUILD)/bench_inventory
	$(Q)$(BUILD)/bench_inventory $(BUILD)

# --- the report in a browser

# Debian's Chromium; what drives it and what judges its pages, from npm.
BROWSER := $(BUILD)/browser
BROWSER_PACKAGES := playwright-core@1.65.1 axe-core@4.14.1

$(BROWSER)/installed: user/inventory/build.mk
	$(Q)command -v npm >/dev/null || packaging/deps.sh nodejs npm
	$(Q)mkdir -p $(@D)
	$(Q)npm install --prefix $(@D) --no-save --no-audit --no-fund --ignore-scripts $(BROWSER_PACKAGES)
	$(Q)touch $@

.PHONY: test-report
test-report:
	$(Q)$(MAKE) --no-print-directory deps
	$(Q)packaging/deps.sh chromium
	$(Q)$(MAKE) --no-print-directory bannerprobe-inventory $(BROWSER)/installed
	$(Q)BUILD=$(BUILD) $(PYTHON) -m pytest -q -rs tests/test_report.py

# Prometheus' own program judges the rules of packaging/alerts.yml.
.PHONY: test-alerts
test-alerts:
	$(Q)command -v promtool >/dev/null || packaging/deps.sh prometheus
	$(Q)$(PYTHON) -m pytest -q -rs tests/test_alerts.py

# --- installing

BIN := $(DESTDIR)$(PREFIX)/bin
INVENTORY_INSTALLED := $(BIN)/bannerprobe-inventory \
	$(DESTDIR)$(PREFIX)/share/man/man1/bannerprobe-inventory.1 \
	$(DESTDIR)$(PREFIX)/share/bash-completion/completions/bannerprobe-inventory

.PHONY: install-inventory
install-inventory: bannerprobe-inventory
	install -d $(dir $(INVENTORY_INSTALLED))
	install -m 755 bannerprobe-inventory $(BIN)/bannerprobe-inventory
	install -m 644 packaging/bannerprobe-inventory.1 \
		$(DESTDIR)$(PREFIX)/share/man/man1/bannerprobe-inventory.1
	install -m 644 packaging/bannerprobe-inventory.bash \
		$(DESTDIR)$(PREFIX)/share/bash-completion/completions/bannerprobe-inventory

-include $(patsubst %,%.d,$(INVENTORY_OBJECTS) $(FORM_TEST) $(INVENTORY_TEST) $(BENCH_INVENTORY))

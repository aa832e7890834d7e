# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# The RPM package. In Debian, where rpm knows neither what is installed nor systemd's folders, too.

RPM := $(abspath $(BUILD))/rpm
RPM_SOURCE := $(RPM)/bannerprobe-$(VERSION)
RPM_LINT := rpmlint --config packaging/rpmlint.toml
RPM_FLAGS := --define '_topdir $(RPM)' --define '_sourcedir $(RPM)' --define '_rpmdir $(RPM)'
ifneq ($(wildcard /etc/debian_version),)
RPM_FLAGS += --nodeps --define '_docdir /usr/share/doc' \
	--define '_unitdir /usr/lib/systemd/system' --define '_sysusersdir /usr/lib/sysusers.d'
endif

.PHONY: rpm
rpm:
	$(Q)packaging/deps.sh rpm rpmlint
	$(RPM_LINT) packaging/bannerprobe.spec
	rm -rf $(RPM)
	$(call copy_tree,$(RPM_SOURCE))
	tar -C $(RPM) -czf $(RPM_SOURCE).tar.gz $(notdir $(RPM_SOURCE))
	env -u MAKEFLAGS rpmbuild -bb $(RPM_FLAGS) packaging/bannerprobe.spec
	$(RPM_LINT) $(RPM)/*/bannerprobe-*.rpm

.PHONY: test-rpm
test-rpm:
	$(Q)$(MAKE) --no-print-directory deps
	$(Q)$(MAKE) --no-print-directory all rpm
	$(Q)BUILD=$(BUILD) $(PYTHON) -m pytest -q tests/system/test_rpm.py

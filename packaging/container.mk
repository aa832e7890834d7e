# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# The container's image, by buildah or podman.

IMAGE ?= bannerprobe:$(VERSION)
BUILDAH ?= $(shell command -v buildah || command -v podman)

$(STATIC)/bannerprobe-alive: packaging/alive.c
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) $(HARDENING) $(STATIC_LINK) $(LDFLAGS) -o $@ $<

# The Containerfile names build/: an image is made of that.
.PHONY: image
image:
	$(Q)$(MAKE) --no-print-directory BUILD=build static build/static/bannerprobe-alive
	$(Q)test -n "$(BUILDAH)" || { echo "image: needs buildah or podman" >&2; exit 1; }
	$(Q)$(BUILDAH) build --pull=never -f packaging/Containerfile -t $(IMAGE) .

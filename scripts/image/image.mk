# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# The container image: docs/install.md.

# Its name. Nothing is published yet, and a name in a registry that is not ours could be somebody
# else's: a node that does not have the image does not find it anywhere.
IMAGE        ?= localhost/bramble
# A tag has no tilde.
IMAGE_TAG    := $(subst ~,-,$(VERSION))
IMAGE_ARCHS  ?= amd64 arm64
# Where the source is, as a URL, if the image is to say so.
IMAGE_SOURCE ?=
IMAGE_DIR    := build/image
IMAGE_OCI    := $(IMAGE_DIR)/bramble-$(IMAGE_TAG).oci.tar

# Debian's names of machines, and ours with the names of their tools.
IMAGE_amd64  := x86_64 x86_64-linux-gnu
IMAGE_arm64  := arm64 aarch64-linux-gnu
IMAGE_ENV     = VERSION=$(VERSION) REVISION=$(or $(shell git rev-parse HEAD 2>/dev/null),unknown) \
                SOURCE_DATE_EPOCH=$(or $(SOURCE_DATE_EPOCH),$(shell git log -1 --format=%ct 2>/dev/null)) \
                SOURCE_URL=$(IMAGE_SOURCE)

image: $(IMAGE_ARCHS:%=image-root-%) ## build/image/bramble-VERSION.oci.tar: a container image for amd64 and arm64, without a daemon
	$(say) IMAGE $(IMAGE_OCI)
	$(Q)$(IMAGE_ENV) scripts/image/layout $(IMAGE_DIR)/oci $(IMAGE):$(IMAGE_TAG) \
		$(foreach arch,$(IMAGE_ARCHS),$(arch)=$(IMAGE_DIR)/$(arch)/root)
	$(Q)$(foreach arch,$(IMAGE_ARCHS),$(IMAGE_ENV) scripts/image/sbom $(IMAGE_DIR)/$(arch)/root $(arch) \
		>$(IMAGE_DIR)/bramble-$(IMAGE_TAG).$(arch).cdx.json &&) \
	tar --create --file $(IMAGE_OCI) --directory $(IMAGE_DIR)/oci --format=ustar --sort=name --numeric-owner \
		--owner=0 --group=0 --mode=u=rwX,go=rX --mtime=@0 oci-layout index.json blobs
	@$(GIVE_BACK)

# The program is built against the libraries that go into the image, whatever this machine has.
image-root-%: image-packages
	+@$(MAKE) --no-print-directory ARCH=$(firstword $(IMAGE_$*)) SYSROOT=build/$(firstword $(IMAGE_$*))/sysroot all
	$(say) ROOT $(IMAGE_DIR)/$*/root
	$(Q)scripts/image/root $(IMAGE_DIR)/$*/root build/$(firstword $(IMAGE_$*))/bramble \
		build/$(firstword $(IMAGE_$*))/sysroot $(lastword $(IMAGE_$*))

image-packages:
	@scripts/install-packages build image

.PHONY: image image-packages

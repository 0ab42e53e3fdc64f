# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# What checks `make image`. How the image runs is tested in test-integration and test-vm.

test-image: image ## the container image: what is in it, who takes it, the same again
	@scripts/install-packages build test image
	+@MAKE="$(MAKE)" $(IMAGE_ENV) tests/image/run $(VERSION) $(IMAGE):$(IMAGE_TAG)

.PHONY: test-image

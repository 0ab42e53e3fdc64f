# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# What `make install` and the package bring beside the program.

# On a Pi, for Pis.
DEB_ARCHS := $(if $(filter x86_64,$(HOST_ARCH)),amd64) arm64

deb: ## build/deb/bramble_VERSION_ARCH.deb: packages for amd64 and arm64, for Debian 12, 13 and Raspberry Pi OS
	@scripts/install-packages build deb $(if $(filter x86_64,$(HOST_ARCH)),arm64)
	+@V=$(or $(V),0) scripts/deb build/deb $(DEB_ARCHS); status=$$?; $(GIVE_BACK); exit $$status

test-package: $(BUILD)/bramble pages ## man pages, completions of shells, the packages (as root)
	@tests/package/run $(BUILD) $(DEB_ARCHS)

# SUITES=trixie for one.
test-package-install: ## install, start, upgrade and purge the package in Debian 12 and 13 (as root)
	@scripts/install-packages build deb package-install $(if $(filter x86_64,$(HOST_ARCH)),arm64)
	+@V=$(or $(V),0) scripts/deb build/deb $(DEB_ARCHS)
	+@status=0; tests/package/elsewhere $(DEB_ARCHS) || status=1; \
	tests/package/install build/deb/bramble_$(VERSION)_$(firstword $(DEB_ARCHS)).deb $(SUITES) || status=1; exit $$status

# The same for the arm64 package, in machines of its own.
test-package-vm: ## the same for the arm64 package, in emulated machines: Debian 12 and 13 (as root; SUITES=trixie)
	@scripts/install-packages build deb vm $(if $(filter x86_64,$(HOST_ARCH)),arm64)
	+@V=$(or $(V),0) scripts/deb build/deb arm64
	+@$(MAKE) --no-print-directory ARCH=arm64 vm-tools VM_INSTALL=build/package/vm-tools
	@tests/package/vm build/deb/bramble_$(VERSION)_arm64.deb build/package/vm-tools/bpf_ids $(SUITES)

.PHONY: deb test-package test-package-install test-package-vm

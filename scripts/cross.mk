# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# Building for arm64 on another machine, into a folder of its own: docs/cross.md.

ifneq ($(ARCH),arm64)
$(error ARCH=$(ARCH) is not known: bramble is built for this machine ($(HOST_ARCH)) or for arm64)
endif

BUILD         := build/$(ARCH)
CROSS_COMPILE ?= aarch64-linux-gnu-

# Debian 12's libraries, so that the program runs there and on what is newer.
# `make ARCH=arm64 SYSROOT=/` builds with the machine's own arm64 packages (multiarch).
SYSROOT       ?= $(BUILD)/sysroot
SYSROOT_SUITE ?= bookworm
SYSROOT_STAMP := $(SYSROOT)/.packages

ifeq ($(SYSROOT),/)
override SYSROOT :=
SYSROOT_STAMP    :=
else
CROSS_FLAGS      := --sysroot=$(abspath $(SYSROOT))
# When it is there already this costs no more than comparing the packages' names.
SYSROOT_MADE     := $(shell scripts/sysroot $(SYSROOT) $(ARCH) $(SYSROOT_SUITE) \
                      $$(scripts/install-packages --list build | grep -- '-dev$$') >&2; echo $$?)
ifneq ($(SYSROOT_MADE),0)
$(error no libraries to build with in $(SYSROOT))
endif
endif
# Not by export: make 4.3 keeps that from $(shell).
PKG_CONFIG := env PKG_CONFIG_SYSROOT_DIR=$(abspath $(SYSROOT)) \
              PKG_CONFIG_LIBDIR=$(abspath $(SYSROOT))/usr/lib/aarch64-linux-gnu/pkgconfig pkg-config

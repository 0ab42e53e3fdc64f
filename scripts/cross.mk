# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# Building against a Debian's libraries in a folder of their own (SYSROOT), for this machine or for
# another, into a folder of its own: docs/cross.md.

TRIPLET_arm64  := aarch64-linux-gnu
TRIPLET_x86_64 := x86_64-linux-gnu
DEBIAN_arm64   := arm64
DEBIAN_x86_64  := amd64
TRIPLET        := $(TRIPLET_$(ARCH))
ifeq ($(TRIPLET),)
$(error ARCH=$(ARCH) is not known: bramble is built for this machine ($(HOST_ARCH)), or with other libraries than its own for arm64 and x86_64)
endif

BUILD         := build/$(ARCH)
CROSS_COMPILE ?= $(TRIPLET)-

# Debian 12's libraries, so that the program runs there and on what is newer.
# `make ARCH=arm64 SYSROOT=/` builds with the machine's own arm64 packages (multiarch).
SYSROOT       ?= $(BUILD)/sysroot
SYSROOT_SUITE ?= bookworm

ifeq ($(SYSROOT),/)
override SYSROOT :=
else
CROSS_FLAGS      := --sysroot=$(abspath $(SYSROOT))
# When it is there already this costs no more than comparing the packages' names. The last three have
# no libraries: scripts/image/root takes terminals, the locale and the name of the system from them.
SYSROOT_MADE     := $(shell scripts/sysroot $(SYSROOT) $(DEBIAN_$(ARCH)) $(SYSROOT_SUITE) \
                      $$(scripts/install-packages --list build | grep -- '-dev$$') \
                      ncurses-base libc-bin base-files >&2; echo $$?)
ifneq ($(SYSROOT_MADE),0)
$(error no libraries to build with in $(SYSROOT))
endif
# Other packages, other objects: see build/flags.
SYSROOT_FILES    := $(shell cat $(SYSROOT)/var/lib/dpkg/status.d/*.md5sums | cksum)
endif
# Not by export: make 4.3 keeps that from $(shell).
PKG_CONFIG := env PKG_CONFIG_SYSROOT_DIR=$(abspath $(SYSROOT)) \
              PKG_CONFIG_LIBDIR=$(abspath $(SYSROOT))/usr/lib/$(TRIPLET)/pkgconfig pkg-config

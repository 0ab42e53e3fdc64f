# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#
# make              build/bramble
# make run          install what is missing, build, run the probe on this machine
# make test         the whole ladder of tests
# make ARCH=arm64   build/arm64/bramble, on another machine than the Pi
# make bench        what the probe costs on this machine
# make help         all targets

VERSION  := $(shell cat VERSION)
REVISION := $(or $(shell git rev-parse --short=12 HEAD 2>/dev/null),unknown)

PREFIX  ?= /usr/local
DESTDIR ?=
BUILD   := build

# The machine to build for, in the kernel's words: docs/cross.md.
HOST_ARCH := $(patsubst aarch64,arm64,$(shell uname -m))
ARCH      ?= $(HOST_ARCH)
ifneq ($(ARCH)$(SYSROOT),$(HOST_ARCH))
include scripts/cross.mk
endif

CLANG    ?= clang
BPFTOOL  ?= $(firstword $(wildcard /usr/sbin/bpftool) bpftool)
CC       := $(CROSS_COMPILE)gcc
AR       := $(CROSS_COMPILE)ar
PKG_CONFIG ?= pkg-config

LIBS := libbpf libmicrohttpd libcurl jansson libcap libseccomp zlib libprotobuf-c yaml-0.1 libcrypt gnutls ncursesw

# char has no sign on arm64: nor here, so that what is tested is what runs on a Pi.
CPPFLAGS := -D_GNU_SOURCE -funsigned-char -Iinclude -Isrc -I$(BUILD) -I$(BUILD)/gen
WARNINGS := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wformat=2 \
            -Wundef -Wpointer-arith -Wvla -Wwrite-strings -Wimplicit-fallthrough
CFLAGS   ?= -O2 -g
ALL_CFLAGS = $(CROSS_FLAGS) $(SAME_PATHS) -std=c11 $(WARNINGS) $(CFLAGS) $(HARDENING)
ALL_LDFLAGS = $(CROSS_FLAGS) $(LDFLAGS) -pie -Wl,-z,relro,-z,now,-z,noexecstack -Wl,--as-needed

# The same source makes the same program, in whatever folder it is.
SAME_PATHS = -ffile-prefix-map=$(CURDIR)=.

# What keeps an error from being of use: tests/hardening looks for it in the program. Fortified
# functions need optimisation. Returns and jumps are guarded by CET on a PC, and by PAC and BTI on
# arm64: older processors take these instructions for none.
HARDENING = -fPIE -fstack-protector-strong -fstack-clash-protection $(HARDENING_$(ARCH)) \
            $(if $(filter -O0,$(CFLAGS)),,-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3)
HARDENING_x86_64 := -fcf-protection=full
HARDENING_arm64  := -mbranch-protection=standard
LIB_CFLAGS = $(shell $(PKG_CONFIG) --cflags $(LIBS))
LDLIBS   = $(shell $(PKG_CONFIG) --libs $(LIBS)) -lm -pthread

# -mcpu=v3 is what kernel 5.10 knows; the object is the same on every little-endian machine.
BPF_CFLAGS = $(SAME_PATHS) -g -O2 -target bpf -mcpu=v3 -std=gnu11 -Wall -Wextra -Werror -Wno-unused-parameter \
              -Iinclude -Ivmlinux -Ibpf -idirafter $(SYSROOT)/usr/include/$(shell $(CC) -print-multiarch)

# The files that define shared maps go first: libbpf 1.1 loses track of them otherwise.
BPF_FIRST := bpf/slots.bpf.c bpf/sched.bpf.c bpf/fsync.bpf.c bpf/memory.bpf.c
BPF_SRC := $(BPF_FIRST) $(filter-out $(BPF_FIRST),$(wildcard bpf/*.bpf.c))
BPF_OBJ := $(BPF_SRC:bpf/%.bpf.c=$(BUILD)/bpf/%.bpf.o)
SRC     := $(wildcard src/*.c src/*/*.c)
OBJ     := $(SRC:%.c=$(BUILD)/%.o) $(BUILD)/src/expose/metrics.pb-c.o
LIB_OBJ := $(filter-out $(BUILD)/src/main.o,$(OBJ))

# Short lines, unless V=1.
ifeq ($(V),1)
Q :=
say = @:
else
Q := @
say = @printf '  %-8s %s\n'
endif

all: $(BUILD)/bramble ## build the program (the default)

# One rule after the other would say "Permission denied".
ifneq ($(filter-out help,$(or $(MAKECMDGOALS),all)),)
ifneq ($(shell find $(BUILD) -maxdepth 2 -type d ! -writable -print -quit 2>/dev/null),)
$(error $(CURDIR)/$(BUILD) has folders that you may not write to: an earlier make ran as another user. \
Take them over: sudo chown -R "$$(id -un)" $(BUILD))
endif
endif

# What root built under sudo belongs to who called sudo: a later `make` works without.
GIVE_BACK = if [ -n "$$SUDO_UID" ]; then chown -R "$$SUDO_UID:$$SUDO_GID" $(BUILD); fi

# ARGS are more flags for `bramble serve`.
run: ## install what is missing, build, run the probe on this machine (as root)
	@scripts/install-packages build
	+@$(MAKE) --no-print-directory all
	@$(GIVE_BACK)
	@exec $(BUILD)/bramble serve $(ARGS)

$(BUILD)/bramble: $(BUILD)/src/main.o $(BUILD)/libbramble.a
	$(say) LINK $@
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LDLIBS)

$(BUILD)/libbramble.a: $(LIB_OBJ)
	$(say) AR $@
	$(Q)rm -f $@ && $(AR) rcs $@ $^

# What is generated before anything is compiled.
GENERATED := $(BUILD)/bramble.skel.h $(BUILD)/floor.skel.h $(BUILD)/gen/expose/metrics.pb-c.h

$(BUILD)/src/%.o: src/%.c $(GENERATED) $(BUILD)/flags
	$(say) CC $@
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(VERSION_FLAGS) $(ALL_CFLAGS) $(LIB_CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/gen/%.pb-c.c $(BUILD)/gen/%.pb-c.h: src/%.proto
	$(say) PROTO $@
	$(Q)mkdir -p $(@D)
	$(Q)protoc-c --proto_path=src --c_out=$(BUILD)/gen $<

$(BUILD)/src/%.pb-c.o: $(BUILD)/gen/%.pb-c.c $(BUILD)/flags
	$(say) CC $@
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(ALL_CFLAGS) -c -o $@ $<

# Not a target-specific CPPFLAGS: build/flags would inherit it, and differ from run to run.
VERSION_FLAGS = $(if $(filter %/version.o,$@),-DBRAMBLE_VERSION='"$(VERSION)"' -DBRAMBLE_REVISION='"$(REVISION)"')

$(BUILD)/src/version.o: $(BUILD)/revision

$(BUILD)/bpf/%.bpf.o: bpf/%.bpf.c $(BUILD)/flags
	$(say) BPF $@
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) $(BPF_CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/bramble.bpf.o: $(BPF_OBJ)
	$(say) BPFLINK $@
	$(Q)$(BPFTOOL) gen object $@ $^

$(BUILD)/bramble.skel.h: $(BUILD)/bramble.bpf.o

# What the probe's cost is measured against: bramble report, and the benchmarks.
$(BUILD)/floor.skel.h: $(BUILD)/bpf/floor/floor.bpf.o

$(BUILD)/%.skel.h:
	$(say) SKEL $@
	$(Q){ echo '/* NOLINTBEGIN: generated */' && $(BPFTOOL) gen skeleton $< name $*_bpf && \
		echo '/* NOLINTEND */'; } > $@.tmp && mv $@.tmp $@

# Objects depend on how they are compiled: other flags, other objects.
FLAGS = $(CC) $(CPPFLAGS) $(ALL_CFLAGS) | $(CLANG) $(BPF_CFLAGS) | $(ALL_LDFLAGS) | $(SYSROOT_FILES)
$(BUILD)/flags: FORCE
	@mkdir -p $(@D); echo '$(FLAGS)' | cmp -s - $@ || echo '$(FLAGS)' > $@
$(BUILD)/revision: FORCE
	@mkdir -p $(@D); echo '$(VERSION) $(REVISION)' | cmp -s - $@ || echo '$(VERSION) $(REVISION)' > $@

include docs/pages.mk scripts/image/image.mk tests/image/image.mk tests/package/package.mk tests/tests.mk tests/cluster/cluster.mk tests/why/why.mk
-include $(OBJ:.o=.d) $(BPF_OBJ:.o=.d)

fresh: ## prove run and test in a minimal Debian, from a clone of HEAD (as root; SUITE=trixie)
	+@SUITE="$(SUITE)" scripts/fresh

clang-matrix: ## build the BPF programs with every clang from 14 to 19 that is installed
	+@MAKE="$(MAKE)" tests/clangs

SUITE  ?= bookworm
DOCDIR  = $(DESTDIR)$(PREFIX)/share/doc/bramble
UNITDIR = $(DESTDIR)$(PREFIX)/lib/systemd/system

MANDIR  = $(DESTDIR)$(PREFIX)/share/man/man1
BASHDIR = $(DESTDIR)$(PREFIX)/share/bash-completion/completions
FISHDIR = $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d
# Where Debian's zsh looks: /usr/local/share/zsh/site-functions, and of packages vendor-completions.
ZSHDIR  = $(DESTDIR)$(PREFIX)/share/zsh/$(if $(filter /usr,$(PREFIX)),vendor-completions,site-functions)

install: all pages ## install the program, man pages, completions and a systemd unit (DESTDIR, PREFIX)
	install -D -m 755 $(BUILD)/bramble $(DESTDIR)$(PREFIX)/bin/bramble
	install -d $(UNITDIR)
	sed 's,@PREFIX@,$(PREFIX),g' deploy/systemd/bramble.service.in > $(UNITDIR)/bramble.service
	chmod 644 $(UNITDIR)/bramble.service
	install -D -m 644 -t $(DOCDIR) README.md LICENSE LICENSES/*
	install -D -m 644 -t $(MANDIR) $(MAN_PAGES:%=$(BUILD)/man/%)
	install -D -m 644 $(BUILD)/completions/bash $(BASHDIR)/bramble
	install -D -m 644 $(BUILD)/completions/zsh $(ZSHDIR)/_bramble
	install -D -m 644 $(BUILD)/completions/fish $(FISHDIR)/bramble.fish

uninstall: ## remove what install installed
	rm -f $(DESTDIR)$(PREFIX)/bin/bramble $(UNITDIR)/bramble.service $(MAN_PAGES:%=$(MANDIR)/%) \
		$(BASHDIR)/bramble $(ZSHDIR)/_bramble $(FISHDIR)/bramble.fish
	rm -rf $(DOCDIR)

# Pages that the program itself knows best.
$(BUILD)/docs/metrics-md: docs/metrics-md.c $(BUILD)/libbramble.a
	$(say) CC $@
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(ALL_CFLAGS) $(LIB_CFLAGS) $(ALL_LDFLAGS) -o $@ $< $(BUILD)/libbramble.a $(LDLIBS)

$(BUILD)/docs/metrics.md: $(BUILD)/docs/metrics-md
	$(Q)$< > $@

$(BUILD)/docs/flags.md: $(BUILD)/bramble
	$(Q)mkdir -p $(@D)
	$(Q){ echo "# Commands and flags"; echo; echo "Made by \`make docs\` from the program's help."; \
	for c in $$($< help | sed -n 's/^  \([a-z][a-z]*\) .*/\1/p'); do printf '\n```\n'; $< $$c --help; echo '```'; done; } > $@

docs: $(BUILD)/docs/metrics.md $(BUILD)/docs/flags.md ## write docs/metrics.md and docs/flags.md anew
	$(Q)cp $^ docs/

test-docs: $(BUILD)/docs/metrics.md $(BUILD)/docs/flags.md ## check that docs/ agrees with the program
	@status=0; \
	for page in metrics flags; do docs/check docs/$$page.md $(BUILD)/docs/$$page.md || status=1; done; \
	docs/check-flags README.md $(BUILD)/bramble || status=1; \
	docs/check-version $(BUILD)/bramble || status=1; \
	for page in security capabilities; do docs/check-tests docs/$$page.md || status=1; done; exit $$status

.PHONY: docs test-docs

clean: ## remove build/
	rm -rf $(BUILD)

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(filter %Makefile %.mk,$(MAKEFILE_LIST)) | expand -t 22

.PHONY: all run install uninstall fresh clang-matrix clean help FORCE
.DELETE_ON_ERROR:

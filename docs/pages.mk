# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# Man pages and completions of shells, made from the program's own table of commands and flags.

# A program for another machine cannot be asked here: the one for this machine is.
ifeq ($(ARCH),$(HOST_ARCH))
ASKED := $(BUILD)/bramble
else
ASKED := build/bramble
$(ASKED): FORCE
	+$(Q)$(MAKE) --no-print-directory ARCH=$(HOST_ARCH) SYSROOT= $@
endif

COMMANDS    := $(shell sed -n 's/^\t{"\([a-z]*\)", run_.*/\1/p' src/main.c)
MAN_PAGES   := bramble.1 $(COMMANDS:%=bramble-%.1)
COMPLETIONS := bash zsh fish
PAGES       := $(MAN_PAGES:%=$(BUILD)/man/%) $(COMPLETIONS:%=$(BUILD)/completions/%)
# A page bears the date of the version that it describes, so that it is the same whenever it is made.
RELEASED     = $(shell sed -n 's/^\#\# \[$(VERSION)\] - //p' CHANGELOG.md)

$(BUILD)/help-table: $(ASKED)
	$(Q)$< --help-table > $@

$(BUILD)/man/bramble%1: $(BUILD)/help-table docs/man/page.awk $(wildcard docs/man/*.roff) VERSION CHANGELOG.md
	$(say) MAN $@
	$(Q)mkdir -p $(@D)
	$(Q)awk -f docs/man/page.awk -v command=$(subst .,,$(subst -,,$*)) -v version=$(VERSION) -v date=$(RELEASED) $< > $@

$(BUILD)/completions/%: docs/completions/%.awk $(BUILD)/help-table
	$(say) SHELL $@
	$(Q)mkdir -p $(@D)
	$(Q)awk -f $< $(BUILD)/help-table > $@

pages: $(PAGES) ## make the man pages and the completions of shells

.PHONY: pages

# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# The ladder: unit, BPF, integration. Every test prints "PASS name", "FAIL name"
# or "SKIP name: reason"; tests/summary counts them.

SAN         := $(BUILD)/san
SAN_CFLAGS  := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
SAN_OBJ     := $(LIB_OBJ:$(BUILD)/src/%=$(SAN)/src/%)
UNIT_SRC    := $(wildcard tests/unit/test_*.c)
UNIT        := $(UNIT_SRC:tests/unit/%.c=$(SAN)/%)
TEST_LIBS   := cmocka

$(SAN)/src/%.o: src/%.c $(BUILD)/bramble.skel.h $(BUILD)/flags
	$(say) CC $@
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) -std=c11 $(WARNINGS) $(SAN_CFLAGS) $(LIB_CFLAGS) -MMD -MP -c -o $@ $<

$(SAN)/src/version.o: CPPFLAGS += -DBRAMBLE_VERSION='"$(VERSION)"' -DBRAMBLE_REVISION='"$(REVISION)"'

$(SAN)/libbramble.a: $(SAN_OBJ)
	$(Q)rm -f $@ && $(AR) rcs $@ $^

$(SAN)/test_%: tests/unit/test_%.c $(SAN)/libbramble.a
	$(say) TEST $@
	$(Q)$(CC) $(CPPFLAGS) -Itests -std=c11 $(WARNINGS) $(SAN_CFLAGS) $(LIB_CFLAGS) -MMD -MP -o $@ $< \
		$(SAN)/libbramble.a $$($(PKG_CONFIG) --libs $(TEST_LIBS)) $(LDLIBS)

-include $(SAN_OBJ:.o=.d) $(UNIT:=.d)

test-unit: $(UNIT) ## the unit tests alone, under ASan and UBSan
	@tests/unit/run $(UNIT)

.PHONY: test-unit

# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# The same code under other sanitizers than the unit tests have, and the whole program under theirs.
# None of this is in `make test`.

# The whole program under ASan and UBSan, in its sandbox. LeakSanitizer is off: at the end it starts a
# process that stops this one by ptrace(2), which the filter forbids, and it waits for that for ever. It
# runs in the unit tests, and memcheck looks for leaks of the whole program: `make valgrind`.

$(SAN)/bramble: $(SAN)/src/main.o $(SAN)/libbramble.a
	$(say) LINK $@
	$(Q)$(CC) $(SAN_CFLAGS) -o $@ $^ $(LDLIBS)

test-integration-asan: $(SAN)/bramble $(WORKLOADS) $(TORTURERS) ## the integration tests with a program under ASan and UBSan (as root; TESTS=20 for one)
	@BRAMBLE=$(abspath $(SAN)/bramble) ASAN_OPTIONS=detect_leaks=0 TEST_TIMEOUT=400 tests/integration/run $(TESTS)

# What has threads, and what works with it, under TSan.

TSAN        := $(BUILD)/tsan
TSAN_CFLAGS := -O1 -g -fsanitize=thread -fno-omit-frame-pointer
TSAN_OBJ    := $(LIB_OBJ:$(BUILD)/src/%=$(TSAN)/src/%)
# hasher.c makes the one thread of the program, curl one for each look-up of a name.
TSAN_TESTS  := $(addprefix $(TSAN)/test_,auth guard http_server http_strict connections tls kubelet source log)

$(eval $(call sanitized,$(TSAN),$(TSAN_CFLAGS)))

test-tsan: $(TSAN_TESTS) ## the unit tests of what has threads, under TSan
	@tests/unit/run tsan $(TSAN_TESTS)

.PHONY: test-tsan test-integration-asan
-include $(TSAN_OBJ:.o=.d) $(SAN)/src/main.d

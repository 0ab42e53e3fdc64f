# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# The ladder: lint, unit, fuzz, BPF, integration, virtual machines. Every test prints "PASS name",
# "FAIL name" or "SKIP name: reason"; tests/summary counts them.

# What `make test` makes, in this order. A stage without sources is left out. The cluster is one where Kubernetes is
# compiled already: CLUSTER_CACHE is the folder that keeps it (docs/cluster.md).
STAGES = lint test-hardening test-runners test-docs test-deploy test-image test-package test-unit $(if $(FUZZ_SRC),test-fuzz) $(if $(BPFTEST_SRC),test-bpf) test-memory test-integration \
         test-vm $(if $(CLUSTER_CACHE),$(if $(wildcard $(CLUSTER_CACHE)/kubernetes-*),test-cluster))

test: ## install what is missing, run every test, end with one line of counts (as root)
	@scripts/install-packages build test
	+@MAKE="$(MAKE)" tests/stages $(STAGES); status=$$?; $(GIVE_BACK); exit $$status

LINT_FLAGS = $(CPPFLAGS) -std=c11 $(WARNINGS) $(LIB_CFLAGS) -DBRAMBLE_VERSION='"lint"' -DBRAMBLE_REVISION='"lint"'

lint: $(GENERATED) ## format, clang-tidy, shellcheck, and what analyze does
	@status=0; tests/lint $(LINT_FLAGS) || status=1; tests/analyze $(LINT_FLAGS) || status=1; exit $$status

analyze: $(GENERATED) ## gcc's analyzer, cppcheck, and clang-tidy of the tests
	@tests/analyze $(LINT_FLAGS)

# Also the arm64 build, if there is one and its binutils.
test-hardening: $(BUILD)/bramble ## what the compiler put into the program against errors
	@tests/hardening $(BUILD) $(wildcard build/arm64)

test-runners: ## the scripts that run the tests: no failure gets lost, and a skip needs a reason
	@tests/runners

# Unit tests, under ASan and UBSan.

SAN         := $(BUILD)/san
SAN_CFLAGS  := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
SAN_OBJ     := $(LIB_OBJ:$(BUILD)/src/%=$(SAN)/src/%)
UNIT_SRC    := $(wildcard tests/unit/test_*.c)
UNIT        := $(UNIT_SRC:tests/unit/%.c=$(SAN)/%)
TEST_LIBS   := cmocka

# sanitized FOLDER,FLAGS: the library, and unit tests with it, compiled with these flags in a folder of
# their own.
define sanitized
$(1)/src/%.o: src/%.c $$(GENERATED) $$(BUILD)/flags
	$$(say) CC $$@
	$$(Q)mkdir -p $$(@D)
	$$(Q)$$(CC) $$(CPPFLAGS) $$(VERSION_FLAGS) -std=c11 $$(WARNINGS) $(2) $$(LIB_CFLAGS) -MMD -MP -c -o $$@ $$<

$(1)/src/%.pb-c.o: $$(BUILD)/gen/%.pb-c.c $$(BUILD)/flags
	$$(say) CC $$@
	$$(Q)mkdir -p $$(@D)
	$$(Q)$$(CC) $$(CPPFLAGS) -std=c11 $(2) -c -o $$@ $$<

$(1)/src/version.o: $$(BUILD)/revision

$(1)/libbramble.a: $$(LIB_OBJ:$$(BUILD)/src/%=$(1)/src/%)
	$$(Q)rm -f $$@ && $$(AR) rcs $$@ $$^

$(1)/test_%: tests/unit/test_%.c $(1)/libbramble.a
	$$(say) TEST $$@
	$$(Q)$$(CC) $$(CPPFLAGS) -Itests -std=c11 $$(WARNINGS) $(2) $$(LIB_CFLAGS) -MMD -MP -o $$@ $$< \
		$(1)/libbramble.a $$$$($$(PKG_CONFIG) --libs $$(TEST_LIBS)) $$(LDLIBS)
endef

$(eval $(call sanitized,$(SAN),$(SAN_CFLAGS)))

test-unit: $(UNIT) ## the unit tests alone, under ASan and UBSan
	@tests/unit/run unit $(UNIT)

# BPF programs under BPF_PROG_TEST_RUN: cmocka programs that need root.

BPFTEST_SRC := $(wildcard tests/bpf/test_*.c)
BPFTEST     := $(BPFTEST_SRC:tests/bpf/%.c=$(SAN)/bpf/%)

$(SAN)/bpf/test_%: tests/bpf/test_%.c $(SAN)/libbramble.a
	$(say) TEST $@
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) -Itests -std=c11 $(WARNINGS) $(SAN_CFLAGS) $(LIB_CFLAGS) -MMD -MP -o $@ $< \
		$(SAN)/libbramble.a $$($(PKG_CONFIG) --libs $(TEST_LIBS)) $(LDLIBS)

test-bpf: $(BPFTEST) ## the BPF programs alone, run by the kernel on made-up events (as root)
	@tests/unit/run bpf $(BPFTEST)

# Memory that is refused, one allocation after the other, and memcheck. ALLOCATIONS=--short tries some.

$(BUILD)/tests/refuse.so: tests/allocations/refuse.c tests/allocations/refuse.h $(BUILD)/flags
	$(say) CC $@
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CROSS_FLAGS) -D_GNU_SOURCE -std=c11 $(WARNINGS) -O2 -g -shared -fPIC -o $@ $<

test-allocations: $(BUILD)/bramble $(BUILD)/tests/refuse.so ## refuse bramble each allocation in turn (as root; ALLOCATIONS="--short check")
	@tests/allocations/run $(ALLOCATIONS)

# Some of them, in half a minute.
test-memory: $(BUILD)/bramble $(BUILD)/tests/refuse.so
	@tests/allocations/run --short

valgrind: $(BUILD)/bramble ## the commands and some scrapes under valgrind's memcheck (as root)
	@tests/valgrind $(BUILD)/bramble

# What is deployed, against the schemas of Kubernetes.

test-deploy: $(BUILD)/bramble ## the manifests in deploy/ alone
	@tests/deploy/run $(abspath $(BUILD)/bramble)

# Fuzzing: what a stranger can hand us. clang compiles the program's sources
# once more, as its libFuzzer wants them. gcc has already warned about them.

FUZZ         := $(BUILD)/fuzz
FUZZ_CFLAGS  := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
FUZZ_OBJ     := $(LIB_OBJ:$(BUILD)/src/%=$(FUZZ)/src/%)
FUZZ_SRC     := $(wildcard tests/fuzz/fuzz_*.c)
FUZZERS      := $(FUZZ_SRC:tests/fuzz/%.c=$(FUZZ)/%)
FUZZ_SECONDS ?= 10

$(FUZZ)/src/%.o: src/%.c $(GENERATED) $(BUILD)/flags
	$(say) CC $@
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) $(CPPFLAGS) $(VERSION_FLAGS) -std=c11 $(FUZZ_CFLAGS) -fsanitize=fuzzer-no-link $(LIB_CFLAGS) \
		-MMD -MP -c -o $@ $<

$(FUZZ)/src/%.pb-c.o: $(BUILD)/gen/%.pb-c.c $(BUILD)/flags
	$(say) CC $@
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) $(CPPFLAGS) -std=c11 $(FUZZ_CFLAGS) -fsanitize=fuzzer-no-link -c -o $@ $<

$(FUZZ)/src/version.o: $(BUILD)/revision

$(FUZZ)/libbramble.a: $(FUZZ_OBJ)
	$(Q)rm -f $@ && $(AR) rcs $@ $^

$(FUZZ)/fuzz_%: tests/fuzz/fuzz_%.c $(FUZZ)/libbramble.a
	$(say) FUZZ $@
	$(Q)$(CLANG) $(CPPFLAGS) -Itests -std=c11 -Wall -Wextra -Werror $(FUZZ_CFLAGS) -fsanitize=fuzzer $(LIB_CFLAGS) \
		-MMD -MP -o $@ $< $(FUZZ)/libbramble.a $(LDLIBS)

test-fuzz: $(FUZZERS)
	@tests/fuzz/run $(FUZZ_SECONDS) $(FUZZERS)

fuzz: FUZZ_SECONDS = 600
fuzz: test-fuzz ## fuzz for long: FUZZ_SECONDS=600 each

# Integration: real containers, a real Prometheus. The workloads are static, so
# that they run in a container's empty root file system.

WORKLOAD_SRC := $(wildcard tests/workload/*.c)
WORKLOADS    := $(WORKLOAD_SRC:tests/workload/%.c=$(BUILD)/tests/%)

$(BUILD)/tests/%: tests/workload/%.c $(BUILD)/flags
	$(say) CC $@
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CROSS_FLAGS) -D_GNU_SOURCE -Isrc -std=c11 $(WARNINGS) -O2 -g -static -pthread -MMD -MP -o $@ $<

TORTURE_SRC := $(wildcard tests/torture/*.c)
TORTURERS   := $(TORTURE_SRC:tests/torture/%.c=$(BUILD)/tests/torture/%)

$(BUILD)/tests/torture/%: tests/torture/%.c $(BUILD)/flags
	$(say) CC $@
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CROSS_FLAGS) -D_GNU_SOURCE -Isrc -std=c11 $(WARNINGS) -O2 -g -static -pthread -MMD -MP -o $@ $<

# TORTURE="flood stop" runs these attacks alone; SCALE=0.1 a tenth of them.
torture: $(BUILD)/bramble $(WORKLOADS) $(TORTURERS) ## attack the probe for half an hour: a table, and what broke (as root; TORTURE=flood for one, SCALE=0.1)
	@scripts/install-packages build test
	@SCALE=$(or $(SCALE),1) tests/torture/run $(TORTURE)

# TESTS=20 runs the scripts whose name begins with 20.
test-integration: $(BUILD)/bramble $(WORKLOADS) $(TORTURERS) $(if $(TESTS),$(if $(filter 6 65%,$(TESTS)),image),image) ## real containers and a real Prometheus (as root; TESTS=20 for one)
	@tests/integration/run $(TESTS)

# Virtual machines: arm64 kernels in QEMU, with the arm64 build. See tests/vm/run.

VM_TOOLS := $(patsubst tests/vm/%.c,$(BUILD)/tests/vm/%,$(wildcard tests/vm/*.c))
VM_FILES := $(BUILD)/bramble $(WORKLOADS) $(VM_TOOLS)

$(VM_TOOLS): $(BUILD)/tests/vm/%: tests/vm/%.c $(BUILD)/flags
	$(say) CC $@
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CROSS_FLAGS) -D_GNU_SOURCE -std=c11 $(WARNINGS) -O2 -static -MMD -MP -o $@ $<

# make ARCH=arm64 vm-files VM_INSTALL=FOLDER: what goes into the machines; vm-tools: of that, what tests/vm has
vm-files: $(VM_FILES)
	@mkdir -p $(VM_INSTALL) && cp $(VM_FILES) $(VM_INSTALL)/
vm-tools: $(VM_TOOLS)
	@mkdir -p $(VM_INSTALL) && cp $(VM_TOOLS) $(VM_INSTALL)/

# KERNELS="debian-6.1 pilike-16k" boots these alone; VM_KERNELS is a folder of prebuilt ones.
test-vm: ## arm64 kernels in QEMU, 4 and 16 KiB pages, with and without BTF
	+@MAKE="$(MAKE)" tests/vm/run $(KERNELS)

include tests/sanitized.mk
-include $(SAN_OBJ:.o=.d) $(UNIT:=.d) $(BPFTEST:=.d) $(FUZZ_OBJ:.o=.d) $(FUZZERS:=.d) $(WORKLOADS:=.d) $(TORTURERS:=.d)

.PHONY: test lint analyze test-allocations test-memory valgrind test-hardening test-runners test-unit test-bpf \
        test-fuzz fuzz torture test-integration test-vm vm-files vm-tools

# What the probe costs. Not part of `make test`: a busy machine must not fail a test.

BENCH := $(BUILD)/bench
ROUNDS ?= 31
NETWORK_ROUNDS ?= 11

$(BENCH)/%: tests/bench/%.c tests/bench/bench.h $(BUILD)/libbramble.a
	$(say) CC $@
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(ALL_CFLAGS) $(LIB_CFLAGS) $(ALL_LDFLAGS) -o $@ $< $(BUILD)/libbramble.a $(LDLIBS)

# They are built with the tests, so that a change of an interface does not leave them behind.
BENCH_PROGRAMS := $(patsubst tests/bench/%.c,$(BENCH)/%,$(filter-out %.bpf.c,$(wildcard tests/bench/*.c)))
test-bpf: $(BENCH_PROGRAMS)

bench: ## what the probes cost on this machine, beside libbpf-tools' (as root; ROUNDS=31)
	@scripts/install-packages build bench
	@$(MAKE) --no-print-directory $(BENCH)/switch $(BENCH)/fsync $(BUILD)/bramble
	@$(BENCH)/switch $(ROUNDS)
	@echo
	@$(BENCH)/fsync $(ROUNDS)
	@echo
	@tests/bench/fio $(ROUNDS)
	@$(MAKE) --no-print-directory bench-network

bench-network: ## what the probe takes from wrk, redis-benchmark and iperf3 (as root; NETWORK_ROUNDS=11)
	@scripts/install-packages build bench
	@$(MAKE) --no-print-directory $(BENCH)/network
	@$(BENCH)/network $(NETWORK_ROUNDS)

bench-containers: $(BUILD)/bramble $(WORKLOADS) ## what serve takes with 250 containers (as root; CONTAINERS=250)
	@tests/bench/containers $(or $(CONTAINERS),250)

bench-image: image $(WORKLOADS) ## what the kernel charges to the image's container, with up to 250 others (as root)
	@tests/bench/image-memory

# tests/bench/image-memory-vm says what must be there. PAGES="4 16", CPUS="1 4 8".
bench-image-vm: ## the same on arm64 kernels, with pages of 4 and 16 KiB and 1, 4 and 8 CPUs (PAGES=16 CPUS=4)
	+@MAKE="$(MAKE)" PAGES="$(PAGES)" tests/bench/image-memory-vm $(CPUS)

bench-scrape: $(BUILD)/bramble $(WORKLOADS) $(BENCH)/expose ## what a scrape takes in each format, beside node_exporter (as root)
	@scripts/install-packages build bench
	@$(BENCH)/expose $(or $(CONTAINERS),250)
	@tests/bench/scrape $(or $(CONTAINERS),250)

bench-top: $(BUILD)/bramble $(WORKLOADS) $(BENCH)/reading ## what top takes with 250 containers (as root)
	@scripts/install-packages build bench
	@tests/bench/top $(or $(CONTAINERS),250)

bench-record: $(BUILD)/bramble $(WORKLOADS) ## what the record for `bramble why` takes with 250 containers (as root)
	@tests/bench/record $(or $(CONTAINERS),250)

.PHONY: bench-record bench bench-network bench-containers bench-image bench-image-vm bench-scrape bench-top

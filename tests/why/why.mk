# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# Containers whose trouble is known, and what `bramble why` says of them: docs/why.md has the table.

# SCENARIOS="cpu quiet" runs these files of tests/why/scenarios alone.
test-why: $(BUILD)/bramble $(WORKLOADS) ## twenty troubles in containers: does `why` name cause and culprit? (as root; SCENARIOS=cpu)
	@tests/why/run $(SCENARIOS)

.PHONY: test-why

# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# What `make install` and the package bring beside the program.

test-package: $(BUILD)/bramble pages ## man pages and completions of shells
	@tests/package/run $(BUILD)

.PHONY: test-package

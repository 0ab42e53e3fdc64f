/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* How a test is skipped: with its reason, which tests/unit/run wants. After <cmocka.h>. */
#ifndef BRAMBLE_TEST_SKIP_H
#define BRAMBLE_TEST_SKIP_H

#define skip_because(...)                                                                          \
	do {                                                                                       \
		print_message("skipped because ");                                                 \
		print_message(__VA_ARGS__);                                                        \
		print_message("\n");                                                               \
		skip();                                                                            \
	} while (0)

#endif

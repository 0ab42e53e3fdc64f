/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef BRAMBLE_ARRAY_H
#define BRAMBLE_ARRAY_H

/*
 * The number of elements of an array, a constant of type size_t. A pointer, which does not know
 * the length of its array, does not compile.
 */
#define ARRAY_SIZE(array)                                                                          \
	(sizeof(array) / sizeof((array)[0]) +                                                      \
	 0 * sizeof(struct {                                                                       \
		 _Static_assert(!__builtin_types_compatible_p(__typeof__(array),                   \
							      __typeof__(&(array)[0])),            \
				"ARRAY_SIZE of a pointer");                                        \
		 char unused;                                                                      \
	 }))

#endif

/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What the user has chosen, and what each key changes. It knows nothing of the terminal.
 */
#ifndef BRAMBLE_TOP_UI_H
#define BRAMBLE_TOP_UI_H

#include <stdbool.h>
#include <stdint.h>

#include "top/columns.h"

enum ui_page {
	PAGE_TABLE,
	PAGE_ROW,
	PAGE_HELP,
};

/* Keys: a byte that was typed, or one of these. */
enum ui_key {
	UI_KEY_UP = 0x100,
	UI_KEY_DOWN,
	UI_KEY_PAGE_UP,
	UI_KEY_PAGE_DOWN,
	UI_KEY_HOME,
	UI_KEY_END,
	UI_KEY_ENTER,
	UI_KEY_ESCAPE,
	UI_KEY_BACKSPACE,
	UI_KEY_TAB,
	UI_KEY_LEFT,
	UI_KEY_RIGHT,
	UI_KEY_HELP,
};

#define UI_FILTER_SIZE 1024

struct ui {
	enum ui_page page, page_before_help;
	enum row_level level;
	enum column_id sort;
	bool reverse;
	bool frozen;
	bool mouse;
	uint64_t interval_ns;
	char filter[UI_FILTER_SIZE]; /* a valid regular expression; "": none */
	bool editing;		     /* the filter is being typed: */
	char typed[UI_FILTER_SIZE];
	bool typed_wrong; /* it is no regular expression */
	/* The selected row: by its name, since rows move; by its place if it is gone. */
	char selected[ROW_NAME_SIZE];
	size_t place, first;  /* of the rows, and the first one on the screen */
	unsigned int heatmap; /* which one comes first on the page of a row */
	bool quit;
};

/* What to do after a key. */
enum ui_change {
	UI_NOTHING = 0,
	UI_DRAW = 1,	 /* draw the screen */
	UI_ARRANGE = 2,	 /* make the rows again: level, filter or order changed */
	UI_INTERVAL = 4, /* the interval changed, or starts again */
};

void ui_init(struct ui *ui, enum column_id sort, enum row_level level, uint64_t interval_ns,
	     const char *filter);

/* Handles a key. rows: what is shown; page_rows: how many fit. Returns enum ui_change values, ored.
 */
unsigned int ui_key(struct ui *ui, int key, const struct rows *rows, size_t page_rows);

/* Handles a click on the nth row of the screen. Returns the same. */
unsigned int ui_click(struct ui *ui, size_t nth, bool twice, const struct rows *rows);

/* Finds the selected row among new rows and keeps it on the screen. */
void ui_follow(struct ui *ui, const struct rows *rows, size_t page_rows);

/* The selected row, or NULL if there is none. On the page of a row it may be gone for now. */
const struct row *ui_selected(const struct ui *ui, const struct rows *rows);

#endif

/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The terminal. Nothing else uses ncurses. There is one screen at a time, and one thread.
 * However the program ends, the terminal is restored.
 */
#ifndef BRAMBLE_TOP_SCREEN_H
#define BRAMBLE_TOP_SCREEN_H

#include <stdbool.h>

#include "top/grid.h"
#include "top/ui.h"

#define SCREEN_OBSTACLE_SIZE 192

/*
 * Says why the terminal cannot be drawn on, in words that may be written to text; NULL if it can
 * be. It needs a terminal description (terminfo(5)) that tells how to move the cursor.
 */
const char *screen_obstacle(char text[SCREEN_OBSTACLE_SIZE]);

/* Returns 0, or a negative errno after the reason has been logged. */
int screen_open(void);
void screen_close(void);

/* Whether the locale has more characters than ASCII. */
bool screen_is_utf8(void);

void screen_size(int *height, int *width);

/* To be called when the terminal's size has changed. */
void screen_resized(void);

/* Shows a grid of the screen's size. */
void screen_show(const struct grid *grid);

/* Draws everything again, whatever the terminal shows. */
void screen_redraw(void);

/* Turns the mouse on or off: whether clicks are keys. */
void screen_mouse(bool on);

#define SCREEN_CLICK	   0x200 /* screen_key() says where */
#define SCREEN_CLICK_TWICE 0x201
#define SCREEN_REDRAW	   0x202
#define SCREEN_NO_KEY	   (-1)
#define SCREEN_GONE	   (-2) /* the terminal was closed */

/* The next key that was typed (enum ui_key or one of the above). Does not wait. */
int screen_key(int *line);

#endif

/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "top/screen.h"

#include <errno.h>
#include <langinfo.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <term.h>
#include <termios.h>
#include <unistd.h>

#include <curses.h>

#include "util/array.h"
#include "util/log.h"

#define ESCAPE_DELAY_MS 25
#define KEY_CTRL_L	0x0c
#define RESTORE_SIZE	256

/* What a crash handler needs to restore the terminal: it may not allocate memory. */
static struct {
	struct termios termios;
	char sequence[RESTORE_SIZE];
	size_t len;
} restore;

static const int crash_signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGSYS, SIGTRAP};

#define CRASH_SIGNALS ARRAY_SIZE(crash_signals)

static SCREEN *screen;
static attr_t style_attributes[STYLES];

static void on_crash(int number)
{
	ssize_t written = write(STDOUT_FILENO, restore.sequence, restore.len);

	(void)written;
	tcsetattr(STDIN_FILENO, TCSANOW, &restore.termios);
	/* The handler is gone (SA_RESETHAND), so that this ends the program as usual. */
	raise(number);
}

static void set_crash_handlers(void (*handler)(int))
{
	struct sigaction action = {.sa_handler = handler,
				   .sa_flags = (int)SA_RESETHAND | SA_NODEFER};
	size_t i;

	for (i = 0; i < CRASH_SIGNALS; i++)
		sigaction(crash_signals[i], &action, NULL);
}

static void add_sequence(const char *sequence)
{
	size_t len = sequence ? strlen(sequence) : 0;

	if (!len || restore.len + len > sizeof(restore.sequence))
		return;
	memcpy(restore.sequence + restore.len, sequence, len);
	restore.len += len;
}

/* From the terminal's description. The mouse is turned off as xterm does it. */
static void note_restore_sequence(void)
{
	restore.len = 0;
	add_sequence(has_mouse() ? "\033[?1000l\033[?1006l" : NULL);
	add_sequence(exit_attribute_mode);
	add_sequence(keypad_local);
	add_sequence(cursor_normal);
	add_sequence(exit_ca_mode);
}

/* ---------------------------------------------------------------- colours */

/*
 * Colours that people with any colour vision can tell apart (after Okabe and Ito, 2008), if the
 * terminal has them. Letters and shades say the same without colours.
 */
static const struct {
	short many, eight; /* foreground, with 256 colours and with 8 */
} wait_colours[WAIT_CAUSES] = {
	[WAIT_CPU] = {214, COLOR_YELLOW},     /* orange */
	[WAIT_THROTTLED] = {166, COLOR_RED},  /* vermilion */
	[WAIT_DISK] = {33, COLOR_BLUE},	      /* blue */
	[WAIT_FSYNC] = {117, COLOR_CYAN},     /* sky blue */
	[WAIT_NETWORK] = {36, COLOR_GREEN},   /* bluish green */
	[WAIT_MEMORY] = {175, COLOR_MAGENTA}, /* reddish purple */
	[WAIT_BLOCKED] = {227, COLOR_WHITE},  /* yellow */
};

/* From dark to light, like viridis: the lightness alone tells the order. */
static const short heat_many[HEAT_LEVELS] = {54, 61, 67, 31, 36, 71, 148, 226};
static const short heat_eight[HEAT_LEVELS] = {COLOR_BLUE,  COLOR_BLUE,	COLOR_CYAN,   COLOR_CYAN,
					      COLOR_GREEN, COLOR_GREEN, COLOR_YELLOW, COLOR_YELLOW};

/* All of them are small numbers. */
static attr_t colour(int pair, int foreground, int background)
{
	return init_extended_pair(pair, foreground, background) == OK ? COLOR_PAIR(pair) : A_NORMAL;
}

static void set_styles(void)
{
	bool colours = has_colors() && start_color() == OK && use_default_colors() == OK;
	bool many = colours && COLORS >= 256;
	int pair = 1, i;

	style_attributes[STYLE_NORMAL] = A_NORMAL;
	style_attributes[STYLE_BOLD] = A_BOLD;
	style_attributes[STYLE_DIM] = many ? colour(pair++, 245, -1) : A_NORMAL;
	style_attributes[STYLE_TITLES] = A_UNDERLINE;
	style_attributes[STYLE_SELECTED] = A_REVERSE;
	style_attributes[STYLE_WARNING] =
		A_BOLD | (colours ? colour(pair++, many ? 208 : COLOR_YELLOW, -1) : A_REVERSE);
	for (i = 0; i < WAIT_CAUSES; i++)
		style_attributes[STYLE_WAIT + i] =
			!colours ? A_REVERSE
			: many	 ? colour(pair++, 16, wait_colours[i].many)
				 : colour(pair++, COLOR_BLACK, wait_colours[i].eight);
	for (i = 0; i < HEAT_LEVELS; i++)
		style_attributes[STYLE_HEAT + i] =
			colours ? colour(pair++, many ? heat_many[i] : heat_eight[i], -1)
				: A_NORMAL;
}

/* ---------------------------------------------------------------- the screen */

bool screen_is_utf8(void)
{
	return strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

const char *screen_obstacle(char text[SCREEN_OBSTACLE_SIZE])
{
	const char *term = getenv("TERM"), *why;
	int found = 1; /* 0: no such entry; -1: no database */
	bool can;

	if (!term || !term[0])
		return "TERM is not set";
	can = setupterm(term, STDOUT_FILENO, &found) == OK && cursor_address;
	if (cur_term)
		del_curterm(cur_term);
	if (can)
		return NULL;
	why = found > 0 ? "such a terminal cannot move its cursor"
			: "nothing is known of such a terminal (Debian: packages ncurses-base, "
			  "ncurses-term)";
	snprintf(text, SCREEN_OBSTACLE_SIZE, "TERM=%.64s: %s", term, why);
	return text;
}

int screen_open(void)
{
	const char *term = getenv("TERM");

	if (tcgetattr(STDIN_FILENO, &restore.termios)) {
		int err = -errno;

		log_error("cannot read the terminal's settings: %s", strerror(-err));
		return err;
	}
	screen = newterm(NULL, stdout, stdin);
	if (!screen) {
		log_error("cannot draw on this terminal (TERM=%s): set TERM to what it is, or "
			  "use --once or --batch",
			  term ? term : "");
		return -ENOTSUP;
	}
	note_restore_sequence();
	set_crash_handlers(on_crash);
	cbreak();
	noecho();
	nonl();
	keypad(stdscr, TRUE);
	nodelay(stdscr, TRUE);
	set_escdelay(ESCAPE_DELAY_MS);
	curs_set(0);
	set_styles();
	return 0;
}

void screen_close(void)
{
	if (!screen)
		return;
	screen_mouse(false);
	endwin();
	set_crash_handlers(SIG_DFL);
	delscreen(screen);
	screen = NULL;
}

void screen_size(int *height, int *width)
{
	getmaxyx(stdscr, *height, *width);
}

void screen_resized(void)
{
	struct winsize size;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row && size.ws_col)
		resizeterm(size.ws_row, size.ws_col);
	/* Nobody knows what the terminal did with the old lines. */
	clearok(stdscr, TRUE);
}

static void show_line(const struct grid *grid, int y)
{
	/* A run of cells of one style. */
	char run[GRID_CHAR_SIZE * 64];
	int x, start = 0;
	size_t len = 0;

	for (x = 0; x <= grid->width; x++) {
		const struct grid_cell *cell = x < grid->width ? grid_cell(grid, y, x) : NULL;
		bool ends = !cell || cell->style != grid_cell(grid, y, start)->style ||
			    len + GRID_CHAR_SIZE > sizeof(run);

		if (ends && x > start) {
			run[len] = '\0';
			attrset((int)style_attributes[grid_cell(grid, y, start)->style]);
			mvaddnstr(y, start, run, (int)len);
			start = x;
			len = 0;
		}
		if (cell) {
			size_t cell_len = strlen(cell->text);

			memcpy(run + len, cell->text, cell_len);
			len += cell_len;
		}
	}
}

void screen_show(const struct grid *grid)
{
	int y;

	erase();
	for (y = 0; y < grid->height; y++)
		show_line(grid, y);
	refresh();
}

void screen_redraw(void)
{
	clearok(stdscr, TRUE);
}

void screen_mouse(bool on)
{
	mousemask(on ? BUTTON1_PRESSED | BUTTON1_CLICKED | BUTTON1_DOUBLE_CLICKED : 0, NULL);
	mouseinterval(on ? 200 : 0);
}

static int click(int *line)
{
	MEVENT event;

	if (getmouse(&event) != OK)
		return SCREEN_NO_KEY;
	*line = event.y;
	return event.bstate & BUTTON1_DOUBLE_CLICKED ? SCREEN_CLICK_TWICE : SCREEN_CLICK;
}

static int translate(int key, int *line)
{
	static const struct {
		int curses, key;
	} keys[] = {
		{KEY_UP, UI_KEY_UP},
		{KEY_DOWN, UI_KEY_DOWN},
		{KEY_PPAGE, UI_KEY_PAGE_UP},
		{KEY_NPAGE, UI_KEY_PAGE_DOWN},
		{KEY_HOME, UI_KEY_HOME},
		{KEY_END, UI_KEY_END},
		{KEY_ENTER, UI_KEY_ENTER},
		{'\r', UI_KEY_ENTER},
		{'\n', UI_KEY_ENTER},
		{'\033', UI_KEY_ESCAPE},
		{KEY_BACKSPACE, UI_KEY_BACKSPACE},
		{0x7f, UI_KEY_BACKSPACE},
		{'\b', UI_KEY_BACKSPACE},
		{'\t', UI_KEY_TAB},
		{KEY_LEFT, UI_KEY_LEFT},
		{KEY_RIGHT, UI_KEY_RIGHT},
		{KEY_F(1), UI_KEY_HELP},
		{KEY_CTRL_L, SCREEN_REDRAW},
	};
	size_t i;

	if (key == KEY_MOUSE)
		return click(line);
	for (i = 0; i < ARRAY_SIZE(keys); i++)
		if (keys[i].curses == key)
			return keys[i].key;
	/* A key without a meaning must not look like the end of the keys. */
	return key < 0x100 ? key : UI_KEY_HELP + 1;
}

int screen_key(int *line)
{
	struct pollfd in = {.fd = STDIN_FILENO, .events = POLLIN};
	int key = getch();

	if (key != ERR)
		return translate(key, line);
	/* There is something to read, but no key: the terminal is gone. */
	if (poll(&in, 1, 0) > 0 && (in.revents & (POLLHUP | POLLERR | POLLIN)))
		return SCREEN_GONE;
	return SCREEN_NO_KEY;
}

# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#
# usage: bramble --help-table | awk -f docs/man/page.awk -v command=serve -v version=1.2.3 -v date=2026-01-31
#
# Writes the man page of a command, or of bramble itself (command=""), in roff: from the table of the
# flags (src/cli/flags.h), and from what was written by hand for it in docs/man/COMMAND.roff.

BEGIN {
	FS = "\t"
	folder = "docs/man"
	name = command == "" ? "bramble" : "bramble-" command
}
$1 == "command" { current = $2; commands[++command_count] = $2; short[$2] = $3 }
$1 == "about" { about[current] = $2 }
$1 == "args" { args[current] = $2 }
$1 == "flag" { has_flags[current] = 1 }
$1 == "flag" && current == command { flags[++flag_count] = $0 }

# A backslash is a letter, and a dash is the ASCII one.
function text(s) {
	gsub(/\\/, "\\e", s)
	gsub(/-/, "\\-", s)
	while (match(s, /`[^`]*`/))
		s = substr(s, 1, RSTART - 1) "\\fB" substr(s, RSTART + 1, RLENGTH - 2) "\\fR" substr(s, RSTART + RLENGTH)
	return s
}

# Prints a paragraph in lines of at most 78 letters, none of which begins with what roff takes for a
# request.
function put(s,    words, n, i, line) {
	n = split(text(s), words, " ")
	for (i = 1; i <= n; i++) {
		if (line != "" && length(line) + length(words[i]) > 77) {
			print line
			line = ""
		}
		line = line == "" ? (words[i] ~ /^[.']/ ? "\\&" : "") words[i] : line " " words[i]
	}
	print line
}

# print_written(PAGE, PART): what is written by hand: the "begin", up to the first section, or the
# "sections"
function print_written(page, wanted,    file, line, part) {
	file = folder "/" page ".roff"
	part = "begin"
	while ((getline line < file) > 0) {
		if (line ~ /^\.SH/)
			part = "sections"
		if (line !~ /^\.\\"/ && part == wanted)
			print line
	}
	close(file)
}

# A default that is nothing is not worth a word.
function print_flag(row,    f, n, s) {
	n = split(row, f, "\t")
	print ".TP"
	if (f[3] == "bool")
		print "\\fB\\-\\-" text(f[2]) "\\fR, \\fB\\-\\-no\\-" text(f[2]) "\\fR"
	else
		print "\\fB\\-\\-" text(f[2]) "\\fR=\\fI" text(f[4]) "\\fR"
	s = f[7]
	if (f[3] == "list")
		s = s " May be repeated."
	put(s)
	if (f[6] != "")
		put("Default: " f[6] ".")
	print "Variable: \\%" f[8] "." # which is not hyphenated
}

function print_environment() {
	print ".SH ENVIRONMENT"
	put("A flag that is not given has the value of its variable, which is named above. A switch takes 1, true, yes, on, " \
		"0, false, no or off there, and what may be repeated has commas between. An empty variable counts as not set, " \
		"unless the flag may be empty. A variable that is no flag's is ignored.")
}

# How values are written, of flags that take any.
function print_forms(    i, f, value, time) {
	for (i = 1; i <= flag_count; i++) {
		split(flags[i], f, "\t")
		value = value || f[3] != "bool"
		time = time || f[4] == "TIME"
	}
	if (value)
		put("A value may also be the word after the flag.")
	if (time)
		put("A TIME is a number and a unit, such as 250ms, 5m or 1h30m.")
}

function print_command_page(    i, words) {
	print ".SH SYNOPSIS"
	print ".B bramble " text(command)
	if (has_flags[command])
		print ".RI [ FLAG ...]"
	if (command in args) {
		words = args[command]
		sub(/\.\.\.$/, " ...", words)
		if (words ~ /^\[.*\]$/)
			words = "[ " substr(words, 2, length(words) - 2) " ]"
		else
			words = "\"\" " words
		print ".RI " words
	}
	print ".SH DESCRIPTION"
	put(about[command])
	print_written(command, "begin")
	print ".SH OPTIONS"
	print_forms()
	print ".TP"
	print "\\fB\\-h\\fR, \\fB\\-\\-help\\fR"
	print "Show the help."
	for (i = 1; i <= flag_count; i++)
		print_flag(flags[i])
	if (has_flags[command])
		print_environment()
	print_written(command, "sections")
}

function print_main_page(    i) {
	print ".SH SYNOPSIS"
	print ".B bramble"
	print ".I COMMAND"
	print ".RI [ FLAG ...]"
	print ".SH DESCRIPTION"
	print_written("bramble", "begin")
	print ".SH COMMANDS"
	for (i = 1; i <= command_count; i++) {
		print ".TP"
		print ".BR bramble\\-" commands[i] " (1)"
		print toupper(substr(short[commands[i]], 1, 1)) text(substr(short[commands[i]], 2)) "."
	}
	print_written("bramble", "sections")
}

function print_see_also(    i, s) {
	print ".SH SEE ALSO"
	if (command != "")
		s = ".BR bramble (1)"
	for (i = 1; i <= command_count; i++)
		if (commands[i] != command)
			s = s (s == "" ? "" : ",\n") ".BR bramble\\-" commands[i] " (1)"
	print s
}

END {
	if (command != "" && !(command in short)) {
		print "page.awk: bramble has no command " command > "/dev/stderr"
		exit 1
	}
	print ".\\\" Made from the table of the flags, and docs/man/" (command == "" ? "bramble" : command) ".roff."
	print ".TH " toupper(text(name)) " 1 " date " \"bramble " version "\" \"User Commands\""
	print ".SH NAME"
	print text(name) " \\- " text(command == "" ? "tells which pod is slow, and why" : short[command])
	if (command == "")
		print_main_page()
	else
		print_command_page()
	print_written("exit-status", "sections")
	print_written(command "-exit", "begin") # of the few that have further ones
	print_see_also()
}

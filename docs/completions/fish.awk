# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#
# usage: bramble --help-table | awk -f docs/completions/fish.awk
#
# Writes the completion for fish.

BEGIN {
	FS = "\t"
	print "# fish completion for bramble, made from the table of its flags."
	print "function __bramble_command"
	print "\tset -l words (commandline -opc)"
	print "\ttest (count $words) -gt 1; and test $words[2] = $argv[1]"
	print "end"
	print "complete -c bramble -f"
	print "complete -c bramble -n 'test (count (commandline -opc)) -eq 1' -s h -l help -d 'Show the commands.'"
	print "complete -c bramble -n 'test (count (commandline -opc)) -eq 1' -l version -d 'Show the version.'"
}
$1 == "command" {
	current = $2
	print "complete -c bramble -n 'test (count (commandline -opc)) -eq 1' -a " $2 " -d " quoted($3)
	print "complete -c bramble -n '__bramble_command help' -a " $2 " -d " quoted($3)
	print "complete -c bramble -n '__bramble_command " $2 "' -s h -l help -d 'Show the help.'"
}
$1 == "flag" && $3 == "bool" {
	print "complete -c bramble -n '__bramble_command " current "' -l " $2 " -d " quoted(first($7))
	print "complete -c bramble -n '__bramble_command " current "' -l no-" $2 " -d " quoted("Not: " first($7))
}
$1 == "flag" && $3 != "bool" {
	print "complete -c bramble -n '__bramble_command " current "' -l " $2 " " action($4, $5) " -d " quoted(first($7))
}

function quoted(s) { gsub(/\\/, "\\\\", s); gsub(/'/, "\\'", s); return "'" s "'" }
# The first sentence is enough there.
function first(s) { sub(/\. .*/, ".", s); gsub(/`/, "", s); return s }

function action(form, choices,    parts, n, i, list, files) {
	n = split(choices != "" ? choices : form, parts, choices != "" ? "," : "|")
	for (i = 1; i <= n; i++)
		if (parts[i] == "FILE")
			files = "-r -F"
		else if (parts[i] == "DIR")
			files = "-x -a '(__fish_complete_directories)'"
		else if (parts[i] ~ /^[a-z0-9]+$/)
			list = list (list == "" ? "" : " ") parts[i]
	if (files == "")
		files = "-x"
	return files (list == "" ? "" : " -a '" list "'")
}

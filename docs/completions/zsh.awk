# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#
# usage: bramble --help-table | awk -f docs/completions/zsh.awk
#
# Writes the completion for zsh.

BEGIN { FS = "\t" }
$1 == "command" {
	current = $2
	commands = commands "\t\t'" $2 ":" quoted($3) "'\n"
	order[++count] = $2
}
$1 == "flag" && $3 == "bool" {
	add("'(--no-" $2 ")--" $2 "[" described($7) "]'")
	add("'(--" $2 ")--no-" $2 "[" described("Not: " $7) "]'")
}
$1 == "flag" && $3 != "bool" {
	add("'" ($3 == "list" ? "*" : "") "--" $2 "=[" described($7) "]:" escaped($4) ":" action($4, $5) "'")
}

function add(spec) { specs[current] = specs[current] " \\\n\t\t\t" spec }
function quoted(s) { gsub(/'/, "'\\''", s); return s }
function escaped(s) { gsub(/:/, "\\:", s); return quoted(s) }
# The first sentence is enough there.
function described(s) {
	sub(/\. .*/, ".", s)
	gsub(/[][]/, "\\\\&", s)
	gsub(/`/, "", s)
	return quoted(s)
}

function action(form, choices,    parts, n, i, list, files) {
	n = split(choices != "" ? choices : form, parts, choices != "" ? "," : "|")
	for (i = 1; i <= n; i++)
		if (parts[i] == "FILE")
			files = "_files"
		else if (parts[i] == "DIR")
			files = "_files -/"
		else if (parts[i] ~ /^[a-z0-9]+$/)
			list = list (list == "" ? "" : " ") parts[i]
	if (list != "" && files != "")
		return "{compadd " list "; " files "}"
	return list != "" ? "(" list ")" : files != "" ? files : " "
}

END {
	print "#compdef bramble"
	print "# zsh completion for bramble, made from the table of its flags."
	print "_bramble() {"
	print "\tlocal curcontext=$curcontext state line"
	print "\tlocal -a commands=("
	printf "%s", commands
	print "\t)"
	print "\t_arguments -C '(-h --help)'{-h,--help}'[Show the commands.]' '--version[Show the version.]' \\"
	print "\t\t'1:command:->command' '*::argument:->arguments' && return"
	print "\t[[ $state == command ]] && { _describe command commands; return }"
	print "\tcase $words[1] in"
	for (i = 1; i <= count; i++) {
		print "\t" order[i] ")"
		print "\t\t_arguments '(-h --help)'{-h,--help}'[Show the help.]'" specs[order[i]] \
			(order[i] == "help" ? " \\\n\t\t\t'1:command:_bramble_commands'" : "")
		print "\t\t;;"
	}
	print "\tesac"
	print "}"
	print "_bramble_commands() {"
	print "\tlocal -a commands=("
	printf "%s", commands
	print "\t)"
	print "\t_describe command commands"
	print "}"
	print "_bramble \"$@\""
}

# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#
# usage: bramble --help-table | awk -f docs/completions/bash.awk
#
# Writes the completion for bash. It needs nothing of the package bash-completion.

BEGIN { FS = "\t" }
$1 == "command" { current = $2; commands = commands " " $2; words[current] = "--help" }
$1 == "flag" && $3 == "bool" { words[current] = words[current] " --" $2 " --no-" $2 }
$1 == "flag" && $3 != "bool" {
	words[current] = words[current] " --" $2 "="
	found = settings($4, $5)
	if (found != "")
		cases = cases "\t\t\"" current " --" $2 "\")" found " ;;\n"
}

# What is known of a flag's value: the words that it may be, and whether it is a file or a directory.
function settings(form, choices,    parts, n, i, list, action) {
	n = split(choices != "" ? choices : form, parts, choices != "" ? "," : "|")
	for (i = 1; i <= n; i++)
		if (parts[i] == "FILE")
			action = " files=-f"
		else if (parts[i] == "DIR")
			action = " files=-d"
		else if (parts[i] ~ /^[a-z0-9]+$/)
			list = list (list == "" ? "" : " ") parts[i]
	return (list == "" ? "" : " values=\"" list "\"") action
}

END {
	print "# bash completion for bramble, made from the table of its flags."
	print "_bramble() {"
	print "\tlocal command=${COMP_WORDS[1]} cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}"
	print "\tlocal flag= flags= values= files= IFS=$' \\t\\n'"
	print "\tCOMPREPLY=()"
	print "\tif ((COMP_CWORD == 1)); then"
	print "\t\tmapfile -t COMPREPLY < <(compgen -W '" substr(commands, 2) " --help --version' -- \"$cur\")"
	print "\t\treturn"
	print "\tfi"
	print "\t# bash takes --flag=value for three words."
	print "\tif [[ $cur == = ]]; then"
	print "\t\tflag=$prev cur="
	print "\telif [[ $prev == = ]]; then"
	print "\t\tflag=${COMP_WORDS[COMP_CWORD - 2]}"
	print "\telif [[ $prev == --* && $cur != --* ]]; then"
	print "\t\tflag=$prev"
	print "\tfi"
	print "\tcase $command in"
	n = split(substr(commands, 2), list, " ")
	for (i = 1; i <= n; i++)
		print "\t" list[i] ") flags=\"" words[list[i]] "\" ;;"
	print "\t*) return ;;"
	print "\tesac"
	print "\tif [[ $flag && \" $flags\" == *\" $flag=\"* ]]; then"
	print "\t\tcase \"$command $flag\" in"
	printf "%s", cases
	print "\t\tesac"
	print "\t\tmapfile -t COMPREPLY < <(compgen -W \"$values\" -- \"$cur\")"
	print "\t\t[[ -z $files ]] || { compopt -o filenames 2>/dev/null; mapfile -t -O ${#COMPREPLY[@]} COMPREPLY < <(compgen \"$files\" -- \"$cur\"); }"
	print "\t\treturn"
	print "\tfi"
	print "\t[[ $command != help || $cur == -* ]] || flags='" substr(commands, 2) "'"
	print "\tmapfile -t COMPREPLY < <(compgen -W \"$flags\" -- \"$cur\")"
	print "\t[[ ${#COMPREPLY[@]} != 1 || ${COMPREPLY[0]} != *= ]] || compopt -o nospace 2>/dev/null"
	print "}"
	print "complete -F _bramble bramble"
}

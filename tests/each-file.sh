# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#
# For tests/lint and tests/analyze: looks at many files, as many at a time as there are CPUs, and
# remembers in build/lint which ones were found to be clean. A file is looked at again if anything has
# changed that the answer depends on: the tool, how it is called, what configures it, the file, and
# every file that it includes, those of the system too. A failure is not remembered.
#
# WHAT is what the PASS and FAIL lines call the look, such as "lint clang-tidy".
remembered=build/lint
# shellcheck disable=SC2034 # what sources this exits with it
status=0
mkdir -p "$remembered"

# What one look depends on beside the tool: the names of files. FILE FLAG...
reads_alone() { echo "$1"; }
# The compiler knows what is included.
reads_included() { cc "${@:2}" -M "$1" | sed 's/^[^:]*: //; s/\\$//' | tr -s ' ' '\n' | grep .; }
# A script may source any of those that are no programs.
reads_sourced() { echo "$1"; find tests scripts -name '[!0-9]*.sh'; }

# key LOOK READS TOOL-IDENTITY FILE FLAG...: all that the answer depends on. Fails if that is not known.
key() {
	local look=$1 reads=$2 identity=$3 file=$4 names
	shift 4
	names=$("$reads" "$file" "$@") || return
	{
		echo "$identity" "$file" "$@"
		declare -f "$look"
		echo "$names" | xargs sha256sum
	} | sha256sum | cut -d ' ' -f 1
}

# look LOOK READS TOOL-IDENTITY FILE FLAG...: says "CODE again FILE" or "CODE known FILE".
look() {
	local function=$1 file=$4 name said code
	name=$(key "$@" 2>/dev/null) && [ -e "$remembered/$name" ] && echo "0 known $file" && return
	shift 3
	said=$("$function" "$@" 2>&1)
	code=$?
	if [ $code != 0 ]; then
		echo "$said" | grep -v 'warnings* generated\.$' >&2
	elif [ -n "$name" ]; then
		: >"$remembered/$name"
	fi
	echo "$code again $file"
}
export remembered
export -f reads_alone reads_included reads_sourced key look

# each WHAT LOOK READS TOOL-IDENTITY FLAG... < FILES: one PASS line, or a FAIL line for each file that
# the function LOOK fails for. It is called with the file and the flags.
each() {
	local what=$1 function=$2
	export -f "${function?}"
	# shellcheck disable=SC2016 # expanded by the inner shell
	xargs -P "$(nproc)" -I FILE bash -c 'look "$1" "$2" "$3" FILE "${@:4}"' bash "${@:2}" |
		awk -v what="$what" '
		{ files++; known += $2 == "known" }
		$1 != 0 { print "FAIL " what ": " $3; failed = 1 }
		END {
			if (!failed)
				print "PASS " what ": " files + 0 " files" (known ? ", " known " of them as before" : "")
			exit failed
		}' || status=1
}

# tool_is WHAT VERSION COMMAND...: whether the tool is of this version, Debian 12's: others find other
# things. Else a SKIP line, or a FAIL line if it is missing: `make test` installs it.
tool_is() {
	local what=$1 version=$2 found
	shift 2
	found=$("$@" 2>/dev/null | grep -oE '[0-9]+\.[0-9]+' | head -n 1)
	[ "$found" = "$version" ] && return
	if [ -z "$found" ]; then
		echo "FAIL $what: it is not installed: scripts/install-packages test"
		# shellcheck disable=SC2034
		status=1
	else
		echo "SKIP $what: version $version (Debian 12's) is the rule, this machine has $found"
	fi
	return 1
}

# llvm_tool NAME: the program of version 14, where there are several.
llvm_tool() { command -v "$1-14" || echo "$1"; }

# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# What the gates share: the top of the tree, its files, builds of the module.
#
# Sourced by each gate, which then runs in the top folder of the repository. A
# gate prints `FILE:LINE: REASON` for each fault and ends with 0 or 1.

set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
TOP=$PWD
self=${0##*/}

fail()
{
	echo "$self: $1" >&2
	exit 1
}

# need PROGRAM...: a gate without its program must not pass.
need()
{
	local program

	for program; do
		command -v "$program" >/dev/null ||
			fail "$program is missing: run selftests/packages"
	done
}

# files FIND-TEST...: the files of the tree, one a line, sorted.
files()
{
	find . \( -path ./build -o -name .git -o -name __pycache__ \) -prune -o \
		-type f \( "$@" \) -printf '%P\n' | LC_ALL=C sort
}

c_files()
{
	files -path './module/*.[ch]' -o -path './uapi/*.h' \
		-o -path './userspace/*.[ch]' -o -path './selftests/*.[ch]'
}

# releases: the stock kernels that the module is built for, or the one that
# RELEASE names.
releases()
{
	if [[ ${RELEASE:-} ]]; then
		echo "$RELEASE"
	else
		selftests/vm/kernel 6.1 kver && selftests/vm/kernel 6.12 kver
	fi
}

# build_module RELEASE MAKE-ARGUMENT...: a build of the gates' own, so that it
# is neither spoilt by another's flags nor spoils the module that is tested.
# The build is shared by the gates that need one.
build_module()
{
	local release=$1 folder=$TOP/build/gate-$1 status=0

	shift
	"$(dirname "${BASH_SOURCE[0]}")/../copy-module" "$folder"
	make -C "/usr/src/linux-headers-$release" M="$folder" -j2 -k W=1 \
		KCFLAGS=-Werror "$@" modules >"$folder/log" 2>&1 || status=$?
	((status == 0)) && return
	grep -E '(error|warning|ERROR|WARNING|undefined|note):|^make.*\*\*\*' \
		"$folder/log" | sed "s|$folder/||g"
	fail "$release: the log is in build/gate-$release/log"
}

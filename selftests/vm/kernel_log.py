# SPDX-License-Identifier: GPL-2.0-only
"""Finds the kernel's reports of its own faults in a kernel log."""

import re

# What a user's program can cause by itself (segfaults, traps) is no fault of the kernel.
REPORT = re.compile(
    r"WARNING: |\bBUG:|kernel BUG at|\bOops\b|Kernel panic|cut here"
    r"|possible recursive locking|circular locking|inconsistent lock state|suspicious RCU usage"
    r"|possible irq lock inversion|bad unlock balance|held lock freed|lock held when returning"
    r"|\bKASAN:|\bKCSAN:|UBSAN:|\brefcount_t: "
    r"|INFO: task .* blocked|detected stalls? on|self-detected stall"
    r"|unreferenced object|new suspected memory leaks"
    r"|general protection fault(, |: )|divide error: |invalid opcode: |stack segment: "
    r"|list_(add|del) corruption|Bad (page|rss-counter)|scheduling while atomic")


def reports(lines):
    """The lines that begin or belong to a report."""
    return [line.rstrip("\n") for line in lines if REPORT.search(line)]

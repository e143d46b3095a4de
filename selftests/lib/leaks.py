# SPDX-License-Identifier: GPL-2.0-only
"""Finds what the module did not give back, on a kernel that was booted with slub_debug=U.

Such a kernel tells of each object of the slab allocator by which functions it was allocated. Once
the module is unloaded no object may be left that was allocated below one of its functions. Objects
that others made, and that it kept a reference to, are counted.
"""

import bisect
import os
import pathlib
import re
import subprocess
import time

SLABS = pathlib.Path("/sys/kernel/slab")
TRACES = pathlib.Path("/sys/kernel/debug/slab")
VMALLOC = pathlib.Path("/proc/vmallocinfo")

# Caches that keep what was looked up, for as long as there is memory.
KEEPERS = re.compile(r"dentry|inode|kernfs|radix|buffer_head|kmalloc-rcl|lsm_")
# Of whom the kernel keeps something for the next one.
CACHED = re.compile(r"\b(register_kprobe|__gcov_init)\+")
# One for each of something that only processes have: none may be left when they have ended.
COUNTED = "filp", "files_cache", "fs_cache"
# One for each thread that there is; those of idle processors are always the same.
OF_THREADS = "task_struct", "pid"
# The last one of a processor stays in use while it is idle.
OF_PROCESSORS = ("mm_struct",)

SECONDS = 8
ENTRY = re.compile(r"^ *(\d+) ", re.M)
ADDRESS = re.compile(r"0x[0-9a-f]{16}")


def can_tell():
    """Whether this kernel tells."""
    try:
        return (SLABS / "kmalloc-64/store_user").read_text(encoding="ascii").strip() == "1"
    except OSError:
        return False


def traces(cache):
    """Who allocated the objects of a cache that are in use: [(how many, functions)]."""
    # KASAN holds back what was freed, and this makes it let go.
    (SLABS / cache / "shrink").write_text("1", encoding="ascii")
    text = (TRACES / cache / "alloc_traces").read_text(encoding="utf-8", errors="replace")
    return [(int(match[1]), entry) for entry in text.split("\n\n")
            if (match := ENTRY.match(entry))]


def number(cache):
    """How many objects of a cache are in use."""
    return sum(count for count, _ in traces(cache))


def threads():
    """How many threads there are, the kernel's too."""
    return sum(len(os.listdir(f"/proc/{pid}/task")) for pid in os.listdir("/proc")
               if pid.isdigit())


def counts():
    """What is counted, by name."""
    found = {cache: number(cache) for cache in COUNTED + OF_PROCESSORS}
    alive = threads()
    return found | {cache: number(cache) - alive for cache in OF_THREADS}


class Symbols:
    """Where the functions of the module lie, also when it is there no more."""

    def __init__(self):
        modules = pathlib.Path("/proc/modules").read_text(encoding="ascii").splitlines()
        words = next(line.split() for line in modules if line.startswith("ckpt "))
        self.start = int(words[5], 16)
        self.end = self.start + int(words[1])
        lines = pathlib.Path("/proc/kallsyms").read_text(encoding="ascii").splitlines()
        self.known = sorted((int(words[0], 16), words[2]) for words in map(str.split, lines)
                            if words[-1] == "[ckpt]")

    def find(self, text):
        """The module's functions in a text, the innermost first."""
        places = (int(word, 16) for word in ADDRESS.findall(text))
        return [self.name(place) for place in places if self.start <= place < self.end]

    def name(self, address):
        """The function in which an address lies."""
        index = bisect.bisect(self.known, (address, chr(0x10FFFF))) - 1
        return self.known[index][1] if index >= 0 else hex(address)


def objects(symbols):
    """What was allocated by the module and is still in use."""
    found = []
    for cache in sorted(path.name for path in TRACES.iterdir()):
        if KEEPERS.search(cache):
            continue
        for count, entry in traces(cache):
            names = symbols.find(entry)
            if names and not CACHED.search(entry):
                found.append(f"{count} of {cache} by {' < '.join(names[:3])}")
    for line in VMALLOC.read_text(encoding="utf-8").splitlines():
        names = symbols.find(" ".join(line.split()[2:]))
        if names:
            found.append(f"{line.split()[1]} bytes of vmalloc by {names[0]}")
    return found


def excess(before):
    """Of what there is more than before."""
    spare = {cache: os.cpu_count() for cache in OF_PROCESSORS}
    return [f"{count - before[cache]} of {cache} too many" for cache, count in counts().items()
            if count > before[cache] + spare.get(cache, 0)]


def settled(look):
    """What is found; nothing if it is gone after a while, as much is given back later."""
    end = time.monotonic() + SECONDS
    while (found := look()) and time.monotonic() < end:
        time.sleep(0.3)
    return found


def check(before, module):
    """Unloads the module, and loads it anew: what is left of it, and what is more than before."""
    symbols = Symbols()
    done = subprocess.run(["rmmod", "ckpt"], check=False, capture_output=True, text=True)
    if done.returncode:
        return [f"rmmod: {done.stderr.strip()}"]
    found = settled(lambda: objects(symbols)) + settled(lambda: excess(before))
    subprocess.run(["insmod", module], check=True)
    return found

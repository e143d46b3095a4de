# SPDX-License-Identifier: GPL-2.0-only
"""What a test says of itself in its first comment lines."""

import dataclasses
import fnmatch
import re

HEADER = re.compile(r"^# (summary|cost|kernels|own-vm|build): *(.*)$")
DEFAULT_COST = 30
LEAST_LIMIT = 120
# All kernels, the slowest first, and how long a test takes there compared to what it says.
SLOWNESS = {"debug": 2.5, "6.12": 1, "6.1": 1}


@dataclasses.dataclass
class Test:
    """One executable of selftests/tests."""

    name: str
    path: str
    cost: float = DEFAULT_COST
    kernels: tuple = ()
    build: tuple = ()
    own_vm: str | None = None

    def runs_on(self, kernel):
        """Whether it is for this kernel."""
        return not self.kernels or kernel in self.kernels

    def cost_on(self, kernel):
        """Seconds that it takes on an idle machine."""
        return self.cost * SLOWNESS.get(kernel, 1)

    def limit_on(self, kernel):
        """Seconds after which it has failed; generous, as the machine may be busy."""
        return max(LEAST_LIMIT, 10 * self.cost_on(kernel))


def read(path):
    """The test in this file."""
    test = Test(path.name, str(path))
    with open(path, encoding="utf-8", errors="replace") as file:
        for line, _ in zip(file, range(20)):
            match = HEADER.match(line)
            if not match:
                continue
            key, value = match.groups()
            if key == "cost":
                test.cost = float(value)
            elif key in ("kernels", "build"):
                setattr(test, key, tuple(value.replace(",", " ").split()))
            elif key == "own-vm":
                test.own_vm = value
    return test


def tests(folder):
    """All tests of a folder, by name."""
    return [read(path) for path in sorted(folder.iterdir())
            if path.is_file() and path.stat().st_mode & 0o100]


def matches(name, patterns):
    """Whether a name is wanted; without patterns each one is."""
    return not patterns or any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)

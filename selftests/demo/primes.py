# SPDX-License-Identifier: GPL-2.0-only
"""The job of the demo: two threads count primes block by block and number the lines of their log."""

import threading
import time

BLOCK, LIMIT = 2000, 100_000

lock = threading.Lock()
blocks = iter(range(0, LIMIT, BLOCK))
log = open("primes.log", "w", encoding="ascii")  # pylint: disable=consider-using-with
lines = total = 0


def is_prime(number):
    """By trial; it is meant to take a while."""
    if number < 4:
        return number > 1
    return number % 2 > 0 and all(number % i for i in range(3, int(number**0.5) + 1, 2))


def work(name):
    """Take block after block."""
    global lines, total  # pylint: disable=global-statement
    while True:
        with lock:
            start = next(blocks, None)
        if start is None:
            return
        found = sum(map(is_prime, range(start, start + BLOCK)))
        time.sleep(0.25)
        with lock:
            lines += 1
            total += found
            print(f"{lines:2} thread {name}: {found:3} primes in {start:5}..{start + BLOCK - 1:5}",
                  file=log, flush=True)


threads = [threading.Thread(target=work, args=(name,)) for name in "AB"]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(f"{total} primes below {LIMIT}", flush=True)

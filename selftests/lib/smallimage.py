# SPDX-License-Identifier: GPL-2.0-only
"""Builds a small image by the words of the format's header, for those who then break it."""

import struct

PAGE = 4096
META, PROCESS, THREAD = 0x434B0000, 0x434B0001, 0x434B0002
FILE, FD, RUNS = 0x434B000A, 0x434B000D, 0x434B0011
ZOMBIE = 2


def make_table():
    """What each byte does to a checksum."""
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)
        table.append(byte)
    return table


TABLE = make_table()


def crc32c(data, crc=0xFFFFFFFF):
    """The checksum of the format."""
    for byte in data:
        crc = crc >> 8 ^ TABLE[(crc ^ byte) & 0xFF]
    return crc


def note(kind, payload, process=0, tid=0, number=0):
    """A record as a note."""
    def head(crc):
        return struct.pack("<HHIIII", 1, 0, crc, process, tid, number)
    crc = crc32c(struct.pack("<I", kind) + head(0) + payload)
    body = struct.pack("<III8s", 5, len(head(0)) + len(payload), kind, b"CKPT") + head(crc) + payload
    return body + bytes(-len(body) % 4)


def process_record(number, pid, parent, flags):
    """The record of a process."""
    payload = struct.pack("<iiiIiiIIII16s", pid, 4711, 4711, flags, 0, 0, parent, 17, 0, 0, b"")
    return note(PROCESS, payload, number)


def make_meta(records, pages, headers):
    """The meta record of a job of two processes."""
    payload = struct.pack("<IIQQQQIIIIQQQqq64s64s", 1, PAGE, 0, 0, 3, 10**18, 2, 2, records,
                          crc32c(headers), pages, 0, 0, 0, 0, b"6.1.0-test", b"somewhere")
    return note(META, payload)


def make_headers(notes_at, notes_len, pages_at, pages_len):
    """ELF header and program headers: notes, and one run of pages."""
    headers = b"\x7fELF\2\1\1" + bytes(9)
    headers += struct.pack("<HHIQQQIHHHHHH", 4, 62, 1, 0, 128, 0, 0, 64, 56, 2, 0, 0, 0) + bytes(64)
    headers += struct.pack("<IIQQQQQQ", 4, 0, notes_at, 0, 0, notes_len, 0, 4)
    return headers + struct.pack("<IIQQQQQQ", 1, 6, pages_at, 0x400000, 0, pages_len, pages_len,
                                 PAGE)


def make_image(pages):
    """An image of two processes, and where its pages begin: one has these pages, one has exited."""
    rest = note(FILE, bytes(64), number=1)
    rest += process_record(1, 4711, 0, 0) + note(THREAD, bytes(416), 1, 4711)
    rest += note(FD, b"odd", 1) + note(FD, bytes(16), 1)
    rest += note(RUNS, struct.pack("<IIQQII", 1, 0, 0x400000, len(pages), 0, 0), 1)
    rest += process_record(2, 4712, 4711, ZOMBIE)
    records = 8
    notes_len = len(make_meta(records, len(pages), b"")) + len(rest)
    notes_at = 128 + 2 * 56
    pages_at = (notes_at + notes_len + PAGE - 1) // PAGE * PAGE
    headers = make_headers(notes_at, notes_len, pages_at, PAGE * len(pages))
    notes = make_meta(records, len(pages), headers) + rest
    table = b"".join(struct.pack("<I", crc32c(page)) for page in pages)
    image = headers + notes
    image += bytes(pages_at - len(image)) + b"".join(pages) + table
    trailer = struct.pack("<8sQQIIIII", b"CKPTEND", len(image) + 48, len(pages), crc32c(table),
                          crc32c(notes), 0, 0, 0)
    return image + trailer + struct.pack("<I", crc32c(trailer)), pages_at

"""Looks for plaintext where none may be: in every byte of a folder's files."""

import datetime
import os
import struct

POSTGRES_EPOCH = datetime.datetime(2000, 1, 1)
BLOCK = 1 << 20


def needles(values):
    """The byte forms in which a value would stand somewhere: {bytes: value}. Dates also as PostgreSQL stores them
    (eight bytes of microseconds, or four of days), in both byte orders: on disk and on the wire."""
    found = {}
    for value in values:
        if isinstance(value, datetime.datetime):
            micros = (value - POSTGRES_EPOCH) // datetime.timedelta(microseconds=1)
            found[struct.pack("<q", micros)] = value
            found[struct.pack(">q", micros)] = value
            found[value.isoformat(" ").encode()] = value
        else:
            found[str(value).encode()] = value
    return found


def scan(folders, wanted):
    """The values of needles() that occur in any file below the folders: {value: first file}."""
    found = {}
    longest = max(map(len, wanted))
    for path in files(folders):
        with open(path, "rb") as file:
            before = b""
            while block := file.read(BLOCK):
                text = before + block
                for needle, value in wanted.items():
                    if value not in found and needle in text:
                        found[value] = path
                before = text[-longest:]
    return found


def files(folders):
    for folder in folders:
        for root, _, names in os.walk(folder):
            yield from (os.path.join(root, name) for name in names if os.path.isfile(os.path.join(root, name)))

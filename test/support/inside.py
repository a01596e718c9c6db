"""Run by gdb: lets a stopped process write its own secret memory, which nobody can read from outside, to a file.

Environment: INSIDE_FILE, a file that the process may write. It calls open(2), write(2) and close(2) itself, over every
mapping of memfd_secret(2), by the names that only the C library has: "write" alone is found in namespaces, too.
"""

import os
import pathlib
import re

import gdb

STACK_ROOM = 4096  # below the red zone and what the calls themselves need


def secret_mappings():
    text = pathlib.Path(f"/proc/{gdb.selected_inferior().pid}/maps").read_text()
    return [(int(first, 16), int(last, 16))
            for first, last in re.findall(r"^([0-9a-f]+)-([0-9a-f]+) rw.*secretmem", text, re.M)]


def call(function, *arguments):
    types = ", ".join(["long"] * len(arguments))
    values = ", ".join(map(str, arguments))
    return int(gdb.parse_and_eval(f"((long (*)({types})){function})({values})"))


mappings = secret_mappings()
if not mappings:
    raise gdb.GdbError("the process has no secret memory")
name = int(gdb.parse_and_eval("(unsigned long)$sp")) - STACK_ROOM
gdb.selected_inferior().write_memory(name, os.environ["INSIDE_FILE"].encode() + b"\0")
file = call("__open", name, os.O_WRONLY)
for first, last in mappings:
    if call("__write", file, first, last - first) != last - first:
        raise gdb.GdbError("the process could not write its memory")
call("__close", file)
gdb.execute("detach")

"""What the logs of a whole test run may not hold: plaintext of protected columns.

Every stack is watched from its start to its end. Statements that tests send straight to PostgreSQL, to compare with,
are known by their application name and left out; everything else in the server's log came through pgveil.
"""

import re

DIRECT = "direct"
PREFIX = "%m [%p] %a|"
ENTRY = re.compile(r"^\d{4}-\d\d-\d\d [^|\n]*\[\d+\] ([^|\n]*)\|", re.M)

# Values of protected columns of the clinic, as its sample and its tests write and ask for them. None of them has a
# reason to stand in an unprotected place of a statement.
CLINIC = [
    "Aurelia Brandt", "O''Leary", "Žofie Nováková", "Kenji 渡辺", "Mirelle Aubertin", "Ida Holm", "Eva Lind",
    "120-44-778", "331-09-2210", "507-61-9934", "778-20-1156", "902-58-4471", "610-00-000", "700-00-0001",
    "6f9b1c3e-0a51-4f0e-9a39-5d1f2b7c8e01", "0d3c7a52-6e0b-4c2d-8f74-91b0a6c5d802", "allergic to penicillin",
    "chest pain", "Řehoř II", "SECRET",
]


def through_pgveil(server_log):
    """The entries of a server's log without those of direct connections."""
    starts = list(ENTRY.finditer(server_log))
    ends = [start.start() for start in starts[1:]] + [len(server_log)]
    kept = [server_log[start.end():end] for start, end in zip(starts, ends) if start.group(1) != DIRECT]
    return "\n".join(kept)


def leaked(stack, words):
    """{word: which log} of the words that stand where they may not."""
    logs = {"the server's log": through_pgveil(stack.server_log()), "pgveil's log": stack.proxy_log()}
    return {word: name for name, text in logs.items() for word in words if word in text}


def sanitizer_report(proxy_log):
    """What a sanitizer said in the proxy's log, from its first line on; empty if nothing."""
    found = re.search(r"^.*(\w+Sanitizer|runtime error):", proxy_log, re.M)
    return proxy_log[found.start():][:4000] if found else ""

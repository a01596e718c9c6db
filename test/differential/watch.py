"""Does a value that only protected columns hold reach the server? The server writes every statement and parameter down."""

import pgtypes
import weights
from twins import VEILED

SHORT = 4


def marks():
    """Constants, as they stand in statements and in logged parameters, that no plain column holds."""
    plain = {value for kind in pgtypes.ALL for value in kind.half(True)}
    kinds = [kind for kind in pgtypes.ALL if kind is not pgtypes.BOOL]
    return {pgtypes.quoted(value) for kind in kinds for value in kind.half(False) if len(value) >= SHORT and value not in plain}


def begin(stack):
    """From here on plain and protected columns share no constant of four or more characters."""
    weights.ANY_VALUE = 0
    stack.superuser(f"ALTER DATABASE {VEILED} SET log_statement = 'all'")
    stack.superuser(f"ALTER DATABASE {VEILED} SET log_min_messages = 'log'")


def found(stack):
    """Lines of the server's log that say a protected value; fails if the log says no plain value either. The labels of an
    enum are known to the database."""
    lines = [line for line in stack.server_log().splitlines() if "statement: CREATE TYPE" not in line]
    seen = [pgtypes.quoted(value) for value in pgtypes.TEXT.half(True) if len(value) >= SHORT]
    if not any(value in line for line in lines for value in seen):
        raise AssertionError("the server's log does not show statements")
    secret = marks()
    return [line for line in lines if any(mark in line for mark in secret)]

"""How a suite in Python runs its cases and says what it saw. Suites in other languages print the same kind of lines:

    crud: 1 Zelda Quartz        what the client saw, any number of lines
    ok crud                     or: failed crud: SQLSTATE MESSAGE

A suite takes the connection string as its only argument and ends with 1 if a case failed.
"""

import sys


class Cases:
    """The cases of one suite, in the order of their definition."""

    def __init__(self):
        self._cases = []
        self._current = ""

    def case(self, function):
        """Decorator. The case is called as its function, without `case_`, with what run() is given."""
        self._cases.append(function)
        return function

    def say(self, *seen):
        print(f"{self._current}:", *seen, flush=True)

    def run(self, with_session):
        """with_session(function) calls the function with a session of its own; it may raise what the driver raises."""
        failures = 0
        for function in self._cases:
            self._current = function.__name__.removeprefix("case_")
            try:
                with_session(function)
                print("ok", self._current, flush=True)
            except Exception as error:  # what a driver raises is its own
                failures += 1
                print(f"failed {self._current}: {described(error)}", flush=True)
        return 1 if failures else 0


def described(error):
    """One line; with the SQLSTATE where the driver knows it."""
    state = sqlstate_of(error) or type(error).__name__
    return f"{state} {' '.join(str(error).split())}"


def sqlstate_of(error):
    """The SQLSTATE of an error, or of the driver's error inside it."""
    while error is not None:
        if getattr(error, "sqlstate", None):
            return error.sqlstate
        error = getattr(error, "orig", None) or error.__cause__
    return None


def connection_string():
    if len(sys.argv) != 2:
        sys.exit("usage: suite.py CONNECTION_STRING")
    return sys.argv[1]

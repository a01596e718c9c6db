"""What a hostile client sends, and what the proxy may take for it.

    with Bystander(stack) as other:     # a session on the same worker that asks all the time
        ...
    other.longest                       # seconds that one of its questions took
"""

import json
import re
import threading
import time

from stack import is_alive
from wire import Wire, fields_of

MIB = 1 << 20
# Small on purpose: what a test may take follows from them.
LIMITS = {"message_bytes": 20 * MIB, "plan_cache_bytes": 4 * MIB, "statements_per_session": 2000, "pending_replies": 2000,
          "plan_bytes_per_session": 16 * MIB}
STATEMENT_BYTES = 512 * MIB
PATIENCE_S = 120


def allowed_bytes(start_bytes, sessions):
    """docs/OPERATIONS.md, "Memory limits", with one worker."""
    per_session = 4 * LIMITS["message_bytes"] + 2 * LIMITS["plan_bytes_per_session"]
    return start_bytes + STATEMENT_BYTES + LIMITS["plan_cache_bytes"] + sessions * per_session


def use_limits(stack, **more):
    settings = json.loads(re.sub(r"//.*$", "", stack.settings.read_text(), flags=re.M))
    settings["workers"] = 1
    settings["limits"] = {**settings.get("limits", {}), **LIMITS, **more}
    stack.write("pgveil.json", json.dumps(settings))
    stack.restart_proxy()


def peak_bytes(pid):
    with open(f"/proc/{pid}/status") as status:
        return int(re.search(r"VmHWM:\s+(\d+)", status.read()).group(1)) * 1024


def forget_peak(pid):
    """proc(5), clear_refs: from here on peak_bytes() counts."""
    with open(f"/proc/{pid}/clear_refs", "w") as references:
        references.write("5")


def resident_bytes(pid):
    with open(f"/proc/{pid}/status") as status:
        return int(re.search(r"VmRSS:\s+(\d+)", status.read()).group(1)) * 1024


class Bystander(threading.Thread):
    """Another session, which wants to be served meanwhile."""

    def __init__(self, stack):
        super().__init__(daemon=True)
        self.stack, self.longest, self.answers, self.error = stack, 0, 0, None
        self._ended = threading.Event()

    def run(self):
        try:
            with Wire(self.stack, self.stack.options()) as wire:
                wire.patience(PATIENCE_S)
                while not self._ended.is_set():
                    asked = time.monotonic()
                    if wire.query("SELECT name FROM patients WHERE id = 1").letters() != "TDCZ":
                        raise AssertionError("another answer")
                    self.longest = max(self.longest, time.monotonic() - asked)
                    self.answers += 1
                    self._ended.wait(0.05)
        except Exception as error:  # pylint: disable=broad-exception-caught
            self.error = error

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self._ended.set()
        self.join(PATIENCE_S)


def answer(replies):
    """The SQLSTATE of the first error, or "served"."""
    errors = [fields_of(body)["C"] for letter, body in replies if letter == "E"]
    return errors[0] if errors else "served"


def lives(stack, pid):
    return is_alive(pid) and stack.proxy_pid == pid

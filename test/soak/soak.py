"""Mixed load with everything that can break it: see scripts/soak."""

import argparse
import os
import pathlib
import random
import signal
import statistics
import sys
import threading
import time

import psycopg

INTEGRATION = pathlib.Path(__file__).resolve().parents[1] / "integration"
sys.path.insert(0, str(INTEGRATION))

import faults  # noqa: E402
import hostile  # noqa: E402
from bank import ACCOUNTS, Book, Canceller, Copier, Counter, Leaver, Payer, make_bank  # noqa: E402
from leg import Leg  # noqa: E402
from stack import Stack, run, succeeded, wait_until  # noqa: E402

POLICY = {"tables": {"public.accounts": {"columns": {"balance": {"type": "bigint"},
                                                     "owner": {"type": "text", "search": "equality"}}}}}
SAMPLE_S, RELOAD_S, CUT_S, TERMINATE_S, RESTART_S = 5, 10, 7, 23, 150
SPARE_BYTES = 16 << 20  # what may come and go with the load


class Soak:
    """One run. Everything that disturbs happens in the main thread, one after the other."""

    def __init__(self, minutes, seed):
        self.until = time.monotonic() + minutes * 60
        self.chance, self.book, self.trouble = random.Random(seed), Book(), []
        self.stack = Stack.start(POLICY)
        self.leg = Leg(self.stack.pg_port)
        faults.allow_plain(self.stack)
        faults.put_leg(self.stack, self.leg)
        make_bank(self.stack)
        self.programs = pathlib.Path(os.readlink(f"/proc/{self.postmaster()}/exe")).parent
        self.pid, self.sizes = self.stack.proxy_pid, []
        self.kept = faults.descriptors(self.stack)

    def postmaster(self):
        return int((self.stack.dir / "postgres" / "postmaster.pid").read_text().split()[0])

    def run(self):
        kinds = [Payer, Payer, Payer, Payer, Counter, Counter, Copier, Canceller, Leaver]
        clients = [kind(self.stack, self.book, self.chance.random()) for kind in kinds]
        for client in clients:
            client.start()
        due = {self.sample: SAMPLE_S, self.reload: RELOAD_S, self.cut: CUT_S, self.terminate: TERMINATE_S,
               self.restart: RESTART_S}
        next_at = {step: time.monotonic() + every for step, every in due.items()}
        while time.monotonic() < self.until:
            for step, at in next_at.items():
                if time.monotonic() >= at:
                    step()
                    next_at[step] = time.monotonic() + due[step]
            time.sleep(0.2)
        for client in clients:
            client.ended.set()
        for client in clients:
            client.join(120)
            self.trouble += client.trouble
        self.judge()

    # -- what disturbs -----------------------------------------------------------------------------------

    def sample(self):
        self.sizes.append(hostile.resident_bytes(self.pid))

    def reload(self):
        self.stack.signal_proxy(signal.SIGHUP)

    def cut(self):
        for each in [each for each in self.leg.connections if not each.is_open]:
            self.leg.connections.remove(each)  # in place: others may be added meanwhile
        if self.leg.connections:
            self.chance.choice(self.leg.connections).end(reset=self.chance.random() < 0.5)

    def terminate(self):
        self.stack.superuser("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'app'"
                             " ORDER BY random() LIMIT 2")

    def restart(self):
        """As after a crash: nobody is asked to finish."""
        succeeded(run([*self.stack.as_owner(), self.programs / "pg_ctl", "-D", self.stack.dir / "postgres", "-m",
                       "immediate", "-l", self.stack.dir / "log" / "postgresql.log", "-w", "restart"]))

    # -- what must hold ------------------------------------------------------------------------------------

    def judge(self):
        if self.stack.proxy_pid != self.pid or not os.path.exists(f"/proc/{self.pid}"):
            self.trouble.append("the proxy ended: " + self.stack.proxy_log()[-2000:])
        with self.stack.direct() as connection:
            there = [row[0] for row in connection.execute("SELECT id FROM transfers")]
        with self.stack.connect() as connection:
            total = sum(row[0] for row in connection.execute("SELECT balance FROM accounts"))
        self.trouble += self.book.differences(there)
        if total != ACCOUNTS * 1000:
            self.trouble.append(f"{total} in all accounts, {ACCOUNTS * 1000} were there")
        try:
            wait_until(lambda: faults.descriptors(self.stack) <= self.kept, "descriptors to be closed", 60)
        except AssertionError as error:
            self.trouble.append(f"{error}: {faults.descriptors(self.stack)}, {self.kept} before")
        self.judge_memory()

    def judge_memory(self):
        quarter = max(1, len(self.sizes) // 4)
        early = statistics.median(self.sizes[quarter:2 * quarter] or self.sizes)
        late = statistics.median(self.sizes[-quarter:])
        print(f"memory: {early / 2**20:.1f} MiB in the second quarter, {late / 2**20:.1f} MiB in the last")
        if late > early * 1.1 + SPARE_BYTES:
            self.trouble.append("memory grew")

    def stop(self):
        self.stack.stop()
        self.leg.stop()


def main():
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--minutes", type=float, default=30)
    words.add_argument("--seed", type=int, default=1)
    given = words.parse_args()
    soak = Soak(given.minutes, given.seed)
    try:
        soak.run()
    finally:
        soak.stop()
    print(soak.book.summary())
    for each in soak.trouble:
        print("NOT RIGHT:", each)
    return 1 if soak.trouble else 0


if __name__ == "__main__":
    sys.exit(main())

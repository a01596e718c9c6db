"""Several processes work through the rounds, each on stacks of its own: what they find does not depend on how many they are."""

import multiprocessing
from multiprocessing.connection import wait

from rounds import Rounds

# A stack takes some seconds to start, and its policy holds the tables of all its rounds.
ROUNDS_PER_STACK = 40
WORTH_A_STACK = 4


def shares(numbers, workers):
    """Who runs what: for each worker lists of rounds, one list per stack."""
    workers = max(1, min(workers, len(numbers) // WORTH_A_STACK))
    stacks = workers * -(-len(numbers) // (workers * ROUNDS_PER_STACK))
    lists = [numbers[number::stacks] for number in range(stacks)]
    return [lists[worker::workers] for worker in range(workers)]


class Crew:
    """Processes that have ended too early are in `lost`."""

    def __init__(self, given, able, numbers):
        self._context = multiprocessing.get_context("fork")
        self._given = given
        self._able = able
        self._shares = shares(list(numbers), given.workers)
        self.lost = []

    def outcomes(self):
        """Of every round, as they come."""
        running = dict(self._start(share) for share in self._shares)
        while running:
            for reader in wait(list(running)):
                try:
                    yield reader.recv()
                except EOFError:
                    self._ended(running.pop(reader))

    def _start(self, share):
        reader, writer = self._context.Pipe(duplex=False)
        process = self._context.Process(target=self._work, args=(writer, share))
        process.start()
        writer.close()
        return reader, process

    def _work(self, writer, share):
        for numbers in share:
            for outcome in Rounds(self._given, self._able, numbers).outcomes():
                writer.send(outcome)

    def _ended(self, process):
        process.join()
        if process.exitcode:
            self.lost.append(process.exitcode)

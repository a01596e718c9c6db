"""Accounts with protected balances, and the clients that move money between them. None of them minds being cut off; all
of them mind a wrong answer.
"""

import collections
import contextlib
import random
import threading

import psycopg

ACCOUNTS = 50
# How a session may end or a statement fail while others disturb it.
DISTURBED = (psycopg.OperationalError, psycopg.errors.QueryCanceled, psycopg.InterfaceError)


def make_bank(stack):
    with stack.connect() as connection:
        connection.execute("CREATE TABLE accounts (id integer PRIMARY KEY, owner text NOT NULL, balance bigint NOT NULL)")
        connection.execute("CREATE TABLE transfers (id bigint PRIMARY KEY, amount integer)")
        for number in range(ACCOUNTS):
            connection.execute("INSERT INTO accounts VALUES (%s, %s, 1000)", [number, f"owner {number % 10}"])


class Book:
    """What clients know of their transfers. Any thread."""

    def __init__(self):
        self._lock, self._last = threading.Lock(), 0
        self.confirmed, self.failed, self.unknown = set(), set(), set()
        self.counted = self.lost = 0
        self.reasons = collections.Counter()  # why sessions were lost, in the words of the errors

    def next_id(self):
        with self._lock:
            self._last += 1
            return self._last

    def note(self, kind, number):
        with self._lock:
            getattr(self, kind).add(number)

    def count(self, what):
        with self._lock:
            setattr(self, what, getattr(self, what) + 1)

    def lose(self, error):
        with self._lock:
            self.lost += 1
            self.reasons[f"{error.sqlstate or ''} {error}".strip()] += 1

    def differences(self, there):
        found, there_once = [], set(there)
        if len(there) != len(there_once):
            found.append("a transfer is there twice")
        if self.confirmed - there_once:
            found.append(f"{len(self.confirmed - there_once)} transfers that were confirmed are not there")
        if self.failed & there_once:
            found.append(f"{len(self.failed & there_once)} transfers that failed are there")
        if not self.confirmed or not self.counted:
            found.append("nothing was done")
        return found

    def summary(self):
        return (f"{len(self.confirmed)} transfers confirmed, {len(self.failed)} failed, {len(self.unknown)} without an"
                f" answer to COMMIT; added up {self.counted} times; {self.lost} sessions lost")


class Client(threading.Thread):
    """Works in sessions of some turns until `ended`. `trouble` is what must not happen."""

    turns = 50

    def __init__(self, stack, book, seed):
        super().__init__(daemon=True)
        self.stack, self.book, self.chance = stack, book, random.Random(seed)
        self.ended, self.trouble = threading.Event(), []

    def run(self):
        while not self.ended.is_set():
            try:
                with contextlib.closing(self.stack.connect(autocommit=False)) as connection:
                    for _ in range(self.turns):
                        if self.ended.is_set():
                            break
                        self.turn(connection)
            except DISTURBED as error:
                self.book.lose(error)
                self.ended.wait(0.3)
            except Exception as error:  # pylint: disable=broad-exception-caught
                self.trouble.append(f"{type(self).__name__}: {type(error).__name__}: {error}")
                self.ended.wait(1)

    def turn(self, connection):
        raise NotImplementedError


class Payer(Client):
    def turn(self, connection):
        number, amount = self.book.next_id(), self.chance.randrange(1, 50)
        giver, taker = self.chance.sample(range(ACCOUNTS), 2)
        try:
            self.move(connection, number, amount, giver, taker)
        except BaseException:
            self.book.note("failed", number)
            raise
        try:
            connection.commit()
        except BaseException:
            self.book.note("unknown", number)
            raise
        self.book.note("confirmed", number)

    def move(self, connection, number, amount, giver, taker):
        rows = connection.execute("SELECT id, balance FROM accounts WHERE id IN (%s, %s) ORDER BY id FOR UPDATE", [giver, taker])
        balances = dict(rows.fetchall())
        for account, change in ((giver, -amount), (taker, amount)):
            connection.execute("UPDATE accounts SET balance = %s WHERE id = %s", [balances[account] + change, account])
        connection.execute("INSERT INTO transfers VALUES (%s, %s)", [number, amount])


class Counter(Client):
    """Adds up what is there at one moment."""

    def turn(self, connection):
        total = sum(row[0] for row in connection.execute("SELECT balance FROM accounts"))
        connection.rollback()
        if total != ACCOUNTS * 1000:
            self.trouble.append(f"{total} in all accounts at one moment")
        self.book.count("counted")


class Copier(Client):
    def turn(self, connection):
        with connection.cursor() as cursor, cursor.copy("COPY accounts (id, balance) TO STDOUT") as copy:
            total = sum(int(balance) for _, balance in copy.rows())
        connection.rollback()
        if total != ACCOUNTS * 1000:
            self.trouble.append(f"{total} in all accounts in one COPY")


class Canceller(Client):
    turns = 5

    def turn(self, connection):
        timer = threading.Timer(self.chance.random() / 5, connection.cancel)
        timer.start()
        try:
            connection.execute("SELECT count(*), pg_sleep(0.3) FROM accounts WHERE owner = 'owner 3'")
        except psycopg.errors.QueryCanceled:
            pass
        finally:
            timer.join()
        connection.rollback()


class Leaver(Client):
    """Goes in the middle of a result, a transaction or a COPY, without a word."""

    turns = 1

    def turn(self, connection):
        with connection.cursor() as cursor:
            cursor.execute("UPDATE accounts SET balance = 0 WHERE id = %s", [self.chance.randrange(ACCOUNTS)])
            if self.chance.random() < 0.5:
                connection.pgconn.send_query(b"SELECT a.balance FROM accounts a, accounts b, accounts c")
        connection.pgconn.finish()
        self.ended.wait(0.5)

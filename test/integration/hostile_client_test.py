"""A hostile client cannot hurt: huge, deep and malformed input is served or refused; the proxy lives, serves others
meanwhile, and takes no more memory than its settings allow."""

import os
import socket
import struct
import sys
import time
import unittest

import clinic
import hostile
from hostile import Bystander, answer
from stack import Stack, wait_until
from wire import SSL_REQUEST, VERSION_3, Wire, text

# Set for a program with a sanitizer, which is slow and takes much memory: the classes to run, on smaller texts.
CLASSES = os.environ.get("PGVEIL_HOSTILE_CLASSES", "").split()
SANITIZED = bool(CLASSES)
MANY = 10_000 if SANITIZED else 100_000
SYNC = b"S\0\0\0\4"
REFUSED = {"54000", "54001"}
SERVED = {"served"}
# PostgreSQL: stack depth, or its parser's own "memory exhausted"
TOO_DEEP = {"54001", "42601"} | (SERVED if SANITIZED else set())


def setUpModule():
    global STACK, START
    STACK = Stack.start()
    clinic.Clinic(STACK)
    hostile.use_limits(STACK)
    START = hostile.peak_bytes(STACK.proxy_pid)


def tearDownModule():
    STACK.stop()


class HostileTest(unittest.TestCase):
    """Around every test: somebody else is served, the process lives, its memory is bounded."""

    def setUp(self):
        self.pid, self.began = STACK.proxy_pid, time.monotonic()
        self.bystander = Bystander(STACK)
        self.bystander.__enter__()
        self.addCleanup(self.look_back)

    def look_back(self):
        self.assertTrue(hostile.lives(STACK, self.pid), STACK.proxy_log()[-2000:])
        served = self.bystander.answers
        wait_until(lambda: self.bystander.answers > served or self.bystander.error, "the other session")
        self.bystander.__exit__()
        self.assertIsNone(self.bystander.error)
        peak = hostile.peak_bytes(self.pid)
        print(f"{time.monotonic() - self.began:.1f} s, peak {peak >> 20} MiB, others waited {self.bystander.longest:.2f} s: {self.id()}",
              file=sys.stderr)
        if not SANITIZED:
            self.assertLess(peak, hostile.allowed_bytes(START, sessions=2))

    def wire(self):
        wire = Wire(STACK, STACK.options())
        wire.patience(hostile.PATIENCE_S)
        self.addCleanup(wire._socket.close)
        return wire

    def both_ways(self, sql):
        wire = self.wire()
        yield "simple", answer(wire.query(sql).replies())
        yield "extended", answer(wire.parse("", sql).bind("", "").execute("").sync().replies())

    def assert_answers(self, make, protected, plain):
        """make(table, text column, integer column): a statement."""
        for table, column, number, wanted in (("patients", "ssn", "id", protected), ("departments", "code", "beds", plain)):
            for way, got in self.both_ways(make(table, column, number)):
                self.assertIn(got, wanted, f"{table}, {way}")


class HugeStatements(HostileTest):
    def test_a_literal_of_a_megabyte(self):
        self.assert_answers(lambda t, c, n: f"SELECT 1 FROM {t} WHERE {c} = '{'x' * MANY * 10}'", {"54000"}, SERVED)

    def test_a_literal_of_sixteen_megabytes(self):
        self.assert_answers(lambda t, c, n: f"SELECT 1 FROM {t} WHERE {c} = '{'x' * (16 << 20)}'", {"54000"}, {"54000"})
        self.assert_answers(lambda t, c, n: f"SELECT 1 FROM {t} WHERE {c} = '{'x' * (20 << 20)}'", {"54000"}, {"54000"})

    def test_terms(self):
        self.assert_answers(lambda t, c, n: f"SELECT 1 FROM {t} WHERE {' OR '.join([f'{n} = 1'] * 2 * MANY)}",
                            {"54001"}, SERVED)

    def test_a_list_of_a_million(self):
        self.assert_answers(lambda t, c, n: f"SELECT 1 FROM {t} WHERE {n} IN ({','.join('1' * 1_000_000)})", {"54001"}, SERVED)
        self.assert_answers(lambda t, c, n: f"SELECT 1 FROM {t} WHERE {n} IN ({','.join('1' * 3_000_000)})", {"54000"}, {"54000"})

    def test_lists_that_are_parsed(self):
        self.assert_answers(lambda t, c, n: f"SELECT 1 FROM {t} WHERE {n} IN ({','.join('1' * MANY)})", SERVED, SERVED)

    def test_an_array_of_a_million(self):
        self.assert_answers(lambda t, c, n: f"SELECT 1 FROM {t} WHERE {c} = ANY ('{{{','.join('a' * 900_000)}}}')",
                            {"0A000", "54000"}, SERVED)

    def test_names_of_a_megabyte(self):
        self.assert_answers(lambda t, c, n: f"SELECT \"{'x' * MANY * 10}\" FROM {t}", {"42703"}, {"42703"})
        self.assert_answers(lambda t, c, n: f"SELECT {c} AS \"{'x' * MANY * 10}\" FROM {t}", SERVED, SERVED)

    def test_columns(self):
        self.assert_answers(lambda t, c, n: f"SELECT {','.join([c] * 1664)} FROM {t}", SERVED, SERVED)
        self.assert_answers(lambda t, c, n: f"SELECT {','.join([c] * 1665)} FROM {t}", {"54011"}, {"54011"})
        self.assert_answers(lambda t, c, n: f"SELECT {','.join([c] * MANY)} FROM {t}", {"54011", "54001"}, {"54011"})

    def test_ten_thousand_statements_in_one_text(self):
        sql = ";".join(["SELECT code FROM departments WHERE false"] * 10_000)
        self.assertEqual(dict(self.both_ways(sql)), {"simple": "served", "extended": "42601"})
        self.assertEqual(dict(self.both_ways(sql + ";SELECT 1")), {"simple": "54000", "extended": "54000"})

    def test_rows_to_insert(self):
        rows = ",".join(f"({number + 10_000}, '{number}', 'x')" for number in range(5000))
        wire = self.wire()
        self.assertEqual(answer(wire.query(f"INSERT INTO patients (id, ssn, name) VALUES {rows}").replies()), "served")
        self.assertEqual(answer(wire.query("DELETE FROM patients WHERE id >= 10000").replies()), "served")

    def test_numbers(self):
        for value, wanted in (("1e131071", SERVED), ("1e131072", {"22003"}), ("1e999999999", {"22003"}), ("9" * MANY * 10, {"22003"}),
                              ("-1e-999999999", {"served", "22003"})):
            wire = self.wire()
            got = answer(wire.query(f"INSERT INTO findings (id, glucose) VALUES (9000, '{value}')").replies())
            self.assertIn(got, wanted, value[:20])
            wire.query("DELETE FROM findings WHERE id = 9000").replies()


class DeepStatements(HostileTest):
    def assert_deep(self, before, middle, after, times=MANY, protected=frozenset({"54001"}), plain=frozenset(TOO_DEEP)):
        self.assert_answers(lambda t, c, n: f"SELECT 1 FROM {t} WHERE {before * times}{middle}{after * times}", protected, plain)

    def test_parentheses(self):
        self.assert_deep("(", "true", ")")

    def test_signs(self):
        self.assert_deep("NOT ", "true", "")
        self.assert_deep("- ", "1 = 1", "")

    def test_case(self):
        self.assert_deep("CASE WHEN true THEN ", "true", " END", times=50_000)

    def test_arrays(self):
        self.assert_deep("ARRAY[", "1", "] IS NULL")

    def test_sub_queries(self):
        self.assert_answers(lambda t, c, n: "SELECT * FROM (" * MANY + f"SELECT 1 FROM {t}" + ") x" * MANY, REFUSED, TOO_DEEP)

    def test_casts(self):
        self.assert_answers(lambda t, c, n: f"SELECT 1 FROM {t} WHERE {c} = 'a'{'::text' * MANY}", {"54001"}, TOO_DEEP)

    def test_joins_and_unions(self):
        self.assert_answers(lambda t, c, n: f"SELECT 1 FROM {t}" + "".join(f" JOIN {t} a{i} ON true" for i in range(1000)),
                            {"54001"}, {"54001"})
        self.assert_answers(lambda t, c, n: " UNION ALL ".join([f"SELECT {c} FROM {t}"] * 10_000), {"54001"}, {"54001"})

    def test_with(self):
        chain = "".join(f", a{i} AS (SELECT * FROM a{i - 1} x, a{i - 1} y)" for i in range(1, 17))
        self.assert_answers(lambda t, c, n: f"WITH a0 AS (SELECT * FROM {t}){chain} SELECT 1 FROM a16 WHERE false",
                            {"54011", "54001", "0A000"}, {"54011"})

    def test_json(self):
        self.assert_answers(lambda t, c, n: f"SELECT '{'[' * MANY}'::json FROM {t}", {"54001", "22P02"}, {"54001", "22P02"})

    def test_comments_and_operators(self):
        self.assert_answers(lambda t, c, n: f"SELECT 1 {'/* ' * MANY}{'*/ ' * MANY} FROM {t}", SERVED, SERVED)
        # Without a blank between, PostgreSQL itself needs the square of their length.
        self.assert_answers(lambda t, c, n: f"SELECT 1 {'/*' * 2000}{'*/' * 2000} FROM {t}", SERVED, SERVED)
        self.assert_answers(lambda t, c, n: f"SELECT 1 {'+-' * 5000}1 FROM {t}", {"54001"}, TOO_DEEP | SERVED)


class ManyOfThem(HostileTest):
    def test_parameters(self):
        for table, column, count in (("patients", "ssn", 10_000), ("departments", "code", 65_535)):
            sql = f"SELECT 1 FROM {table} WHERE {column} IN ({','.join(f'${i + 1}' for i in range(count))})"
            values = struct.pack("!hH", 0, count) + struct.pack("!i", 1) .join([b""] + [b"a"] * count) + struct.pack("!h", 0)
            wire = self.wire().parse("", sql).message("B", text("") + text("") + values).execute("").sync()
            self.assertEqual(answer(wire.replies()), "served", table)

    def test_numbers_of_parameters_that_cannot_be(self):
        for number in ("65536", "2147483647", "99999999999"):
            for table, column in (("patients", "ssn"), ("departments", "code")):
                sql = f"SELECT 1 FROM {table} WHERE {column} = ${number}"
                got = answer(self.wire().parse("", sql).bind("", "").execute("").sync().replies())
                self.assertNotEqual(got, "served", number)

    def test_prepared_statements(self):
        wire = self.wire()
        got = set()
        for batch in range(100):
            for number in range(1000):
                wire.parse(f"s{batch}_{number}", f"SELECT {number} FROM departments")
                if number % 10 == 9:
                    wire.sync()
            for _ in range(100):
                got.add(answer(wire.replies()))
        self.assertEqual(got, {"served", "54000"})
        self.assertEqual(wire.query("DEALLOCATE ALL").letters(), "CZ")

    def test_portals(self):
        wire, got = self.wire(), set()
        wire.query("BEGIN").replies()
        wire.parse("s", "SELECT 1").sync().replies()
        for batch in range(MANY // 500):
            for number in range(500):
                wire.bind(f"p{batch}_{number}", "s")
            got.add(answer(wire.sync().replies()))
            if "54000" in got:
                break
        self.assertIn("54000", got)
        self.assertEqual(wire.query("ROLLBACK").letters(), "CZ")

    def test_pipelined_executes(self):
        wire = self.wire()
        wire.query("BEGIN").parse("", "SELECT 1").bind("", "").sync().replies()
        wire.replies()
        once = b"E" + struct.pack("!i", 9) + b"\0" + struct.pack("!i", 0)
        came = wire.exchange(once * MANY + SYNC, 1)
        self.assertEqual(came.count("C") + came.count("E"), MANY if "E" not in came else 2, came[:100])

    def test_syncs(self):
        wire = self.wire()
        self.assertEqual(wire.exchange(SYNC * MANY, MANY), "Z" * MANY)
        self.assertEqual(wire.query("SELECT 1").letters(), "TDCZ")


class Malformed(HostileTest):
    def assert_ends_or_refuses(self, data):
        """An error, or the end of the connection; never an answer."""
        wire = self.wire()
        wire.patience(3)
        wire.raw(data)
        try:
            self.assertIn("E", [letter for letter, _ in wire.replies("ZE")])
        except (ConnectionError, OSError):
            pass

    def test_lengths(self):
        for size in (0, 1, 2, 3, 2**31, 2**32 - 1):
            self.assert_ends_or_refuses(b"Q" + struct.pack("!I", size))
        for letter in b"PBEDCSHXFdcfp\0\xff":
            self.assert_ends_or_refuses(bytes([letter]) + struct.pack("!I", 3))
        for letter in b"QPBEDCF":
            self.assert_ends_or_refuses(bytes([letter]) + struct.pack("!I", 4))

    def test_a_message_that_promises_two_gigabytes(self):
        wire = self.wire().raw(b"Q" + struct.pack("!i", 2**31 - 1) + b"x" * (8 << 20)).send()
        time.sleep(0.5)
        wire.abandon()

    def test_binds(self):
        short = struct.pack("!h", 1)
        for body in (b"", b"\0", b"\0s", b"\0s\0", b"\0s\0" + short, b"\0s\0\0\0" + struct.pack("!hi", 1, 2**31 - 1),
                     b"\0s\0\0\0" + struct.pack("!hi", 1, -2), b"\0s\0" + struct.pack("!hhh", 1, 7, 0) + b"\0\0",
                     b"\0s\0" + struct.pack("!hhhh", 3, 0, 0, 0) + b"\0\0\0\0", b"\0s\0\0\0\0\0" + struct.pack("!hh", 1, 9),
                     b"\0s\0\0\0\xff\xff", b"\0s\0\xff\xff", b"\0s\0\0\0\0\0\0\0junk", b"\0nothing\0\0\0\0\0\0\0"):
            for sql in ("SELECT 1 FROM patients WHERE ssn = $1", "SELECT 1 FROM departments WHERE code = $1"):
                data = b"P" + struct.pack("!i", 4 + 2 + len(sql) + 1 + 2) + b"s\0" + sql.encode() + b"\0\0\0"
                data += b"B" + struct.pack("!i", 4 + len(body)) + body + b"S\0\0\0\4"
                self.assert_ends_or_refuses(data)

    def test_names_that_nobody_made(self):
        wire = self.wire()
        self.assertEqual(wire.message("C", b"Snothing\0").message("C", b"Pnothing\0").sync().letters(), "33Z")
        self.assertEqual(wire.message("D", b"Snothing\0").sync().letters(), "E26000Z")
        self.assertEqual(wire.execute("nothing").sync().letters(), "E34000Z")
        self.assert_ends_or_refuses(b"C" + struct.pack("!i", 13) + b"Xnothing\0")

    def test_names_longer_than_the_server_keeps(self):
        """To PostgreSQL these are one name: what is bound under one is the statement of the other, and is sealed as it."""
        wire, kept = self.wire(), "n" * 63
        self.assertEqual(wire.parse(kept + "a", "SELECT $1::text").sync().letters(), "1Z")
        self.assertEqual(wire.parse(kept + "b", "SELECT 1").sync().letters(), "E42P05Z")
        self.assertEqual(wire.message("C", b"S" + text(kept + "b")).sync().letters(), "3Z")
        self.assertEqual(wire.parse(kept + "c", "SELECT id FROM patients WHERE ssn = $1").sync().letters(), "1Z")
        value = struct.pack("!hhi", 0, 1, 11) + b"120-44-7781" + struct.pack("!h", 0)
        wire.message("B", text(kept + "p") + text(kept + "a") + value).execute(kept + "q").sync()
        self.assertEqual(wire.letters(), "2DCZ")

    def test_copy_messages_without_copy(self):
        wire = self.wire()
        wire.message("d", b"x" * 100_000).message("c").message("f", b"no\0")
        self.assertEqual(wire.query("SELECT 1").letters(), "TDCZ")

    def test_a_startup_packet_in_a_session(self):
        for data in (SSL_REQUEST, struct.pack("!ii", 8, 80877104), struct.pack("!ii", 9, VERSION_3) + b"\0"):
            self.assert_ends_or_refuses(data)

    def test_startup_packets(self):
        pairs = b"".join(text(f"a{i}") + text("b") for i in range(10_000))
        for data in (struct.pack("!ii", len(pairs) + 9, VERSION_3) + pairs + b"\0", struct.pack("!i", 2**31 - 1),
                     struct.pack("!i", -1), struct.pack("!i", 0), b"GET / HTTP/1.1\r\n\r\n", SSL_REQUEST * 1000):
            with socket.create_connection(("localhost", STACK.proxy_port), timeout=20) as plain:
                try:
                    plain.sendall(data)
                    plain.shutdown(socket.SHUT_WR)
                    while plain.recv(65536):
                        pass
                except OSError:
                    pass


class WhoDoesNotRead(HostileTest):
    def test_rows(self):
        for sql in ("SELECT repeat('x', 1000) FROM generate_series(1, 2000000)",
                    "SELECT name, repeat('x', 1000) FROM patients, generate_series(1, 300000)"):
            before = hostile.peak_bytes(self.pid)
            wire = self.wire().query(sql).send()
            time.sleep(3)
            self.assertLess(hostile.peak_bytes(self.pid) - before, 8 * hostile.MIB, sql)
            wire.abandon()

    def test_questions(self):
        before = hostile.peak_bytes(self.pid)
        wire = self.wire()
        wire.patience(3)
        with self.assertRaises(OSError):
            for _ in range(1_000_000):
                wire.query("SELECT repeat('x', 1000000)").send()
        self.assertLess(hostile.peak_bytes(self.pid) - before, 8 * hostile.MIB)

    def test_who_leaves_in_the_middle(self):
        for data in (b"Q", b"Q\0\0\0\x64SELECT", b"P\0\0\0\x64s\0SELECT", b"B\0\0\0\x64", b"d\0\1\0\0"):
            for _ in range(20):
                wire = self.wire().raw(data).send()
                wire.abandon()


class RowsOfCopy(unittest.TestCase):
    """limits.message_bytes bounds what is put together of one row, however small the messages are that it comes in."""

    def test_a_long_row(self):
        hostile.use_limits(STACK, message_bytes=2 * hostile.MIB)
        self.addCleanup(hostile.use_limits, STACK)
        for options, row in (("", b"%d\ts\tn\t"), ("WITH (FORMAT csv)", b'%d,s,n,')):
            for is_short, wanted in ((True, "served"), (False, "54000")):
                with self.subTest(options, wanted=wanted), Wire(STACK, STACK.options()) as wire:
                    wire.patience(hostile.PATIENCE_S)
                    wire.query("BEGIN").replies()
                    wire.query(f"COPY patients (id, ssn, name, remark) FROM STDIN {options}").replies("G")
                    for number in range(1000, 1003):
                        begin = row % number if is_short or number == 1000 else b""
                        wire.message("d", begin + b"x" * hostile.MIB + (b"\n" if is_short else b""))
                    self.assertEqual(answer(wire.message("d", b"" if is_short else b"\n").message("c").replies()), wanted)
                    self.assertEqual(wire.query("ROLLBACK").letters(), "CZ")


class WhatIsKept(unittest.TestCase):
    """limits.plan_bytes_per_session bounds what the prepared statements of one session take."""

    WIDE = 600

    def growth(self, setting):
        """Bytes that preparing wide statements takes, and the answers of the last one."""
        hostile.use_limits(STACK, plan_bytes_per_session=setting)
        options = STACK.options()
        with Wire(STACK, options) as wire:
            wire.patience(hostile.PATIENCE_S)
            wire.query("SELECT name FROM patients WHERE false").replies()
            before, got = hostile.resident_bytes(STACK.proxy_pid), set()
            for number in range(self.WIDE):
                wire.parse(f"s{number}", f"SELECT {','.join(['name'] * 1600)}, {number} FROM patients")
                got.add(answer(wire.sync().replies()))
            grown = hostile.resident_bytes(STACK.proxy_pid) - before
            self.assertEqual(wire.query("DEALLOCATE ALL").letters(), "CZ")
            self.assertEqual(answer(wire.parse("s", "SELECT name FROM patients").sync().replies()), "served")
        print(f"{setting} bytes: grew by {grown >> 20} MiB, answers {sorted(got)}", file=sys.stderr)
        return grown, got

    def test_wide_prepared_statements(self):
        grown, got = self.growth(8 * hostile.MIB)
        self.assertEqual(got, {"served", "54000"})
        self.assertLess(grown, 2 * 8 * hostile.MIB + hostile.LIMITS["plan_cache_bytes"])
        control, got = self.growth(1 << 40)
        self.assertEqual(got, {"served"})
        self.assertGreater(control, 60 * hostile.MIB)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *(sys.argv[1:] or CLASSES)])

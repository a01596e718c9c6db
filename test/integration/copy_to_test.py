"""COPY TO of protected tables gives, byte for byte, what it gives of plain ones. Values that do not open, values bound to
their rows, and what is refused.
"""

import datetime
import random
import unittest

import psycopg

from copied import PROTOCOLS, CopyCase, Session, plain_url, start
from stack import psql


def setUpModule():
    global STACK
    STACK = start()


def tearDownModule():
    STACK.stop()


class Out(CopyCase):
    def setUp(self):
        super().setUp()
        self.fill()

    def test_text_and_csv(self):
        for tail in ("", " (FORMAT text)", " DELIMITER '|' NULL 'x'", " (HEADER)", " (NULL '')", " CSV", " CSV HEADER",
                     " (FORMAT csv, FORCE_QUOTE (name, id))", " (FORMAT csv, FORCE_QUOTE *, HEADER)",
                     " (FORMAT csv, QUOTE '''', ESCAPE '\\', DELIMITER E'\\t', NULL 'none')",
                     " (FORMAT csv, DELIMITER '0', QUOTE 'x', ESCAPE '1')", " (FORMAT csv, ESCAPE '\\')",
                     " (FORMAT csv, NULL 'ab')", " (FORMAT csv, ENCODING 'UTF8')"):
            messages, _ = self.copy_out(f"COPY people TO STDOUT{tail}")
            is_new = tail == " (HEADER)" and self.stack.server_major < 15
            self.assertEqual(len(messages) >= 4, not is_new)
            for columns in ("name", "id, name", "code, born, seen, ok, name", "note"):
                self.copy_out(f"COPY people ({columns}) TO STDOUT{tail.replace('(name, id)', '*')}")

    def test_the_marker_as_a_value(self):
        for session in self.sessions:
            session.run("UPDATE people SET name = '\\.', note = '\\.' WHERE id = 1")
        for tail in ("", " CSV"):
            for columns in ("name", "note", "id, name"):
                self.copy_out(f"COPY people ({columns}) TO STDOUT{tail}")

    def test_queries(self):
        for query in ("SELECT * FROM people ORDER BY id", "TABLE people", "SELECT name AS who, 1 FROM people ORDER BY born",
                      "SELECT id, code FROM people WHERE code = 'ab'", "VALUES (1, 'a')",
                      "SELECT max(born), count(*) FROM people", "SELECT name FROM people WHERE false",
                      "INSERT INTO people (id, name) VALUES (9, 'new') RETURNING id, name",
                      "UPDATE people SET name = 'newer' WHERE id = 9 RETURNING *",
                      "DELETE FROM people WHERE id = 9 RETURNING name",
                      "WITH w AS (SELECT name FROM people) SELECT name FROM w ORDER BY name IS NULL LIMIT 1"):
            for tail in ("", " CSV HEADER", " BINARY"):
                for session in self.sessions:
                    session.run("DELETE FROM people WHERE id = 9")
                    session.run("INSERT INTO people (id, name) VALUES (9, 'old')" if "UPDATE" in query or "DELETE" in query else "")
                for extended in PROTOCOLS[:1] if "INSERT" in query or "DELETE" in query else PROTOCOLS:
                    with self.subTest(query, tail=tail, extended=extended):
                        self.both(lambda session: session.copy_out(f"COPY ({query}) TO STDOUT{tail}", extended))

    def test_settings_of_the_session(self):
        for setting in ("DateStyle = 'German'", "TimeZone = 'Asia/Kolkata'", "bytea_output = 'escape'",
                        "extra_float_digits = -5"):
            self.set(f"SET {setting}")
            self.copy_out("COPY people TO STDOUT")
            self.copy_out("COPY people TO STDOUT CSV")

    def test_binary(self):
        messages, _ = self.copy_out("COPY people TO STDOUT BINARY")
        self.assertEqual(len(messages), 5)
        data = b"".join(messages)
        for extended in PROTOCOLS:
            for pieces in (None, 1, 10):
                self.clear()
                outcome = self.both(lambda session: session.copy_in("COPY people FROM STDIN (FORMAT binary)", data, extended, pieces))
                self.assertEqual(outcome[3], "COPY 4")
                self.both(lambda session: session.copy_out("COPY people TO STDOUT (FORMAT binary)", extended))
        self.clear()
        self.copy_out("COPY people TO STDOUT BINARY")

    def test_binary_errors(self):
        data = b"".join(self.copy_out("COPY people TO STDOUT BINARY")[0])
        for bad in (b"x" + data, data[:-2] + b"\x00\x03", data[:-30], data + b"more", data[:19] + b"\x00\x01", b"",
                    data.replace(b"Copied", b"Cop\xffed"), data[:19] + b"\x00\x0c\xff\xff\xff\xfe"):
            for extended in PROTOCOLS:
                with self.subTest(bad[:30], extended=extended):
                    self.clear()
                    self.both(lambda session: session.copy_in("COPY people FROM STDIN BINARY", bad, extended))

    def test_large_values_and_many_rows(self):
        rng = random.Random(4)
        letters = "ab,\"\\\t\n'é渡 ."
        rows = ["".join(rng.choices(letters, k=rng.choice((0, 1, 5, 60, 70_000)))) for _ in range(200)]
        data = "".join(f"{number},\"{row.replace(chr(34), chr(34) * 2)}\"\n" for number, row in enumerate(rows)).encode()
        self.clear()
        self.both(lambda session: session.copy_in("COPY people (id, name) FROM STDIN CSV", data, False, 3000))
        for tail in ("", " CSV", " BINARY"):
            self.copy_out(f"COPY people TO STDOUT{tail}")

    def in_psql(self, *arguments, stdin=None):
        return [psql(STACK.url(), *arguments, options=STACK.options(), stdin=stdin), psql(plain_url(STACK), *arguments, stdin=stdin)]

    def test_psql(self):
        for line in ("\\copy people to stdout csv header", "COPY people TO STDOUT;", "COPY (SELECT name FROM people) TO STDOUT;"):
            answers = self.in_psql("-c", line)
            self.assertEqual(*[(answer.stdout, answer.stderr, answer.returncode) for answer in answers])
        script = "\\copy people (id, name) from stdin csv\n101,psql\n102,\"a\nb\"\n\\.\nSELECT id, name FROM people WHERE id > 100 ORDER BY id;\n"
        answers = self.in_psql(stdin=script)
        self.assertEqual(*[(answer.stdout, answer.returncode) for answer in answers])
        if self.stack.server_major >= 18:  # takes the end marker that an older psql sends for a value
            self.assertTrue(all("ERROR" in answer.stderr for answer in answers), answers)
            return
        self.assertEqual(*[answer.stderr for answer in answers])
        self.assertIn("COPY 2", answers[0].stdout)

    def test_psycopg(self):
        answers = []
        for connection in (STACK.connect(), psycopg.connect(plain_url(STACK), autocommit=True)):
            with connection, connection.cursor() as cursor:
                with cursor.copy("COPY people (id, name, born) FROM STDIN") as copy:
                    copy.write_row((201, "row\tone", "2020-02-02"))
                    copy.write_row((202, None, None))
                with cursor.copy("COPY people (id, name, born) FROM STDIN (FORMAT binary)") as copy:
                    copy.set_types(["int4", "text", "date"])
                    copy.write_row((203, "binary", datetime.date(2021, 1, 1)))
                with cursor.copy("COPY (SELECT id, name, born FROM people WHERE id > %s ORDER BY id) TO STDOUT", (200,)) as copy:
                    answers.append(list(copy.rows()))
        self.assertEqual(*answers)
        self.assertEqual(len(answers[0]), 3)


class Tampering(CopyCase):
    def test_a_value_that_does_not_open(self):
        self.fill()
        with STACK.direct() as direct:
            direct.execute("UPDATE people SET name = set_byte(name::bytea, 40, 255 - get_byte(name::bytea, 40)) WHERE id = 3")
        session = self.sessions[0]
        for extended in PROTOCOLS:
            for tail, before in (("", 2), (" BINARY", 2), (" CSV", 2)):
                messages, outcome = session.copy_out(f"COPY (SELECT id, name FROM people ORDER BY id) TO STDOUT{tail}", extended)
                self.assertEqual(len(messages), before)
                self.assertEqual(outcome[1], "XX001")
                self.assertEqual(outcome[-1], psycopg.pq.TransactionStatus.IDLE)
                session.run("BEGIN")
                outcome = session.copy_out(f"COPY people TO STDOUT{tail}", extended)[1]
                self.assertEqual((outcome[1], outcome[-1]), ("XX001", psycopg.pq.TransactionStatus.INERROR))
                self.assertEqual(session.run("SELECT 1")[0][0], "25P02")
                session.run("ROLLBACK")


class Bound(CopyCase):
    DATA = b"1\t2\tclear\tR1\n2\t1\t\\N\tR2\n3\t-7\tcloudy\t\\N\n"

    def test_both_ways(self):
        for extended in PROTOCOLS:
            self.clear()
            self.both(lambda session: session.copy_in("COPY charts FROM STDIN", self.DATA, extended))
            self.both(lambda session: session.run("SELECT * FROM charts ORDER BY 1"))
            for sql in ("COPY charts TO STDOUT", "COPY charts TO STDOUT BINARY", "COPY charts (finding, number, ward) TO STDOUT",
                        "COPY (SELECT finding FROM charts ORDER BY ward) TO STDOUT",
                        "COPY (SELECT finding, room FROM charts ORDER BY ward) TO STDOUT (FORMAT csv, HEADER)",
                        "COPY (SELECT finding FROM charts ORDER BY ward) TO STDOUT BINARY"):
                with self.subTest(sql, extended=extended):
                    self.both(lambda session: session.copy_out(sql, extended))

    def test_a_key_is_missing(self):
        session = self.sessions[0]
        for sql in ("COPY charts (ward, finding) FROM STDIN", "COPY charts (finding) TO STDOUT"):
            self.assertEqual(session.copy_in(sql, b"")[0], "0A000")
        self.assertEqual(session.copy_in("COPY charts FROM STDIN", b"1\t\\N\tx\ty\n")[2], "22004")
        self.assertEqual(session.copy_in("COPY charts FROM STDIN", b"1\tx\tx\ty\n")[2], "22P02")

    def test_a_value_in_another_row(self):
        self.both(lambda session: session.copy_in("COPY charts FROM STDIN", self.DATA))
        with STACK.direct() as direct:
            direct.execute("UPDATE charts SET finding = (SELECT finding FROM charts WHERE ward = 1) WHERE ward = 3")
        self.assertEqual(self.sessions[0].copy_out("COPY charts TO STDOUT")[1][1], "XX001")


class Refused(CopyCase):
    def test_what_is_not_understood(self):
        session = self.sessions[0]
        for sql, word in (("COPY people FROM '/tmp/x'", "STDIN"), ("COPY people TO PROGRAM 'cat'", "STDOUT"),
                          ("COPY (SELECT name FROM people) TO '/tmp/x'", "STDOUT"),
                          ("COPY people FROM STDIN (ENCODING 'latin1')", "UTF8"),
                          ("COPY people FROM STDIN (ON_ERROR ignore)", "option"),
                          ("COPY people FROM STDIN (DEFAULT 'd')", "option"),
                          ("COPY people FROM STDIN WHERE name = 'x'", "equality"),
                          ("COPY (SELECT upper(name) FROM people) TO STDOUT", "compute")):
            for extended in PROTOCOLS:
                with self.subTest(sql, extended=extended):
                    outcome = session.copy_in(sql, b"", extended)
                    self.assertEqual(outcome[0], "0A000")
                    self.assertIn(word, outcome[3])
        self.assertEqual(session.run("SELECT 1")[1], [[b"1"]])

    def test_a_write_behind_copy_to(self):
        text = "COPY people TO STDOUT; DELETE FROM people"
        self.assertEqual(self.sessions[0].copy_out(text)[1][1], "0A000")
        self.both(lambda session: session.copy_out("COPY people (id) TO STDOUT; COPY people TO STDOUT; COPY cards TO STDOUT"))


if __name__ == "__main__":
    unittest.main()

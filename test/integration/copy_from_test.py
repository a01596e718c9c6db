"""COPY FROM into protected tables does what it does to plain ones: the same rows, outcomes and errors. What reaches the
server is sealed.
"""

import os
import unittest

import psycopg

import leaks
import logs
from copied import COLUMNS, PROTOCOLS, SECRET, TEXT, CopyCase, Session, start
from wire import Wire

CSV = (b"1,\"Copied Canary, \"\"she\"\"\",ab,2001-02-03,2020-01-01 10:00+02,12.345,t,\\x0102ff,,1.5,n,w\n"
       b"2,,,,,,,,,,x,\n"
       b"3,\"two\nlines\",\"\",\"1999-12-31\",,,,,,inf,\"\",\"\"\n"
       b"4,a\"b,c\"d,\\.,,,,,,,,n,\n5,\\N,x,,,,,,,,\\.,y\n6,x,,,,,,,,,\\.,\"a\rb\"\n")


def setUpModule():
    global STACK
    STACK = start()


def tearDownModule():
    STACK.stop()


class In(CopyCase):
    def assert_copied(self, sql, data, rows, **options):
        self.assertEqual(self.copy_in(sql, data, **options)[3], f"COPY {rows}")

    def assert_fails(self, sql, data, sqlstate, where=None, **options):
        outcome = self.copy_in(sql, data, **options)
        self.assertEqual(outcome[2], sqlstate, outcome)
        self.assertEqual(outcome[6], where if where is not None else outcome[6])

    def test_text(self):
        self.assert_copied("COPY people FROM STDIN", TEXT, 4)
        self.assert_copied(f"COPY public.people ({COLUMNS}) FROM STDIN WITH (FORMAT text)", TEXT, 4)
        self.assert_copied("COPY people FROM STDIN", TEXT.replace(b"\n", b"\r\n"), 4)
        self.assert_copied("COPY people FROM STDIN", TEXT.replace(b"\n", b"\r"), 4)
        self.assert_copied("COPY people FROM STDIN", TEXT[:-1], 4)
        self.assert_copied("COPY people FROM STDIN", b"", 0)

    def test_the_server_has_envelopes_only(self):
        self.copy_in("COPY people FROM STDIN", TEXT)
        with STACK.direct() as direct:
            kinds = direct.execute("SELECT DISTINCT substr(name::bytea, 1, 2), substr(code::bytea, 1, 2) FROM people"
                                   " WHERE name IS NOT NULL AND code IS NOT NULL").fetchall()
        self.assertEqual([(bytes(a), bytes(b)) for a, b in kinds], [(b"\x01\x01", b"\x01\x02")])
        STACK.superuser("CHECKPOINT")
        folder = STACK.dir / "postgres"
        veiled = STACK.superuser("SELECT oid FROM pg_database WHERE datname = 'clinic'")[0][0]
        plain = STACK.superuser("SELECT oid FROM pg_database WHERE datname = 'clinic_plain'")[0][0]
        wanted = leaks.needles(SECRET[:2])
        self.assertEqual(set(leaks.scan([folder / "base" / str(plain)], wanted)), set(SECRET[:2]))
        self.assertEqual(leaks.scan([folder / "base" / str(veiled)], wanted), {})

    def test_columns_that_are_not_listed_keep_their_default(self):
        self.assert_copied("COPY people (name, id) FROM STDIN", b"a\t1\nb\t2\n", 2)
        self.assert_copied("COPY people (id, \"Ward 7\") FROM STDIN", b"1\tx\n", 1)
        self.assert_copied("COPY cards FROM STDIN", b"5\tcanary-pin\tPrague\n", 1, table="cards")
        self.assert_copied("COPY cards (pin, city) FROM STDIN", b"canary-pin\tPrague\n\\N\t\\N\n", 2, table="cards")

    def test_options_of_text(self):
        self.assert_copied("COPY people (id, name) FROM STDIN DELIMITER AS '|' NULL AS 'nil'",
                           b"1|a\\|b\n2|nil\n3|\\nil\n4|\n", 4)
        for option, data in (("HEADER", b"anything at all\n1\ta\n"), ("HEADER match", b"id\tname\n1\ta\n")):
            if self.stack.server_major >= 15:
                self.assert_copied(f"COPY people (id, name) FROM STDIN ({option})", data, 1)
            else:  # refused by the server: headers of text are new in PostgreSQL 15
                self.assertIn(self.copy_in(f"COPY people (id, name) FROM STDIN ({option})", data)[0], ("0A000", "42601"))
        self.assert_copied("COPY people (id, name) FROM STDIN (HEADER off, ENCODING 'utf-8')", b"1\ta\n", 1)
        self.assert_copied("COPY people (id, name) FROM STDIN WHERE id > 1 AND name IS NOT NULL",
                           b"1\ta\n2\tb\n3\t\\N\n", 1)
        self.assert_copied("COPY people (id, code) FROM STDIN WHERE code = 'b'", b"1\ta\n2\tb\n", 1)
        self.assert_copied("COPY people (name, id) FROM STDIN", b"a\t1\n\\.\nrubbish\n", 1)

    def test_csv(self):
        self.assert_copied("COPY people FROM STDIN (FORMAT csv)", CSV.replace(b"d,\\.,", b"d,,"), 6)
        self.assert_copied("COPY people FROM STDIN CSV", CSV[:CSV.index(b"\n3,") + 1].replace(b"\n", b"\r\n"), 2)
        self.assert_copied("COPY people (id, name) FROM STDIN (FORMAT csv, HEADER, QUOTE '''', ESCAPE '\\', DELIMITER ';')",
                           b"a;b\n1;'it\\'s \\\\ \\x'\n2;'a\nb'\n", 2)
        self.assert_copied("COPY people (id, name, code) FROM STDIN (FORMAT csv, NULL 'x', FORCE_NOT_NULL (name),"
                           " FORCE_NULL (code, name))", b"1,x,\"x\"\n2,\"x\",x\n3,,y\n", 3)
        self.assert_copied("COPY people (id, name) FROM STDIN (FORMAT csv, ESCAPE 'x', QUOTE '0')", b"1,0a,b0\n2,x\n", 2)
        self.assert_copied("COPY people (name, id) FROM STDIN (FORMAT csv)", b"a,1\n\\.,2\n", 2)
        if self.stack.server_major < 18:
            self.assert_copied("COPY people (name, id) FROM STDIN (FORMAT csv)", b"a,1\n\\.\nrubbish\n", 1)
        else:  # no end marker any more
            self.assert_fails("COPY people (name, id) FROM STDIN (FORMAT csv)", b"a,1\n\\.\nrubbish\n", "22P04")
            self.assert_copied("COPY cards (pin) FROM STDIN (FORMAT csv)", b"a\n\\.\nb\n", 3, table="cards")
        self.assert_copied("COPY people (id, name) FROM STDIN CSV HEADER FORCE NOT NULL name", b"id,name\n1,\n", 1)

    def test_errors_of_values(self):
        columns = "COPY people (id, name, code, born, amount) FROM STDIN"
        good = b"1\ta\tb\t2001-01-01\t1\n"
        self.assert_fails(columns, good + b"2\ta\ttoolong\t\\N\t\\N\n", "22001",
                          'COPY people, line 2, column code: "toolong"')
        self.assert_fails(columns, good + b"2\ta\tb\t2001-02-30\t\\N\n", "22008")
        self.assert_fails(columns, good + b"2\ta\tb\tnever\t\\N\n" + good, "22007")
        self.assert_fails(columns, good + b"2\ta\tb\t\\N\t1234567.5\n", "22003")
        self.assert_fails(columns, good + b"2\ta\\x00b\tb\t\\N\t\\N\n", "22021")
        self.assert_fails(columns, good + b"2\ta\xff\tb\t\\N\t\\N\n", "22021", pieces=(None, ))
        long = b"2\ta\t" + "é".encode() * 80 + b"\t\\N\t\\N\n"
        self.assert_fails(columns, good + long, "22001")
        self.assert_fails(columns + " (FORMAT csv)", b'0,a,,,\n1,"a\n\nb",,,\n2,,toolong,,\n', "22001",
                          'COPY people, line 5, column code: "toolong"')

    def test_errors_of_lines(self):
        two = "COPY people (id, name) FROM STDIN"
        self.assert_fails(two, b"1\ta\n2\n", "22P04", 'COPY people, line 2: "2"')
        self.assert_fails(two, b"1\ta\n2\tb\tCopied Canary\n", "22P04")
        self.assert_fails(two, b"1\ta\n2\tb\r\n", "22P04")
        self.assert_fails(two, b"1\ta\r\n2\tb\n", "22P04")
        self.assert_fails(two, b"1\ta\n\\.x\n", "22P04")
        self.assert_fails(two + " CSV", b'1,a\n2,"b\n', "22P04")
        self.assert_fails(two + " CSV", b'1,a\n2,b,c\n', "22P04")
        self.assert_fails(two + " CSV", b'1,a\r\n2,b\n', "22P04")
        if self.stack.server_major >= 15:
            for header in (b"id\tname\tx", b"id\tnom", b"id\t\\N"):
                self.assert_fails(two + " (HEADER match)", header + b"\n1\ta\n", "22P04")

    def test_errors_of_the_server(self):
        """Its own, though values of later rows were sealed; the CONTEXT shows the line as it was sent, so without it."""
        for data in (b"1\ta\n1\tb\n2\tc\n", b"1\ta\nx\tb\n2\tc\n"):
            for extended in PROTOCOLS:
                self.clear()
                outcome = [session.copy_in("COPY people (id, name) FROM STDIN", data, extended)
                           for session in self.sessions]
                self.assertEqual(outcome[0][:5], outcome[1][:5])
                self.assertIn(outcome[0][2], ("23505", "22P02"))
                self.assertNotIn("\\x01", outcome[0][6])

    def test_mistakes_in_the_statement(self):
        for sql in ("COPY people (id, nothing) FROM STDIN", "COPY people (id, id, name) FROM STDIN",
                    "COPY people FROM STDIN (FORMAT xml)", "COPY people FROM STDIN (DELIMITER 'ab')",
                    "COPY people FROM STDIN (DELIMITER 'a')", "COPY people FROM STDIN (FORMAT csv, QUOTE ',')",
                    "COPY people FROM STDIN (HEADER maybe)", "COPY people FROM STDIN (NULL E'\\n')",
                    "COPY people FROM STDIN (FORMAT csv, FORMAT csv)", "COPY people FROM STDIN (QUOTE 'x')",
                    "COPY people FROM STDIN (FORMAT binary, DELIMITER ',')", "COPY people TO STDOUT (HEADER match)",
                    "COPY people (twice) FROM STDIN", "COPY cards (id, pin, twice) FROM STDIN"):
            for extended in PROTOCOLS:
                with self.subTest(sql, extended=extended):
                    outcome = [session.copy_in(sql, b"", extended) for session in self.sessions]
                    self.assertEqual(outcome[0][:2], outcome[1][:2])

    def test_transactions(self):
        for extended in PROTOCOLS:
            self.clear()
            self.set("BEGIN")
            self.both(lambda session: session.copy_in("COPY people (id, name) FROM STDIN", b"1\ta\n", extended))
            self.set("SAVEPOINT s")
            failed = self.both(lambda session: session.copy_in("COPY people (id, code) FROM STDIN", b"2\ttoolong\n", extended))
            self.assertEqual(failed[-1], psycopg.pq.TransactionStatus.INERROR)
            self.set("SELECT 1")
            self.set("ROLLBACK TO s")
            self.both(lambda session: session.copy_in("COPY people (id, name) FROM STDIN", b"3\tc\n", extended))
            self.set("COMMIT")
            self.assertEqual(len(self.both(lambda session: session.run("SELECT * FROM people ORDER BY id"))[1]), 2)

    def test_the_client_gives_up(self):
        for extended in PROTOCOLS:
            for data in (b"", b"1\ta\n2\tCopied Can", b"1\ta\n"):
                outcome = self.both(lambda session: session.copy_in(
                    "COPY people (id, name) FROM STDIN", data, extended, fail=b"enough"))
                self.assertEqual(outcome[2], "57014")
                self.both(lambda session: session.run("SELECT count(*) FROM people"))

    def test_the_connection_breaks(self):
        session = Session(STACK.url(), STACK.options())
        session._start("COPY people (id, name) FROM STDIN", False)
        session.conn.put_copy_data(b"1\tCopied Canary\n2\tCop")
        session.conn.flush()
        os.close(os.dup(session.conn.socket))
        session.close()
        self.assertEqual(self.sessions[0].run("SELECT count(*) FROM people")[1], [[b"0"]])

    def test_several_statements_in_one_text(self):
        sql = "INSERT INTO wards VALUES (%d, 'x'); COPY people (id, name) FROM STDIN; SELECT count(*) FROM people"
        for number, data in ((1, b"1\ta\n2\tb\n"), (2, b"3\n")):
            self.both(lambda session: session.copy_in(sql % number, data))
            self.both(lambda session: session.run("SELECT * FROM wards ORDER BY id"))
            self.both(lambda session: session.run("SELECT * FROM people ORDER BY id"))

    def test_without_shares(self):
        bare = Session(STACK.url())
        self.addCleanup(bare.close)
        self.assertEqual(bare.copy_in("COPY people FROM STDIN", TEXT)[0], "28000")
        self.assertEqual(bare.copy_in("COPY people (id, note) FROM STDIN", b"1\ta\n")[3], "COPY 1")
        self.assertEqual(bare.copy_out("COPY people TO STDOUT")[1][0], "28000")

    def test_settings_of_the_session(self):
        self.set("SET DateStyle = 'SQL, DMY'")
        self.set("SET TimeZone = 'America/New_York'")
        self.assert_copied("COPY people (id, born, seen) FROM STDIN", b"1\t03/02/2001\t03/02/2001 10:00\n", 1)
        self.copy_out("COPY people TO STDOUT")


class InBinary(CopyCase):
    """Text and csv that leave in binary, because every plain column has exact text."""

    FIELDS = "id, small, secret, ok, code, fixed, count, raw, ref, doc, tree, city"
    ROWS = (b"1\t-5\tCopied Canary\tt\tab\tx\t9000\t\\\\x0102ff\t6f9b1c3e-0a51-4f0e-9a39-5d1f2b7c8e01\t"
            b"{\"a\": 1, \"a\":2}\t{\"b\":[1, 2]}\tw\n"
            b"-2\t\\N\t\\N\t\\N\t\\N\t\\N\t\\N\t\\N\t\\N\t\\N\t\\N\tx\n"
            b" +3 \t 7\ttab\\there\\\\\\x41\t off \tabcd   \tde \t-1\tabc\\\\134\t"
            b"{0D3C7A52-6e0b-4c2d-8f74-91b0a6c5d802}\t[]\t\"\\\\u00e9\"\t\\\\N\n"
            + "9223372036854775807\t0\tKopie Žofie\tyes\té渡辺x\té\t0\t\t\\N\tnull\t1e5\t渡\\n辺\n".encode())
    CSV = (b"id,small,secret,ok,code,fixed,count,raw,ref,doc,tree,city\n"
           b"1,2,\"Copied Canary, \"\"she\"\"\",t,\"a,b\",\"\",5,\\x00,,\"{\"\"a\"\":1}\",[],\"two\nlines\"\n"
           b"2,,,,,,,,,,,\"\"\n3,,\"\",,\"\",,,,,,,\"x\ny\n\nz\"\n4,1,a\"b,c\"d,f,a,a,1,,,,,y\n")

    def assert_binary(self, is_binary, sql, data, table="mixed"):
        """... and what it does is what it does to a plain table."""
        STACK.mark_server_log()
        outcome = self.copy_in(sql, data, table=table)
        sent = [line for line in logs.through_pgveil(STACK.server_log_since_mark()).splitlines()
                if "COPY \"public\"" in line or f"COPY public.{table}" in line]
        self.assertTrue(sent, sql)
        self.assertEqual({"FORMAT binary" in line for line in sent}, {is_binary}, sent[0])
        return outcome

    def test_what_leaves_in_binary(self):
        for tail in ("", " CSV", " (FORMAT csv, NULL 'x', DELIMITER ';')", " DELIMITER '|'", " (ENCODING 'utf-8')"):
            self.assert_binary(True, f"COPY mixed (id, secret) FROM STDIN{tail}", b"")
        self.assert_binary(True, "COPY mixed FROM STDIN", b"")
        self.assert_binary(True, "COPY public.dated (id, secret) FROM STDIN", b"1\ta\n", "dated")
        self.assert_binary(False, "COPY dated FROM STDIN", b"1\ta\ttomorrow\n2\t\\N\t2001-02-03\n", "dated")
        self.assert_binary(False, "COPY mixed (id, secret) FROM STDIN WHERE id > 1", b"1\ta\n2\tb\n")

    def test_text(self):
        for data in (self.ROWS, self.ROWS.replace(b"\n", b"\r\n"), self.ROWS[:-1], self.ROWS + b"\\.\nrubbish\n", b""):
            outcome = self.assert_binary(True, "COPY mixed FROM STDIN", data)
            self.assertEqual(outcome[3], "COPY 4" if data else "COPY 0")

    def test_an_end_marker_without_a_line_end(self):
        self.assertEqual(self.copy_in("COPY mixed (id, secret) FROM STDIN", b"1\ta\n\\.", "mixed")[2], "22P04")
        self.assertEqual(self.copy_in("COPY mixed (secret, id) FROM STDIN CSV", b"a,1\n\\.", "mixed")[2], "22P04")
        self.assertEqual(self.copy_in("COPY cards (pin) FROM STDIN CSV", b"a\n\\.", "cards")[3], "COPY 2")

    def test_csv(self):
        self.assertEqual(self.assert_binary(True, "COPY mixed FROM STDIN CSV HEADER", self.CSV)[3], "COPY 4")
        self.assert_binary(True, "COPY mixed (id, city, secret) FROM STDIN (FORMAT csv, NULL 'x', FORCE_NOT_NULL (city),"
                           " FORCE_NULL (secret, id))", b'1,x,"x"\n2,"x",x\n3,,y\n')
        self.assertEqual(self.copy_in("COPY mixed FROM STDIN CSV HEADER", self.CSV + b"5,1\n", "mixed")[2], "22P04")
        if self.stack.server_major >= 15:
            self.assert_binary(True, "COPY mixed (id, secret) FROM STDIN (HEADER match)", b"id\tsecret\n1\ta\n")
            for data in (b"", b"\\.\n", b"\n"):
                for tail in ("(HEADER match)", "(HEADER match, FORMAT csv)"):
                    self.assertEqual(self.copy_in(f"COPY mixed (id, secret) FROM STDIN {tail}", data, "mixed")[2], "22P04")

    def test_errors_of_plain_values(self):
        for columns, value, sqlstate in (
                ("small", b"32768", "22003"), ("small", b"x", "22P02"), ("small", b"", "22P02"), ("ok", b"maybe", "22P02"),
                ("raw", b"\\\\x0", "22023"),
                ("raw", b"\\\\9", "22P02"), ("ref", b"6f9b1c3e", "22P02"), ("city", b"a\\x00b", "22021"),
                ("city", b"a\\xffb", "22021"), ("city", b"a\xffb", "22021"), ("city", b"\xc3\\xa9", "22021"),
                ("small", b"1\t2", "22P04"), ("ref", b"{6f9b1c3e-0a51-4f0e-9a39-5d1f2b7c8e01", "22P02")):
            first = b"x" if columns == "city" else b"\\N"
            data = b"1\ta\t" + first + b"\n2\tb\t" + value + b"\n"
            pieces = (None, ) if max(value, default=0) > 127 else (None, 3)
            outcome = self.copy_in(f"COPY mixed (id, secret, {columns}) FROM STDIN", data, "mixed", pieces)
            self.assertEqual(outcome[2], sqlstate, outcome)
        self.assertEqual(self.copy_in("COPY mixed (small, secret, id) FROM STDIN", b"x\ta\n", "mixed")[2], "22P02")
        self.assertEqual(self.copy_in("COPY mixed (id, secret, small) FROM STDIN", b"1\ta\n", "mixed")[2], "22P04")
        for number in (b"0x1F", b"1_000", b"0b1", b"1__0"):  # numbers since PostgreSQL 16
            self.copy_in("COPY mixed (id, secret) FROM STDIN", number + b"\ta\n", "mixed")

    def test_errors_that_the_server_finds(self):
        """In CONTEXT the text of the line is not there, but its number is."""
        for sql, data, sqlstate in (
                ("COPY mixed (id, secret, doc) FROM STDIN", b"1\ta\t1\n2\tb\t{\n", "22P02"),
                ("COPY mixed (id, secret, tree) FROM STDIN", b"1\ta\t\n", "22P02"),
                ("COPY mixed (id, secret, code) FROM STDIN", b"1\ta\tabc  \n2\tb\tabcde\n", "22001"),
                ("COPY mixed (id, secret, fixed) FROM STDIN", "1\ta\té\n2\tb\téabc\n".encode(), "22001"),
                ("COPY mixed (id, secret, city) FROM STDIN CSV HEADER", b'x\n1,"a\nb",c\n2,d,\n', "23502")):
            for extended in PROTOCOLS:
                self.clear()
                veiled, plain = [session.copy_in(sql, data, extended) for session in self.sessions]
                self.assertEqual(veiled[:4], plain[:4])
                self.assertEqual(veiled[2], sqlstate)
                self.assertIn(veiled[4], (plain[4], "Failing row contains (2, null, (encrypted)..., null, null, null, null,"
                                          " null, null, null, null, null)."))
                self.assertTrue(veiled[6], veiled)
                self.assertTrue(plain[6].startswith(veiled[6]), (veiled, plain))
        for data in (b"", b"head\n", b'head\n1,"a\nb"\n', b'head\n1,"a\nb"\n2,c'):
            self.clear()
            self.both(lambda session: session.copy_in("COPY mixed (id, secret) FROM STDIN CSV HEADER", data, fail=b"no"))
        outcome = self.copy_in("COPY mixed (id, secret) FROM STDIN CSV HEADER",
                               b'a\n1,"a\nb"\n2,"c\n\n\nd"\n3,e\n1,"f\ng"\n', "mixed")
        self.assertEqual((outcome[2], outcome[6]), ("23505", "COPY mixed, line 10"))

    def test_freeze_and_transactions(self):
        for extended in PROTOCOLS:
            self.clear()
            for statement in ("BEGIN", "TRUNCATE mixed"):
                self.set(statement)
            self.both(lambda session: session.copy_in("COPY mixed (id, secret) FROM STDIN (FREEZE)", b"1\ta\n", extended))
            self.set("COMMIT")
            self.both(lambda session: session.run("SELECT id, secret, city FROM mixed"))
            self.both(lambda session: session.copy_in("COPY mixed (id, secret) FROM STDIN (FREEZE)", b"2\ta\n", extended))

    def test_a_server_that_fails_before_it_reads_answers_every_sync(self):
        """FREEZE is judged behind CopyInResponse; in binary the server reads the header first. libpq cannot tell the
        second ReadyForQuery from a later answer's."""
        self.fill()
        with Wire(STACK, STACK.options()) as wire:
            wire.parse("", "COPY people (id, name) FROM STDIN (FREEZE) WHERE id > 0").bind("", "").execute("").sync()
            self.assertEqual("".join(letter for letter, _ in wire.replies()), "12GEZ")
            wire.message("d", b"9\tNobody\n").message("c").sync().query("SELECT count(*) FROM people")
            self.assertEqual(wire.replies(), [("Z", b"I")])
            self.assertIn(b"4", dict(wire.replies())["D"])

    def test_sizes(self):
        wide = b"".join(b"%d\t%s\t%s\n" % (i, b"s" * size, b"c" * size) for i, size in enumerate((0, 1, 5000, 3_000_000)))
        self.copy_in("COPY mixed (id, secret, city) FROM STDIN", wide, "mixed", pieces=(None, 8191))
        many = b"".join(b"%d\tname of %d\t%d\n" % (i, i, i * 7919) for i in range(20_000))
        self.assertEqual(self.copy_in("COPY mixed (id, secret, count) FROM STDIN", many, "mixed", pieces=(65536, ))[3],
                         "COPY 20000")

    def test_client_encoding(self):
        self.set("SET client_encoding = 'SQL_ASCII'")
        self.copy_in("COPY mixed (id, secret, city) FROM STDIN", "1\té\té\n".encode(), "mixed")
        self.copy_in("COPY mixed (id, secret, city) FROM STDIN", b"1\te\t\xe9\n", "mixed")
        self.set("SET client_encoding = 'LATIN1'")
        self.assertEqual(self.sessions[0].copy_in("COPY mixed (id, secret) FROM STDIN", b"1\ta\n")[0], "0A000")

    def test_who_may_insert_need_not_select(self):
        for database in ("clinic", "clinic_plain"):
            STACK.superuser("DO $$BEGIN CREATE ROLE writer; EXCEPTION WHEN duplicate_object THEN END$$", database)
            STACK.superuser("GRANT writer TO app", database)
            STACK.superuser("GRANT INSERT ON mixed TO writer", database)
        for session in self.sessions:
            session.run("SET ROLE writer")
        self.assertEqual(self.both(lambda session: session.copy_in("COPY mixed (id, secret) FROM STDIN", b"1\ta\n"))[3],
                         "COPY 1")
        self.assertEqual(self.both(lambda session: session.copy_in("COPY dated (id, secret) FROM STDIN", b""))[0], "42501")

    def test_a_type_that_changed_around_pgveil(self):
        self.copy_in("COPY mixed (id, secret) FROM STDIN", b"1\ta\n", "mixed")
        for type_name in ("double precision", "bigint"):
            with STACK.direct() as direct:
                direct.execute("TRUNCATE mixed")
                direct.execute(f"ALTER TABLE mixed ALTER id TYPE {type_name}")
            outcome = self.sessions[0].copy_in("COPY mixed (id, secret) FROM STDIN", b"7\ta\n")
            self.assertIn(outcome[0], ("42883", 2), outcome)  # refused, or read by the new type
            self.assertEqual(STACK.superuser("SELECT id::int FROM mixed", "clinic"), [(7, )] if outcome[0] == 2 else [])

    def test_a_length_that_changed_around_pgveil(self):
        """Lengths are those that the column has by then."""
        self.copy_in("COPY mixed (id, secret, fixed) FROM STDIN", b"1\ta\tab\n", "mixed")
        for database in ("clinic", "clinic_plain"):
            STACK.superuser("ALTER TABLE mixed ALTER fixed TYPE text", database)
        try:
            self.copy_in("COPY mixed (id, secret, fixed) FROM STDIN", b"2\ta\tab\n3\tb\tabcdef\n", "mixed")
        finally:
            self.clear()
            for database in ("clinic", "clinic_plain"):
                STACK.superuser("ALTER TABLE mixed ALTER fixed TYPE char(3)", database)


if __name__ == "__main__":
    unittest.main()

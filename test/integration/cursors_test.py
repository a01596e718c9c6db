"""SQL cursors over protected columns: the answers of a plain table, over both protocols."""

import struct
import unittest

import psycopg

from forms import BINARY, FormCase, stop as tearDownModule
from wire import Wire, fields_of

ALL = "SELECT id, name, ssn, born, age, note, city FROM people ORDER BY id"
DIRECTIONS = ("NEXT", "PRIOR", "FIRST", "LAST", "ABSOLUTE 2", "ABSOLUTE -1", "RELATIVE -1", "RELATIVE 0", "2", "-2", "ALL",
              "FORWARD", "FORWARD 2", "FORWARD ALL", "BACKWARD", "BACKWARD 1", "BACKWARD ALL", "0")


class Cursors(FormCase):
    def test_every_direction(self):
        """The rows are really there (positive control), and the database holds none of them in plain."""
        rows = self.assert_same("BEGIN", f"DECLARE c SCROLL CURSOR FOR {ALL}", "FETCH ALL FROM c", "COMMIT",
                                protocols=["simple"])
        self.assertEqual(rows, [])
        for verb in ("FETCH", "MOVE"):
            self.assert_same("BEGIN", f"DECLARE c SCROLL CURSOR FOR {ALL}",
                             *(f"{verb} {direction} FROM c" for direction in DIRECTIONS), "FETCH 1 IN c", "CLOSE c", "COMMIT")
        with self.twins.veiled.transaction():
            self.twins.veiled.execute(f"DECLARE c CURSOR FOR {ALL}")
            row = self.twins.veiled.execute("FETCH c").fetchone()
        self.assertEqual(row[1:3], ("Ann Archer", "111-XK"))
        with self.stack.direct() as direct:
            self.assertNotIn(b"Ann Archer", bytes(direct.execute("SELECT name FROM people WHERE id = 1").fetchone()[0]))

    def test_options(self):
        for options in ("NO SCROLL", "INSENSITIVE", "BINARY", "BINARY NO SCROLL", "ASENSITIVE SCROLL"):
            self.assert_same("BEGIN", f"DECLARE \"My C\" {options} CURSOR FOR {ALL}", "FETCH 2 FROM \"My C\"",
                             "FETCH BACKWARD 1 FROM \"My C\"", "FETCH ALL FROM \"My C\"", "ROLLBACK")

    def test_with_hold(self):
        self.assert_same("BEGIN", f"DECLARE c CURSOR WITH HOLD FOR {ALL}", "FETCH 1 FROM c", "COMMIT", "FETCH 1 FROM c",
                         "BEGIN", "FETCH 1 FROM c", "ROLLBACK", "FETCH ALL FROM c", "CLOSE c", "FETCH ALL FROM c")
        self.assert_same(f"DECLARE c BINARY CURSOR WITH HOLD FOR {ALL}", "FETCH 3 FROM c", "CLOSE ALL", "FETCH c")
        self.assert_same("BEGIN", f"DECLARE c CURSOR WITH HOLD FOR {ALL}", "ROLLBACK", "FETCH ALL FROM c",
                         "DECLARE c CURSOR WITH HOLD FOR SELECT city, zone FROM cities ORDER BY 1", "FETCH ALL FROM c",
                         "DISCARD ALL", "FETCH c", protocols=["simple"])

    def test_transactions_and_savepoints(self):
        self.assert_same(f"DECLARE c CURSOR FOR {ALL}")
        self.assert_same("BEGIN", f"DECLARE c CURSOR FOR {ALL}", "COMMIT", "FETCH c", "BEGIN", "FETCH c", "ROLLBACK")
        self.assert_same("BEGIN", "SAVEPOINT a", f"DECLARE c CURSOR FOR {ALL}", "FETCH c", "ROLLBACK TO a", "FETCH c",
                         "ROLLBACK TO a", "DECLARE c CURSOR FOR SELECT city FROM cities ORDER BY 1", "FETCH ALL FROM c",
                         "ROLLBACK TO a", f"DECLARE c CURSOR FOR {ALL}", "RELEASE a", "FETCH 2 FROM c", "SELECT 1/0",
                         "FETCH c", "ROLLBACK")
        self.assert_same("BEGIN", f"DECLARE c CURSOR FOR {ALL}", f"DECLARE c CURSOR FOR {ALL}", "ROLLBACK")
        self.assert_same("BEGIN", f"DECLARE c CURSOR FOR {ALL}", "CLOSE c", "CLOSE c", "ROLLBACK")

    def test_queries(self):
        for query in ("SELECT name FROM people WHERE ssn = '222-XK'", "SELECT ssn FROM people ORDER BY age NULLS FIRST",
                      "SELECT p.name, c.zone FROM people p JOIN cities c USING (city) ORDER BY p.id",
                      "WITH w AS (SELECT id, note FROM people) SELECT id FROM w ORDER BY id", "SELECT max(born) FROM people",
                      "SELECT note FROM people ORDER BY id", "SELECT id FROM people WHERE born > '1986-01-01' ORDER BY id",
                      "SELECT ssn FROM people UNION SELECT ssn FROM people LIMIT 0"):
            self.assert_same("BEGIN", f"DECLARE c CURSOR FOR {query}", "FETCH 2 FROM c", "FETCH ALL FROM c", "COMMIT")

    def test_where_current_of(self):
        self.assert_same("BEGIN", "DECLARE c CURSOR FOR SELECT id, name FROM people WHERE ssn = '222-XK' FOR UPDATE",
                         "FETCH c", "UPDATE people SET name = 'Eve Evans', age = 77 WHERE CURRENT OF c RETURNING name, age",
                         "SELECT name, age FROM people ORDER BY id", "DELETE FROM people WHERE CURRENT OF c",
                         "SELECT count(*) FROM people", "ROLLBACK")

    def test_several_statements_in_one_text(self):
        self.assert_same(f"BEGIN; DECLARE c CURSOR FOR {ALL}; FETCH 2 FROM c; FETCH 1 FROM c; MOVE 1 IN c; FETCH 5 FROM c",
                         "COMMIT", protocols=["simple"])
        self.assert_same(f"BEGIN; DECLARE c CURSOR FOR {ALL}; CLOSE c; FETCH c; SELECT 1", "ROLLBACK", protocols=["simple"])
        self.assert_same("BEGIN; LISTEN people; NOTIFY people, 'x'; SELECT pg_advisory_xact_lock(7); SAVEPOINT a;"
                         f" DECLARE c CURSOR FOR {ALL}; PREPARE p AS SELECT name FROM people WHERE id = $1;"
                         " EXPLAIN (COSTS off) SELECT 1; FETCH c", "ROLLBACK", "UNLISTEN *", "DEALLOCATE p",
                         protocols=["simple"])

    def test_parameters_of_declare(self):
        for connection in (self.twins.veiled, self.twins.plain):
            with connection.transaction():
                declare = "DECLARE c CURSOR FOR SELECT name FROM people WHERE ssn = $1 OR age < $2 ORDER BY id"
                result = connection.pgconn.exec_params(declare.encode(), [b"222-XK", b"20"])
                self.assertEqual(result.command_status, b"DECLARE CURSOR")
                self.assertEqual(connection.execute("FETCH ALL FROM c").fetchall(), [("Bob Baker",), ("Dan Dyer",)])

    def test_a_prepared_fetch_follows_its_cursor(self):
        for connection in (self.twins.veiled, self.twins.plain):
            with connection.transaction():
                connection.execute("DECLARE c CURSOR FOR SELECT name FROM people ORDER BY id")
                connection.pgconn.prepare(b"f", b"FETCH 2 FROM c")
                first = connection.pgconn.exec_prepared(b"f", [], result_format=BINARY)
                connection.execute("CLOSE c")
                connection.execute("DECLARE c CURSOR FOR SELECT id, born FROM people ORDER BY id")
                second = connection.pgconn.exec_prepared(b"f", [], result_format=BINARY)
            self.assertEqual(first.get_value(1, 0), b"Bob Baker")
            self.assertEqual(second.get_value(0, 1), struct.pack("!i", -3651))

    def test_a_cursor_made_where_nobody_looks_is_not_taken_for_another(self):
        """hidden() opens a cursor under the name of one that pgveil knows: refused, and nothing wrong is shown."""
        self.twins.veiled.execute("BEGIN")
        self.twins.veiled.execute("DECLARE c CURSOR WITH HOLD FOR SELECT name, city FROM people")
        self.twins.veiled.execute("ROLLBACK")
        self.twins.veiled.execute("BEGIN")
        self.twins.veiled.execute("SELECT hidden()")
        self.assertEqual(self.veiled_error("FETCH ALL FROM c"), "XX000")
        self.assertEqual(self.veiled_error("SELECT 1"), "25P02")
        self.twins.veiled.execute("ROLLBACK")

    def test_refusals(self):
        for query in ("SELECT upper(name) FROM people", "SELECT name FROM people WHERE name = 'x'", "SELECT people FROM people"):
            self.assertEqual(self.veiled_error(f"DECLARE c CURSOR WITH HOLD FOR {query}"), "0A000", query)
        self.twins.veiled.execute(f"DECLARE c CURSOR WITH HOLD FOR {ALL}")
        self.assertEqual(self.veiled_error("FETCH c; COMMIT"), "0A000")
        self.assertEqual(self.veiled_error("CLOSE c"), "")

    def test_without_shares(self):
        with self.stack.connect(options="") as nobody, nobody.transaction():
            nobody.execute("DECLARE c CURSOR FOR SELECT id, name FROM people")
            nobody.execute("MOVE 1 IN c")
            with self.assertRaises(psycopg.errors.InvalidAuthorizationSpecification), nobody.transaction():
                nobody.execute("FETCH c")


class OneNameSpace(FormCase):
    """SQL cursors and the protocol's portals."""

    def rows(self, replies):
        cells = []
        for letter, body in replies:
            self.assertNotEqual(letter, "E", fields_of(body) if letter == "E" else None)
            if letter == "D":
                size = struct.unpack("!i", body[2:6])[0]
                cells.append(body[6:6 + size])
        return cells

    def setUp(self):
        super().setUp()
        self.wire = Wire(self.stack, self.stack.options())
        self.addCleanup(self.wire.__exit__)
        self.wire.query("BEGIN").replies()

    def test_a_cursor_is_executed_by_the_protocol(self):
        for options in ("", "BINARY"):
            self.wire.query(f"DECLARE c {options} CURSOR FOR SELECT name FROM people ORDER BY id").replies()
            self.assertEqual(self.rows(self.wire.execute("c", 2).sync().replies()), [b"Ann Archer", b"Bob Baker"])
            self.assertEqual(self.rows(self.wire.query("FETCH c").replies()), [b"Cid Cooper"])
            self.wire.query("CLOSE c").replies()

    def test_a_portal_is_fetched_by_sql(self):
        self.wire.parse("s", "SELECT name FROM people ORDER BY id").bind("p", "s").sync().replies()
        self.assertEqual(self.rows(self.wire.query("FETCH 2 FROM p").replies()), [b"Ann Archer", b"Bob Baker"])
        self.assertEqual(self.rows(self.wire.execute("p", 1).sync().replies()), [b"Cid Cooper"])

    def test_all_in_one_batch(self):
        """Nothing of it waits for a Sync."""
        self.wire.parse("d", "DECLARE c CURSOR FOR SELECT name FROM people ORDER BY id").bind("", "d").execute("")
        self.wire.parse("f", "FETCH 2 FROM c").bind("", "f").execute("").execute("c", 1)
        self.wire.parse("z", "CLOSE c").bind("", "z").execute("").sync()
        self.assertEqual(self.rows(self.wire.replies()), [b"Ann Archer", b"Bob Baker", b"Cid Cooper"])


if __name__ == "__main__":
    unittest.main()

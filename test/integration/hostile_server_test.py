"""A server that lies: what it says is changed on its way to pgveil. The client gets a clear error, or what was not
touched; never a value in a place where it does not belong. pgveil lives, and so does the next session.
"""

import json
import struct
import unittest

import faults
from exchanges import SYNC, Talk, ask, message, query
from faults import FaultCase, settings_of
from leg import Rewrite, split
from wire import fields_of

SQL = "SELECT id, name, ssn, born FROM patients WHERE id < 4 ORDER BY id"
COPY = query("COPY patients (id, name, ssn, born) TO STDOUT")
WAYS = {"simple": query(SQL), "extended": ask(SQL) + SYNC}
# This leaves as a batch; it is answered like the other two.
ALL_WAYS = {**WAYS, "batched": query(f"SELECT id, name, ssn, born FROM ({SQL}) p ORDER BY id")}
# What the client may be told. 08P01: the session ends; XX001: a value does not open; XX000: not what the plan expects;
# 0A000: an envelope where none belongs.
ERRORS = {"08P01", "XX001", "XX000", "0A000", "08006"}
# What names the columns have, and that rows have a description, is the server's word; to a Describe also in which format
# columns come that are not protected: ours have the one that was asked for.
UNSEEN = ({("another order", way) for way in ALL_WAYS} | {("binary", "extended")} |
          {(what, way) for what in ("none at all", "it twice") for way in ("simple", "batched")})


def setUpModule():
    global STACK, LEG
    STACK, LEG = faults.start()
    settings = settings_of(STACK)
    settings["limits"] = {**settings.get("limits", {}), "catalog_ttl_ms": 60_000}
    STACK.write("pgveil.json", json.dumps(settings))
    STACK.restart_proxy()


def tearDownModule():
    faults.stop()


def cells_of(body):
    cells, at = [], 2
    while at < len(body):
        size = struct.unpack_from("!i", body, at)[0]
        cells.append(None if size < 0 else body[at + 4:at + 4 + size])
        at += 4 + max(size, 0)
    return cells


def row(cells, count=None):
    body = b"".join(struct.pack("!i", -1) if cell is None else struct.pack("!i", len(cell)) + cell for cell in cells)
    return message("D", struct.pack("!h", len(cells) if count is None else count) + body)


def columns_of(body):
    """[name, the 18 bytes behind it]: table, column, type, size, modifier, format."""
    columns, at = [], 2
    while at < len(body):
        end = body.index(b"\0", at)
        columns.append([body[at:end], body[end + 1:end + 19]])
        at = end + 19
    return columns


def description(columns):
    return message("T", struct.pack("!h", len(columns)) + b"".join(name + b"\0" + rest for name, rest in columns))


def of_type(fields, oid):
    return fields[:6] + struct.pack("!I", oid) + fields[10:]


def lies_about_rows():
    """{what: change of the cells of a DataRow, as bytes}"""
    return {
        "a cell less": lambda c: row(c[:-1]),
        "a cell more": lambda c: row(c + [b"x"]),
        "no cell": lambda c: row([]),
        "a count too high": lambda c: row(c, len(c) + 1),
        "a count too low": lambda c: row(c, len(c) - 1),
        "a count below zero": lambda c: row(c, -1),
        "a length beyond the message": lambda c: message("D", struct.pack("!hi", len(c), 1 << 30) + b"x"),
        "a length below NULL": lambda c: message("D", struct.pack("!hi", len(c), -7) + b"xxxx"),
        "a cell cut off": lambda c: row(c[:1] + [c[1][:-1]] + c[2:]),
        "half an envelope": lambda c: row(c[:1] + [c[1][:len(c[1]) // 2]] + c[2:]),
        "an empty cell": lambda c: row(c[:1] + [b""] + c[2:]),
        "no envelope": lambda c: row(c[:1] + [b"\\x00"] + c[2:]),
        "plaintext": lambda c: row(c[:1] + [b"Mallory"] + c[2:]),
        "another column's value": lambda c: row(c[:1] + [c[2], c[1]] + c[3:]),
        "a value of another type": lambda c: row(c[:1] + [c[3]] + c[2:]),
        "a bit": lambda c: row(c[:1] + [c[1][:-3] + (b"0" if c[1][-3:-2] != b"0" else b"1") + c[1][-2:]] + c[2:]),
        "an envelope in the plain column": lambda c: row([c[1]] + c[1:]),
    }


def lies_about_columns():
    """{what: change of the columns of a RowDescription}"""
    return {
        "a column less": lambda c: description(c[:-1]),
        "a column more": lambda c: description(c + c[-1:]),
        "no column": lambda c: description([]),
        "a count too high": lambda c: message("T", struct.pack("!h", len(c) + 1) + description(c)[7:]),
        "a count below zero": lambda c: message("T", struct.pack("!h", -1)),
        "a name without end": lambda c: message("T", struct.pack("!h", len(c)) + b"id"),
        "text for an envelope": lambda c: description(c[:1] + [[c[1][0], of_type(c[1][1], 25)]] + c[2:]),
        "integers for envelopes": lambda c: description(c[:1] + [[n, of_type(r, 23)] for n, r in c[1:]]),
        "another order": lambda c: description([c[0], c[2], c[1], c[3]]),
        "none at all": lambda c: b"",
        "it twice": lambda c: description(c) * 2,
        "binary": lambda c: description([[n, r[:16] + b"\0\1"] for n, r in c]),
    }


def lies_about_order():
    """{what: change(letter, message)}"""
    return {
        "rows for the description": lambda l, m: {"T": b""}.get(l, m) if l != "D" else m,
        "the end before the rows": lambda l, m: message("C", b"SELECT 3\0") + m if l == "T" else m,
        "ready before the end": lambda l, m: message("Z", b"I") + m if l == "D" else m,
        "ready twice": lambda l, m: m + m if l == "Z" else m,
        "acknowledgements": lambda l, m: message("1") * 3 + m if l == "T" else m,
        "a request for data": lambda l, m: message("G", b"\0\0\1\0\0") + m if l == "D" else m,
        "data of a copy": lambda l, m: message("d", b"1\t2\t3\n") if l == "D" else m,
        "a request for a password": lambda l, m: message("R", struct.pack("!i", 3)) if l == "T" else m,
        "another key": lambda l, m: message("K", bytes(8)) + m if l == "T" else m,
        "an unknown message": lambda l, m: message("!", b"?") + m if l == "T" else m,
        "a suspended portal": lambda l, m: message("s") + m if l == "D" else m,
        "replication": lambda l, m: message("W", b"\0\0\0") if l == "T" else m,
        "a length of nothing": lambda l, m: b"D\0\0\0\0" if l == "D" else m,
        "a length below zero": lambda l, m: b"D\xff\xff\xff\xff" if l == "D" else m,
        "a row without end": lambda l, m: b"D\x7f\xff\xff\xff" + m if l == "D" else m,
        "a description without end": lambda l, m: b"T\x7f\xff\xff\xff" + m if l == "T" else m,
        "an error that is none": lambda l, m: message("E", b"SERROR") if l == "D" else m,
        "an unknown state": lambda l, m: message("Z", b"?") if l == "Z" else m,
    }


def lies_about_copied_rows():
    """{what: change of the fields of a row of COPY data, as bytes}"""
    def copied(fields, end=b"\n"):
        return message("d", b"\t".join(fields) + end)

    return {
        "a field less": lambda f: copied(f[:-1]),
        "a field more": lambda f: copied(f + [b"x"]),
        "plaintext": lambda f: copied(f[:1] + [b"Mallory"] + f[2:]),
        "no envelope": lambda f: copied(f[:1] + [b"\\\\x00"] + f[2:]),
        "half an envelope": lambda f: copied(f[:1] + [f[1][:len(f[1]) // 2]] + f[2:]),
        "another column's value": lambda f: copied(f[:1] + [f[2], f[1]] + f[3:]),
        "a value of another type": lambda f: copied(f[:1] + [f[3]] + f[2:]),
        "two rows in one message": lambda f: copied(f, b"\n" + b"\t".join(f) + b"\n"),
        "nothing": lambda f: message("d", b""),
        "a row of the extended protocol": lambda f: row(f),
    }


class Lies(FaultCase):
    @classmethod
    def setUpClass(cls):
        with Talk(STACK) as talk:
            cls.names = {}
            for each in split(talk.say(query(SQL)).hear(1)[0])[0]:
                if each[:1] == b"D":
                    cells = cells_of(each[5:])
                    cls.names[cells[0]] = cells

    def hear(self, said, change, ways=1):
        """What the client hears while the server lies about what it asks second."""
        with Talk(STACK, seconds=120) as talk:
            truth, _ = talk.say(said).hear(ways)
            LEG.arm(down=Rewrite(change))
            heard, _ = talk.say(said).hear(ways)
        return truth, heard

    def assert_honest(self, heard, is_lie_seen=True):
        """Rows are true, cell by cell; and there is an error, if nothing else may be."""
        codes = set()
        for each in split(heard)[0]:
            if each[:1] == b"D":
                cells = cells_of(each[5:])
                self.assertIn(cells[0], self.names)
                self.assertEqual(cells, self.names[cells[0]])
            if each[:1] == b"E":
                codes.add(fields_of(each[5:]).get("C", ""))  # an error without one is the server's
        if is_lie_seen:
            self.assertTrue(codes and codes <= ERRORS, f"{codes} in {heard[-300:]}")

    def test_the_truth(self):
        """The control: what changes nothing goes unnoticed."""
        for way, said in ALL_WAYS.items():
            with self.subTest(way):
                truth, heard = self.hear(said, message)
                self.assertEqual(heard, truth)
                self.assert_honest(heard, is_lie_seen=False)
                self.assertEqual(sum(each[:1] == b"D" for each in split(heard)[0]), 3)

    def test_about_rows(self):
        for what, lie in lies_about_rows().items():
            for way, said in WAYS.items():
                with self.subTest(what, way=way):
                    change = lambda letter, body, lie=lie: lie(cells_of(body)) if letter == "D" else message(letter, body)
                    _, heard = self.hear(said, change)
                    self.assert_seen_in_rows(what, heard)

    def assert_seen_in_rows(self, what, heard):
        if what == "an envelope in the plain column":  # what is not encrypted is the server's word
            self.assertNotIn(b"E", {each[:1] for each in split(heard)[0]})
        else:
            self.assert_honest(heard)

    def test_about_columns(self):
        for what, lie in lies_about_columns().items():
            for way, said in ALL_WAYS.items():
                with self.subTest(what, way=way):
                    change = lambda letter, body, lie=lie: lie(columns_of(body)) if letter == "T" else message(letter, body)
                    _, heard = self.hear(said, change)
                    self.assert_honest(heard, is_lie_seen=(what, way) not in UNSEEN)

    def test_about_copied_rows(self):
        truth, heard = self.hear(COPY, message)
        true_rows = {each[5:] for each in split(truth)[0] if each[:1] == b"d"}
        self.assertEqual(heard, truth)  # the control
        self.assertIn(b"Aurelia Brandt", b"".join(true_rows))
        for what, lie in lies_about_copied_rows().items():
            with self.subTest(what):
                change = lambda letter, body, lie=lie: (lie(body.removesuffix(b"\n").split(b"\t")) if letter == "d"
                                                        else message(letter, body))
                _, heard = self.hear(COPY, change)
                self.assertLessEqual({each[5:] for each in split(heard)[0] if each[:1] == b"d"}, true_rows)
                codes = {fields_of(each[5:]).get("C", "") for each in split(heard)[0] if each[:1] == b"E"}
                self.assertTrue(codes and codes <= ERRORS, f"{codes} in {heard[-300:]}")

    def test_about_the_order(self):
        for what, lie in lies_about_order().items():
            for way, said in ALL_WAYS.items():
                with self.subTest(what, way=way):
                    _, heard = self.hear(said, lambda letter, body, lie=lie: lie(letter, message(letter, body)))
                    self.assert_honest(heard, is_lie_seen=False)
                    self.assertNotEqual(heard, b"")


if __name__ == "__main__":
    unittest.main()

"""The clinic's protected values lie in no file of the database or of pgveil; on plain tables they do."""

import datetime
import unittest

import clinic
import leaks
from stack import CLINIC, Stack, psql, succeeded

VALUES = [
    "Aurelia Brandt", "Jonas O'Leary", "Žofie Nováková", "Kenji 渡辺", "Mirelle Aubertin", "120-44-7781", "331-09-2210",
    "507-61-9934", "778-20-1156", "902-58-4471", "120-44-7782", "allergic to penicillin", "same name, same day",
    "chest pain", datetime.datetime(2024, 2, 29, 7, 59, 59, 999999), datetime.datetime(1999, 12, 31, 23, 59, 59),
]


def setUpModule():
    global VEILED, PLAIN
    VEILED, PLAIN = Stack.start(), Stack.start()
    for name in ("schema.sql", "sample.sql"):
        succeeded(psql(VEILED.url(), "-q", "-v", "ON_ERROR_STOP=1", "-f", CLINIC / name, options=VEILED.options()))
        succeeded(psql(PLAIN.url("direct"), "-q", "-v", "ON_ERROR_STOP=1", "-f", CLINIC / name))


def tearDownModule():
    VEILED.stop()
    PLAIN.stop()


class Files(unittest.TestCase):
    def test_no_plaintext_lies_in_any_file(self):
        with VEILED.connect() as connection:
            for query in clinic.READS:
                connection.execute(query)
        wanted = leaks.needles(VALUES)
        VEILED.stop_proxy()
        for stack in (VEILED, PLAIN):
            stack.superuser("CHECKPOINT", "clinic")
            stack.stop_server()
        self.assertEqual(leaks.scan([VEILED.dir], wanted), {})
        # The positive control: the same scan finds every one of them where they lie open.
        self.assertEqual(set(leaks.scan([PLAIN.dir], wanted)), set(VALUES))


if __name__ == "__main__":
    unittest.main()

"""COPY of a protected table in both directions at bounded memory. A sanitizer keeps what is freed: not for such builds."""

import pathlib
import re
import unittest

import psycopg

from copied import CopyCase, start


def setUpModule():
    global STACK
    STACK = start()


def tearDownModule():
    STACK.stop()


class Memory(CopyCase):
    """A stream far larger than the memory of the proxy grows by."""

    MEGABYTES = 200

    def rss(self):
        status = pathlib.Path(f"/proc/{STACK.proxy_pid}/status").read_text(encoding="ascii")
        return int(re.search(r"VmRSS:\s+(\d+) kB", status)[1])

    def test_200_mb_both_ways(self):
        session = self.sessions[0]
        line = b"x" * 900
        data = b"".join(b"%d\t%s\n" % (number, line) for number in range(1000))
        self.fill()
        before, highest = self.rss(), 0
        session.run("BEGIN")
        session.run("ALTER TABLE people DROP CONSTRAINT people_pkey")
        self.assertEqual(session._start("COPY people (id, name) FROM STDIN", False).status, psycopg.pq.ExecStatus.COPY_IN)
        for _ in range(self.MEGABYTES * 1_000_000 // len(data)):
            session.conn.put_copy_data(data)
            highest = max(highest, self.rss())
        session.conn.put_copy_end()
        self.assertRegex(session._rest()[1], r"COPY \d+")
        session._start("COPY people (id, name) TO STDOUT", False)
        size = 0
        while (got := session.conn.get_copy_data(0))[0] > 0:
            size += got[0]
            highest = max(highest, self.rss()) if got[1][0:2] == b"7\t" else highest
        self.assertEqual(session._rest()[0], "COMMAND_OK")
        self.assertGreater(size, self.MEGABYTES * 900_000)
        session.run("ROLLBACK")
        print(f"proxy: {before} kB before, {highest} kB at most")
        self.assertLess(highest - before, 60_000)


if __name__ == "__main__":
    unittest.main()

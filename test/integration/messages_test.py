"""Orders of messages that drivers send and no library lets a test say: the unnamed statement, portals, Flush, pipelines of
any depth, COPY with what may stand in it or come late. On plain tables the answer is PostgreSQL's own, asked directly; on
protected ones it is that of the same tables without protection.
"""

import contextlib
import select
import ssl
import struct
import time
import unittest

import clinic
import hostile
from exchanges import FLUSH, SYNC, ask, bind, describe, execute, message, parse, query
from leg import Leg
from logins import Login, cancel_request, changed, over_tcp, over_tls
from stack import Stack
from wire import Wire, fields_of, text

PLAIN = "SELECT title FROM departments WHERE code = $1"
VEILED = "SELECT name FROM patients WHERE ssn = $1"
NAME = "SELECT name FROM patients WHERE id = $1"
SSN, CODE = "120-44-7781", "CARD"
TERMINATE = message("X")


def setUpModule():
    global STACK
    STACK = Stack.start()
    STACK.never_logged = [*STACK.never_logged, "Ottla Vrba"]
    clinic.Clinic(STACK)


def tearDownModule():
    STACK.stop()


def letters(messages):
    """"12DCZ"; an error with its SQLSTATE."""
    return "".join(letter + (fields_of(body)["C"] if letter == "E" else "") for letter, body in messages)


def cells(messages):
    """The first cell of each row."""
    return [body[6:6 + struct.unpack("!i", body[2:6])[0]] for letter, body in messages if letter == "D"]


def known(body):
    return {code: value for code, value in fields_of(body).items() if code not in "FLR"}


class MessageCase(unittest.TestCase):
    def setUp(self):
        self.wire = Wire(STACK, STACK.options())
        self.addCleanup(self.wire.__exit__)
        self.server = Wire(STACK, "", port=STACK.pg_port)
        self.addCleanup(self.server.__exit__)

    def hear(self, said, ends=1, wire=None):
        """All messages up to so many ReadyForQuery."""
        wire, came = wire or self.wire, []
        wire.raw(said)
        for _ in range(ends):
            came += wire.replies()
        return came

    def assert_as_server(self, said, ends=1):
        """Byte for byte, but for where in the source of PostgreSQL an error was raised."""
        told = [[(letter, known(body) if letter == "E" else body) for letter, body in self.hear(said, ends, wire)]
                for wire in (self.wire, self.server)]
        self.assertEqual(*told)

    def assert_letters(self, said, wanted, ends=1):
        self.assertEqual(letters(self.hear(said, ends)), wanted)


class Unnamed(MessageCase):
    def test_each_bind_means_the_last_parse_before_it(self):
        said = b""
        for sql, value in ((VEILED, SSN), (PLAIN, CODE), (NAME, "2"), (PLAIN, CODE), (VEILED, SSN)):
            said += parse("", sql) + bind("", "", value) + execute("")
        came = self.hear(said + SYNC)
        titles = cells(self.hear(ask(PLAIN, CODE) + SYNC))
        (name,) = cells(self.hear(ask(NAME, "2") + SYNC))
        self.assertEqual(cells(came), [b"Aurelia Brandt", *titles, name, *titles, b"Aurelia Brandt"])

    def test_a_query_drops_the_statement_and_the_portal(self):
        for sql, value in ((PLAIN, CODE), (VEILED, SSN)):
            with self.subTest(sql):
                self.hear(parse("", sql) + bind("", "", value) + SYNC)
                self.assert_letters(query("SELECT 1") + bind("", "", value) + SYNC, "TDCZE26000Z", 2)
                self.hear(query("BEGIN") + parse("", sql) + bind("", "", value) + SYNC, 2)
                self.assert_letters(query("SELECT 1") + execute("") + SYNC, "TDCZE34000Z", 2)
                self.hear(query("ROLLBACK"))

    def test_a_query_in_the_middle_of_a_pipeline(self):
        self.assert_as_server(parse("", PLAIN) + query("SELECT 1") + bind("", "", CODE) + SYNC + query("SELECT 2"), 3)
        self.assert_letters(parse("", VEILED) + query("SELECT 1") + bind("", "", SSN) + SYNC + query("SELECT 2"),
                            "1TDCZE26000ZTDCZ", 3)

    def test_a_failed_parse_leaves_no_name(self):
        for name in ("", "s"):
            with self.subTest(name):
                self.assert_letters(parse(name, "SELECT nothing FROM patients") + SYNC, "E42703Z")
                self.assert_letters(bind("", name) + SYNC, "E26000Z")
                self.assert_letters(parse(name, VEILED) + bind("", name, SSN) + execute("") + SYNC, "12DCZ")


class Portals(MessageCase):
    def test_a_sync_outside_a_transaction_ends_them(self):
        for sql in ("SELECT id, name FROM patients ORDER BY id", "SELECT code FROM departments ORDER BY code"):
            with self.subTest(sql):
                self.assert_letters(parse("", sql) + bind("p", "") + execute("p", 1) + SYNC, "12DsZ")
                self.assert_letters(execute("p", 1) + SYNC, "E34000Z")

    def test_several_are_read_in_turns(self):
        self.hear(query("BEGIN") + parse("n", "SELECT name FROM patients ORDER BY id")
                  + parse("s", "SELECT ssn FROM patients ORDER BY id") + parse("d", "SELECT code FROM departments ORDER BY code")
                  + bind("p", "n") + bind("q", "s") + bind("r", "d") + SYNC, 2)
        names, numbers, codes = [cells(self.hear(bind("", each) + execute("") + SYNC)) for each in "nsd"]
        came = self.hear(execute("p", 2) + execute("q", 1) + execute("r", 1) + execute("p", 1) + FLUSH + execute("q", 2) + SYNC)
        self.assertEqual(cells(came), [*names[:2], numbers[0], codes[0], names[2], *numbers[1:3]])
        came = self.hear(execute("p") + execute("r") + execute("q") + SYNC)
        self.assertEqual(cells(came), [*names[3:], *codes[1:], *numbers[3:]])
        self.hear(query("ROLLBACK"))

    def test_a_closed_one_is_gone_and_an_unknown_one_can_be_closed(self):
        self.hear(query("BEGIN") + parse("", "SELECT name FROM patients ORDER BY id") + bind("p", "") + SYNC, 2)
        self.assert_letters(message("C", b"Pp\0") + message("C", b"Pnothing\0") + execute("p") + SYNC, "33E34000Z")
        self.hear(query("ROLLBACK"))


class Flush(MessageCase):
    def test_drivers_that_describe_before_they_bind(self):
        """Each answer comes on a Flush; ReadyForQuery does not."""
        for sql, value in ((PLAIN, CODE), (VEILED, SSN)):
            with self.subTest(sql):
                self.wire.raw(parse("s", sql) + describe("S", "s") + FLUSH)
                self.assertEqual(self.wire.letters("T"), "1tT")
                self.assertEqual(self.wire.raw(bind("", "s", value) + FLUSH).letters("2"), "2")
                self.assertEqual(self.wire.raw(execute("") + FLUSH).letters("C"), "DC")
                self.assertFalse(select.select([self.wire._socket], [], [], 0.3)[0])
                self.assertEqual(self.wire.raw(message("C", b"Ss\0") + SYNC).letters(), "3Z")

    def test_an_error_comes_on_it_and_everything_up_to_the_sync_is_skipped(self):
        for sql in ("SELECT nothing FROM departments", "SELECT nothing FROM patients", "SELECT name FROM patients ORDER BY name"):
            with self.subTest(sql):
                error = self.wire.raw(parse("", sql) + FLUSH).letters("E")
                self.assertIn(error, ("E42703", "E0A000"))
                self.wire.raw(bind("", "") + execute("") + FLUSH + query("SELECT 1")).send()
                self.assertFalse(select.select([self.wire._socket], [], [], 0.3)[0])
                self.assert_letters(SYNC + query("SELECT 1"), "ZTDCZ", 2)


class Pipelines(MessageCase):
    def test_of_thousands_of_requests(self):
        for sql, value in ((PLAIN, CODE), (VEILED, SSN)):
            with self.subTest(sql):
                said = (ask(sql, value) + SYNC) * 2000
                self.assertEqual(self.wire.exchange(said, 2000), "12TDCZ" * 2000)

    def test_of_one_batch_of_hundreds(self):
        once = ask(PLAIN, CODE) + ask(VEILED, SSN)
        self.assertEqual(self.wire.exchange(once * 300 + SYNC, 1), "12TDC" * 600 + "Z")

    def test_an_error_in_each_place_is_skipped_to_its_own_sync(self):
        good = ask(PLAIN, CODE)
        for bad in (parse("", "SELECT nothing"), bind("", "nothing"), execute("nothing"), describe("S", "nothing"),
                    ask("SELECT 1 / $1::int", "0")):
            with self.subTest(bad):
                self.assert_as_server(good + bad + good + good + SYNC + SYNC + good + SYNC, 3)
                good_too = ask(VEILED, SSN)
                self.assertEqual(letters(self.hear(good_too + bad + good_too + SYNC + SYNC + good_too + SYNC, 3)),
                                 letters(self.hear(good + bad + good + SYNC + SYNC + good + SYNC, 3, self.server)))


    def test_queries_behind_an_error_of_their_batch_are_skipped_too(self):
        """Those that were on their way when the server said so, and those that come then, whatever has to be looked up."""
        count = query("SELECT count(*) FROM departments")
        call = message("F", struct.pack("!ihhh", 2078, 0, 0, 0))
        for first in (query("SELECT 1"), count, query("SELECT name FROM patients"), call):
            for then in (b"", query("SELECT 3"), count, ask(VEILED, SSN)):
                with self.subTest(first=first, then=then):
                    self.assertEqual(self.wire.raw(parse("", "SELECT nothing") + first).letters("E"), "E42703")
                    self.wire.raw(then).send()
                    self.assertFalse(select.select([self.wire._socket], [], [], 0.2)[0])
                    self.assert_letters(SYNC + count + SYNC, "ZTDCZZ", 3)


class Copy(MessageCase):
    INTO = "COPY departments (code, title) FROM STDIN"
    INTO_VEILED = "COPY patients (id, ssn, name) FROM STDIN"
    ROW, VEILED_ROW = message("d", b"NEW\tNew one\n"), message("d", b"9101\t911-22-4401\tOttla Vrba\n")
    END = message("c")

    def tearDown(self):
        with STACK.direct() as connection:
            connection.execute("DELETE FROM departments WHERE code = 'NEW'")
            connection.execute("DELETE FROM patients WHERE id > 9000")

    def test_sync_and_flush_in_the_middle_count_for_nothing(self):
        for sql, row in ((self.INTO, self.ROW), (self.INTO_VEILED, self.VEILED_ROW)):
            with self.subTest(sql):
                self.assert_letters(query(sql) + SYNC + FLUSH + row + SYNC + FLUSH + SYNC + self.END, "GCZ")
                self.tearDown()

    def test_in_the_extended_protocol_all_at_once(self):
        """The Sync behind Execute is one of those that count for nothing."""
        for sql, row in ((self.INTO, self.ROW), (self.INTO_VEILED, self.VEILED_ROW)):
            with self.subTest(sql):
                batch = parse("", sql) + bind("", "") + execute("")
                self.assert_letters(batch + SYNC + row + self.END + SYNC + query("SELECT 1"), "12GCZTDCZ", 2)
                self.tearDown()

    def test_what_comes_after_an_error_is_taken_and_forgotten(self):
        """pgbouncer #1023: data, an end and the next request are on their way already."""
        wrong = {self.INTO: message("d", b"NEW\n"), self.INTO_VEILED: message("d", b"9102\t911-22-4402\n")}
        for sql, row in ((self.INTO, self.ROW), (self.INTO_VEILED, self.VEILED_ROW)):
            for end in (self.END, message("f", b"enough\0")):
                late = wrong[sql] + row * 3 + end
                with self.subTest(sql, end=end, protocol="simple"):
                    self.assert_letters(query(sql) + late + query("SELECT 1"), "GE22P04ZTDCZ", 2)
                with self.subTest(sql, end=end, protocol="extended"):
                    batch = parse("", sql) + bind("", "") + execute("")
                    self.assert_letters(batch + late + SYNC + query("SELECT 1"), "12GE22P04ZTDCZ", 2)
        with STACK.direct() as connection:
            count = "SELECT (SELECT count(*) FROM departments WHERE code = 'NEW') + (SELECT count(*) FROM patients WHERE id > 9000)"
            self.assertEqual(connection.execute(count).fetchone()[0], 0)

    def test_another_message_ends_the_session_as_at_the_server(self):
        for sql in (self.INTO, self.INTO_VEILED):
            for wire in (Wire(STACK, STACK.options()), Wire(STACK, "", port=STACK.pg_port)):
                with self.subTest(sql), wire:
                    wire.raw(query(sql) + query("SELECT 1"))
                    came = wire.replies("E")
                    self.assertEqual(fields_of(came[-1][1])["C"], "08P01")
                    with contextlib.suppress(ConnectionError):
                        self.assertNotIn("Z", letters(wire.replies("ZE")))


class Unasked(MessageCase):
    """What the server says while nothing was asked."""

    def test_a_notification_reaches_a_client_that_does_nothing(self):
        self.hear(query("LISTEN ward"))
        with STACK.direct() as other:
            other.execute("NOTIFY ward, 'full'")
        letter, body = self.wire._read()
        self.assertEqual((letter, body[4:]), ("A", b"ward\0full\0"))
        self.assert_letters(ask(VEILED, SSN) + SYNC, "12TDCZ")

    def test_a_setting_that_the_server_changes(self):
        before = STACK.superuser("SHOW TimeZone")[0][0]
        self.addCleanup(STACK.superuser, "SELECT pg_reload_conf()")
        self.addCleanup(STACK.superuser, "ALTER SYSTEM RESET TimeZone")
        zone = "Asia/Tokyo" if before != "Asia/Tokyo" else "Europe/Rome"
        STACK.superuser(f"ALTER SYSTEM SET TimeZone = '{zone}'")
        STACK.superuser("SELECT pg_reload_conf()")
        time.sleep(0.5)
        self.wire.raw(query("SELECT 1")).send()
        came = []
        while not came or came[-1][0] != "Z":
            came.append(self.wire._read())
        self.assertIn(("S", text("TimeZone") + text(zone)), came)
        self.assert_letters(ask(VEILED, SSN) + SYNC, "12TDCZ")


class Sizes(MessageCase):
    def test_a_row_of_100_mb_passes_and_is_never_whole_in_the_proxy(self):
        before = hostile.peak_bytes(STACK.proxy_pid)
        self.wire.query("SELECT repeat('x', 100000000)").send()
        came, tail = 0, b""
        while not tail.endswith(message("Z", b"I")):
            more = self.wire._socket.recv(1 << 20)
            came, tail = came + len(more), (tail + more)[-16:]
        self.assertGreater(came, 100_000_000)
        self.assertLess(hostile.peak_bytes(STACK.proxy_pid) - before, 16 * hostile.MIB)
        self.assert_letters(query("SELECT 1"), "TDCZ")

    def insert(self, table, column, size):
        """What the proxy's memory grew by at its peak."""
        before = hostile.resident_bytes(STACK.proxy_pid)
        hostile.forget_peak(STACK.proxy_pid)
        with STACK.connect() as connection, connection.transaction(force_rollback=True):
            connection.execute(f"INSERT INTO {table} (id, ssn, name, {column}) VALUES (4711, '1', 'x', %b)", (b"x" * size,))
            self.assertEqual(connection.execute(f"SELECT count({column}) FROM {table} WHERE id = 4711").fetchone(), (1,))
        return hostile.peak_bytes(STACK.proxy_pid) - before

    def test_a_parameter_of_40_mb_is_never_whole_in_the_proxy_either(self):
        STACK.superuser("CREATE TABLE scans (id int, ssn text, name text, picture bytea); GRANT ALL ON scans TO app", "clinic")
        self.assertLess(self.insert("scans", "picture", 40_000_000), 16 * hostile.MIB)

    def test_control_a_parameter_that_is_sealed_is(self):
        self.assertGreater(self.insert("patients", "photo", 40_000_000), 38 * hostile.MIB)


class Connections(unittest.TestCase):
    def test_they_end_with_a_word_of_tls(self):
        """A client that insists on close_notify can tell the end from an attack."""
        for said in (TERMINATE, query("COPY departments FROM STDIN") + query("SELECT 1")):
            with self.subTest(said), Wire(STACK, STACK.options()) as wire:
                wire._socket.suppress_ragged_eofs = False
                wire.raw(said).send()
                try:
                    while wire._socket.recv(65536):
                        pass
                except ssl.SSLEOFError:
                    self.fail("the connection ended without close_notify")

    def test_health_checks_and_clients_that_just_go_are_no_news(self):
        seen = len(STACK.proxy_log())
        for _ in range(20):
            over_tcp(STACK).close()
        for _ in range(5):
            over_tls(STACK).close()
        with STACK.connect("") as connection:
            connection.execute("SELECT 1")
        news = [line for line in STACK.proxy_log()[seen:].splitlines() if "[debug]" not in line and "app@clinic" not in line]
        self.assertEqual(news, [])

    def test_a_cancel_with_another_key_stops_nothing(self):
        login = Login(STACK)
        self.addCleanup(login.close)
        login.finish()
        login.query("SELECT 7 FROM pg_sleep(1.5)").send()
        time.sleep(0.5)
        for place in (0, 3, -1):
            key = bytearray(login.key)
            key[place] ^= 1
            with over_tls(STACK) as connection:
                connection.sendall(cancel_request(bytes(key)))
                self.assertEqual(connection.recv(1), b"")
        self.assertEqual(login.letters(), "TDCZ")

    def test_bytes_that_the_server_says_before_tls_are_not_the_servers(self):
        """CVE-2021-23222, seen from the proxy, which is the client there."""
        notice = message("N", b"SNOTICE\0C00000\0Mfrom somebody in the middle\0\0")
        for more, refused in ((b"", False), (b"x", True), (notice, True)):
            leg = Leg(STACK.pg_port)
            self.addCleanup(leg.stop)
            with changed(STACK, {"upstream": {"port": leg.port}}):
                leg.arm_next(down=FirstAnswer(more))
                login = Login(STACK)
                self.addCleanup(login.close)
                with self.subTest(more):
                    error = login.finish()
                    self.assertEqual(error and error["C"], "08006" if refused else None)


class FirstAnswer:
    """Puts something behind the first bytes that come."""

    def __init__(self, more):
        self.reset, self._more = False, more

    def take(self, data):
        data, self._more = data + self._more, b""
        return data, False


if __name__ == "__main__":
    unittest.main()

"""Connections that break off or come in crumbs: the other side gets the right error, nothing leaks, and the next session
works.

With --long every position of every exchange is tried; else as many as CUTS says.
"""

import sys
import unittest

import faults
from exchanges import EXCHANGES, Login, LoginError, Talk, farewell
from faults import FaultCase, forget_rows, put_leg_between, rows_written
from leg import AT_ONCE, Count, Cut, Leg, split
from stack import wait_until

LONG = "--long" in sys.argv
CUTS = 1_000_000 if LONG else 5
INSIDE = (0, 3, 8)  # at the boundary, inside the head, inside the body
LOST = "08006"


def setUpModule():
    global STACK, LEG
    STACK, LEG = faults.start()


def tearDownModule():
    faults.stop()


def spread(positions, seed):
    """At most CUTS of them, evenly, and others for each seed."""
    step = max(1, -(-len(positions) // CUTS))
    return positions[seed % step::step]


class Cuts(FaultCase):
    def undisturbed(self, exchange):
        """What a client hears, and how many messages go each way between pgveil and the server."""
        with Talk(STACK) as talk:
            counts = {"up": Count(), "down": Count()}
            LEG.arm(**counts)
            heard, ended = talk.say(exchange.said).hear(exchange.ends)
        self.assertFalse(ended, farewell(heard)[0])
        forget_rows(STACK)
        return heard, {way: count.messages for way, count in counts.items()}

    def test_the_client_goes_at_any_place(self):
        for seed, exchange in enumerate(EXCHANGES):
            sizes = [sum(map(len, exchange.messages[:count])) for count in range(len(exchange.messages) + 1)]
            places = sorted({min(size + more, len(exchange.said)) for size in sizes for more in INSIDE})
            for number, place in enumerate(spread(places, seed)):
                with self.subTest(exchange.name, place=place):
                    talk = Talk(STACK)
                    talk.say(exchange.said[:place]).break_off(reset=(seed + number) % 2 == 0)
                    wait_until(lambda: self.sessions() == 0, "the server to notice")
                    is_whole = place == len(exchange.said)
                    self.assertIn(rows_written(STACK), {0, exchange.writes} if is_whole else {0})
                    forget_rows(STACK)

    def test_the_server_goes_at_any_place(self):
        for seed, exchange in enumerate(EXCHANGES):
            whole, counts = self.undisturbed(exchange)
            for way in ("down", "up"):
                places = [(count, more) for count in range(counts[way]) for more in INSIDE]
                places.pop()  # the last message may be shorter than that
                for number, (count, more) in enumerate(spread(places, seed)):
                    with self.subTest(exchange.name, way=way, messages=count, more=more):
                        cut = Cut(count, more, reset=(seed + number) % 2 == 0)
                        self.assert_told(exchange, whole, way, cut)

    def assert_told(self, exchange, whole, way, cut):
        """The client hears the beginning of what it would have heard, whole messages, and then why it is all; or, where
        a message was on its way already, no more."""
        with Talk(STACK) as talk:
            LEG.arm(**{way: cut})
            heard, ended = talk.say(exchange.said).hear()
        self.assertTrue(cut.fired and ended)
        fields, before = farewell(heard)
        self.assertTrue(whole.startswith(before), before[-200:])
        if not split(heard)[1]:
            self.assertEqual(fields.get("C"), LOST, fields)
            self.assertIn("Connect again", fields["H"])
        self.assertIn(rows_written(STACK), {0, exchange.writes})
        forget_rows(STACK)

    def test_the_server_goes_while_nothing_is_asked(self):
        for reset in (False, True):
            with self.subTest(reset=reset), Talk(STACK) as talk:
                LEG.newest.end(reset)
                heard, _ = talk.hear()
                self.assertEqual(farewell(heard)[0].get("C"), LOST)

    def test_the_server_goes_in_the_middle_of_a_tls_record(self):
        leg = Leg(STACK.pg_port)
        self.addCleanup(leg.stop)
        self.addCleanup(put_leg_between, STACK, LEG)
        put_leg_between(STACK, leg, "verify-full")
        self.pid = STACK.proxy_pid
        exchange = EXCHANGES[2]
        for number, place in enumerate(spread(list(range(0, 90_000, 1_500)), 1)):
            with self.subTest(place=place), Talk(STACK) as talk:
                cut = Cut(more=place, reset=number % 2 == 0)
                leg.arm(down=cut)
                heard, ended = talk.say(exchange.said).hear()
                self.assertTrue(cut.fired and ended)
                self.assertTrue(split(heard)[1] or farewell(heard)[0].get("C") == LOST)
        self.doCleanups()
        self.pid = STACK.proxy_pid


class Logins(FaultCase):
    def test_the_server_goes_during_the_login(self):
        for way in ("down", "up"):
            for number, place in enumerate(spread(list(range(0, 200, 5)), 3)):
                with self.subTest(way=way, place=place):
                    cut = Cut(more=place, reset=number % 2 == 0)
                    LEG.arm_next(**{way: cut})
                    with self.assertRaises(LoginError) as caught:
                        Login(STACK, "")
                    self.assertTrue(cut.fired)
                    self.assertEqual(caught.exception.args[0]["C"], LOST)

    def test_the_client_goes_during_the_login(self):
        leg = Leg(STACK.proxy_port)
        self.addCleanup(leg.stop)
        before = leg.passed
        with Talk(STACK, leg.port):
            size = leg.passed - before
        for number, place in enumerate(spread(list(range(0, size, 60)), 2)):
            for way in ("up", "down"):
                with self.subTest(way=way, place=place):
                    leg.arm_next(**{way: Cut(more=min(place, 300) if way == "down" else place, reset=number % 2 == 0)})
                    try:
                        with Talk(STACK, leg.port):
                            pass
                    except (OSError, AssertionError):
                        pass  # what a client makes of it is the client's
                    leg.arm_next()


class Grains(FaultCase):
    """Every exchange in one session, fed one byte at a time and all at once: the client hears the same bytes."""

    def hear_all(self, port=None):
        forget_rows(STACK)
        heard = []
        with Talk(STACK, port, 300) as talk:
            for exchange in EXCHANGES:
                data, ended = talk.say(exchange.said).hear(exchange.ends)
                self.assertFalse(ended, exchange.name)
                heard.append((exchange.name, data))
        forget_rows(STACK)
        return heard

    def test_between_the_client_and_the_proxy(self):
        wanted = self.hear_all()
        leg = Leg(STACK.proxy_port)
        self.addCleanup(leg.stop)
        for leg.grain in (1, AT_ONCE):
            with self.subTest(grain=leg.grain):
                self.assertEqual(self.hear_all(leg.port), wanted)

    def test_between_the_proxy_and_the_server(self):
        wanted = self.hear_all()
        self.addCleanup(setattr, LEG, "grain", LEG.grain)
        for LEG.grain in (1, AT_ONCE):
            with self.subTest(grain=LEG.grain):
                self.assertEqual(self.hear_all(), wanted)

    def test_records_of_one_byte(self):
        """Each byte in a TLS record of its own."""
        wanted = dict(self.hear_all())
        for exchange in EXCHANGES[:6]:
            with self.subTest(exchange.name), Talk(STACK) as talk:
                for byte in exchange.said:
                    talk.say(bytes([byte]))
                self.assertEqual(talk.hear(exchange.ends)[0], wanted[exchange.name])


if __name__ == "__main__":
    unittest.main(argv=[word for word in sys.argv if word != "--long"])

"""The kit against a running pgveil: test/clients/kits_test.py starts it, gives this suite what it needs in PGVEIL_TEST_*, and reads
its lines: `ok CASE SECONDS s` or `failed CASE: why`. Table visits shows each user their own row, and only to who opens a value in the same statement."""

import asyncio
import concurrent.futures
import contextlib
import io
import logging
import os
import sys
import time
import traceback
import urllib.parse

import django
import psycopg
import sqlalchemy
from django.conf import settings
from sqlalchemy.ext.asyncio import create_async_engine

import pgveil
import pgveil.psycopg
import pgveil.sqlalchemy

URL = os.environ["PGVEIL_TEST_URL"]
FOLDER = os.environ["PGVEIL_TEST_SHARES"]
TOKENS = {user: os.environ[f"PGVEIL_TEST_{user.upper()}"] for user in ("nurse", "clerk")}
TURNS = int(os.environ["PGVEIL_TEST_TURNS"])
ROWS = "SELECT owner, note FROM visits"
SEEN = {"nurse": [("nurse", "Zelda Quartz")], "clerk": [("clerk", "Oskar O'Dune")]}
CASES = []


def case(function):
    CASES.append(function)
    return function


def headers(user):
    return {pgveil.USER_HEADER: user, pgveil.SHARE_HEADER: TOKENS[user]}


def shares(user):
    return pgveil.shares_of(headers(user), pgveil.share_folder(FOLDER))


def left_behind(connection):
    """Whether a driver's connection, as the pool hands it out next, opens anybody's values."""
    connection.rollback()
    try:
        return bool(connection.execute(ROWS).fetchall())
    except psycopg.errors.InvalidAuthorizationSpecification:
        return False
    finally:
        connection.rollback()


def engine(**options):
    options = {"pool_size": 1, "max_overflow": 0, **options}
    return sqlalchemy.create_engine(URL.replace("postgresql://", "postgresql+psycopg://"), **options)


def left_in(pool):
    connection = pool.raw_connection()
    try:
        return left_behind(connection.dbapi_connection)
    finally:
        connection.close()


@contextlib.contextmanager
def raises(kind, part=""):
    try:
        yield
    except kind as error:
        assert part in str(error), f"{error} does not say {part!r}"
        assert not any(token in str(error) for token in TOKENS.values()), "the message holds a token"
    else:
        raise AssertionError(f"no {kind.__name__}")


@case
def headers_without_shares():
    of = pgveil.share_folder(FOLDER)
    good = headers("nurse")
    for name, value, why in [
            (pgveil.USER_HEADER, None, "no Pgveil-User header"), (pgveil.SHARE_HEADER, "", "no Pgveil-User-Share header"),
            (pgveil.USER_HEADER, "../users/nurse", "not a user id"), (pgveil.USER_HEADER, ".nurse", "not a user id"),
            (pgveil.USER_HEADER, "nur\nse", "not a user id"), (pgveil.USER_HEADER, "n" * 256, "not a user id"),
            (pgveil.SHARE_HEADER, TOKENS["nurse"] + "'", "not a token"), (pgveil.SHARE_HEADER, "pgvt1.", "not a token"),
            (pgveil.SHARE_HEADER, TOKENS["nurse"] + "\n", "not a token"), (pgveil.USER_HEADER, "nobody", "no app share (pgva1....) of user 'nobody'")]:
        with raises(pgveil.ShareError, why):
            pgveil.shares_of({**good, name: value}, of)
    with raises(pgveil.ShareError, "no app share"):
        pgveil.shares_of(good, lambda user: "pgvt1.other")
    text = repr(shares("nurse"))
    assert "nurse" in text and not any(secret in text for secret in shares("nurse").values[1:]), text


@case
def psycopg_transactions():
    with psycopg.connect(URL) as connection:
        for user in ("nurse", "clerk", "nurse"):
            with pgveil.psycopg.transaction(connection, shares(user)):
                assert connection.execute(ROWS).fetchall() == SEEN[user]
            assert not left_behind(connection)


@case
def psycopg_transactions_that_fail():
    with psycopg.connect(URL, autocommit=True) as connection:
        with raises(KeyError), pgveil.psycopg.transaction(connection, shares("nurse")):
            connection.execute(ROWS)
            raise KeyError
        assert not left_behind(connection)
        with raises(psycopg.errors.DivisionByZero), pgveil.psycopg.transaction(connection, shares("nurse")):
            connection.execute("SELECT 1 / 0")
        assert not left_behind(connection)
        connection.execute("BEGIN")
        with raises(pgveil.ShareError, "a transaction is open"), pgveil.psycopg.transaction(connection, shares("nurse")):
            pass


@case
def an_error_report_shows_no_share():
    """What shows the local variables of each frame, as Django and others do."""
    class Lost:
        def execute(self, text, parameters, prepare):
            raise psycopg.OperationalError("lost")
    try:
        pgveil.psycopg.set_shares(Lost(), shares("nurse"))
    except psycopg.OperationalError as error:
        report = "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())
    assert "Shares(user_id='nurse')" in report
    assert not any(secret in report for secret in shares("nurse").values[1:]), report


@case
def a_cancelled_task():
    async def work(connection, begun):
        async with pgveil.psycopg.async_transaction(connection, shares("nurse")):
            assert await (await connection.execute(ROWS)).fetchall() == SEEN["nurse"]
            begun.set()
            await connection.execute("SELECT pg_sleep(60)")

    async def running():
        async with await psycopg.AsyncConnection.connect(URL, autocommit=True) as other:
            sleeps = "SELECT FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(60)' AND state = 'active'"
            return (await other.execute(sleeps)).rowcount

    async def cancelled():
        async with await psycopg.AsyncConnection.connect(URL, autocommit=True) as connection:
            begun = asyncio.Event()
            task = asyncio.create_task(work(connection, begun))
            await begun.wait()
            while not await running():
                await asyncio.sleep(0.05)
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
            assert task.cancelled()
            # psycopg closes it when the server does not confirm in time.
            if not connection.closed:
                with raises(psycopg.errors.InvalidAuthorizationSpecification):
                    await connection.execute(ROWS)
    asyncio.run(cancelled())


@case
def sqlalchemy_transactions():
    pool = engine()
    pgveil.sqlalchemy.install(pool)
    rows = sqlalchemy.text(ROWS)
    for user in ("nurse", "clerk"):
        with pgveil.acting_for(shares(user)), pool.connect() as connection:
            for _ in range(2):
                assert connection.execute(rows).all() == SEEN[user]
                connection.commit()
            with raises(sqlalchemy.exc.DataError, "division"):
                connection.execute(sqlalchemy.text("SELECT 1 / 0"))
        assert not left_in(pool)  # it came back in a failed transaction
        with raises(KeyError), pgveil.acting_for(shares(user)), pool.begin() as connection:
            connection.execute(rows)
            raise KeyError
        assert not left_in(pool)
    with raises(pgveil.ShareError, "no shares here"), pool.begin() as connection:
        pass
    with raises(pgveil.ShareError, "AUTOCOMMIT"), pgveil.acting_for(shares("nurse")):
        with pool.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(rows)
    pool.dispose()


@case
def an_echo_shows_no_share():
    shown = io.StringIO()
    handler = logging.StreamHandler(shown)
    logging.getLogger("sqlalchemy.engine").addHandler(handler)
    pool = engine(echo="debug")
    pgveil.sqlalchemy.install(pool)
    with pgveil.acting_for(shares("nurse")), pool.begin() as connection:
        connection.execute(sqlalchemy.text("SELECT owner FROM visits WHERE id = :id AND note IS NOT NULL"), {"id": 4711})
    pool.dispose()
    logging.getLogger("sqlalchemy.engine").removeHandler(handler)
    assert "4711" in shown.getvalue(), "nothing is shown"
    assert not any(secret in shown.getvalue() for secret in shares("nurse").values[1:])


def interleaved(pool, turns):
    """How many of so many transactions of two users in turn saw anything but their user's rows."""
    def turn(number):
        user = ("nurse", "clerk")[number % 2 if number % 7 else 0]
        with pgveil.acting_for(shares(user)), pool.connect() as connection:
            seen = connection.execute(sqlalchemy.text(ROWS)).all()
            if number % 5 == 0:
                with contextlib.suppress(sqlalchemy.exc.DataError):
                    connection.execute(sqlalchemy.text("SELECT 1 / 0"))
            return seen != SEEN[user]
    with concurrent.futures.ThreadPoolExecutor(6) as threads:
        return sum(threads.map(turn, range(turns)))


@case
def interleaved_in_sqlalchemys_pool():
    pool = engine(pool_size=3)
    pgveil.sqlalchemy.install(pool)
    assert interleaved(pool, TURNS) == 0
    assert not left_in(pool)
    pool.dispose()


@case
def interleaved_tasks_in_sqlalchemys_async_pool():
    async def turn(pool, number):
        user = ("nurse", "clerk")[number % 2]
        with pgveil.acting_for(shares(user)):
            async with pool.begin() as connection:
                return (await connection.execute(sqlalchemy.text(ROWS))).all() != SEEN[user]

    async def worker(pool, first):
        return sum([await turn(pool, number) for number in range(first, TURNS, 5)])

    async def turns():
        pool = create_async_engine(URL.replace("postgresql://", "postgresql+psycopg_async://"), pool_size=3, max_overflow=0)
        pgveil.sqlalchemy.install(pool.sync_engine)
        assert sum(await asyncio.gather(*(worker(pool, first) for first in range(5)))) == 0
        await pool.dispose()
    asyncio.run(turns())


@case
def control_shares_set_for_the_session_stay_in_the_pool():
    """What the cases above would say of a kit that sets shares once, for the session, and takes nothing back."""
    def once(connection, _):
        if pgveil._current.get():
            connection.execute(pgveil.SET_SHARES.replace("true", "false"), pgveil.current_shares().values)
            connection.commit()
    pool = engine(pool_size=3)
    with pgveil.acting_for(shares("nurse")):
        sqlalchemy.event.listen(pool, "connect", once)
        with pool.connect():
            pass
    assert left_in(pool)
    assert interleaved(pool, 100) > 0
    pool.dispose()


def view(request):
    from django.db import connection
    from django.http import JsonResponse
    with connection.cursor() as cursor:
        cursor.execute(ROWS)
        rows = cursor.fetchall()
        if request.GET.get("fail"):
            cursor.execute("SELECT 1 / 0")
    return JsonResponse({"rows": rows})


@case
def a_django_request():
    from django.db import connection
    from django.test import Client
    client = Client(raise_request_exception=False)
    for atomic in (False, True):
        connection.settings_dict["ATOMIC_REQUESTS"] = atomic
        for user in ("nurse", "clerk"):
            answer = client.get("/", headers=headers(user))
            assert [tuple(row) for row in answer.json()["rows"]] == SEEN[user], answer.content
            assert not left_behind(connection.connection)
            answer = client.get("/?fail=1", headers=headers(user))
            assert answer.status_code == 500 and b"division by zero" in answer.content
            assert not any(secret.encode() in answer.content for secret in shares(user).values[1:])
            connection.ensure_connection()
            assert not left_behind(connection.connection)
    answer = client.get("/", headers={pgveil.USER_HEADER: "nurse"})
    assert (answer.status_code, answer.content) == (401, b"the request has no Pgveil-User-Share header")
    shown = str(connection.queries)
    assert ROWS in shown and TOKENS["nurse"] not in shown and TOKENS["clerk"] not in shown


def configure_django():
    url = urllib.parse.urlsplit(URL)
    settings.configure(
        DEBUG=True, SECRET_KEY="of the tests", ROOT_URLCONF="suite_urls", MIDDLEWARE=["pgveil.django.SharesMiddleware"], PGVEIL_APP_SHARES=FOLDER, ALLOWED_HOSTS=["*"],
        LOGGING_CONFIG=None, DATABASES={"default": {
            "ENGINE": "django.db.backends.postgresql", "NAME": url.path[1:], "USER": url.username, "PASSWORD": url.password,
            "HOST": url.hostname, "PORT": url.port, "OPTIONS": dict(urllib.parse.parse_qsl(url.query)), "CONN_MAX_AGE": None}})
    urls = type(sys)("suite_urls")
    from django.urls import path
    urls.urlpatterns = [path("", view)]
    sys.modules["suite_urls"] = urls
    django.setup()
    from django.core import signals
    from django.db import reset_queries
    signals.request_started.disconnect(reset_queries)
    logging.getLogger("django").setLevel(logging.CRITICAL)


configure_django()
failures = 0
for one in CASES:
    began = time.monotonic()
    try:
        one()
        print("ok", one.__name__, f"{time.monotonic() - began:.1f} s", flush=True)
    except Exception as error:  # whatever it is, it is this case's result
        failures += 1
        print(f"failed {one.__name__}: {type(error).__name__} {error}", flush=True)
        traceback.print_exc()
sys.exit(failures > 0)

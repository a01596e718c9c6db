"""psycopg 3: one transaction with a user's shares.

    with pool.connection() as connection, pgveil.psycopg.transaction(connection, shares):
        connection.execute("SELECT name FROM patients")
"""

import contextlib

from psycopg.pq import TransactionStatus

from . import SET_SHARES, ShareError


def _check(connection):
    if connection.info.transaction_status != TransactionStatus.IDLE:
        raise ShareError("a transaction is open on this connection; shares would outlive the block: end it first")


def set_shares(executor, shares):
    """For the transaction that is open on the connection or cursor, or begins now."""
    try:
        executor.execute(SET_SHARES, shares.values, prepare=False)
    except Exception as error:  # the driver's frames hold the values, and reports of errors show frames
        raise error.with_traceback(None)


@contextlib.contextmanager
def transaction(connection, shares):
    _check(connection)
    with connection.transaction():
        set_shares(connection, shares)
        yield connection


@contextlib.asynccontextmanager
async def async_transaction(connection, shares):
    _check(connection)
    async with connection.transaction():
        try:
            await connection.execute(SET_SHARES, shares.values, prepare=False)
        except Exception as error:
            raise error.with_traceback(None)
        yield connection

"""SQLAlchemy 2 over psycopg: every transaction of an engine begins with the shares of acting_for()."""

from sqlalchemy import event

from . import ShareError, current_shares
from .psycopg import set_shares


def install(engine):
    """For an AsyncEngine give its sync_engine. A transaction outside of acting_for() ends in ShareError."""
    for begin in ("begin", "begin_twophase"):
        event.listen(engine, begin, _set_shares)


def _set_shares(connection, *_):
    shares, driver = current_shares(), connection.connection
    if driver.dbapi_connection.autocommit:
        raise ShareError("isolation level AUTOCOMMIT: shares are set for one transaction, and there is none")
    cursor = driver.cursor()    # the driver's own: neither echo nor an event of the engine sees the values
    set_shares(cursor, shares)
    cursor.close()

"""From a web request to rows: the session parameters of pgveil, set for one transaction at a time.

The server undoes them with the transaction, however that ends, so that a connection goes back to its pool without them. See docs/APPLICATIONS.md.
"""

import contextlib
import contextvars
import dataclasses
import pathlib
import re

USER_HEADER, SHARE_HEADER = "Pgveil-User", "Pgveil-User-Share"
# pgveil wants the names as literals. The values are parameters: they stand in no text that is logged.
SET_SHARES = ("SELECT set_config('pgveil.user_id', %s, true), set_config('pgveil.user_token', %s, true), "
              "set_config('pgveil.app_share', %s, true)")
_USER_ID = re.compile(r"(?!\.)[ -.0-\[\]-~]{1,255}")
_TOKEN, _APP_SHARE = re.compile(r"pgvt1\.[\w-]+", re.A), re.compile(r"pgva1\.[\w-]+", re.A)
_current = contextvars.ContextVar("shares", default=None)


class ShareError(Exception):
    """There are no shares to be used; nothing was sent. The message holds none."""


@dataclasses.dataclass(frozen=True)
class Shares:
    """What one request brought. Its repr() shows the user id alone."""
    user_id: str
    user_token: str = dataclasses.field(repr=False)
    app_share: str = dataclasses.field(repr=False)

    @property
    def values(self):
        """The parameters of SET_SHARES."""
        return self.user_id, self.user_token, self.app_share


def shares_of(headers, app_share_of):
    """The shares of a request. headers: a mapping that ignores case; app_share_of: user id -> app share or None."""
    user_id, token = headers.get(USER_HEADER), headers.get(SHARE_HEADER)
    if not user_id or not token:
        raise ShareError(f"the request has no {SHARE_HEADER if user_id else USER_HEADER} header")
    if not _USER_ID.fullmatch(user_id):
        raise ShareError(f"{USER_HEADER} is not a user id of printable ASCII without slashes")
    if not _TOKEN.fullmatch(token):
        raise ShareError(f"{SHARE_HEADER} is not a token (pgvt1....)")
    app_share = app_share_of(user_id)
    if not app_share or not _APP_SHARE.fullmatch(app_share):
        raise ShareError(f"the application has no app share (pgva1....) of user {user_id!r}")
    return Shares(user_id, token, app_share)


def share_folder(path):
    """app_share_of for a directory of UID.app files. A file is read at each call: a renewed one counts at once."""
    def app_share_of(user_id):
        with contextlib.suppress(FileNotFoundError):
            return pathlib.Path(path, f"{user_id}.app").read_text(encoding="ascii").strip()
    return app_share_of


@contextlib.contextmanager
def acting_for(shares):
    """Within the block, in this thread or task, pgveil.sqlalchemy and pgveil.django take these shares."""
    before = _current.set(shares)
    try:
        yield shares
    finally:
        _current.reset(before)


def current_shares():
    """The shares of the block around; ShareError outside of one."""
    shares = _current.get()
    if shares is None:
        raise ShareError("no shares here: wrap the request in `with pgveil.acting_for(pgveil.shares_of(...))`")
    return shares

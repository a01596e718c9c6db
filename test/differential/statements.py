"""What is sent: one statement in one protocol, and scripts of several that belong together."""

import dataclasses

import pgtypes
import session
import weights
from weights import pick


@dataclasses.dataclass
class Statement:
    """One request. `form`: what the counts name it. `order`: see Query. `shape_only`: its rows are not compared (plans).
    `probe`: what to ask directly in a block of its own, to learn whether PostgreSQL takes a refused statement. `needed`: if it is refused, the rest of its script is left out up to `last` ones, which always run."""

    form: str
    sql: str
    order: object = "none"
    parameters: list = dataclasses.field(default_factory=list)
    protocol: str = "simple"
    result_format: int = 0
    copy: bytes = b""
    shape_only: bool = False
    needed: bool = False
    last: bool = False
    changes: bool = True
    request: object = None
    probe: object = None

    @property
    def formats(self):
        """Of its result's columns."""
        return (self.result_format,) if self.protocol != "simple" else (0,)


def finished(rng, form, query, parameters, protocol, **more):
    """The statement with the messages that carry it; they are the same for both sides."""
    made = Statement(form, query.sql, query.order, parameters, protocol, **more)
    made.result_format = int(protocol != "simple" and rng.random() < weights.BINARY_RESULTS)
    made.request = session.Request(messages(rng, made), made.copy)
    return made


def simple(form, sql, **more):
    made = Statement(form, sql, **more)
    made.request = session.Request.simple(sql, made.copy)
    return made


def choose_protocol(rng):
    return pick(rng, weights.PROTOCOL)


def messages(rng, statement, sync=True):
    if statement.protocol == "simple":
        return session.Request.simple(statement.sql).out
    name = f"s{rng.randrange(1 << 30)}" if statement.protocol == "named" else ""
    types = [declared for _, _, declared in statement.parameters]
    if not any(types):
        types = []
    out = session.parse(name, statement.sql, types)
    if rng.random() < 0.5 or name:
        out += session.describe("S", name)
    for _ in range(2 if name and not statement.changes else 1):
        out += bound(rng, name, statement)
    if name:
        out += session.close("S", name)
    return out + (session.SYNC if sync else b"")


def bound(rng, name, statement):
    """Bind, Describe and Execute, perhaps in pieces."""
    sent = [pgtypes.parameter(kind, value, rng) for kind, value, _ in statement.parameters]
    portal = f"p{rng.randrange(1 << 30)}" if rng.random() < 0.3 else ""
    out = session.bind(portal, name, [value for value, _ in sent], [form for _, form in sent], (statement.result_format,))
    out += session.describe("P", portal)
    if statement.protocol == "rows in pieces":
        out += session.execute(portal, 2) + session.execute(portal, 3)
    out += session.execute(portal)
    return out + (session.close("P", portal) if portal and rng.random() < 0.5 else b"")


def pipeline(rng, parts):
    """Several extended statements before one Sync."""
    made = Statement("pipeline", "; ".join(part.sql for part in parts), "none", protocol="extended")
    made.request = session.Request(b"".join(messages(rng, part, False) for part in parts) + session.SYNC)
    made.parameters = [parameter for part in parts for parameter in part.parameters]
    return made


@dataclasses.dataclass
class Wrong:
    """A text that is wrong on purpose, where a query is expected."""

    sql: str
    columns: tuple = ()
    order: object = "none"

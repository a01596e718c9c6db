"""What an operator does with a running pgveil: settings, users of the admin console, the console itself."""

import json
import re

import psycopg

from stack import StackError, run, succeeded, psql, wait_until

ADMIN, WATCHER = "operator", "watcher"


def settings_of(stack):
    return json.loads(re.sub(r"^\s*//.*$", "", stack.settings.read_text(), flags=re.M))


def write_settings(stack, **changes):
    """Replaces top-level keys of the settings file; the running proxy does not know yet. None takes a key out."""
    settings = settings_of(stack)
    for key, value in changes.items():
        settings[key] = value
        if value is None:
            del settings[key]
    stack.write("pgveil.json", json.dumps(settings, indent=1))


def add_login(stack, role):
    """A role that can log in at the database and through pgveil, once that has read its users file again."""
    password = f"password of {role}"
    stack.write(f"secrets/{role}.password", password.replace(" ", "") + "\n")
    stack.superuser(f"CREATE ROLE {role} LOGIN PASSWORD '{password.replace(' ', '')}'")
    ((secret,),) = stack.superuser(f"SELECT rolpassword FROM pg_authid WHERE rolname = '{role}'")
    stack.write("users.txt", (stack.dir / "users.txt").read_text() + f'"{role}" "{secret}"\n')


def open_console(stack):
    """An admin and a stats user. The proxy starts anew."""
    for role in (ADMIN, WATCHER):
        add_login(stack, role)
    write_settings(stack, admin_users=[ADMIN], stats_users=[WATCHER])
    stack.restart_proxy()


def console(stack, role=ADMIN, **kwargs):
    """psycopg in the admin console."""
    kwargs.setdefault("autocommit", True)
    kwargs.setdefault("connect_timeout", 20)
    return psycopg.connect(stack.url("proxy", role, "pgveil"), **kwargs)


def show(stack, topic, role=ADMIN):
    """The rows of SHOW topic as dictionaries."""
    with console(stack, role, row_factory=psycopg.rows.dict_row) as connection:
        return connection.execute(f"SHOW {topic}").fetchall()


def state(stack):
    return {row["key"]: row["value"] for row in show(stack, "STATE")}


def command(stack, text, role=ADMIN):
    """One command through psql; its output."""
    return succeeded(psql(stack.url("proxy", role, "pgveil"), "-At", "-v", "ON_ERROR_STOP=1", "-c", text))


def tell_lock(stack, verb, *arguments):
    """`pgveil lock` or `pgveil unlock`, with the console's password in the environment."""
    password = (stack.dir / "secrets" / f"{ADMIN}.password").read_text().strip()
    return run([*stack.as_owner(), "env", f"PGPASSWORD={password}", stack.dir / "bin" / "pgveil", verb,
                "--config", stack.settings, *arguments])


def fails(stack, text, role=ADMIN):
    """The SQLSTATE and the message of a command that fails."""
    with console(stack, role) as connection:
        try:
            connection.execute(text)
        except psycopg.Error as error:
            return error.sqlstate, str(error)
    raise StackError(f"{text} succeeded")


def sessions(stack, **wanted):
    """Those of SHOW SESSIONS with these values."""
    return [row for row in show(stack, "SESSIONS") if all(row[key] == value for key, value in wanted.items())]


def wait_for_session(stack, what, **wanted):
    wait_until(lambda: sessions(stack, **wanted), what)

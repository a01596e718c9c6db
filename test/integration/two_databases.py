"""The same statements through pgveil and on plain tables, in transactions that are rolled back: everything that a
program can see of the answers must be equal."""

import psycopg
from psycopg import pq

PROTOCOLS = ("simple", "extended", "binary")


class TwoDatabases:
    """`clinic` behind pgveil and `plains` without it, with the same schema."""

    def __init__(self, stack, schema):
        stack.superuser("CREATE DATABASE plains OWNER app")
        self.veiled = stack.connect()
        self.plain = psycopg.connect(stack.url("direct", "app", "plains"), autocommit=True)
        for connection in (self.veiled, self.plain):
            for statement in schema.strip().split(";\n"):
                connection.execute(statement)

    def close(self):
        self.veiled.close()
        self.plain.close()

    def answers(self, script, how):
        """(through pgveil, on plain tables): per statement its answer. A statement is a text, or (text, parameters)."""
        return [run(connection.pgconn, script, how) for connection in (self.veiled, self.plain)]


def run(libpq, script, how):
    libpq.exec_(b"BEGIN")
    said = [answer(one(libpq, statement, how), how) for statement in script]
    said.append(libpq.transaction_status)
    libpq.exec_(b"ROLLBACK")
    return said


def one(libpq, statement, how):
    text, parameters = (statement, ()) if isinstance(statement, str) else statement
    if how == "simple":
        for number in range(len(parameters), 0, -1):
            value = parameters[number - 1]
            literal = "NULL" if value is None else "'" + str(value).replace("'", "''") + "'"
            text = text.replace(f"${number}", literal)
        return libpq.exec_(text.encode())
    values = [None if value is None else str(value).encode() for value in parameters]
    return libpq.exec_params(text.encode(), values, result_format=1 if how == "binary" else 0)


def answer(result, how):
    """Tag, columns (name, type, length, modifier, format) and sorted rows; or the SQLSTATE. Table and column numbers
    of an origin differ between two databases."""
    if result.status == pq.ExecStatus.FATAL_ERROR:
        return result.error_field(pq.DiagnosticField.SQLSTATE).decode()
    columns = [(result.fname(i), result.ftype(i), result.fmod(i), result.fsize(i), result.fformat(i))
               for i in range(result.nfields)]
    rows = [[result.get_value(row, i) for i in range(result.nfields)] for row in range(result.ntuples)]
    return result.command_status, columns, sorted(rows, key=repr)

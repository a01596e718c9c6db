"""How often each form is generated: the table to read and to turn. Numbers in one group are relative to each other."""

SCHEME = {"plain": 34, "randomized": 20, "equality": 24, "order": 22}

# Of a protected column that the policy can have so.
PAD_TO = 0.08
BIND_TO = 0.06
NULL = 0.12
CHANGED_VIEW = 0.15      # of the relations that statements change
NOT_NULL = 0.15
SHARED_CONTEXT = 0.35
ODD_NAME = 0.06
PARAMETER = 0.7          # a constant of an extended statement is a parameter
ANY_VALUE = 0.01         # plain and protected columns take their values from two halves of a type's pool, else from all
PARAMETER_AGAIN = 0.15   # where a parameter of that type stands in the statement already
NULL_TEST = 0.04         # beside a comparison with a parameter
OF_ANOTHER_TYPE = 0.02   # a comparison constant is cast to a type beside the column's

TYPE = {
    "bool": 5, "int2": 4, "int4": 10, "int8": 6, "numeric(10,2)": 8, "float4": 2, "float8": 4, "text": 14, "varchar(12)": 12,
    "char(6)": 3, "bytea": 4, "uuid": 5, "date": 8, "timestamp": 5, "timestamp(3)": 2, "timestamptz": 5, "time": 2,
    "timetz": 1, "interval": 2, "json": 2, "jsonb": 3, "inet": 2, "cidr": 1, "int4[]": 2, "text[]": 2, "mood": 6,
}

PARTITION = {"range": 4, "list": 3, "hash": 2, "hash of a protected column": 3}

PROTOCOL = {"simple": 40, "extended": 45, "named": 8, "rows in pieces": 7}
BINARY_RESULTS = 0.4

# One unit of the stream: a statement, or a script of several.
UNIT = {
    "select": 250, "join": 110, "aggregate": 80, "window": 35, "set operation": 45, "with": 60, "recursive": 10, "sub-query": 70,
    "distinct": 35, "keyed": 40, "extreme": 15, "greatest": 15, "constants": 20, "rows": 8, "picked": 20,
    "case": 40, "values": 10, "view": 30, "catalog": 12, "plain": 25,
    "insert": 90, "insert select": 20, "on conflict": 30, "update": 90, "update from": 20, "delete": 35, "merge": 14,
    "with change": 14,
    "copy to": 14, "copy from": 10, "prepare": 14, "cursor": 14, "explain": 8, "several": 22, "pipeline": 20,
    "transaction": 40, "savepoint": 16, "settings": 14, "definition": 20, "temporary": 8, "session": 10, "mistake": 190,
}

# What a condition does with a column. `beyond`: more than its scheme allows; PostgreSQL accepts it, the proxy refuses.
CONDITION = {"null": 14, "equal": 30, "in": 14, "distinct from": 6, "any": 4, "sub-query": 6, "column": 6, "range": 24,
             "between": 10, "row": 3, "chosen": 5, "listed": 4}
BEYOND = 0.012

JOIN = {"JOIN": 40, "LEFT JOIN": 30, "RIGHT JOIN": 8, "FULL JOIN": 6, "CROSS JOIN": 4, "LATERAL": 6, "USING": 6}

ITEM = {"column": 80, "star": 8, "alias": 8, "constant": 3, "expression": 8, "case": 2, "coalesce": 3, "nullif": 1,
        "scalar": 3}

MISTAKE = {
    "syntax": 12, "column": 12, "table": 10, "function": 6, "type": 10, "division": 6, "not null": 10, "unique": 14,
    "foreign key": 10, "check": 6, "length": 12, "input": 18, "ambiguous": 5, "group by": 6, "savepoint": 4,
    "prepared": 4, "cursor": 4, "exists": 8, "warning": 6, "operator": 6, "subscript": 3, "many columns": 6, "aggregate": 4,
    "set": 4, "parameter": 5, "limit": 3, "raise": 4,
}

DEFINITION = {"index": 5, "add column": 4, "drop column": 2, "rename": 2, "comment": 2, "create": 5, "create as": 2,
              "view": 4, "truncate": 1, "not null": 3, "default": 2, "constraint": 2, "analyze": 2, "function": 1,
              "grant": 1, "sequence": 1}


def pick(rng, table):
    return rng.choices(tuple(table), tuple(table.values()))[0]

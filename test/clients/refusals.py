"""What pgveil refuses today of the suites: {client: {case: why}}. The test of a client fails when a case listed here
starts to work, so that this list shrinks."""

UPSERT = "INSERT ... ON CONFLICT"
COPY = "COPY of a protected table"
CURSOR = "DECLARE CURSOR"
LIST = "= ANY (array)"
CHOICE = "COALESCE and CASE"

EVERYWHERE = {"upsert": UPSERT, "copy": COPY, "cursor": CURSOR, "any_of_a_list": LIST, "choices": CHOICE}

REFUSED = {
    "psql": {**EVERYWHERE, "prepared": "PREPARE", "fetch_count": CURSOR},
    "psycopg": {**EVERYWHERE, "choices_of_two_types": "COALESCE of text and varchar(60)"},
    "asyncpg": {"upsert": UPSERT, "copy": COPY, "cursor_moved": "MOVE of a portal", "any_of_a_list": LIST, "choices": CHOICE},
    "sqlalchemy": {"upsert": UPSERT, "cursor": CURSOR, "choices": CHOICE, "batch": "casts of VALUES columns in INSERT ... SELECT",
                   "identity_restarted": "ALTER TABLE ... RESTART"},
    "django": {"upsert": UPSERT, "cursor": CURSOR, "choices": CHOICE, "bulk_update": CHOICE,
               "index_for_like": "an index with varchar_pattern_ops", "distinct": "DISTINCT over randomized columns beside a key"},
    "node_postgres": {"upsert": UPSERT, "copy": COPY, "declared_cursor": CURSOR, "any_of_a_list": LIST, "choices": CHOICE},
    "pgx": EVERYWHERE,
    "pgjdbc": EVERYWHERE,
    "tokio_postgres": EVERYWHERE,
}

# Types of columns that no policy can name yet: the tables that hold them are left plain.
TYPES_NOT_BUILT = {"time", "interval", "json", "jsonb", "inet", "cidr", "integer[]", "text[]"}

"""What pgveil refuses today of the suites: {client: {case: why}}. The test of a client fails when a case listed here
starts to work, so that this list shrinks."""

REFUSED = {
    "psycopg": {"choices_of_two_types": "COALESCE of text and varchar(60)"},
    "django": {"distinct": "DISTINCT over randomized columns beside a key"},
}

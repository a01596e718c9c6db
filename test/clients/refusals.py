"""What pgveil refuses today of the suites: {client: {case: why}}. The test of a client fails when a case listed here
starts to work, so that this list shrinks."""

REFUSED = {}

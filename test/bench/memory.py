"""What a running pgveil takes of memory, seen from outside.

    memory.py sessions PID COUNT URL    bytes for each idle session beyond the first
    memory.py stream PID BYTES URL      bytes more at the peak of a result of BYTES than before it

Start the proxy anew before `stream`: the peak counts from its start. URL is a connection string; PGOPTIONS is used.
"""

import resource
import sys
import time

import psycopg
import psycopg.waiting

psycopg.waiting.wait = psycopg.waiting.wait_epoll  # select() ends at 1,024 descriptors
ROW_BYTES = 100_000


def status(pid, field):
    """A line of /proc/PID/status, in bytes."""
    with open(f"/proc/{pid}/status", encoding="ascii") as lines:
        for line in lines:
            if line.startswith(field + ":"):
                return int(line.split()[1]) * 1024
    raise SystemExit(f"process {pid} shows no {field}")


def connect(url):
    connection = psycopg.connect(url, autocommit=True)
    connection.execute("SELECT 1")
    return connection


def of_sessions(pid, count, url):
    """A session that has answered one statement and waits."""
    needed = count + 100
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < needed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, max(hard, needed)))
    kept = [connect(url)]
    time.sleep(1)
    first = status(pid, "VmRSS")
    while len(kept) < count:
        kept.append(connect(url))
    time.sleep(1)
    return (status(pid, "VmRSS") - first) // (count - 1)


def of_stream(pid, size, url):
    """Row by row, as a client that works on each row would."""
    with connect(url) as connection:
        before = status(pid, "VmRSS")
        seen = 0
        with connection.cursor() as cursor:
            query = f"SELECT repeat('x', {ROW_BYTES}) FROM generate_series(1, {max(1, size // ROW_BYTES)})"
            for (value,) in cursor.stream(query):
                seen += len(value)
        if seen < size - ROW_BYTES:
            raise SystemExit(f"only {seen} bytes came")
        return status(pid, "VmHWM") - before


def main():
    what, pid, number, url = sys.argv[1:]
    measure = {"sessions": of_sessions, "stream": of_stream}[what]
    print(measure(int(pid), int(number), url))


main()

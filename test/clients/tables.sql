-- What the suites of clients work on. The same file goes through pgveil, where the policy protects every column but keys
-- and towns, and straight into PostgreSQL.

CREATE TABLE towns (
    id   integer PRIMARY KEY,
    name varchar(40) NOT NULL
);
INSERT INTO towns VALUES (1, 'Brno'), (2, 'Lyon'), (3, 'Kyoto');

CREATE TABLE people (
    id      integer PRIMARY KEY,
    ssn     text NOT NULL UNIQUE,
    name    varchar(60) NOT NULL,
    born    date,
    balance numeric(10, 2),
    note    text,
    town    integer REFERENCES towns (id)
);

CREATE TABLE kinds (
    id       integer PRIMARY KEY,
    truth    boolean,
    small    smallint,
    whole    integer,
    large    bigint,
    exact    numeric(12, 4),
    loose    numeric,
    single   real,
    twice    double precision,
    words    text,
    short    varchar(20),
    padded   char(6),
    bytes    bytea,
    day      date,
    moment   timestamp,
    instant  timestamptz,
    identity uuid
);

-- A table for each family of types, so that each is a case of its own.
CREATE TABLE clocks (id integer PRIMARY KEY, at time, span interval, zoned timetz);
CREATE TABLE documents (id integer PRIMARY KEY, raw json, doc jsonb);
CREATE TABLE hosts (id integer PRIMARY KEY, host inet, net cidr);
CREATE TABLE lists (id integer PRIMARY KEY, marks integer[], tags text[]);

-- A small clinic. The same file is loaded through pgveil, where the policy decides what is protected,
-- and straight into PostgreSQL, where everything is plain: both have to give the same answers.

CREATE TABLE departments (
    code  text PRIMARY KEY,
    title varchar(40) NOT NULL,
    beds  integer NOT NULL DEFAULT 0
);

CREATE TABLE patients (
    id         integer PRIMARY KEY,
    ssn        text NOT NULL,
    name       varchar(80) NOT NULL,
    born       date,
    insured    boolean,
    card       uuid,
    photo      bytea,
    remark     text,
    department text REFERENCES departments (code)
);

CREATE TABLE visits (
    id            bigint PRIMARY KEY,
    patient       integer NOT NULL REFERENCES patients (id),
    patient_ssn   text,
    arrived       timestamp,
    seen          timestamp with time zone,
    pulse         smallint,
    weight_g      integer,
    invoice_cents bigint,
    urgent        boolean,
    reason        varchar(200)
);

CREATE TABLE findings (
    id      integer PRIMARY KEY,
    code    character(5),
    sample  char(8),
    price   numeric(8, 2),
    glucose numeric,
    titre   decimal(6),
    ratio   real,
    noise   float(24),
    dose    double precision,
    drift   float
);

"""What the clinic is asked, through pgveil and on plain tables: the answers have to be the same.

MUST statements work now. MAY statements either give the same answer or are refused with 0A000; never a third thing.
"""

import datetime
import decimal
import uuid

from stack import CLINIC, psql, run, succeeded

# Reading, with literals. psql, libpq and psycopg all run these.
READS = [
    "SELECT * FROM patients ORDER BY id",
    "SELECT * FROM visits ORDER BY id",
    "SELECT p.* FROM patients AS p WHERE p.id = 3",
    "SELECT id, name AS who, ssn FROM patients WHERE ssn = '120-44-7781'",
    "SELECT name FROM public.patients WHERE ssn IN ('120-44-7781', '778-20-1156', 'nobody') ORDER BY id",
    "SELECT id FROM patients WHERE ssn <> '120-44-7781' ORDER BY id",
    "SELECT id FROM patients WHERE ssn NOT IN ('120-44-7781', '331-09-2210') ORDER BY id",
    "SELECT id, born FROM patients WHERE born = '1961-03-09' ORDER BY id",
    "SELECT id FROM patients WHERE born = DATE '1961-03-09' ORDER BY id",
    "SELECT id FROM patients WHERE born = '9 March 1961'::date ORDER BY id",
    "SELECT id FROM patients WHERE CAST('1961-03-09' AS date) = born ORDER BY id",
    "SELECT id, born FROM patients WHERE born < '1985-01-01' ORDER BY born DESC NULLS LAST, id",
    "SELECT name FROM patients WHERE born BETWEEN '1960-01-01' AND date '2001-09-11' ORDER BY born, name IS NULL, id",
    "SELECT min(born), max(born) FROM patients",
    "SELECT department, max(born) AS youngest FROM patients GROUP BY department ORDER BY max(born), department",
    "SELECT id FROM patients WHERE (born, id) > ('1961-03-09', 1) ORDER BY born, id LIMIT 3",
    "SELECT id, rank() OVER (ORDER BY born) FROM patients ORDER BY id",
    "SELECT id FROM patients WHERE card = '6F9B1C3E0A514F0E9A395D1F2B7C8E01'",
    "SELECT id, remark FROM patients WHERE remark IS NULL ORDER BY id",
    "SELECT id, remark FROM patients WHERE remark IS NOT NULL ORDER BY id",
    "SELECT id, photo FROM patients ORDER BY id",
    "SELECT count(*), count(remark), count(born) FROM patients",
    "SELECT p.name, v.reason, v.arrived FROM patients p JOIN visits v ON v.patient_ssn = p.ssn ORDER BY v.id",
    "SELECT p.name, v.pulse FROM patients p LEFT JOIN visits v ON v.patient = p.id AND v.urgent = true"
    " ORDER BY p.id, v.id",
    "SELECT a.name, b.name FROM patients a, patients b WHERE a.born = b.born AND a.id < b.id",
    "SELECT s.name, s.id FROM (SELECT id, name FROM patients WHERE born IS NOT NULL) AS s ORDER BY s.id",
    "SELECT name FROM patients WHERE ssn IN (SELECT patient_ssn FROM visits WHERE urgent = true) ORDER BY id",
    "SELECT name FROM patients p WHERE EXISTS (SELECT 1 FROM visits v WHERE v.patient_ssn = p.ssn) ORDER BY p.id",
    "SELECT d.title, (SELECT count(*) FROM patients p WHERE p.department = d.code) FROM departments d ORDER BY d.code",
    "SELECT id FROM visits WHERE urgent = true ORDER BY id",
    "SELECT id FROM visits WHERE urgent = 'f' ORDER BY id",
    "SELECT id FROM visits WHERE weight_g = 63900",
    "SELECT id FROM visits WHERE weight_g = '2147483647'",
    "SELECT id FROM visits WHERE seen = '2024-02-29 09:15:00+01'",
    "SELECT id, seen FROM visits WHERE seen = TIMESTAMPTZ '2000-01-01 00:00:00+00'",
    "SELECT id, reason FROM visits WHERE reason = 'check-up' ORDER BY id",
    "SELECT id FROM visits WHERE reason = '' ORDER BY id",
    "SELECT id, name FROM patients WHERE department = 'PED' ORDER BY id LIMIT 1 OFFSET 1",
    "SELECT name FROM patients WHERE ssn = 'nobody'",
    "SELECT * FROM findings ORDER BY id",
    "SELECT id, code, sample FROM findings WHERE code = 'GLU' ORDER BY id",
    "SELECT id FROM findings WHERE code = 'GLU    ' OR code = N'HB' OR code = 'éé漢'::char(5) ORDER BY id",
    "SELECT id FROM findings WHERE code IN ('HB', 'GLU', '') ORDER BY id",
    "SELECT id FROM findings WHERE code = 'GLUCOSE' OR code <> 'HB'::text ORDER BY id",
    "SELECT code, count(*), count(DISTINCT price) FROM findings GROUP BY code ORDER BY min(id)",
    "SELECT id FROM findings WHERE price = 12.5 ORDER BY id",
    "SELECT id FROM findings WHERE price = 12.500 AND price = '12.50' AND price <> 12.505 ORDER BY id",
    "SELECT id FROM findings WHERE price IN (0, 12.5, 1e3, 'NaN') ORDER BY id",
    "SELECT id FROM findings WHERE price = 12.5::float8 OR price = 0::real OR price = 'nan' ORDER BY id",
    "SELECT id FROM findings WHERE price = -999999.99",
    "SELECT id FROM findings WHERE price = 123456789.125",
    "SELECT id FROM findings WHERE ratio = '0.1' OR ratio = 0.5 OR ratio = 16777216 ORDER BY id",
    "SELECT id FROM findings WHERE ratio IN ('0.1', 'NaN', 'inf') ORDER BY id",
    "SELECT id FROM findings WHERE dose = 0.1 OR dose = 2.5e-8 OR dose = 123456789012345678 ORDER BY id",
    "SELECT id FROM findings WHERE dose = 'nan' OR dose = '-infinity'::float4 ORDER BY id",
    "SELECT id FROM visits WHERE weight_g = 63900.0 OR weight_g = 81050::float8 ORDER BY id",
    "SELECT a.id, b.id FROM findings a JOIN findings b ON a.price = b.price AND a.code = b.code ORDER BY a.id, b.id",
    "SELECT id FROM visits WHERE reason = 'fever' AND patient_ssn = N'507-61-9934   '",
    "SELECT invoice_cents, weight_g, pulse, urgent FROM visits ORDER BY id",
    "SELECT born, count(*) FROM patients GROUP BY born ORDER BY born",
    "WITH r AS (SELECT DISTINCT reason FROM visits) SELECT v.id, r.reason FROM r JOIN visits v ON v.reason = r.reason ORDER BY 1",
    "SELECT count(DISTINCT ssn) FROM patients",
    "SELECT COALESCE(remark, 'none') FROM patients ORDER BY id",
    "SELECT CASE WHEN id > 2 THEN name END FROM patients ORDER BY id",
    "SELECT id, name FROM patients UNION ALL SELECT id + 100, name FROM patients ORDER BY id",
    "WITH p AS (SELECT id, name FROM patients) SELECT name FROM p ORDER BY id",
    "SELECT id FROM patients WHERE ssn = ANY (ARRAY['120-44-7781', '331-09-2210']) ORDER BY id",
    "SELECT id FROM patients WHERE born IS DISTINCT FROM '1961-03-09' ORDER BY id",
    "SELECT id FROM findings WHERE dose = '-0' ORDER BY id",
    "VALUES (1, 'a'), (2, 'b')",
    "SELECT /* a comment */ name -- and another\n FROM patients WHERE id = 2",
    "SELECT upper(title), beds * 2, NULL, ARRAY[1, 2], 1.50 FROM departments ORDER BY code",
    "SELECT 'name of patients' AS text, $$ssn$$, E'\\x41'",
]

# Text forms follow the session's settings.
STYLES = [
    "SET DateStyle = 'German'", "SELECT born FROM patients ORDER BY id", "SELECT arrived, seen FROM visits ORDER BY id",
    "SET DateStyle = 'SQL, DMY'", "SET TimeZone = 'Europe/Prague'", "SELECT arrived, seen FROM visits ORDER BY id",
    "SELECT id FROM patients WHERE born = '09/03/1961' ORDER BY id",
    "SELECT id FROM visits WHERE seen = '29/02/2024 09:15:00'",
    "SET TimeZone = 'America/St_Johns'", "SET DateStyle = 'ISO, MDY'", "SELECT seen FROM visits ORDER BY id",
    "SET bytea_output = 'escape'", "SELECT photo FROM patients ORDER BY id", "RESET ALL",
    "SET extra_float_digits = 0", "SELECT ratio, noise, dose, drift FROM findings ORDER BY id",
    "BEGIN", "SET LOCAL extra_float_digits = -3", "SELECT dose, noise FROM findings ORDER BY id", "ROLLBACK",
    "SELECT dose, noise FROM findings ORDER BY id", "SET extra_float_digits = 3",
    "SELECT ratio, noise, dose, drift FROM findings ORDER BY id", "RESET ALL",
    "SELECT photo, born FROM patients ORDER BY id",
]

# Writing, with literals; after them the tables have to be the same.
WRITES = [
    "INSERT INTO patients VALUES (10, '610-00-0001', 'Ida Holm', '2001-09-11', true, NULL, '\\x01', 'new', 'ER')"
    " RETURNING id, name, ssn, born, insured, card, photo",
    "INSERT INTO patients (id, ssn, name) VALUES (11, '610-00-0002', 'Per Lund'), (12, '610-00-0003', 'Eva Lind')"
    " RETURNING *",
    "INSERT INTO patients (name, id, ssn) VALUES ('Short', 13, '610-00-0004')",
    "INSERT INTO visits (id, patient, patient_ssn, pulse, weight_g, invoice_cents, urgent)"
    " VALUES (110, 10, '610-00-0001', -32768, -5, 5000000000, 'yes') RETURNING *",
    "UPDATE patients SET name = 'Ida Holm-Berg', remark = NULL WHERE ssn = '610-00-0001' RETURNING id, name, remark",
    "UPDATE patients SET remark = 'seen' WHERE id IN (11, 12)",
    "UPDATE patients p SET insured = false, born = '1970-01-01' FROM visits v"
    " WHERE v.patient_ssn = p.ssn AND v.id = 110 RETURNING p.name, p.born, v.weight_g",
    "UPDATE visits SET reason = 'it''s \"quoted\" \\ too', seen = '2024-01-01 00:00:00+14' WHERE id = 110 RETURNING *",
    "DELETE FROM patients WHERE ssn = '610-00-0004' RETURNING name",
    "DELETE FROM visits WHERE weight_g = -5",
    "DELETE FROM patients WHERE id = 999 RETURNING ssn",
    "INSERT INTO findings VALUES (10, 'AB   '::text, 12.5, 7, 1, 99950, 3, 1e-3, 5, 9007199254740993),"
    " (11, true::text, 'x'::char(3), 0.005, .10, 49.99, 1e3::numeric, 7::int8, 0.1::float4, 5.50),"
    " (12, N'N   ', 'toolong!   ', -0.005, 1.10::float8, 150::float8, 0.1::float8, 0.0, '1e308', -0.0)"
    " RETURNING *",
    "UPDATE findings SET price = 99.995, glucose = 3, code = 'ÄÖÜ', dose = 2 WHERE id = 10 RETURNING *",
    "UPDATE visits SET weight_g = 2.5, pulse = 3.5::float8, reason = N'N text   ' WHERE id = 104"
    " RETURNING weight_g, pulse, reason",
    "UPDATE visits SET reason = 12.50 WHERE id = 104 RETURNING reason",
    "DELETE FROM findings WHERE dose = 2 RETURNING code, price",
    "INSERT INTO visits (id, patient, patient_ssn) SELECT 500 + id, id, ssn FROM patients WHERE id = 2 RETURNING *",
    "UPDATE visits SET patient_ssn = p.ssn FROM patients p WHERE p.id = visits.patient AND visits.id = 105",
    "UPDATE patients SET (name, remark) = ('A', 'B') WHERE id = 6 RETURNING name, remark",
    "DELETE FROM visits WHERE id = 502 RETURNING patient_ssn",
]

# The server's own complaints: the same SQLSTATE.
ERRORS = [
    "INSERT INTO patients (id, ssn, name) VALUES (1, 'x', 'y')",
    "INSERT INTO patients (id, ssn, name) VALUES (20, 'x', NULL)",
    "INSERT INTO visits (id, patient, patient_ssn) VALUES (120, 4711, 'x')",
    "SELECT name FROM patients WHERE born = 'not a day'",
    "SELECT name FROM patients WHERE card = 'not a uuid'",
    "INSERT INTO patients (id, ssn, name) VALUES (20, 'x', '" + "n" * 81 + "')",
    "UPDATE visits SET pulse = 32768",
    "SELECT id FROM visits WHERE weight_g = 'many'",
    "UPDATE findings SET price = 999999.995",
    "UPDATE findings SET price = 'Infinity'",
    "UPDATE findings SET titre = 99999950",
    "UPDATE findings SET code = 'ABCDEF'",
    "UPDATE findings SET ratio = 1e39",
    "UPDATE findings SET ratio = 1e39::float8",
    "UPDATE findings SET dose = '1e400'",
    "UPDATE findings SET glucose = '12,5'",
    "UPDATE findings SET dose = 'much'",
    "UPDATE visits SET weight_g = 2147483647.5",
    "UPDATE visits SET pulse = 'NaN'::float8",
    "SELECT nothing FROM patients",
    "SELECT name FROM patient",
    "SELEC name FROM departments",
    "SELECT 1 / beds FROM departments WHERE false OR 1 / (beds - beds) = 1",
]

# Reading and writing with parameters ($n; libpq sends the texts, psycopg the values).
PARAMETERS = [
    ("SELECT id, name, born FROM patients WHERE ssn = $1", ("120-44-7781",)),
    ("SELECT id FROM patients WHERE ssn = $1 OR ssn = $2 ORDER BY id", ("120-44-7781", "331-09-2210")),
    ("SELECT id FROM patients WHERE ssn IN ($1, $2) AND id > $3 ORDER BY id", ("120-44-7781", "331-09-2210", 1)),
    ("SELECT id FROM patients WHERE born = $1 ORDER BY id", (datetime.date(1961, 3, 9),)),
    ("SELECT id FROM patients WHERE card = $1", (uuid.UUID("6f9b1c3e-0a51-4f0e-9a39-5d1f2b7c8e01"),)),
    ("SELECT id, reason FROM visits WHERE weight_g = $1", (63900,)),
    ("SELECT id, reason FROM visits WHERE urgent = $1 ORDER BY id", (True,)),
    ("SELECT id FROM visits WHERE seen = $1",
     (datetime.datetime(2024, 2, 29, 8, 15, tzinfo=datetime.timezone.utc),)),
    ("SELECT id FROM visits WHERE reason = $1 ORDER BY id", ("chest pain",)),
    ("SELECT p.name FROM patients p JOIN visits v ON v.patient_ssn = p.ssn WHERE v.weight_g = $1", (20300,)),
    ("INSERT INTO patients (id, ssn, name, born, insured, card, photo, remark) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"
     " RETURNING *",
     (30, "700-00-0001", "Řehoř", datetime.date(1900, 1, 1), False, uuid.UUID(int=7), b"\x00\xff\\", None)),
    ("INSERT INTO visits (id, patient, patient_ssn, arrived, seen, pulse, weight_g, invoice_cents, urgent, reason)"
     " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) RETURNING *",
     (130, 1, "700-00-0001", datetime.datetime(2020, 2, 29, 23, 59, 59, 999999),
      datetime.datetime(1969, 12, 31, 23, 0, tzinfo=datetime.timezone.utc), 7, 70000, 2**40, True, "")),
    ("UPDATE patients SET name = $1, remark = $2 WHERE ssn = $3 RETURNING name, remark",
     ("Řehoř II", "moved", "700-00-0001")),
    ("UPDATE visits SET patient_ssn = $1 WHERE patient_ssn = $1 RETURNING patient_ssn", ("700-00-0001",)),
    ("SELECT id FROM findings WHERE price = $1 ORDER BY id", (decimal.Decimal("12.5"),)),
    ("SELECT id FROM findings WHERE price = $1 ORDER BY id", (12.5,)),
    ("SELECT id FROM findings WHERE price = $1 OR price = $2 ORDER BY id", (0, decimal.Decimal("NaN"))),
    ("SELECT id FROM findings WHERE price IN ($1, $2) ORDER BY id",
     (decimal.Decimal("12.500"), decimal.Decimal("-999999.99"))),
    ("SELECT id FROM findings WHERE ratio = $1 ORDER BY id", (0.5,)),
    ("SELECT id, dose FROM findings WHERE dose = $1 ORDER BY id", (0.1,)),
    ("SELECT id, dose FROM findings WHERE dose = $1 ORDER BY id", (float("nan"),)),
    ("SELECT id, code FROM findings WHERE code = $1 ORDER BY id", ("GLU",)),
    ("INSERT INTO findings VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) RETURNING *",
     (30, "ž", "pad", decimal.Decimal("1.005"), decimal.Decimal("-1E-30"), decimal.Decimal("1249"), 0.25, 1e-45, 1e300,
      float("-inf"))),
    ("UPDATE findings SET price = $1, glucose = $2, dose = $3 WHERE id = $4 RETURNING price, glucose, dose",
     (7, 2**62, 5, 1)),
    ("UPDATE findings SET price = $1, glucose = $2 WHERE id = 1 RETURNING price, glucose",
     (decimal.Decimal("4.125"), decimal.Decimal("4.125"))),
    ("SELECT title FROM departments WHERE code = $1 AND beds > $2", ("CARD", 3)),
    ("DELETE FROM visits WHERE patient_ssn = $1", ("700-00-0001",)),
    ("DELETE FROM patients WHERE ssn = $1 RETURNING name", ("700-00-0001",)),
]

# Allowed by docs/SQL.md sooner or later: the same answer, or 0A000.
MAY = [
    "SELECT id FROM visits WHERE weight_g = 63900.5",
    "SELECT id FROM patients WHERE born = TIMESTAMP '1961-03-09 10:00'",
    "SELECT id FROM patients WHERE born < TIMESTAMP '1961-03-09 10:00' ORDER BY id",
    "SELECT id FROM visits WHERE urgent",
    "SELECT id FROM findings WHERE ratio = 0.1",
    "SELECT id FROM findings WHERE ratio = 16777217",
    "SELECT id FROM findings WHERE ratio IN (0.1, 0.5)",
    "UPDATE findings SET dose = '-0' WHERE id = 1 RETURNING dose",
    "SELECT id FROM findings WHERE price = 12.5::float8 OR price = 1e300::float8",
    "SELECT id FROM visits WHERE invoice_cents = 9223372036854775807::float8",
    "SELECT id FROM visits WHERE invoice_cents IN (9223372036854775807, 1.5::float8)",
    "SELECT id FROM visits WHERE weight_g = 1e10",
    "SELECT id FROM visits WHERE reason = N'fever'",
    "SELECT id FROM findings WHERE code = 'GLU  '::text",
    "SELECT id FROM findings WHERE code IN ('GLU  '::text, 'HB')",
    "SELECT id FROM findings WHERE price IN ('12.5', 0.1::float8)",
    "UPDATE findings SET price = '1_000' WHERE id = 1",
    "UPDATE findings SET dose = '0x10' WHERE id = 1 RETURNING dose",
    "UPDATE visits SET arrived = N'2024-01-01'",
    "SELECT max(price) FROM findings",
    "SELECT price * 2 FROM findings",
]

TABLES = ("SELECT * FROM departments ORDER BY code", "SELECT * FROM patients ORDER BY id",
          "SELECT * FROM visits ORDER BY id", "SELECT * FROM findings ORDER BY id")


class Clinic:
    """The clinic twice in one server: `clinic` loaded through pgveil, `clinic_plain` loaded directly."""

    def __init__(self, stack):
        self.stack = stack
        stack.superuser("CREATE DATABASE clinic_plain OWNER app")
        self.plain_url = stack.url("direct", "app", "clinic_plain")
        for name in ("schema.sql", "sample.sql"):
            self.load_plain = psql(self.plain_url, "-q", "-v", "ON_ERROR_STOP=1", "-f", CLINIC / name)
            succeeded(self.load_plain)
            self.load_veiled = psql(stack.url(), "-q", "-v", "ON_ERROR_STOP=1", "-f", CLINIC / name,
                                    options=stack.options())
            succeeded(self.load_veiled)

    def stored(self, column, table):
        """What the database holds of a column, as a superuser sees it: bytes or None."""
        return [row[0] for row in self.stack.superuser(f"SELECT {column}::bytea FROM {table}", "clinic")]


def in_psql(script, url, options=""):
    """The whole output of psql for a script, errors included, in the order they came."""
    done = run(["sh", "-c", 'PGOPTIONS="$1" exec psql -X -v VERBOSITY=sqlstate "$0" -P null=NULL 2>&1', url, options],
               input=script)
    return done.stdout

"""Tables for bind_to and pad_to, and what is asked of them: charts with the key (ward, number), letters with a uuid,
slips with an unbound column for comparison.
"""

import uuid

POLICY = {"tables": {
    "public.charts": {"columns": {
        "finding": {"type": "text", "bind_to": ["ward", "number"]},
        "dose": {"type": "int4", "bind_to": ["number", "ward"], "pad_to": 16},
        "label": {"type": "text", "search": "equality"},
        "aside": {"type": "varchar(40)", "pad_to": 32}}},
    "public.letters": {"columns": {"body": {"type": "text", "bind_to": ["id"]}}},
    "public.slips": {"columns": {"note": {"type": "text"}}}}}

SCHEMA = """
CREATE TABLE charts (ward smallint, number int, finding text, dose int4, label text, aside varchar(40), room text,
                     PRIMARY KEY (ward, number));
CREATE TABLE letters (id uuid PRIMARY KEY, ward smallint, number bigint, body text);
CREATE TABLE slips (id serial PRIMARY KEY, note text);
INSERT INTO charts VALUES (1, 1, 'clear', 5, 'a', 'x', 'R1'), (1, 2, NULL, 7, 'b', NULL, 'R2'),
                          (2, 1, 'shadow', NULL, 'a', '', 'R1');
INSERT INTO charts (finding, number, ward) VALUES ('', 2, '2');
INSERT INTO letters VALUES ('00000000-0000-0000-0000-000000000001', 1, 1, 'Dear'),
                           ('00000000-0000-0000-0000-000000000002', 9, 9, 'Sir');
INSERT INTO slips (note) VALUES ('one'), ('two');
"""

READS = [
    "SELECT * FROM charts ORDER BY ward, number",
    "TABLE letters",
    "SELECT finding FROM charts ORDER BY ward, number",
    "SELECT finding, ward FROM charts ORDER BY 2, number DESC",
    "SELECT number, finding, dose, ward FROM charts ORDER BY 1, 4",
    "SELECT dose, finding, dose FROM charts c WHERE c.ward = 1 ORDER BY number",
    "SELECT c.finding AS ward, room FROM public.charts AS c (w, n, finding) ORDER BY w, n",
    "SELECT public.charts.finding FROM public.charts ORDER BY number, charts.ward",
    "SELECT finding -- a comment, FROM here\n, 'x' IS DISTINCT FROM room /* FROM */ FROM charts ORDER BY number, ward",
    "SELECT extract(year FROM date '2020-01-01') AS year, finding FROM charts ORDER BY number, ward LIMIT 2 OFFSET 1",
    "SELECT finding FROM charts WHERE label = 'a' AND finding IS NOT NULL ORDER BY ward",
    "SELECT finding, (number + 1) * (2) FROM charts ORDER BY number, ward",
    "SELECT (finding), -number AS \"from\" FROM charts ORDER BY number, ward",
    "SELECT ALL finding, (ARRAY[ward, 7])[2], CASE WHEN room IS NOT DISTINCT FROM 'R1' THEN 1 END from charts"
    " ORDER BY number, ward",
    "SELECT charts.finding AS as, room AS distinct FROM charts ORDER BY number, ward",
    "SELECT count(finding), count(*), count(dose) FROM charts",
    "SELECT room, count(finding) FROM charts GROUP BY room ORDER BY room",
    "SELECT ward, number, finding FROM charts GROUP BY ward, number ORDER BY ward, number",
    "SELECT a.finding, b.finding FROM charts a JOIN charts b ON b.number = a.number AND b.ward = 2 ORDER BY a.ward,"
    " a.number",
    "SELECT c.finding, l.body FROM charts c LEFT JOIN letters l ON l.ward = c.ward AND l.number = c.number"
    " ORDER BY c.ward, c.number",
    "SELECT c.finding, body, number FROM charts c LEFT JOIN letters l USING (ward, number) ORDER BY ward, number",
    "SELECT body, c.finding FROM charts c FULL JOIN letters l USING (ward, number) ORDER BY ward, number",
    "SELECT body, c.finding FROM charts c NATURAL RIGHT JOIN letters ORDER BY ward",
    "SELECT id FROM letters WHERE EXISTS (SELECT body FROM letters x WHERE x.id = letters.id) ORDER BY id",
    "SELECT l.body FROM (SELECT ward, number FROM charts) s JOIN letters l USING (number, ward)",
    "WITH w AS (SELECT 1 AS one) SELECT body FROM w, letters ORDER BY id",
    "SELECT body FROM letters WHERE false",
    "SELECT finding FROM charts WHERE ward = 1 AND number = 1 FOR UPDATE",
    "SELECT note FROM slips ORDER BY id",
    "SELECT DISTINCT ON (ward) ward, number, finding FROM charts ORDER BY ward, number",
]

WRITES = [
    "INSERT INTO charts (number, ward, finding, dose) VALUES (3, 1, 'new', -1), (4, 1::int2, NULL, '12'), (-5, '1', 'x', 2)"
    " RETURNING finding",
    "INSERT INTO charts VALUES (7, 7, 'all of it', 7, 'l', 'm', 'n') RETURNING *",
    "INSERT INTO charts (ward, number, label) SELECT 8, number, 'copied' FROM slips, (SELECT 1 AS number) s LIMIT 1",
    "INSERT INTO charts DEFAULT VALUES",
    "UPDATE charts SET finding = 'better', dose = 6, room = 'R9' WHERE ward = 1 AND number = 3 RETURNING finding, dose -- why",
    "UPDATE charts AS c SET finding = 'alias' WHERE (3 = c.number AND label IS NULL) AND c.ward = '1'",
    "UPDATE charts SET finding = NULL, dose = DEFAULT WHERE room = 'R1' RETURNING number, dose",
    "UPDATE charts SET dose = 9 FROM letters l WHERE l.number = 1 AND charts.number = 1 AND charts.ward = 1 RETURNING dose, body",
    "UPDATE charts SET finding = 'nobody' WHERE ward = 1 AND number = 99 RETURNING finding",
    "UPDATE charts SET room = 'R2' WHERE ward = 7 RETURNING finding, room",
    "UPDATE letters SET body = 'by uuid' WHERE id = '{00000000-0000-0000-0000-00000000000000000001}'",
    "UPDATE letters SET body = 'by uuid' WHERE id = '{00000000-0000-0000-0000-000000000001}'::uuid RETURNING body",
    "INSERT INTO letters VALUES (uuid '00000000-0000-0000-0000-00000000000a', 1, 5000000000, 'long') RETURNING body;",
    "DELETE FROM letters WHERE number = 5000000000 RETURNING body, ward",
    "DELETE FROM charts USING letters WHERE charts.ward = 7 RETURNING finding, body",
]

LETTER = uuid.UUID(int=77)

PARAMETERS = [
    ("INSERT INTO charts (ward, number, finding, dose) VALUES ($1, $2, $3, $4) RETURNING finding, dose", (5, 1, "p", 10)),
    ("INSERT INTO charts (ward, number, finding) VALUES ($1, $2, $3), ($1, $4, $5) RETURNING finding",
     (5, 2, "q", 3, None)),
    ("INSERT INTO charts (ward, number, finding) VALUES (5, 70000, $1) RETURNING *", ("mixed",)),
    ("INSERT INTO letters (id, body) VALUES ($1, $2) RETURNING body", (LETTER, "Řehoř")),
    ("SELECT body, ward FROM letters WHERE id = $1", (LETTER,)),
    ("SELECT finding FROM charts WHERE ward = $1 ORDER BY number", (5,)),
    ("UPDATE charts SET finding = $1, dose = $2 WHERE ward = $3 AND number = $4 RETURNING dose", ("r", 11, 5, 1)),
    ("UPDATE charts SET finding = $1 WHERE ward = $2 AND number = 2", (None, 5)),
    ("UPDATE charts SET finding = $1 WHERE ward = $2 AND number = $3 RETURNING finding", ("no row", 5, None)),
    ("UPDATE letters SET body = $1 WHERE id = $2 RETURNING body", ("", LETTER)),
    ("SELECT * FROM charts ORDER BY ward, number", ()),
    ("DELETE FROM letters WHERE id = $1 RETURNING body", (LETTER,)),
    ("DELETE FROM charts WHERE ward = $1 RETURNING finding", (5,)),
]

# (statement, what the message or the hint must name)
REFUSED = [
    ("INSERT INTO charts (ward, finding) VALUES (1, 'SECRET')", "number"),
    ("INSERT INTO charts VALUES (DEFAULT, 1, 'SECRET')", "ward"),
    ("INSERT INTO charts (ward, number, finding) VALUES (1, 1 + 1, 'SECRET')", "number"),
    ("INSERT INTO charts (ward, number, finding) VALUES (1, NULL, 'SECRET')", "number"),
    ("INSERT INTO charts (ward, number, finding) VALUES (1, 2.0, 'SECRET')", "number"),
    ("INSERT INTO charts (ward, number, finding) SELECT 3, 4, 'SECRET'", "INSERT with VALUES"),
    ("INSERT INTO charts (ward, number, finding) SELECT ward, number + 100, finding FROM charts", "a copy"),
    ("INSERT INTO charts (ward, number, finding) VALUES (1, 9, 'SECRET') ON CONFLICT (finding) DO NOTHING", "ON CONFLICT"),
    ("UPDATE charts SET finding = 'SECRET'", "WHERE ward"),
    ("UPDATE charts SET finding = 'SECRET' WHERE ward = 1", "WHERE number"),
    ("UPDATE charts SET finding = 'SECRET' WHERE ward = 1 AND number IN (1)", "WHERE number"),
    ("UPDATE charts SET finding = 'SECRET' WHERE ward = 1 AND number > 1", "WHERE number"),
    ("UPDATE charts SET finding = 'SECRET' WHERE ward = 1 AND number = NULL", "WHERE number"),
    ("UPDATE charts SET finding = 'SECRET' WHERE ward = 1 OR number = 1", "WHERE ward"),
    ("UPDATE charts SET finding = 'SECRET' WHERE NOT (ward = 1 AND number = 1)", "WHERE ward"),
    ("UPDATE charts SET finding = 'SECRET' FROM letters l WHERE charts.ward = 1 AND l.number = 1", "WHERE number"),
    ("UPDATE charts SET finding = 'SECRET' FROM letters l WHERE charts.ward = 1 AND charts.number = l.number",
     "WHERE number"),
    ("UPDATE charts SET finding = finding WHERE ward = 1 AND number = 1", "a copy"),
    ("UPDATE charts SET finding = o.finding FROM charts o WHERE charts.ward = 1 AND charts.number = 1", "a copy"),
    ("UPDATE charts SET number = 9 WHERE ward = 1 AND number = 1", "a change of number"),
    ("UPDATE charts SET (room, ward) = ('SECRET', 9)", "a change of ward"),
    ("UPDATE slips SET note = c.finding FROM charts c", "note"),
    ("SELECT DISTINCT finding FROM charts", "finding"),
    ("SELECT DISTINCT ON (ward) finding FROM charts", "select list without the key"),
    ("SELECT finding FROM charts GROUP BY ward, number", "select list without the key"),
    ("SELECT finding FROM charts UNION ALL SELECT finding FROM charts", "set operation"),
    ("SELECT finding FROM charts UNION SELECT finding FROM charts", "finding"),
    ("SELECT s.finding FROM (SELECT * FROM charts) s", "sub-query"),
    ("WITH w AS (SELECT * FROM charts) SELECT * FROM w", "sub-query"),
    ("SELECT (SELECT finding FROM charts LIMIT 1), ward, number FROM charts", "sub-query"),
    ("SELECT j.finding FROM (charts c JOIN letters l ON true) AS j", "sub-query"),
    ("SELECT 1 FROM charts WHERE finding = 'SECRET'", "finding"),
    ("SELECT COALESCE(finding, 'SECRET') FROM charts", "finding"),
    ("COPY charts TO '/tmp/charts'", "charts"),
]

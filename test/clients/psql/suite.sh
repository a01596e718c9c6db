#!/usr/bin/env bash
# psql: one small suite. See ../cases.py for its lines. Every case is one script that psql reads.
set -uo pipefail
url=$1
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
failures=0

# case_of NAME: psql runs the script on stdin and has to end well.
case_of() {
    local name=$1 status=0
    (cd "$folder" && PGCLIENTENCODING=UTF8 psql -X -q -v ON_ERROR_STOP=1 -v VERBOSITY=verbose "$url" -f - >out 2>err) || status=$?
    sed "s/^/$name: /" "$folder/out"
    # Not where in the server's source an error was raised, and not the line with the caret under it.
    sed -E "/^LOCATION:/d; /^LINE [0-9]+:/,+1d; s/^/$name: /; s/psql:<stdin>:[0-9]*: //" "$folder/err"
    if [ $status = 0 ]; then
        echo "ok $name"
    else
        failures=1
        echo "failed $name: $(sed -n 's/.*ERROR:  //p' "$folder/err" | head -n 1)"
    fi
}

# Every case begins with the same three rows.
rows="
DELETE FROM people;
INSERT INTO people VALUES (1, '911-00-0001', 'Zelda Quartz', '1984-02-29', 10.50, 'left handed', 1),
    (2, '911-00-0002', 'Oskar O''Dune', '1999-12-31', -3, NULL, 2), (3, '911-00-0003', E'Žaneta \\\\ Říční', NULL, NULL, '', NULL);
"

case_of crud <<SQL
$rows
SELECT * FROM people ORDER BY id;
UPDATE people SET name = 'Zelda Q.', balance = 11 WHERE ssn = '911-00-0001';
\\echo :ROW_COUNT
SELECT p.name, balance, t.name AS town FROM people p JOIN towns t ON t.id = town WHERE ssn = '911-00-0001';
SELECT id, born FROM people WHERE born > '1984-02-29' ORDER BY born DESC;
SELECT min(balance), max(balance), count(note) FROM people;
\\x on
SELECT * FROM people WHERE id = 2;
\\x off
\\a \\t
SELECT * FROM people ORDER BY id \\gx
DELETE FROM people WHERE ssn IN ('911-00-0002', 'none');
\\echo :ROW_COUNT
SQL

case_of types <<'SQL'
DELETE FROM kinds;
INSERT INTO kinds VALUES (1, true, -32768, 2147483647, -9223372036854775808, 12345678.9012, 1e-20, 1.5, 0.1, E'naïve\ttext',
    'twenty characters ok', 'pad', '\x00ff10', '1984-02-29', '2001-02-03 04:05:06.789012', '2001-02-03 04:05:06.789012+02',
    '11111111-2222-3333-4444-555555555555');
INSERT INTO kinds (id) VALUES (2);
\x on
SELECT * FROM kinds ORDER BY id;
SET DateStyle = 'SQL, DMY';
SET TimeZone = 'Asia/Kathmandu';
SET bytea_output = 'escape';
SET extra_float_digits = -3;
SELECT * FROM kinds ORDER BY id;
SELECT id FROM kinds WHERE moment = '03/02/2001 04:05:06.789012' AND instant < '2100-01-01' AND truth = 't' AND padded = 'pad';
SQL

case_of nulls <<'SQL'
DELETE FROM kinds;
INSERT INTO kinds (id, words, truth) VALUES (3, NULL, NULL);
\pset null '(null)'
SELECT * FROM kinds WHERE words IS NULL;
SELECT id FROM kinds WHERE words IS NOT DISTINCT FROM NULL;
SQL

for pair in "times:clocks:'23:59:59.999999', '1 mon -3 days 00:00:07', '08:15:00.5+05:30'" \
    "documents:documents:'{\"b\": [1, 2.50], \"a\": {}}', '{\"b\": [1, 2.50], \"a\": {}}'" \
    "hosts:hosts:'10.1.2.3/8', '10.0.0.0/8'" "lists:lists:'{1,NULL,3}', '{\"a b\",\"q\\\"\",NULL}'"; do
    IFS=: read -r name table values <<<"$pair"
    case_of "$name" <<SQL
DELETE FROM $table;
INSERT INTO $table VALUES (1, $values);
INSERT INTO $table (id) VALUES (2);
SELECT * FROM $table ORDER BY 1;
SQL
done

case_of batch <<SQL
DELETE FROM people;
SELECT format('INSERT INTO people (id, ssn, name) VALUES (%s, %L, %L)', n, '922-' || n, 'Batch ' || n)
  FROM generate_series(1, 20) n \\gexec
SELECT id, ssn, name FROM people ORDER BY id;
SELECT count(*) FROM people \\; UPDATE people SET name = 'X' WHERE id < 3 \\; SELECT name FROM people WHERE id < 4 ORDER BY id;
SELECT name AS found FROM people WHERE id = 4 \\gset
\\echo :found
SELECT id FROM people WHERE ssn = '922-4' AND :'found' = 'Batch 4';
SQL

case_of transactions <<SQL
$rows
BEGIN;
UPDATE people SET name = 'Gone' WHERE id = 1;
ROLLBACK;
SELECT name FROM people WHERE id = 1;
SQL

case_of savepoints <<SQL
$rows
\\set ON_ERROR_STOP 0
\\set ON_ERROR_ROLLBACK on
BEGIN;
UPDATE people SET name = 'Kept' WHERE id = 1;
INSERT INTO people VALUES (9, '911-00-0002', 'Twice');
SAVEPOINT inside;
UPDATE people SET name = 'Lost' WHERE id = 2;
ROLLBACK TO inside;
COMMIT;
SELECT id, name FROM people ORDER BY id;
SQL

case_of returning <<SQL
$rows
INSERT INTO people VALUES (4, '911-00-0004', 'New', '1984-02-29', 1.005, 'note', 3) RETURNING *, id + 1;
UPDATE people SET note = 'n' WHERE id > 2 RETURNING id, note;
DELETE FROM people WHERE ssn = '911-00-0004' RETURNING name, born;
SQL

case_of upsert <<SQL
$rows
INSERT INTO people (id, ssn, name) VALUES (1, '911-00-0001', 'Again')
  ON CONFLICT (ssn) DO UPDATE SET name = excluded.name, note = NULL RETURNING id, name, note;
INSERT INTO people (id, ssn, name) VALUES (1, '911-00-0001', 'Again') ON CONFLICT DO NOTHING;
SELECT * FROM people ORDER BY id;
SQL

# PostgreSQL 18 takes \. in csv for a value, which a psql before 18 sends at the end of what stands in a script.
line='7,seven,"Sev, en"'
if [ "$(psql -X -A -t -q "$url" -c 'SHOW server_version_num')" -ge 180000 ]; then
    printf '%s\n' "$line" >"$folder/people.csv"
    csv='\copy people (id, ssn, name) FROM people.csv (FORMAT csv)'
else
    csv=$(printf '%s\n' '\copy people (id, ssn, name) FROM STDIN (FORMAT csv)' "$line" '\.')
fi
case_of copy <<SQL
$rows
\\copy people TO 'people.txt'
\\copy (SELECT id, name, born FROM people ORDER BY id) TO STDOUT (FORMAT csv, HEADER)
DELETE FROM people;
\\copy people FROM 'people.txt'
$csv
COPY people (id, ssn, name) FROM STDIN;
8	eight	Ei\\\\ght
\\.
SELECT * FROM people ORDER BY id;
COPY (SELECT name FROM people ORDER BY id) TO STDOUT;
SQL

case_of errors <<SQL
$rows
\\set ON_ERROR_STOP 0
INSERT INTO people VALUES (1, 'x', 'y');
\\echo :SQLSTATE :LAST_ERROR_SQLSTATE
INSERT INTO people VALUES (9, '911-00-0001', 'y');
INSERT INTO people VALUES (9, 'x', 'y', NULL, NULL, NULL, 77);
INSERT INTO people VALUES (9, 'x', 'y', '1984-02-30');
INSERT INTO people VALUES (9, 'x', 'y', NULL, 123456789);
INSERT INTO people VALUES (9, 'x', 'a name of more than sixty characters, which is what the column can hold');
SELECT nothing FROM people;
SELECT name FROM peoples;
SELEC name;
\\set VERBOSITY sqlstate
INSERT INTO people (id, ssn) VALUES (9, NULL);
SELECT count(*) FROM people;
SQL

case_of prepared <<SQL
$rows
PREPARE by_ssn (text) AS SELECT id, name FROM people WHERE ssn = \$1;
EXECUTE by_ssn ('911-00-0001');
EXECUTE by_ssn ('none');
DEALLOCATE by_ssn;
SQL

# Several pages of an implicit cursor: psql sends DECLARE and FETCH FORWARD.
case_of fetch_count <<SQL
$rows
\\set FETCH_COUNT 2
SELECT id, name FROM people ORDER BY id;
SQL

case_of cursor <<SQL
$rows
BEGIN;
DECLARE walk SCROLL CURSOR FOR SELECT id, name FROM people ORDER BY id;
FETCH 2 FROM walk;
MOVE BACKWARD 1 IN walk;
FETCH ALL FROM walk;
CLOSE walk;
COMMIT;
SQL

case_of described <<SQL
$rows
SELECT id, ssn, born, balance FROM people \\gdesc
SQL

case_of any_of_a_list <<SQL
$rows
SELECT id FROM people WHERE ssn = ANY (ARRAY['911-00-0001', 'none']);
SELECT id FROM people WHERE ssn = ANY ('{911-00-0001,911-00-0003}') ORDER BY id;
SQL

case_of choices <<SQL
$rows
SELECT id, coalesce(note, 'none') FROM people ORDER BY id;
UPDATE people SET name = CASE WHEN id = 1 THEN 'Case One' WHEN id = 2 THEN 'Case Two' ELSE name END;
SELECT id, name FROM people ORDER BY id;
SQL

case_of tables <<'SQL'
\d
\d people
\d kinds
\dt
\dn
\dD
\di
SQL

case_of stays <<SQL
$rows
SQL

exit $failures

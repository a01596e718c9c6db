// pgx: one small suite. See ../cases.py for its lines. pgx prepares and caches every statement and speaks binary.
package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
)

const insert = "INSERT INTO people (id, ssn, name, born, balance, note, town) VALUES ($1, $2, $3, $4, $5, $6, $7)"

type values = []any

var (
	ctx     = context.Background()
	day     = time.Date(1984, 2, 29, 0, 0, 0, 0, time.UTC)
	columns = []string{"id", "ssn", "name", "born", "balance", "note", "town"}
	people  = []values{
		{1, "911-00-0001", "Zelda Quartz", day, "10.50", "left handed", 1},
		{2, "911-00-0002", "Oskar O'Dune", time.Date(1999, 12, 31, 0, 0, 0, 0, time.UTC), "-3", nil, 2},
		{3, "911-00-0003", "Žaneta \\ Říční", nil, nil, "", nil},
	}
	kinds = []struct {
		name  string
		value any
	}{
		{"truth", true}, {"small", int16(-32768)}, {"whole", int32(2147483647)}, {"large", int64(-9223372036854775808)},
		{"exact", numeric("12345678.9012")}, {"loose", numeric("0.00000000000000000001")}, {"single", float32(1.5)},
		{"twice", 0.1}, {"words", "naïve\ttext"}, {"short", "twenty characters ok"}, {"padded", "pad"},
		{"bytes", []byte{0, 1, 254, 255}}, {"day", day}, {"moment", time.Date(2001, 2, 3, 4, 5, 6, 789012000, time.UTC)},
		{"instant", time.Date(2001, 2, 3, 4, 5, 6, 789012000, time.UTC)},
		{"identity", [16]byte{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}},
	}
	current string
)

type session struct{ *pgx.Conn }

func numeric(text string) (number pgtype.Numeric) {
	check(number.Scan(text))
	return
}

func say(seen ...any) { fmt.Printf("%s: %s", current, fmt.Sprintln(seen...)) }

// check leaves the case; run() says why.
func check(err error) {
	if err != nil {
		panic(err)
	}
}

func (s session) exec(sql string, arguments ...any) string {
	tag, err := s.Exec(ctx, sql, arguments...)
	check(err)
	return tag.String()
}

func (s session) show(sql string, arguments ...any) {
	rows, err := s.Query(ctx, sql, arguments...)
	check(err)
	showRows(rows)
}

func showRows(rows pgx.Rows) {
	for first := true; rows.Next(); first = false {
		if first {
			for _, field := range rows.FieldDescriptions() {
				say(field.Name, field.DataTypeOID, field.TypeModifier, field.Format)
			}
		}
		row, err := rows.Values()
		check(err)
		for number, cell := range row {
			if decimal, is := cell.(pgtype.Numeric); is {
				row[number] = fmt.Sprint(decimal.Int, "e", decimal.Exp, decimal.Valid)
			}
		}
		say(row...)
	}
	check(rows.Err())
	say(rows.CommandTag())
}

func (s session) filled() {
	s.exec("DELETE FROM people")
	for _, row := range people {
		s.exec(insert, row...)
	}
}

func crud(s session) {
	s.filled()
	s.show("SELECT * FROM people ORDER BY id")
	say(s.exec("UPDATE people SET name = $1, balance = $2 WHERE ssn = $3", "Zelda Q.", 11, "911-00-0001"))
	s.show("SELECT p.name, balance, t.name AS town FROM people p JOIN towns t ON t.id = town WHERE ssn = $1", "911-00-0001")
	s.show("SELECT id FROM people WHERE born > $1 ORDER BY born DESC", day)
	s.show("SELECT min(balance), max(balance), count(note) FROM people")
	var name string
	check(s.QueryRow(ctx, "SELECT name FROM people WHERE id = $1", 2).Scan(&name))
	say(name, s.exec("DELETE FROM people WHERE ssn IN ($1, $2)", "911-00-0002", "none"))
}

// marks gives "$2, $3, ..." for every column of kinds, and their names.
func marks() (names, places string, arguments values) {
	var name, place []string
	for number, kind := range kinds {
		name = append(name, kind.name)
		place = append(place, fmt.Sprintf("$%d", number+2))
		arguments = append(arguments, kind.value)
	}
	return strings.Join(name, ", "), strings.Join(place, ", "), arguments
}

func types(s session) {
	s.exec("DELETE FROM kinds")
	names, places, arguments := marks()
	s.exec(fmt.Sprintf("INSERT INTO kinds (id, %s) VALUES ($1, %s)", names, places), append(values{1}, arguments...)...)
	s.show("SELECT * FROM kinds")
	for _, kind := range kinds {
		if kind.name != "loose" && kind.name != "single" && kind.name != "bytes" {
			s.show(fmt.Sprintf("SELECT %s FROM kinds WHERE %s = $1", kind.name, kind.name), kind.value)
		}
	}
}

// modes sends the same by every way that pgx has to execute a statement.
func modes(s session) {
	s.filled()
	for _, mode := range []pgx.QueryExecMode{pgx.QueryExecModeCacheStatement, pgx.QueryExecModeCacheDescribe,
		pgx.QueryExecModeDescribeExec, pgx.QueryExecModeExec, pgx.QueryExecModeSimpleProtocol} {
		s.show("SELECT id, name, born, balance FROM people WHERE ssn = $1", mode, "911-00-0001")
		say(s.exec("UPDATE people SET note = $1 WHERE id = $2", mode, fmt.Sprint(mode), 1))
	}
}

func nulls(s session) {
	s.exec("DELETE FROM kinds")
	names, places, arguments := marks()
	s.exec(fmt.Sprintf("INSERT INTO kinds (id, %s) VALUES ($1, %s)", names, places), append(values{2}, make(values, len(arguments))...)...)
	s.show("SELECT * FROM kinds WHERE words IS NULL")
	s.show("SELECT id FROM kinds WHERE words IS NOT DISTINCT FROM $1", nil)
}

func otherTypes(s session, table, columns string, row ...any) {
	s.exec("DELETE FROM " + table)
	places := "$1"
	for n := range row {
		places += fmt.Sprintf(", $%d", n+2)
	}
	for number, row := range []values{row, make(values, len(row))} {
		s.exec(fmt.Sprintf("INSERT INTO %s (id, %s) VALUES (%s)", table, columns, places), append(values{number}, row...)...)
	}
	s.show(fmt.Sprintf("SELECT * FROM %s ORDER BY id", table))
}

func times(s session) {
	at, zoned := pgtype.Time{Microseconds: 86399999999, Valid: true}, "08:15:00.5+05:30"
	otherTypes(s, "clocks", "at, span, zoned", at, pgtype.Interval{Months: 1, Days: -3, Microseconds: 7000000, Valid: true}, zoned)
	s.show("SELECT id FROM clocks WHERE at = $1 AND zoned = $2", at, zoned)
	s.show("SELECT id FROM clocks WHERE at < $1 ORDER BY zoned, at", pgtype.Time{Microseconds: 86400000000, Valid: true})
}

func documents(s session) {
	otherTypes(s, "documents", "raw, doc", map[string]any{"b": []any{1, 2.5}}, map[string]any{"b": []any{1, 2.5}})
}

func hosts(s session) {
	host, net := netip.MustParsePrefix("10.1.2.3/8"), netip.MustParsePrefix("10.0.0.0/8")
	otherTypes(s, "hosts", "host, net", host, net)
	s.show("SELECT id FROM hosts WHERE host = $1 AND net = $2", host, net)
	s.show("SELECT id FROM hosts WHERE host = ANY($1)", []netip.Prefix{net, host})
}

func lists(s session) {
	otherTypes(s, "lists", "marks, tags", []int32{1, 3}, []any{"a b", `q"`, nil})
}

func batch(s session) {
	s.exec("DELETE FROM people")
	queued := &pgx.Batch{}
	for n := range 50 {
		queued.Queue(insert+" RETURNING id, name", n, fmt.Sprintf("922-%d", n), fmt.Sprintf("Batch %d", n), day, n, nil, 1)
	}
	results := s.SendBatch(ctx, queued)
	for range queued.Len() {
		rows, err := results.Query()
		check(err)
		showRows(rows)
	}
	check(results.Close())
	s.show("SELECT count(*), count(DISTINCT ssn) FROM people")
}

func transactions(s session) {
	s.filled()
	transaction, err := s.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.Serializable})
	check(err)
	_, err = transaction.Exec(ctx, "UPDATE people SET name = 'Gone' WHERE id = 1")
	check(err)
	check(transaction.Rollback(ctx))
	s.show("SELECT name FROM people WHERE id = 1")
}

func savepoints(s session) {
	s.filled()
	check(pgx.BeginFunc(ctx, s, func(outer pgx.Tx) error {
		_, err := outer.Exec(ctx, "UPDATE people SET name = 'Kept' WHERE id = 1")
		check(err)
		say(sqlstate(pgx.BeginFunc(ctx, outer, func(inner pgx.Tx) error {
			_, err := inner.Exec(ctx, "UPDATE people SET name = 'Lost' WHERE id = 2")
			check(err)
			_, err = inner.Exec(ctx, insert, people[2]...)
			return err
		})))
		return nil
	}))
	s.show("SELECT id, name FROM people ORDER BY id")
}

func returning(s session) {
	s.filled()
	s.show(insert+" RETURNING *, id + 1", 4, "911-00-0004", "New", day, "1.005", "note", 3)
	s.show("UPDATE people SET note = $1 WHERE id > 2 RETURNING id, note", "n")
	s.show("DELETE FROM people WHERE ssn = $1 RETURNING name, born", "911-00-0004")
}

func upsert(s session) {
	s.filled()
	for _, name := range []string{"First", "Second"} {
		s.show(insert+" ON CONFLICT (ssn) DO UPDATE SET name = excluded.name, balance = excluded.balance RETURNING id, name, balance",
			7, "911-00-0007", name, nil, 5, nil, nil)
	}
	say(s.exec(insert+" ON CONFLICT DO NOTHING", people[0]...))
}

// copies uses CopyFrom, which is COPY in binary, and COPY TO.
func copies(s session) {
	s.exec("DELETE FROM people")
	rows := [][]any{}
	for _, row := range people {
		row = append(values{}, row...)
		if text, is := row[4].(string); is {
			row[4] = numeric(text)
		}
		rows = append(rows, row)
	}
	count, err := s.CopyFrom(ctx, pgx.Identifier{"people"}, columns, pgx.CopyFromRows(rows))
	check(err)
	say(count)
	var out bytes.Buffer
	tag, err := s.PgConn().CopyTo(ctx, &out, "COPY (SELECT * FROM people ORDER BY id) TO STDOUT (FORMAT csv, HEADER)")
	check(err)
	say(tag, out.String())
	tag, err = s.PgConn().CopyFrom(ctx, strings.NewReader("8\teight\tEi\\tght\n"), "COPY people (id, ssn, name) FROM STDIN")
	check(err)
	say(tag)
	s.show("SELECT id, name FROM people ORDER BY id")
}

func failures(s session) {
	s.filled()
	for _, wrong := range []struct {
		sql       string
		arguments values
	}{{insert, people[0]}, {insert, values{9, "911-00-0001", "Twice", nil, nil, nil, nil}},
		{insert, values{9, nil, "No number", nil, nil, nil, nil}}, {insert, values{9, "x", strings.Repeat("y", 61), nil, nil, nil, nil}},
		{insert, values{9, "x", "y", nil, 1000000000, nil, nil}}, {insert, values{9, "x", "y", nil, nil, nil, 77}},
		{"SELECT name FROM people WHERE born = 'no day'", nil}, {"SELECT nothing FROM people", nil},
		{"SELECT name FROM peoples", nil}, {"SELEC name", nil}} {
		_, err := s.Exec(ctx, wrong.sql, wrong.arguments...)
		var said *pgconn.PgError
		if errors.As(err, &said) {
			say(said.Code, said.Message, said.ColumnName, said.ConstraintName, said.TableName, said.Position)
		} else {
			say("not an error of the server:", err)
		}
	}
	s.show("SELECT count(*) FROM people")
}

// prepared uses more statements than the cache holds (512 by default), and one whose table changes.
func prepared(s session) {
	s.filled()
	for n := range 600 {
		s.exec(fmt.Sprintf("SELECT id, name, %d FROM people WHERE ssn = $1", n), "911-00-0001")
	}
	_, err := s.Prepare(ctx, "by_ssn", "SELECT id, name FROM people WHERE ssn = $1")
	check(err)
	for _, row := range append(people, people...) {
		s.show("by_ssn", row[1])
	}
	s.exec("CREATE TEMPORARY TABLE scratch (a int)")
	s.show("by_ssn", "911-00-0002")
	check(s.DeallocateAll(ctx))
}

func cursor(s session) {
	s.filled()
	check(pgx.BeginFunc(ctx, s, func(transaction pgx.Tx) error {
		_, err := transaction.Exec(ctx, "DECLARE walk CURSOR FOR SELECT id, name FROM people ORDER BY id")
		check(err)
		rows, err := transaction.Query(ctx, "FETCH 2 FROM walk")
		check(err)
		showRows(rows)
		return nil
	}))
}

func anyOfAList(s session) {
	s.filled()
	s.show("SELECT id FROM people WHERE id = ANY($1) ORDER BY id", []int32{1, 3})
	s.show("SELECT id FROM people WHERE ssn = ANY($1) ORDER BY id", []string{"911-00-0001", "none", "911-00-0003"})
}

func choices(s session) {
	s.filled()
	s.show("SELECT id, coalesce(note, 'none') FROM people ORDER BY id")
	s.exec("UPDATE people SET name = CASE WHEN id = $1 THEN $2 ELSE name END", 1, "Case One")
	s.show("SELECT id, name FROM people ORDER BY id")
}

func stays(s session) { s.filled() }

func sqlstate(err error) string {
	var said *pgconn.PgError
	if errors.As(err, &said) {
		return said.Code
	}
	return fmt.Sprintf("%T", err)
}

// run calls one case with a connection of its own and says how it ended.
func run(name string, body func(session)) (worked bool) {
	current = name
	connection, err := pgx.Connect(ctx, os.Args[1])
	defer func() {
		if failure := recover(); failure != nil {
			err, is := failure.(error)
			if !is {
				panic(failure)
			}
			fmt.Println("failed", name+":", sqlstate(err), strings.Join(strings.Fields(err.Error()), " "))
			return
		}
		fmt.Println("ok", name)
		worked = true
	}()
	check(err)
	defer connection.Close(ctx)
	body(session{connection})
	return
}

func main() {
	status := 0
	for _, one := range []struct {
		name string
		body func(session)
	}{{"crud", crud}, {"types", types}, {"modes", modes}, {"nulls", nulls}, {"times", times}, {"documents", documents},
		{"hosts", hosts}, {"lists", lists}, {"batch", batch}, {"transactions", transactions}, {"savepoints", savepoints},
		{"returning", returning}, {"upsert", upsert}, {"copy", copies}, {"errors", failures}, {"prepared", prepared},
		{"cursor", cursor}, {"any_of_a_list", anyOfAList}, {"choices", choices}, {"stays", stays}} {
		if !run(one.name, one.body) {
			status = 1
		}
	}
	os.Exit(status)
}

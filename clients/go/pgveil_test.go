// The kit against a running pgveil: test/clients/kits_test.py starts it and gives these tests what they need in PGVEIL_TEST_*.
package pgveil

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

var (
	tokens = map[string]string{"nurse": os.Getenv("PGVEIL_TEST_NURSE"), "clerk": os.Getenv("PGVEIL_TEST_CLERK")}
	seen   = map[string]string{"nurse": "nurse Zelda Quartz", "clerk": "clerk Oskar O'Dune"}
	folder = ShareFolder(os.Getenv("PGVEIL_TEST_SHARES"))
)

func header(user, token string) func(string) string {
	return func(name string) string { return map[string]string{UserHeader: user, ShareHeader: token}[name] }
}

func sharesOf(t *testing.T, user string) Shares {
	t.Helper()
	shares, err := SharesOf(context.Background(), header(user, tokens[user]), folder)
	if err != nil {
		t.Fatal(err)
	}
	return shares
}

func poolOf(t *testing.T, size int32, prepare func(*pgxpool.Config)) *pgxpool.Pool {
	t.Helper()
	config, err := pgxpool.ParseConfig(os.Getenv("PGVEIL_TEST_URL"))
	if err != nil {
		t.Fatal(err)
	}
	config.MaxConns = size
	prepare(config)
	pool, err := pgxpool.NewWithConfig(context.Background(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return pool
}

type querier interface {
	Query(context.Context, string, ...any) (pgx.Rows, error)
}

// What a user sees: "OWNER NOTE" of each row.
func rows(ctx context.Context, on querier) (string, error) {
	found, err := on.Query(ctx, "SELECT owner, note FROM visits")
	if err != nil {
		return "", err
	}
	lines, err := pgx.CollectRows(found, func(row pgx.CollectableRow) (string, error) {
		var owner, note string
		err := row.Scan(&owner, &note)
		return owner + " " + note, err
	})
	return strings.Join(lines, "; "), err
}

func isDenied(err error) bool {
	var refused *pgconn.PgError
	return errors.As(err, &refused) && refused.Code == "28000"
}

// Whether any idle connection of the pool, as it lies there, opens anybody's values.
func leftIn(t *testing.T, pool *pgxpool.Pool) bool {
	t.Helper()
	left := false
	for deadline := time.Now().Add(20 * time.Second); pool.Stat().AcquiredConns() > 0 && time.Now().Before(deadline); {
		time.Sleep(10 * time.Millisecond)
	}
	for _, idle := range pool.AcquireAllIdle(context.Background()) {
		_, err := rows(context.Background(), idle)
		if err != nil && !isDenied(err) {
			t.Fatal(err)
		}
		left = left || err == nil
		idle.Release()
	}
	return left
}

func expect(t *testing.T, ctx context.Context, on querier, user string) {
	t.Helper()
	if found, err := rows(ctx, on); err != nil || found != seen[user] {
		t.Errorf("%s sees %q, %v", user, found, err)
	}
}

func TestHeadersWithoutShares(t *testing.T) {
	for _, one := range []struct{ user, token, why string }{
		{"", tokens["nurse"], "no Pgveil-User header"}, {"nurse", "", "no Pgveil-User-Share header"},
		{"../users/nurse", tokens["nurse"], "not a user id"}, {".nurse", tokens["nurse"], "not a user id"},
		{"nur\nse", tokens["nurse"], "not a user id"}, {strings.Repeat("n", 256), tokens["nurse"], "not a user id"},
		{"nurse", tokens["nurse"] + "'", "not a token"}, {"nurse", "pgvt1.", "not a token"},
		{"nurse", tokens["nurse"] + "\n", "not a token"}, {"nobody", tokens["nurse"], `no app share (pgva1....) of user "nobody"`},
	} {
		_, err := SharesOf(context.Background(), header(one.user, one.token), folder)
		if !errors.Is(err, ErrShares) || !strings.Contains(err.Error(), one.why) || strings.Contains(err.Error(), tokens["nurse"]) {
			t.Errorf("%q: %v", one.user, err)
		}
	}
	nurse := sharesOf(t, "nurse")
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		shown := fmt.Sprintf(format, nurse) + fmt.Sprintf(format, &nurse) + fmt.Sprintf(format, []Shares{nurse})
		if !strings.Contains(shown, "nurse") || strings.Contains(shown, nurse.token) || strings.Contains(shown, nurse.app) {
			t.Error(format, shown)
		}
	}
}

func TestTransactions(t *testing.T) {
	ctx := context.Background()
	pool := poolOf(t, 1, func(*pgxpool.Config) {})
	for _, user := range []string{"nurse", "clerk", "nurse"} {
		tx, err := Begin(ctx, pool, sharesOf(t, user), pgx.TxOptions{})
		if err != nil {
			t.Fatal(err)
		}
		expect(t, ctx, tx, user)
		if err := tx.Commit(ctx); err != nil || leftIn(t, pool) {
			t.Error("left behind", err)
		}
	}
	if _, err := Begin(ctx, pool, Shares{}, pgx.TxOptions{}); !errors.Is(err, ErrShares) {
		t.Error(err)
	}
}

func TestAcquiredConnections(t *testing.T) {
	ctx := context.Background()
	pool := poolOf(t, 1, Install)
	if _, err := rows(ctx, pool); !errors.Is(err, ErrShares) {
		t.Error(err)
	}
	for _, user := range []string{"nurse", "clerk"} {
		mine := With(ctx, sharesOf(t, user))
		expect(t, mine, pool, user)
		if tx, err := pool.Begin(mine); err != nil {
			t.Error(err)
		} else {
			expect(t, mine, tx, user)
			if _, err := tx.Exec(mine, "SELECT 1 / 0"); err == nil {
				t.Error("no error")
			}
			_ = tx.Rollback(mine)
		}
	}
}

// Released in a transaction, in a failed one, with its context cancelled.
func TestReleasedTooSoon(t *testing.T) {
	mine := With(context.Background(), sharesOf(t, "nurse"))
	bare := poolOf(t, 1, func(config *pgxpool.Config) {
		Install(config)
		// What leftIn() acquires gets no shares.
		prepare := config.PrepareConn
		config.PrepareConn = func(ctx context.Context, connection *pgx.Conn) (bool, error) {
			if ctx.Value(key{}) == nil {
				return true, nil
			}
			return prepare(ctx, connection)
		}
	})
	for _, statements := range [][]string{{}, {"BEGIN"}, {"BEGIN", "SELECT 1 / 0"}, {"SELECT 1 / 0"}} {
		connection, err := bare.Acquire(mine)
		if err != nil {
			t.Fatal(err)
		}
		for _, statement := range statements {
			_, _ = connection.Exec(mine, statement)
		}
		if !slices.Contains(statements, "BEGIN") {
			expect(t, mine, connection, "nurse")
		}
		connection.Release()
		if leftIn(t, bare) {
			t.Error("left behind", statements)
		}
	}
	short, cancel := context.WithTimeout(mine, 200*time.Millisecond)
	defer cancel()
	if _, err := bare.Exec(short, "SELECT pg_sleep(60)"); err == nil || leftIn(t, bare) {
		t.Error("left behind", err)
	}
}

// How many of so many turns of two users saw anything but their user's rows.
func interleaved(t *testing.T, pool *pgxpool.Pool, turns int) int64 {
	of := map[string]Shares{"nurse": sharesOf(t, "nurse"), "clerk": sharesOf(t, "clerk")}
	var wrong, next atomic.Int64
	var workers sync.WaitGroup
	for range 6 {
		workers.Go(func() {
			for turn := next.Add(1) - 1; turn < int64(turns); turn = next.Add(1) - 1 {
				user := []string{"nurse", "clerk"}[turn%2]
				if turn%7 == 0 {
					user = "nurse"
				}
				ctx := With(context.Background(), of[user])
				if found, err := rows(ctx, pool); err != nil || found != seen[user] {
					wrong.Add(1)
				}
				if turn%5 == 0 {
					_, _ = pool.Exec(ctx, "SELECT 1 / 0")
				}
			}
		})
	}
	workers.Wait()
	return wrong.Load()
}

func TestInterleavedInAPool(t *testing.T) {
	turns, err := strconv.Atoi(os.Getenv("PGVEIL_TEST_TURNS"))
	if err != nil {
		t.Fatal(err)
	}
	if wrong := interleaved(t, poolOf(t, 3, Install), turns); wrong != 0 {
		t.Error(wrong, "turns saw other rows")
	}
}

// What the tests above would say of a kit that sets shares once and takes nothing back.
func TestControlSharesStayInAPoolThatTakesNothingBack(t *testing.T) {
	nurse := sharesOf(t, "nurse")
	pool := poolOf(t, 3, func(config *pgxpool.Config) {
		config.AfterConnect = func(ctx context.Context, connection *pgx.Conn) error {
			_, err := connection.Exec(ctx, inSession, nurse.user, nurse.token, nurse.app)
			return err
		}
	})
	if wrong := interleaved(t, pool, 100); wrong == 0 || !leftIn(t, pool) {
		t.Error("not caught", wrong)
	}
}

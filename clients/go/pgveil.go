// Package pgveil leads from a web request to rows: the session parameters of pgveil, for pgx and its pool.
// See docs/APPLICATIONS.md.
package pgveil

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

const (
	UserHeader  = "Pgveil-User"
	ShareHeader = "Pgveil-User-Share"
	// pgveil wants the names as literals. The values are parameters: they stand in no text that is logged.
	set   = "SELECT set_config('pgveil.user_id', $1, %[1]t), set_config('pgveil.user_token', $2, %[1]t), set_config('pgveil.app_share', $3, %[1]t)"
	reset = "RESET pgveil.user_id; RESET pgveil.user_token; RESET pgveil.app_share"
)

var (
	inTransaction, inSession = fmt.Sprintf(set, true), fmt.Sprintf(set, false)
	userID                   = regexp.MustCompile(`^[ -\-0-\[\]-~][ -.0-\[\]-~]{0,254}$`)
	token                    = regexp.MustCompile(`^pgvt1\.[A-Za-z0-9_-]+$`)
	appShare                 = regexp.MustCompile(`^pgva1\.[A-Za-z0-9_-]+$`)
	// ErrShares says that there are no shares to be used; nothing was sent. The message holds none.
	ErrShares = errors.New("no shares")
)

// Shares is what one request brought. Printing it shows the user id alone.
type Shares struct{ user, token, app string }

func (s Shares) String() string   { return "shares of " + s.user }
func (s Shares) GoString() string { return s.String() }

// AppShareOf gives the app share of a user, "" for none.
type AppShareOf func(ctx context.Context, user string) (string, error)

// SharesOf reads the shares of a request; header is request.Header.Get.
func SharesOf(ctx context.Context, header func(string) string, of AppShareOf) (Shares, error) {
	found := Shares{user: header(UserHeader), token: header(ShareHeader)}
	switch {
	case found.user == "":
		return Shares{}, fmt.Errorf("%w: the request has no %s header", ErrShares, UserHeader)
	case found.token == "":
		return Shares{}, fmt.Errorf("%w: the request has no %s header", ErrShares, ShareHeader)
	case !userID.MatchString(found.user):
		return Shares{}, fmt.Errorf("%w: %s is not a user id of printable ASCII without slashes", ErrShares, UserHeader)
	case !token.MatchString(found.token):
		return Shares{}, fmt.Errorf("%w: %s is not a token (pgvt1....)", ErrShares, ShareHeader)
	}
	var err error
	if found.app, err = of(ctx, found.user); err != nil {
		return Shares{}, err
	}
	if !appShare.MatchString(found.app) {
		return Shares{}, fmt.Errorf("%w: the application has no app share (pgva1....) of user %q", ErrShares, found.user)
	}
	return found, nil
}

// ShareFolder is AppShareOf for a directory of UID.app files. A file is read at each call: a renewed one counts at once.
func ShareFolder(path string) AppShareOf {
	return func(_ context.Context, user string) (string, error) {
		text, err := os.ReadFile(filepath.Join(path, user+".app"))
		if errors.Is(err, fs.ErrNotExist) {
			err = nil
		}
		return strings.TrimSpace(string(text)), err
	}
}

// Begin opens a transaction with these shares, which end with it: the way that also works through a pooler.
func Begin(ctx context.Context, pool interface {
	BeginTx(context.Context, pgx.TxOptions) (pgx.Tx, error)
}, shares Shares, options pgx.TxOptions) (pgx.Tx, error) {
	if shares == (Shares{}) {
		return nil, ErrShares
	}
	tx, err := pool.BeginTx(ctx, options)
	if err != nil {
		return nil, err
	}
	if _, err = tx.Exec(ctx, inTransaction, shares.user, shares.token, shares.app); err != nil {
		return nil, errors.Join(err, tx.Rollback(context.WithoutCancel(ctx)))
	}
	return tx, nil
}

type key struct{}

// With is the context for what a request does on a pool that Install has prepared.
func With(ctx context.Context, shares Shares) context.Context {
	return context.WithValue(ctx, key{}, shares)
}

// Install makes a pool set the shares of the context on the connection that is acquired, and take them away when it is
// released, by its PrepareConn and AfterRelease. Without shares in the context nothing is acquired. Not through a pooler in transaction mode: there use Begin.
func Install(config *pgxpool.Config) {
	config.PrepareConn = func(ctx context.Context, connection *pgx.Conn) (bool, error) {
		shares, found := ctx.Value(key{}).(Shares)
		if !found {
			return true, fmt.Errorf("%w in the context: make it with pgveil.With", ErrShares)
		}
		_, err := connection.Exec(ctx, inSession, shares.user, shares.token, shares.app)
		return err == nil, err
	}
	// pgxpool itself closes a connection that is released in a transaction or with a query running.
	config.AfterRelease = func(connection *pgx.Conn) bool {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		_, err := connection.Exec(ctx, reset)
		return err == nil
	}
}

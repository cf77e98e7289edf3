package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
)

const (
	postgresConns   = 16
	postgresChannel = "causeway_changes"
	// postgresSetupLock is the advisory lock under which replicas that start together set up the schema: "causeway"
	// in ASCII.
	postgresSetupLock = 0x6361757365776179

	connectLimit   = 10 * time.Second
	listenAgain    = time.Second      // between attempts to listen again
	listenPingTime = 30 * time.Second // a listener that has heard nothing for so long asks whether the server is there
)

func openPostgres(ctx context.Context, url string, o Options) (Store, error) {
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, errors.New("store: the database URL is not valid: want postgres://user:password@host:port/database")
	}
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = connectLimit
	}
	if config.RuntimeParams["application_name"] == "" {
		config.RuntimeParams["application_name"] = "causeway"
	}
	s, err := openPostgresConfig(ctx, config, o)
	if err != nil {
		address := net.JoinHostPort(config.Host, strconv.Itoa(int(config.Port)))
		return nil, fmt.Errorf("store: PostgreSQL at %s, database %q: %w", address, config.Database, postgresCause(err))
	}
	return s, nil
}

func openPostgresConfig(ctx context.Context, config *pgx.ConnConfig, o Options) (*database, error) {
	pool := stdlib.OpenDB(*config)
	pool.SetMaxOpenConns(postgresConns)
	pool.SetMaxIdleConns(postgresConns)
	pool.SetConnMaxIdleTime(5 * time.Minute)
	db := &database{
		dialect: dialect{
			numbered: true,
			rowLock:  " FOR UPDATE",
			notify:   "SELECT pg_notify('" + postgresChannel + "', '')",
			view:     &sql.TxOptions{ReadOnly: true, Isolation: sql.LevelRepeatableRead},
		},
		write: pool, read: pool, now: o.Now, hub: new(hub),
	}
	stop, err := db.setUpPostgres(ctx, config, o.Keyring)
	if err != nil {
		_ = pool.Close()
		return nil, err
	}
	db.close = func() error {
		stop()
		return pool.Close()
	}
	return db, nil
}

// setUpPostgres brings the schema up to date, opens the vault and starts the listener, which stop ends.
func (db *database) setUpPostgres(ctx context.Context, config *pgx.ConnConfig, k *Keyring) (stop func(), err error) {
	lock, err := db.write.Conn(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { _ = lock.Close() }()
	if _, err := lock.ExecContext(ctx, "SELECT pg_advisory_lock($1)", int64(postgresSetupLock)); err != nil {
		return nil, err
	}
	defer func() {
		_, _ = lock.ExecContext(context.WithoutCancel(ctx), "SELECT pg_advisory_unlock($1)", int64(postgresSetupLock))
	}()
	if err := migrate(ctx, db.write, goose.DialectPostgres, "postgres"); err != nil {
		return nil, err
	}
	if db.vault, err = openVault(ctx, db.write, db.dialect, k); err != nil {
		return nil, err
	}
	listener, err := listen(ctx, config)
	if err != nil {
		return nil, err
	}
	listening, cancel := context.WithCancel(context.WithoutCancel(ctx))
	done := make(chan struct{})
	go func() {
		defer close(done)
		db.keepListening(listening, listener, config)
	}()
	return func() { cancel(); <-done }, nil
}

func listen(ctx context.Context, config *pgx.ConnConfig) (*pgx.Conn, error) {
	c, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return nil, err
	}
	if _, err := c.Exec(ctx, "LISTEN "+postgresChannel); err != nil {
		_ = c.Close(ctx)
		return nil, err
	}
	return c, nil
}

// keepListening wakes the hub for every notification, and after each gap, until ctx ends.
func (db *database) keepListening(ctx context.Context, c *pgx.Conn, config *pgx.ConnConfig) {
	for ctx.Err() == nil {
		if c != nil {
			db.wakeOnNotify(ctx, c)
			_ = c.Close(context.WithoutCancel(ctx))
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(listenAgain):
		}
		var err error
		if c, err = listen(ctx, config); err != nil {
			c = nil
			continue
		}
		db.hub.wake()
	}
	if c != nil {
		_ = c.Close(context.WithoutCancel(ctx))
	}
}

// wakeOnNotify returns when the connection is lost.
func (db *database) wakeOnNotify(ctx context.Context, c *pgx.Conn) {
	for {
		quiet, cancel := context.WithTimeout(ctx, listenPingTime)
		_, err := c.WaitForNotification(quiet)
		cancel()
		switch {
		case err == nil:
			db.hub.wake()
		case ctx.Err() != nil || quiet.Err() == nil:
			return
		case c.Ping(ctx) != nil:
			return
		}
	}
}

// postgresCause shortens what pgx says of a failed connection, which repeats user and database for every address
// tried, to one line.
func postgresCause(err error) error {
	if pe, ok := errors.AsType[*pgconn.PgError](err); ok {
		return errors.New(pe.Message)
	}
	if oe, ok := errors.AsType[*net.OpError](err); ok {
		return fmt.Errorf("cannot connect: %w", oe.Err)
	}
	if ce, ok := errors.AsType[*pgconn.ConnectError](err); ok {
		return fmt.Errorf("cannot connect: %s", strings.Join(strings.Fields(ce.Unwrap().Error()), " "))
	}
	return err
}

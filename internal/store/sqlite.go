package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"

	"github.com/pressly/goose/v3"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// sqliteReaders bounds the connections that read at the same time.
const sqliteReaders = 8

// Connection settings. FULL makes every commit of the write-ahead log durable before it is acknowledged. Writers of
// this process queue for the one connection, so the time-out only bridges checkpoints. Sizes of the page cache are in
// KiB when negative.
const (
	writerSettings = "_txlock=immediate&_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)" +
		"&_pragma=cache_size(-65536)&_pragma=wal_autocheckpoint(4000)&_pragma=temp_store(MEMORY)"
	readerSettings = "_txlock=deferred&_pragma=busy_timeout(10000)&_pragma=query_only(1)" +
		"&_pragma=cache_size(-16384)&_pragma=temp_store(MEMORY)"
	lockSettings = "_txlock=exclusive&_pragma=busy_timeout(0)&_pragma=journal_mode(OFF)"
)

func openSQLite(ctx context.Context, path string, o Options) (Store, error) {
	var cleanup []func() error
	if path == ":memory:" {
		dir, err := os.MkdirTemp("", "causeway-store-")
		if err != nil {
			return nil, fmt.Errorf("store: open a temporary database: %w", err)
		}
		cleanup = append(cleanup, func() error { return os.RemoveAll(dir) })
		path = filepath.Join(dir, "store.db")
	}
	s, err := openSQLiteFile(ctx, path, o, &cleanup)
	if err != nil {
		_ = closeAll(cleanup)
		return nil, fmt.Errorf("store: open %s: %w", path, sqliteCause(err))
	}
	s.close = func() error { return closeAll(cleanup) }
	return s, nil
}

// openSQLiteFile appends to cleanup what is to be released in reverse order, also after an error.
func openSQLiteFile(ctx context.Context, path string, o Options, cleanup *[]func() error) (*database, error) {
	if path == "" {
		return nil, errors.New("the database URL has no path")
	}
	if info, err := os.Stat(filepath.Dir(path)); err != nil {
		return nil, fmt.Errorf("folder %s: %w", filepath.Dir(path), pathCause(err))
	} else if !info.IsDir() {
		return nil, fmt.Errorf("%s is not a folder", filepath.Dir(path))
	}
	unlock, err := lockSQLite(ctx, path)
	if err != nil {
		return nil, err
	}
	*cleanup = append(*cleanup, unlock)
	// SQLite would say only that it cannot open the file; and it would make one that others may read.
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, pathCause(err)
	}
	if err := f.Close(); err != nil {
		return nil, err
	}

	write, err := openPool(path, writerSettings, 1)
	if err != nil {
		return nil, err
	}
	*cleanup = append(*cleanup, write.Close)
	if err := migrate(ctx, write, goose.DialectSQLite3, "sqlite"); err != nil {
		return nil, err
	}
	v, err := openVault(ctx, write, dialect{}, o.Keyring)
	if err != nil {
		return nil, err
	}
	read, err := openPool(path, readerSettings, sqliteReaders)
	if err != nil {
		return nil, err
	}
	*cleanup = append(*cleanup, read.Close)
	return &database{
		dialect: dialect{view: &sql.TxOptions{ReadOnly: true}},
		write:   write, read: read, now: o.Now, vault: v, hub: new(hub),
	}, nil
}

func openPool(path, settings string, size int) (*sql.DB, error) {
	db, err := sql.Open("sqlite", "file:"+(&url.URL{Path: path}).EscapedPath()+"?"+settings)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(size)
	db.SetMaxIdleConns(size)
	return db, nil
}

// lockSQLite makes sure that one process only has the database open: replicas need PostgreSQL, and numbers of the
// change log are woken for within the process. The lock is SQLite's own, on an empty database beside the real one: it
// works on every platform and ends with the process.
func lockSQLite(ctx context.Context, path string) (unlock func() error, err error) {
	db, err := openPool(path+".lock", lockSettings, 1)
	if err != nil {
		return nil, err
	}
	tx, err := db.BeginTx(context.WithoutCancel(ctx), nil)
	if err != nil {
		_ = db.Close()
		if e, ok := errors.AsType[*sqlite.Error](err); ok && e.Code()&0xff == sqlite3.SQLITE_BUSY {
			return nil, ErrLocked
		}
		return nil, fmt.Errorf("lock file %s.lock: %w", path, err)
	}
	return func() error { return errors.Join(tx.Rollback(), db.Close()) }, nil
}

// sqliteCause puts SQLite's more obscure messages into words.
func sqliteCause(err error) error {
	e, ok := errors.AsType[*sqlite.Error](err)
	if !ok {
		return err
	}
	switch e.Code() & 0xff {
	case sqlite3.SQLITE_NOTADB:
		return errors.New("the file is not a SQLite database")
	case sqlite3.SQLITE_CORRUPT:
		return errors.New("the database file is damaged")
	case sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM:
		return errors.New("no permission to write the file or its folder")
	}
	return err
}

// closeAll runs the functions, the last first.
func closeAll(cleanup []func() error) error {
	var errs []error
	for i := len(cleanup) - 1; i >= 0; i-- {
		errs = append(errs, cleanup[i]())
	}
	return errors.Join(errs...)
}

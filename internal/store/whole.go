package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// copySettings are those of the connection that copies a database: it makes none where there is none.
const copySettings = "mode=rw&_pragma=busy_timeout(10000)"

// errNotSQLite is the answer for databases that have better tools.
var errNotSQLite = errors.New("only for SQLite: use pg_dump and pg_restore with PostgreSQL")

// CopyDatabase writes a consistent copy of the SQLite database at url into file, while a server may go on writing to
// the database. file appears whole or not at all; one that is there is replaced. Secrets in it are as encrypted as in
// the database: the master key is not in it.
func CopyDatabase(ctx context.Context, url, file string) error {
	path, ok := strings.CutPrefix(url, "sqlite://")
	if !ok {
		return fmt.Errorf("store: copy the database: %w", errNotSQLite)
	}
	tmp, err := copySQLite(ctx, path, file)
	if err == nil {
		err = os.Rename(tmp, file)
	}
	if err != nil {
		_ = os.Remove(tmp)
		return fmt.Errorf("store: copy %s to %s: %w", path, file, sqliteCause(pathCause(err)))
	}
	return nil
}

// copySQLite copies into a temporary file beside the wanted one, which is on disk then.
func copySQLite(ctx context.Context, path, file string) (tmp string, err error) {
	if _, err := os.Stat(path); err != nil {
		return "", err
	}
	f, err := os.CreateTemp(filepath.Dir(file), ".causeway-backup-*") // mode 0600; an empty file is one to vacuum into
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	db, err := openPool(path, copySettings, 1)
	if err != nil {
		return f.Name(), err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if _, err := db.ExecContext(ctx, "VACUUM INTO ?", f.Name()); err != nil {
		return f.Name(), err
	}
	return f.Name(), f.Sync()
}

// ReplaceDatabase puts a copy that [CopyDatabase] made in the place of the SQLite database at url, which may be
// missing. ErrLocked says that a server uses it. A copy that is damaged or no database of Causeway is refused, and
// nothing is changed then.
func ReplaceDatabase(ctx context.Context, url, file string) error {
	path, ok := strings.CutPrefix(url, "sqlite://")
	if !ok {
		return fmt.Errorf("store: replace the database: %w", errNotSQLite)
	}
	if err := replaceSQLite(ctx, path, file); err != nil {
		return fmt.Errorf("store: replace %s by %s: %w", path, file, sqliteCause(pathCause(err)))
	}
	return nil
}

func replaceSQLite(ctx context.Context, path, file string) (err error) {
	unlock, err := lockSQLite(ctx, path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, unlock()) }()
	tmp, err := copyFile(path, file)
	defer func() { _ = os.Remove(tmp) }() // it is gone when all went well
	if err != nil {
		return err
	}
	if err := checkSQLite(ctx, tmp); err != nil {
		return err
	}
	for _, end := range []string{"-wal", "-shm"} { // they belong to the database that goes
		if err := os.Remove(path + end); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	return os.Rename(tmp, path)
}

func copyFile(path, file string) (tmp string, err error) {
	in, err := os.Open(file)
	if err != nil {
		return "", err
	}
	defer func() { _ = in.Close() }()
	out, err := os.CreateTemp(filepath.Dir(path), ".causeway-restore-*")
	if err != nil {
		return "", err
	}
	_, err = io.Copy(out, in)
	if err == nil {
		err = out.Sync()
	}
	return out.Name(), errors.Join(err, out.Close())
}

// checkSQLite refuses what is no sound database of this package.
func checkSQLite(ctx context.Context, path string) (err error) {
	db, err := openPool(path, "mode=ro", 1)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	var verdict string
	if err := db.QueryRowContext(ctx, "PRAGMA quick_check(1)").Scan(&verdict); err != nil {
		return err
	}
	if verdict != "ok" {
		return fmt.Errorf("%w: %s", ErrArchive, verdict)
	}
	var n int
	err = db.QueryRowContext(ctx, "SELECT count(*) FROM sqlite_master WHERE name IN ('documents', 'services', 'data_keys')").Scan(&n)
	if err == nil && n != 3 {
		err = fmt.Errorf("%w: it is not a database of Causeway", ErrArchive)
	}
	return err
}

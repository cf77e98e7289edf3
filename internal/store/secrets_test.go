package store_test

import (
	"bytes"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib"
	_ "modernc.org/sqlite"

	"github.com/causeway-apim/causeway/internal/store"
)

const plain = "a-very-secret-value"

func key(b byte) [32]byte { return [32]byte(bytes.Repeat([]byte{b}, 32)) }

// raw opens the database beside the store.
func raw(t *testing.T, url string) *sql.DB {
	t.Helper()
	driver, dsn := "pgx", url
	if path, ok := strings.CutPrefix(url, "sqlite://"); ok {
		driver, dsn = "sqlite", path
	}
	db, err := sql.Open(driver, dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func secretsOf(t *testing.T, s store.Store, id string) (map[string]string, error) {
	t.Helper()
	var secrets map[string]string
	err := s.View(t.Context(), func(r store.Reader) (err error) {
		secrets, err = r.GetSecrets(t.Context(), id)
		return err
	})
	return secrets, err
}

func TestSecrets(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		ctx := t.Context()
		s := open(t, url, store.Options{Keyring: store.NewKeyring(key(1))})
		d, other := doc(dev, "namedValues", "nv"), doc(dev, "namedValues", "other")
		want := map[string]string{"value": plain, "empty": "", "binary": "\x00\xff"}
		d.Secrets = want
		put(t, s, d, other)

		got := get(t, s, d.ID)
		if got.Secrets != nil {
			t.Error("Get returned secrets unasked")
		}
		put(t, s, got) // nil keeps them
		secrets, err := secretsOf(t, s, d.ID)
		wantEqual(t, "secrets", fmt.Sprintf("%q %v", secrets, err), fmt.Sprintf("%q <nil>", want))
		for _, q := range []store.Query{{Parent: dev, Type: "namedValues", Secrets: true}, {Service: dev, Secrets: true}} {
			listed := 0
			view(t, s, func(r store.Reader) error {
				docs, err := r.List(ctx, q)
				if err != nil {
					return err
				}
				for d, err := range docs {
					if err != nil {
						return err
					}
					wantEqual(t, "secret of "+d.Name, d.Secrets["value"], map[string]string{"nv": plain}[d.Name])
					listed++
				}
				return nil
			})
			wantEqual(t, "documents", listed, 2)
		}

		got.Secrets = map[string]string{"value": "new"}
		put(t, s, got)
		secrets, err = secretsOf(t, s, d.ID)
		wantEqual(t, "replaced secrets", fmt.Sprint(secrets, err), "map[value:new] <nil>")
		got.Secrets = map[string]string{}
		put(t, s, got)
		secrets, err = secretsOf(t, s, d.ID)
		wantEqual(t, "dropped secrets", fmt.Sprint(secrets, err), "map[] <nil>")
	})
}

func TestSecretsAtRest(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		s := open(t, url, store.Options{Keyring: store.NewKeyring(key(1))})
		d, other := doc(dev, "namedValues", "nv"), doc(dev, "namedValues", "other")
		d.Secrets, other.Secrets = map[string]string{"value": plain}, map[string]string{"value": plain}
		put(t, s, d, other)

		db := raw(t, url)
		rows, err := db.QueryContext(t.Context(), "SELECT sealed FROM secrets")
		if err != nil {
			t.Fatal(err)
		}
		seen := map[string]bool{}
		for rows.Next() {
			var sealed []byte
			if err := rows.Scan(&sealed); err != nil {
				t.Fatal(err)
			}
			if bytes.Contains(sealed, []byte(plain)) || len(sealed) < len(plain)+28 {
				t.Errorf("row %q is not sealed", sealed)
			}
			seen[string(sealed)] = true
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
		wantEqual(t, "different sealed rows", len(seen), 2)
		if path, ok := strings.CutPrefix(url, "sqlite://"); ok {
			for _, file := range []string{path, path + "-wal"} {
				data, err := os.ReadFile(file)
				if err != nil || bytes.Contains(data, []byte(plain)) {
					t.Errorf("%s: holds the secret in clear, or %v", file, err)
				}
			}
		}

		// A sealed row belongs to its document: it cannot be moved to another one.
		_, err = db.ExecContext(t.Context(), fmt.Sprintf(`UPDATE secrets SET sealed = `+
			`(SELECT sealed FROM secrets WHERE key = '%s') WHERE key = '%s'`, d.ID, other.ID))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := secretsOf(t, s, other.ID); err == nil || strings.Contains(err.Error(), plain) {
			t.Errorf("moved secret: error %v", err)
		}
		if secrets, err := secretsOf(t, s, d.ID); err != nil || secrets["value"] != plain {
			t.Errorf("untouched secret: %v", err)
		}
	})
}

func TestMasterKeys(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		ctx := t.Context()
		d := doc(dev, "namedValues", "nv")
		d.Secrets = map[string]string{"value": plain}
		with := func(k *store.Keyring, fn func(store.Store)) error {
			s, err := store.Open(ctx, url, store.Options{Keyring: k})
			if err != nil {
				return err
			}
			fn(s)
			return s.Close()
		}
		reads := func(s store.Store) {
			if secrets, err := secretsOf(t, s, d.ID); err != nil || secrets["value"] != plain {
				t.Errorf("secret is lost: %v", err)
			}
		}
		old, renewed := store.NewKeyring(key(1)), store.NewKeyring(key(2))
		steps := []error{
			with(nil, func(s store.Store) {
				_, err := s.Update(ctx, dev, func(tx store.Tx) error { return tx.Put(ctx, d, nil) })
				wantErr(t, err, store.ErrNoKey)
			}),
			with(old, func(s store.Store) { put(t, s, d); reads(s) }),
			with(nil, func(s store.Store) {
				_, err := secretsOf(t, s, d.ID)
				wantErr(t, err, store.ErrNoKey)
			}),
			with(old, reads),
			with(store.NewKeyring(key(2), key(3), key(1)), reads), // rotates
			with(renewed, reads),
		}
		if err := errors.Join(steps...); err != nil {
			t.Fatal(err)
		}
		wantErr(t, with(old, func(store.Store) {}), store.ErrWrongKey)
	})
}

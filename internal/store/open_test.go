package store_test

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/causeway-apim/causeway/internal/store"
	"github.com/causeway-apim/causeway/internal/store/pgtest"
)

// TestOpenErrors wants one line that names what is wrong, and no password.
func TestOpenErrors(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	garbage := filepath.Join(dir, "garbage.db")
	if err := os.WriteFile(garbage, []byte(strings.Repeat("no database ", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := free.Addr().String()
	if err := free.Close(); err != nil {
		t.Fatal(err)
	}
	server := pgtest.Database(t)
	before, after, _ := strings.Cut(server, "/test_")
	_, query, _ := strings.Cut(after, "?")

	tests := []struct{ url, want string }{
		{"", "must begin with sqlite:// or postgres://"},
		{"mysql://u:hunter2@h/d", "must begin with sqlite:// or postgres://"},
		{"sqlite://", "has no path"},
		{"sqlite://" + dir + "/none/store.db", "folder " + dir + "/none: no such file or directory"},
		{"sqlite://" + garbage + "/store.db", "is not a folder"},
		{"sqlite://" + dir, "is a directory"},
		{"sqlite://" + garbage, "garbage.db: the file is not a SQLite database"},
		{"postgres://u:hunter2@" + address + "/causeway", "PostgreSQL at " + address + `, database "causeway": cannot connect`},
		{"postgres://u:hunter2@host.invalid/d", "PostgreSQL at host.invalid:5432"},
		{"postgres://u:hunter2@h:port/d", "not valid"},
		{before + "/no_such_database?" + query, `database "no_such_database" does not exist`},
	}
	for _, test := range tests {
		s, err := store.Open(t.Context(), test.url, store.Options{})
		if err == nil {
			_ = s.Close()
			t.Errorf("%s: opened", test.url)
			continue
		}
		msg := err.Error()
		if !strings.HasPrefix(msg, "store: ") || !strings.Contains(msg, test.want) {
			t.Errorf("%s:\n got %s\nwant %s", test.url, msg, test.want)
		}
		if strings.Contains(msg, "\n") || strings.Contains(msg, "hunter2") {
			t.Errorf("%s: more than a line, or the password: %s", test.url, msg)
		}
	}
}

func TestSQLiteFileIsPrivateAndLocked(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "50% ?a=b#c.db") // nothing in a path has a meaning
	s := open(t, "sqlite://"+path, store.Options{})
	put(t, s, doc(dev, "apis", "a"))
	for _, file := range []string{path, path + "-wal"} {
		if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: error %v, or mode is not 0600", file, err)
		}
	}
	_, err := store.Open(t.Context(), "sqlite://"+path, store.Options{})
	wantErr(t, err, store.ErrLocked)
	put(t, s, doc(dev, "apis", "b")) // the refused attempt has done no harm
	_, err = store.Open(t.Context(), "sqlite://"+path, store.Options{})
	wantErr(t, err, store.ErrLocked)
}

func TestReopen(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		for i, name := range []string{"a", "b"} {
			s, err := store.Open(t.Context(), url, store.Options{})
			if err != nil {
				t.Fatal(err)
			}
			wantEqual(t, "number", put(t, s, doc(dev, "apis", name)), int64(i+1))
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			if err := s.View(t.Context(), func(store.Reader) error { return nil }); err == nil {
				t.Error("a closed store can be read")
			}
		}
	})
}

func TestNewerSchemaIsRefused(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		s, err := store.Open(t.Context(), url, store.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		yes := map[bool]string{true: "1", false: "true"}[strings.HasPrefix(url, "sqlite")]
		_, err = raw(t, url).ExecContext(t.Context(), "INSERT INTO goose_db_version (version_id, is_applied) VALUES (99, "+yes+")")
		if err != nil {
			t.Fatal(err)
		}
		_, err = store.Open(t.Context(), url, store.Options{})
		wantErr(t, err, store.ErrNewerSchema)
		if !strings.Contains(err.Error(), "99") {
			t.Errorf("error %v does not tell the version", err)
		}
	})
}

func TestTemporaryDatabase(t *testing.T) {
	t.Parallel()
	a, b := open(t, "sqlite://:memory:", store.Options{}), open(t, "sqlite://:memory:", store.Options{})
	put(t, a, doc(dev, "apis", "a"))
	seq, err := b.LastSeq(t.Context(), dev)
	if err != nil || seq != 0 {
		t.Errorf("two temporary databases are one: %d, %v", seq, err)
	}
}

// TestReplicas starts replicas on an empty database at the same time; a commit by one wakes the watchers of all.
func TestReplicas(t *testing.T) {
	t.Parallel()
	url := pgtest.Database(t)
	var replicas [3]store.Store
	var errs [3]error
	var group sync.WaitGroup
	for i := range replicas {
		group.Go(func() {
			replicas[i], errs[i] = store.Open(t.Context(), url, store.Options{Keyring: store.NewKeyring(key(1))})
		})
	}
	group.Wait()
	if err := errors.Join(errs[:]...); err != nil {
		t.Fatal(err)
	}
	var wakes [3]<-chan struct{}
	for i, s := range replicas {
		t.Cleanup(func() { _ = s.Close() })
		wake, stop := s.Watch()
		defer stop()
		wakes[i] = wake
	}
	d := doc(dev, "namedValues", "a")
	d.Secrets = map[string]string{"value": plain}
	for n, s := range replicas {
		put(t, s, d)
		for i, wake := range wakes {
			<-wake
			seq, err := replicas[i].LastSeq(t.Context(), dev)
			if err != nil || seq < int64(n+1) {
				t.Errorf("replica %d woke at number %d (%v), want %d", i, seq, err, n+1)
			}
		}
	}
	if secrets, err := secretsOf(t, replicas[2], d.ID); err != nil || secrets["value"] != plain {
		t.Errorf("replicas have different data keys: %v", err)
	}
}

// TestListenerReturns cuts the connections of a replica: it opens new ones and hears of commits again.
func TestListenerReturns(t *testing.T) {
	t.Parallel()
	url := pgtest.Database(t)
	a, b := open(t, url, store.Options{}), open(t, url+"&application_name=victim", store.Options{})
	wake, stop := b.Watch()
	defer stop()
	var cut string
	err := raw(t, url).QueryRowContext(t.Context(),
		"SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'victim'").Scan(&cut)
	if n, _ := strconv.Atoi(cut); err != nil || n == 0 {
		t.Fatalf("cut %s connections: %v", cut, err)
	}
	<-wake // after the gap, without any commit
	put(t, a, doc(dev, "apis", "a"))
	<-wake
	wantEqual(t, "name", get(t, b, dev+"/apis/a").Name, "a")
}

func TestWatchStops(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		s := open(t, url, store.Options{})
		stopped, stop := s.Watch()
		stop()
		stop()
		wake, stop := s.Watch()
		defer stop()
		put(t, s, doc(dev, "apis", "a"))
		<-wake
		select {
		case <-stopped:
			t.Error("a stopped watch woke")
		default:
		}
	})
}

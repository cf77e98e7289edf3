package store_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/causeway-apim/causeway/internal/store"
)

// A copy is made while the database is in use, and takes its place when it is not.
func TestCopyAndReplaceDatabase(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	url, file := "sqlite://"+filepath.Join(dir, "store.db"), filepath.Join(dir, "copy")
	s, err := store.Open(t.Context(), url, store.Options{Keyring: keyring(1)})
	if err != nil {
		t.Fatal(err)
	}
	d := doc(dev, "tags", "t")
	d.Secrets = map[string]string{"key": "value"}
	last := put(t, s, d)
	if err := store.CopyDatabase(t.Context(), url, file); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	put(t, s, doc(dev, "tags", "later"))
	wantErr(t, store.ReplaceDatabase(t.Context(), url, file), store.ErrLocked)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}

	bad := filepath.Join(dir, "bad")
	if err := os.WriteFile(bad, []byte("no database"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{bad, filepath.Join(dir, "missing")} {
		if err := store.ReplaceDatabase(t.Context(), url, name); err == nil {
			t.Errorf("%s was taken", name)
		}
	}

	if err := store.ReplaceDatabase(t.Context(), url, file); err != nil {
		t.Fatal(err)
	}
	s = open(t, url, store.Options{Keyring: keyring(1)})
	wantEqual(t, "document", get(t, s, d.ID).Name, "t")
	view(t, s, func(r store.Reader) error {
		secrets, err := r.GetSecrets(t.Context(), d.ID)
		wantEqual(t, "secret", secrets["key"], "value")
		if err != nil {
			return err
		}
		_, err = r.Get(t.Context(), dev+"/tags/later")
		wantErr(t, err, store.ErrNotFound)
		return nil
	})
	// Who has followed the log of the newer database is told to begin again.
	_, err = s.Changes(t.Context(), dev, last+1, 0)
	wantErr(t, err, store.ErrCompacted)
	if err := store.CopyDatabase(t.Context(), "postgres://db/causeway", file); err == nil {
		t.Error("PostgreSQL was copied")
	}
	left, err := filepath.Glob(filepath.Join(dir, ".causeway-*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left over: %v, %v", left, err)
	}
}

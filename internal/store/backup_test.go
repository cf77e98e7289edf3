package store_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/causeway-apim/causeway/internal/store"
)

func keyring(b byte) *store.Keyring { return store.NewKeyring([32]byte{b}) }

// fill writes a service with documents, secrets, index rows and an upload.
func fill(t *testing.T, s store.Store) {
	t.Helper()
	update(t, s, dev, func(tx store.Tx) error {
		root := &store.Document{ID: dev, Path: dev, Service: dev, Type: "service", Parent: group, Name: "dev", Body: []byte(`{}`), Secrets: map[string]string{"hash": "key"}}
		if err := tx.Put(t.Context(), root, []store.Index{{Name: "serviceName", Value: "dev", Unique: true}}); err != nil {
			return err
		}
		for i := range 300 {
			d := doc(dev, "apis", fmt.Sprintf("a%03d", i))
			d.Path = dev + "/apis/A" + d.Name[1:]
			d.Body = []byte(`{"set":"` + strings.ToUpper(dev) + `/versionSets/v","other":"` + dev2 + `/x"}`)
			d.Secrets = map[string]string{"key": "secret " + d.Name}
			rows := []store.Index{{Name: "key", Value: dev + "\n" + d.Name, Unique: true}, {Name: "ref", Value: dev + "\n" + dev + "/tags/t"}}
			if err := tx.Put(t.Context(), d, rows); err != nil {
				return err
			}
			if i%100 == 0 {
				if err := tx.PutBlob(t.Context(), d.ID, "definition", bytes.Repeat([]byte{byte(i), 0, 255}, 50_000)); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

func backUp(t *testing.T, s store.Store, path string) []byte {
	t.Helper()
	var b bytes.Buffer
	view(t, s, func(r store.Reader) error { return r.Backup(t.Context(), path, &b) })
	return b.Bytes()
}

func restore(t *testing.T, s store.Store, path string, archive []byte) (own *store.Document, err error) {
	t.Helper()
	_, err = s.Update(t.Context(), strings.ToLower(path), func(tx store.Tx) (err error) {
		own, err = tx.Restore(t.Context(), path, bytes.NewReader(archive))
		return err
	})
	return own, err
}

// What was written, changed or deleted after a backup is undone, with numbers and tags that go on.
func TestRestoreSame(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		s := open(t, url, store.Options{Keyring: keyring(1)})
		fill(t, s)
		before := get(t, s, dev+"/apis/a000")
		archive := backUp(t, s, dev)
		if bytes.Contains(archive, []byte("secret a")) || bytes.Contains(archive, []byte("versionSets")) {
			t.Error("the archive can be read")
		}
		update(t, s, dev, func(tx store.Tx) error {
			// A unique value moves to another document, which then goes with the restore.
			if err := tx.Delete(t.Context(), dev+"/apis/a001"); err != nil {
				return err
			}
			if err := tx.Put(t.Context(), doc(dev, "apis", "new"), []store.Index{{Name: "key", Value: dev + "\na001", Unique: true}}); err != nil {
				return err
			}
			d := doc(dev, "apis", "a000")
			d.Secrets = map[string]string{"key": "changed", "more": "x"}
			return tx.Put(t.Context(), d, nil)
		})
		last, err := s.LastSeq(t.Context(), dev)
		if err != nil {
			t.Fatal(err)
		}
		own, err := restore(t, s, dev, archive)
		if err != nil {
			t.Fatal(err)
		}
		wantEqual(t, "the service's secret", own.Secrets["hash"], "key")
		after := get(t, s, dev+"/apis/a000")
		wantEqual(t, "body", string(after.Body), string(before.Body))
		wantEqual(t, "path", after.Path, dev+"/apis/A000")
		wantEqual(t, "parent", after.Parent, dev)
		if after.Seq <= last || after.ETag == before.ETag {
			t.Errorf("number %d after %d, tag %s after %s: no change to be seen", after.Seq, last, after.ETag, before.ETag)
		}
		view(t, s, func(r store.Reader) error {
			secrets, err := r.GetSecrets(t.Context(), after.ID)
			wantEqual(t, "secrets", fmt.Sprint(secrets), "map[key:secret a000]")
			if err != nil {
				return err
			}
			holders, err := r.Lookup(t.Context(), "key", dev+"\na001")
			wantEqual(t, "holder of a unique value", fmt.Sprint(holders), "["+dev+"/apis/a001]")
			if err != nil {
				return err
			}
			n, err := r.Count(t.Context(), store.Query{Service: dev})
			wantEqual(t, "documents", n, 301)
			if err != nil {
				return err
			}
			data, err := r.GetBlob(t.Context(), dev+"/apis/a100", "definition")
			wantEqual(t, "upload", len(data), 150_000)
			return err
		})
		changes, err := s.Changes(t.Context(), dev, last, 0)
		if err != nil {
			t.Fatal(err)
		}
		end := changes[len(changes)-1]
		if len(changes) != 301 || !end.Deleted || end.ID != dev+"/apis/new" {
			t.Errorf("%d changes, the last one %+v", len(changes), end)
		}
	})
}

// The archive of one service makes another, in another database that has the same master key.
func TestRestoreOther(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		from := open(t, "sqlite://:memory:", store.Options{Keyring: keyring(1)})
		fill(t, from)
		archive := backUp(t, from, dev)
		target := "/subscriptions/1/resourceGroups/$1/providers/Microsoft.ApiManagement/service/Other"
		key := strings.ToLower(target)

		wrong := open(t, "sqlite://:memory:", store.Options{Keyring: keyring(2)})
		_, err := restore(t, wrong, target, archive)
		wantErr(t, err, store.ErrWrongKey)

		s := open(t, url, store.Options{Keyring: store.NewKeyring([32]byte{3}, [32]byte{1})})
		if _, err := restore(t, s, target, archive); err != nil {
			t.Fatal(err)
		}
		d := get(t, s, key+"/apis/a299")
		wantEqual(t, "path", d.Path, target+"/apis/A299")
		wantEqual(t, "body", string(d.Body), `{"set":"`+target+`/versionSets/v","other":"`+dev2+`/x"}`)
		view(t, s, func(r store.Reader) error {
			holders, err := r.Lookup(t.Context(), "ref", key+"\n"+key+"/tags/t")
			wantEqual(t, "referring documents", len(holders), 300)
			return err
		})
	})
}

// Whatever is wrong with an archive, nothing is restored.
func TestRestoreDamaged(t *testing.T) {
	t.Parallel()
	s := open(t, "sqlite://:memory:", store.Options{Keyring: keyring(1)})
	fill(t, s)
	archive := backUp(t, s, dev)
	last, err := s.LastSeq(t.Context(), dev)
	if err != nil {
		t.Fatal(err)
	}
	flipped := func(at int) []byte {
		b := bytes.Clone(archive)
		b[at] ^= 1
		return b
	}
	for name, b := range map[string][]byte{
		"empty": nil, "other file": []byte("SQLite format 3\x00 and so on"), "newer": flipped(8), "header": flipped(20),
		"first byte": flipped(len(archive) / 4), "middle": flipped(len(archive) / 2), "last byte": flipped(len(archive) - 1),
		"cut in the header": archive[:30], "cut": archive[:len(archive)/2], "last byte missing": archive[:len(archive)-1],
	} {
		if _, err := restore(t, s, dev, b); err == nil {
			t.Errorf("%s: restored", name)
		} else if !strings.Contains(err.Error(), "backup") && !strings.Contains(err.Error(), "master key") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if now, err := s.LastSeq(t.Context(), dev); err != nil || now != last {
		t.Errorf("change %d after %d: %v", now, last, err)
	}
	bare := open(t, "sqlite://:memory:", store.Options{})
	view(t, bare, func(r store.Reader) error {
		wantErr(t, r.Backup(t.Context(), dev, &bytes.Buffer{}), store.ErrNoKey)
		return nil
	})
}

func FuzzRestore(f *testing.F) {
	s := open(f, "sqlite://:memory:", store.Options{Keyring: keyring(1)})
	var b bytes.Buffer
	view(f, s, func(r store.Reader) error { return r.Backup(f.Context(), dev, &b) })
	f.Add(b.Bytes())
	f.Add([]byte("CWBACKUP\x01\x00\x02{}"))
	f.Fuzz(func(t *testing.T, data []byte) {
		_, err := s.Update(t.Context(), dev, func(tx store.Tx) error {
			_, err := tx.Restore(t.Context(), dev, bytes.NewReader(data))
			return err
		})
		if err == nil {
			t.Error("restored what no service is in")
		}
	})
}

package configsync

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/causeway-apim/causeway/internal/snapshot"
)

var testKey = bytes.Repeat([]byte{7}, KeySize)

// TestDiskIsEncrypted: nothing of a configuration can be read without the key, a copy from before there was a key is taken
// and encrypted at once, and one of another key is not taken.
func TestDiskIsEncrypted(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var log diskLog
	open := func(key []byte) *disk {
		seal, err := newSealing(key)
		if err != nil {
			t.Fatal(err)
		}
		d := log.open(dir)
		d.seal = seal
		return d
	}
	all := history(t, 6)
	plain := open(nil)
	save(t, plain, all[1], all[2])
	plain.close()
	d := open(testKey)
	if s := d.load(); s == nil || s.Digest() != all[2].Digest() {
		t.Fatalf("got %v", s)
	}
	save(t, d, all[2], all[3], all[4], all[5])
	d.close()
	files, err := filepath.Glob(filepath.Join(dir, "configuration-*"))
	if err != nil || len(files) < 2 {
		t.Fatalf("%v, %v", files, err)
	}
	newest := files[len(files)-1]
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(name, strings.TrimSuffix(newest, filepath.Ext(newest))) && bytes.Contains(b, []byte("policies")) {
			t.Errorf("%s can be read", name)
		}
	}
	d = open(testKey)
	if s := d.load(); s == nil || s.Digest() != all[5].Digest() {
		t.Errorf("with the key: %v", s)
	}
	d.close()
	if len(log.reports) > 0 {
		t.Errorf("trouble: %v", log.reports)
	}
	save(t, d, all[6])
	d.close()
	for _, key := range [][]byte{nil, bytes.Repeat([]byte{8}, KeySize)} {
		d := open(key)
		if s := d.load(); s != nil && s.Digest() == all[6].Digest() {
			t.Errorf("key %x opens it", key)
		}
		d.close()
	}
	if _, err := newSealing([]byte("short")); err == nil {
		t.Error("a short key is taken")
	}
}

func testBundle(t *testing.T, name string, s *snapshot.Snapshot, sign ed25519.PrivateKey, key []byte) {
	t.Helper()
	var b bytes.Buffer
	if err := WriteBundle(&b, s, BundleInfo{Gateway: "edge", Created: time.Unix(1, 0).UTC()}, sign, key); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestBundle(t *testing.T) {
	t.Parallel()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	foreign, _, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "edge.bundle")
	want := history(t, 5)[5]
	for _, key := range [][]byte{nil, testKey} {
		testBundle(t, name, want, private, key)
		s, info, err := ReadBundle(name, public, key)
		if err != nil || s.Digest() != want.Digest() || info.Sequence != 5 || info.Gateway != "edge" || info.Encrypted != (key != nil) {
			t.Errorf("key %x: %v, %+v, %v", key, s, info, err)
		}
		if _, _, err := ReadBundle(name, foreign, key); !errors.Is(err, errBundleSignature) {
			t.Errorf("another key: %v", err)
		}
	}
	if _, _, err := ReadBundle(name, public, nil); !errors.Is(err, errSealed) {
		t.Errorf("without the key: %v", err)
	}
	good, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(good); i += 7 {
		bad := bytes.Clone(good)
		bad[i] ^= 1
		if err := os.WriteFile(name, bad, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, _, err := ReadBundle(name, public, testKey); !errors.Is(err, errBundleSignature) {
			t.Fatalf("byte %d changed: %v", i, err)
		}
	}
	if err := os.WriteFile(name, good[:len(good)/2], 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := ReadBundle(name, public, testKey); err == nil {
		t.Error("half of a bundle is taken")
	}
}

// TestGatewayRunsFromABundle: without endpoint and token, and takes the bundle that comes in the place of the first.
func TestGatewayRunsFromABundle(t *testing.T) {
	t.Parallel()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "edge.bundle")
	all := history(t, 3)
	synctest.Test(t, func(t *testing.T) {
		testBundle(t, name, all[2], private, nil)
		g := newGateway(t, "", "", nil)
		g.Token, g.Bundle, g.BundleKey = nil, name, public
		g.start()
		synctest.Wait()
		if a := <-g.applies; a.to.Digest() != all[2].Digest() {
			t.Errorf("it serves sequence %d", a.to.Sequence())
		}
		if err := g.Send("usage", "x"); err != nil {
			t.Error(err)
		}
		if err := os.WriteFile(name, []byte("damaged"), 0o600); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * bundlePoll)
		testBundle(t, name, all[3], private, nil)
		time.Sleep(2 * bundlePoll)
		synctest.Wait()
		if a := <-g.applies; a.from.Digest() != all[2].Digest() || a.to.Digest() != all[3].Digest() {
			t.Errorf("it went from %d to %d", a.from.Sequence(), a.to.Sequence())
		}
		said := false
		for len(g.statuses) > 0 {
			st := <-g.statuses
			said = said || st.State == StateWaiting && strings.Contains(st.Reason, "bundle")
		}
		if !said {
			t.Error("the damaged bundle is not told of")
		}
		g.stop()
	})
	g := newGateway(t, "", "", nil)
	g.Bundle, g.BundleKey = filepath.Join(t.TempDir(), "none"), public
	if err := g.Run(context.Background()); err == nil {
		t.Error("it runs without a bundle")
	}
}

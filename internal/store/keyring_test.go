package store

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestLoadKeyring(t *testing.T) {
	want := [32]byte(bytes.Repeat([]byte{0xfb, 0xef}, 16)) // needs both letters in which the base64 alphabets differ
	dir := t.TempDir()
	write := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	std, digits := base64.StdEncoding.EncodeToString(want[:]), hex.EncodeToString(want[:])
	short := write("short", "not-a-key")
	t.Setenv("CAUSEWAY_TEST_KEY", std)
	t.Setenv("CAUSEWAY_TEST_EMPTY", "")

	tests := []struct{ name, source, err string }{
		{"raw file", write("raw", string(want[:])), ""},
		{"hexadecimal file", write("hex", digits+"\n"), ""},
		{"upper case", write("HEX", strings.ToUpper(digits)), ""},
		{"base64 file", write("std", std+"\r\n"), ""},
		{"base64 without padding", write("nopad", strings.TrimRight(std, "=")), ""},
		{"URL alphabet", write("url", base64.URLEncoding.EncodeToString(want[:])), ""},
		{"environment", "env:CAUSEWAY_TEST_KEY", ""},
		{"command", "cmd:printf '%s\\n' " + digits, ""},
		{"missing file", filepath.Join(dir, "none"), "none: no such file"},
		{"folder", dir, "is a directory"},
		{"short", short, "want 32 bytes"},
		{"empty file", write("empty", ""), "want 32 bytes"},
		{"unset variable", "env:CAUSEWAY_TEST_UNSET", "env:CAUSEWAY_TEST_UNSET: not set"},
		{"empty variable", "env:CAUSEWAY_TEST_EMPTY", "not set"},
		{"failing command", "cmd:echo not-a-key; echo not-a-key >&2; exit 3", "exit status 3"},
		{"chatty command", "cmd:yes not-a-key | head -c 100000", "want 32 bytes"},
	}
	for _, test := range tests {
		k, err := LoadKeyring(t.Context(), test.source)
		switch {
		case test.err == "" && (err != nil || k.master != want):
			t.Errorf("%s: error %v, or another key", test.name, err)
		case test.err != "" && (err == nil || !strings.Contains(err.Error(), test.err)):
			t.Errorf("%s: error %v, want %s", test.name, err, test.err)
		case err != nil && strings.Contains(err.Error(), "not-a-key"):
			t.Errorf("%s: the error tells the content: %v", test.name, err)
		}
	}
	if _, err := LoadKeyring(t.Context(), "env:CAUSEWAY_TEST_KEY", short); err == nil {
		t.Error("a bad previous key is accepted")
	}
	k, err := LoadKeyring(t.Context(), "env:CAUSEWAY_TEST_KEY")
	if err != nil {
		t.Fatal(err)
	}
	if s := fmt.Sprintf("%v %+v %#v %s", k, k, k, k); strings.Contains(s, "251") || strings.Contains(s, "0xfb") {
		t.Errorf("a printed keyring tells the key: %s", s)
	}
}

func TestCreateKeyFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "master.key")
	first, err := LoadOrCreateKeyFile(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	again, err := LoadOrCreateKeyFile(t.Context(), path)
	if err != nil || first.master != again.master {
		t.Errorf("the second start has another key, or %v", err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v (%v), want 0600", info.Mode(), err)
	}
	if entries, _ := os.ReadDir(filepath.Dir(path)); len(entries) != 1 {
		t.Errorf("%d files are left, want 1", len(entries))
	}
	if _, err := LoadOrCreateKeyFile(t.Context(), filepath.Join(path, "x")); err == nil || !strings.HasPrefix(err.Error(), "master key: create ") {
		t.Errorf("error %v", err)
	}
}

func FuzzDecodeKey(f *testing.F) {
	f.Add([]byte(nil))
	f.Add(bytes.Repeat([]byte{7}, 32))
	f.Add([]byte(strings.Repeat("0f", 32) + "\n"))
	f.Add([]byte("+/+/+/+/+/+/+/+/+/+/+/+/+/+/+/+/+/+/+/+/+/8="))
	f.Add([]byte("-_-_-_-_-_-_-_-_-_-_-_-_-_-_-_-_-_-_-_-_-_8"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		k, ok := decodeKey(raw)
		if !ok {
			return
		}
		// Whatever was read as a key means the same key in the other notations.
		for _, text := range []string{hex.EncodeToString(k[:]), base64.StdEncoding.EncodeToString(k[:])} {
			if again, ok := decodeKey([]byte(text)); !ok || again != k {
				t.Errorf("%q is read as a key, but %q is not the same one", raw, text)
			}
		}
	})
}

func FuzzOpenSealed(f *testing.F) {
	aead, err := newAEAD([32]byte{1})
	if err != nil {
		f.Fatal(err)
	}
	v := vault{aead: aead}
	sealed, err := v.seal("id", "name", "value")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(sealed)
	f.Add(sealed[:20])
	f.Add([]byte{dataKeyID})
	f.Add([]byte(nil))
	f.Fuzz(func(t *testing.T, data []byte) {
		if value, err := v.open("id", "name", data); err == nil && value != "value" {
			t.Errorf("forged: %q opens as %q", data, value)
		}
	})
}

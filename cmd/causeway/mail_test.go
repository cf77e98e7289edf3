package main

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/causeway-apim/causeway/internal/store"
)

// TestMailAfterCrash queues mail, takes it as a process does that dies before it has sent it, and lets another process
// send it once the first one's time is up.
func TestMailAfterCrash(t *testing.T) {
	t.Parallel()
	now := time.Now()
	clock := func() time.Time { return now }
	url := "sqlite://" + filepath.Join(t.TempDir(), "causeway.db")
	options := store.Options{Keyring: store.NewKeyring([32]byte{1}), Now: clock}
	st, err := store.Open(t.Context(), url, options)
	if err != nil {
		t.Fatal(err)
	}
	_, err = st.Update(t.Context(), "/s", func(tx store.Tx) error {
		return tx.QueueMail(t.Context(), "m1", "/s", store.Mail{Sender: "noreply@s.invalid", SenderName: "S", To: "ann@example.com", Recipient: "ann@example.com", Subject: "Hello", HTML: "<p>Hello</p>"})
	})
	if err != nil {
		t.Fatal(err)
	}
	if m, err := st.ClaimMail(t.Context(), 5*time.Minute); err != nil || m == nil {
		t.Fatalf("claim: %+v, %v", m, err)
	}
	if err := st.Close(); err != nil { // it is gone
		t.Fatal(err)
	}

	if st, err = store.Open(t.Context(), url, options); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = st.Close() }()
	dir := t.TempDir()
	setup, err := openMail(serverConfig{"mail-spool": {value: dir}, "mail-from": {value: "apis@example.org"}})
	if err != nil {
		t.Fatal(err)
	}
	send := func() (files []string) {
		t.Helper()
		o := setup.outbox(st, clock, slog.New(slog.DiscardHandler))
		if err := o.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		files, err := filepath.Glob(filepath.Join(dir, "*.eml"))
		if err != nil {
			t.Fatal(err)
		}
		return files
	}
	if files := send(); len(files) != 0 {
		t.Fatalf("sent while another process may still be sending it: %v", files)
	}
	now = now.Add(6 * time.Minute)
	files := send()
	if len(files) != 1 {
		t.Fatalf("files %v, want one", files)
	}
	text, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"From: \"S\" <apis@example.org>", "To: <ann@example.com>", "Subject: Hello"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("no %q in:\n%s", want, text)
		}
	}
	now = now.Add(time.Hour)
	if files := send(); len(files) != 1 {
		t.Errorf("sent again: %v", files)
	}
}

func TestMailOptions(t *testing.T) {
	t.Parallel()
	password := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(password, []byte("secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		options map[string]string
		fails   string
	}{
		"none":          {map[string]string{}, ""},
		"spool":         {map[string]string{"mail-spool": "/tmp/x"}, ""},
		"server":        {map[string]string{"mail-smtp": "mail.example.org:587", "mail-security": "starttls", "mail-from": "a@example.org", "mail-user": "u", "mail-password": password}, ""},
		"both":          {map[string]string{"mail-smtp": "mail.example.org:587", "mail-spool": "/tmp/x"}, "exclude"},
		"no sender":     {map[string]string{"mail-smtp": "mail.example.org:587", "mail-security": "tls"}, "--mail-from"},
		"no port":       {map[string]string{"mail-smtp": "mail.example.org", "mail-security": "tls", "mail-from": "a@example.org"}, "HOST:PORT"},
		"no such file":  {map[string]string{"mail-smtp": "mail.example.org:25", "mail-from": "a@example.org", "mail-password": password + "x"}, "--mail-password"},
		"no such value": {map[string]string{"mail-smtp": "mail.example.org:25", "mail-from": "a@example.org", "mail-password": "env:CAUSEWAY_TEST_NO_SUCH"}, "CAUSEWAY_TEST_NO_SUCH"},
	} {
		config := make(serverConfig)
		for option, value := range c.options {
			config[option] = settingValue{value: value}
		}
		_, err := openMail(config)
		if (err != nil) != (c.fails != "") || err != nil && !strings.Contains(err.Error(), c.fails) {
			t.Errorf("%s: %v, want %q", name, err, c.fails)
		}
	}
}

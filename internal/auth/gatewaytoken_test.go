package auth

import (
	"errors"
	"strings"
	"testing"
	"time"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func mustToken(t testing.TB, gateway, key string, expiry time.Time) string {
	t.Helper()
	token, err := NewGatewayToken(gateway, key, expiry, noon)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// TestGatewayTokenVector fixes the form: tokens of every release must hold.
// The signature comes from openssl:
//
//	printf 'gw1\n202611231300' | openssl dgst -sha512 -hmac 'key' -binary | base64 -w0
func TestGatewayTokenVector(t *testing.T) {
	t.Parallel()
	const want = "gw1&202611231300&4y6LJKmLFvhRcSHdwo9m+gwgPgQWnD8wu8x0Pr7OEKpcxqWIBuXT8FtdWrMmLjAfu7KpDyrAidd5JnaoaZKx8A=="
	if got := mustToken(t, "gw1", "key", noon.Add(time.Hour+30*time.Second)); got != want {
		t.Errorf("got %s", got)
	}
}

func TestVerifyGatewayToken(t *testing.T) {
	t.Parallel()
	token := mustToken(t, "Edge", "second", noon.Add(time.Hour))
	for _, text := range []string{token, "GatewayKey " + token, "gatewaykey  " + token + "\n"} {
		parsed, err := ParseGatewayToken(text)
		if err != nil || parsed.Gateway != "Edge" || !parsed.Expiry.Equal(noon.Add(time.Hour)) {
			t.Fatalf("%q: %+v, %v", text, parsed, err)
		}
		if n, err := parsed.Verify(noon, "first", "second"); n != 1 || err != nil {
			t.Errorf("key %d, %v", n, err)
		}
		if n, err := parsed.Verify(noon, "first", ""); n != -1 || !errors.Is(err, ErrTokenUnknownKey) {
			t.Errorf("key %d, %v", n, err)
		}
		var expired *TokenExpiredError
		if n, err := parsed.Verify(noon.Add(time.Hour), "second"); n != 0 || !errors.As(err, &expired) ||
			err.Error() != "gateway token expired at 2026-11-23T13:00:00Z" {
			t.Errorf("key %d, %v", n, err)
		}
		if _, err := parsed.Verify(noon.Add(time.Hour-time.Second), "second"); err != nil {
			t.Error(err)
		}
	}
	forged, err := ParseGatewayToken(strings.Replace(token, "Edge", "edge", 1))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := forged.Verify(noon, "first", "second"); !errors.Is(err, ErrTokenUnknownKey) {
		t.Errorf("another name: %v", err)
	}
}

func TestNewGatewayTokenRefuses(t *testing.T) {
	t.Parallel()
	f := func(gateway, key string, expiry time.Time, want string) {
		t.Helper()
		if _, err := NewGatewayToken(gateway, key, expiry, noon); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	f("", "k", noon.Add(time.Hour), "not a gateway name")
	f("a&b", "k", noon.Add(time.Hour), "not a gateway name")
	f("a", "", noon.Add(time.Hour), "empty key")
	f("a", "k", noon.Add(59*time.Second), "not in the future")
	f("a", "k", noon.Add(MaxGatewayTokenLife+time.Minute), "30 days")
	if _, err := NewGatewayToken("a", "k", noon.Add(MaxGatewayTokenLife), noon); err != nil {
		t.Error(err)
	}
}

func TestParseGatewayTokenRefuses(t *testing.T) {
	t.Parallel()
	sum := strings.Repeat("A", 86) + "=="
	for _, text := range []string{
		"", "GatewayKey", "GatewayKey a", "a&202611231300", "&202611231300&" + sum, "a&b&202611231300&" + sum,
		"a&2026112313&" + sum, "a&202613231300&" + sum, "a&202602301300&" + sum, "a b&202611231300&" + sum,
		"a&202611231300&AAAA", "a&202611231300&" + strings.Repeat("A", 87) + "=", strings.Repeat("x", 2000),
		"Bearer a&202611231300&" + sum,
	} {
		if _, err := ParseGatewayToken(text); !errors.Is(err, ErrTokenMalformed) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// FuzzParseGatewayToken checks that a token that parses is written as it was.
func FuzzParseGatewayToken(f *testing.F) {
	f.Add("GatewayKey " + mustToken(f, "edge", "key", noon.Add(time.Hour)))
	f.Add("a&202611231300&AAAA")
	f.Fuzz(func(t *testing.T, text string) {
		token, err := ParseGatewayToken(text)
		if err != nil {
			if !errors.Is(err, ErrTokenMalformed) || (len(text) > 40 && strings.Contains(err.Error(), text)) {
				t.Fatalf("error %v", err)
			}
			return
		}
		again := token.Gateway + "&" + token.Expiry.Format("200601021504") + "&"
		if !strings.Contains(text, again) {
			t.Fatalf("%q reads as %+v", text, token)
		}
		if n, err := token.Verify(noon, "a key that made nothing"); n >= 0 || err == nil {
			t.Fatalf("%q verifies", text)
		}
	})
}

func TestGatewayKeyID(t *testing.T) {
	t.Parallel()
	id := GatewayKeyID("a", "b")
	for _, other := range []string{GatewayKeyID("a", "c"), GatewayKeyID("c", "b"), GatewayKeyID("b", "a"), GatewayKeyID("ab", "")} {
		if other == id || len(other) != 24 {
			t.Errorf("got %s", other)
		}
	}
}

func TestBearer(t *testing.T) {
	t.Parallel()
	f := func(header, want string, ok bool) {
		t.Helper()
		if got, found := BearerToken(header); got != want || found != ok {
			t.Errorf("%q: got %q, %v", header, got, found)
		}
	}
	f("Bearer abc", "abc", true)
	f("bearer  abc ", "abc", true)
	f("Bearer ", "", false)
	f("Bearer", "", false)
	f("GatewayKey abc", "", false)
	if !EqualSecret("a", "a") || EqualSecret("a", "b") || EqualSecret("", "") || EqualSecret("a", "ab") {
		t.Error("secrets compare wrongly")
	}
}

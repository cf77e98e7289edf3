package auth

import (
	"errors"
	"strings"
	"testing"
	"time"
)

func TestDebugToken(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	key := DebugKey([]byte("service key"), "Edge", 0)
	text := DebugToken{API: "pets;rev=2", Gateway: "edge", Expiry: now.Add(time.Hour)}.Sign(key)
	if !strings.HasPrefix(text, "aid=pets%3Brev%3D2&gid=edge&p=tracing&ex=") {
		t.Errorf("token %q", text)
	}
	token, err := VerifyDebugToken(text, key, "Edge", now)
	if err != nil || token.API != "pets;rev=2" || !token.Expiry.Equal(now.Add(time.Hour)) {
		t.Fatalf("token %+v, %v", token, err)
	}
	if !token.Covers("Pets", "2") || token.Covers("pets", "1") || token.Covers("cats", "2") {
		t.Errorf("%+v covers the wrong APIs", token)
	}
	if any := (DebugToken{API: "pets"}); !any.Covers("pets", "7") {
		t.Errorf("%+v does not cover every revision", any)
	}
	var late *TokenExpiredError
	if _, err := VerifyDebugToken(text, key, "edge", now.Add(time.Hour)); !errors.As(err, &late) {
		t.Errorf("after its end: %v", err)
	}
	for name, bad := range map[string]struct {
		text, gateway string
		key           []byte
	}{
		"another gateway": {text, "west", key},
		"invalidated":     {text, "edge", DebugKey([]byte("service key"), "edge", 1)},
		"another service": {text, "edge", DebugKey([]byte("other key"), "edge", 0)},
		"changed":         {strings.Replace(text, "pets", "cats", 1), "edge", key},
		"no signature":    {"aid=pets&gid=edge&p=tracing&ex=99999999999", "edge", key},
		"empty":           {"", "edge", key},
	} {
		if _, err := VerifyDebugToken(bad.text, bad.key, bad.gateway, now); !errors.Is(err, ErrDebugTokenMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

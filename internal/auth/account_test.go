package auth

import (
	"strings"
	"testing"
	"time"
)

func TestPasswords(t *testing.T) {
	t.Parallel()
	hash := HashPassword("correct horse")
	if !strings.HasPrefix(hash, "$argon2id$v=19$m=19456,t=2,p=1$") || HashPassword("correct horse") == hash {
		t.Errorf("hash %s", hash)
	}
	if !PasswordMatches(hash, "correct horse") || PasswordMatches(hash, "correct horse ") || PasswordMatches("", "") {
		t.Error("PasswordMatches")
	}
	for _, broken := range []string{
		"$argon2id$v=19$m=4294967295,t=2,p=1$AAAA$AAAA", "$argon2id$v=19$m=8,t=0,p=1$AAAA$AAAA", "$argon2id$v=1$m=8,t=1,p=1$AAAA$AAAA",
		"$argon2id$v=19$m=8,t=1,p=1$AA*A$AAAA", "$argon2id$v=19$m=8,t=1,p=1$AAAA$", "plain", strings.Replace(hash, "argon2id", "argon2i", 1),
	} {
		if PasswordMatches(broken, "correct horse") {
			t.Errorf("%s matches", broken)
		}
	}
	for password, good := range map[string]bool{"short": false, "aaaaaaaaaaaa": false, "correct horse": true, "ééééééé": false, strings.Repeat("ab", 600): false} {
		if err := CheckNewPassword(password); (err == nil) != good {
			t.Errorf("%q: %v", password, err)
		}
	}
}

func TestSigningKey(t *testing.T) {
	t.Parallel()
	made, err := NewSigningKey()
	if err != nil {
		t.Fatal(err)
	}
	text, err := made.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	key, err := ParseSigningKey(text)
	if err != nil || key.ID != made.ID {
		t.Fatalf("%v, %v", key, err)
	}
	now := time.Unix(1_800_000_000, 0)
	token, err := key.Sign(TypeAccessToken, map[string]any{"aud": "a", "oid": "me", "exp": now.Unix() + 60})
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := ParseToken(token, nil)
	if err != nil {
		t.Fatal(err)
	}
	public, err := made.Public()
	if err != nil {
		t.Fatal(err)
	}
	rules := Rules{Keys: []Key{public}}
	if err := rules.Check(parsed, now); err != nil || parsed.Type() != TypeAccessToken || parsed.KeyID != key.ID || parsed.HeaderText("alg") != "RS256" {
		t.Errorf("%v: %s", err, parsed.Header)
	}
	if err := rules.Check(parsed, now.Add(time.Hour)); err == nil {
		t.Error("an expired token is valid")
	}
	var claims struct{ OID string }
	if err := parsed.Claims(&claims); err != nil || claims.OID != "me" {
		t.Error(err, claims)
	}
	keys, err := ParseKeySet([]byte(`{"keys":[{"kty":"RSA","use":"sig","kid":"` + key.JWK()["kid"] + `","n":"` + key.JWK()["n"] + `","e":"` + key.JWK()["e"] + `"}]}`))
	if err != nil || len(keys) != 1 || keys[0].print != public.print {
		t.Errorf("the key set reads %v, %v", keys, err)
	}
}

func TestThrottle(t *testing.T) {
	t.Parallel()
	now := time.Unix(0, 0)
	th := NewThrottle(func() time.Time { return now })
	for range throttleFree - 1 {
		th.Failed("a", "b")
	}
	if w := th.Wait("a", "c"); w != 0 {
		t.Errorf("waits %s", w)
	}
	th.Failed("a")
	th.Failed("a")
	if w := th.Wait("c", "a"); w != 2*throttleFirst {
		t.Errorf("waits %s", w)
	}
	now = now.Add(2 * throttleFirst)
	if w := th.Wait("a"); w > 0 {
		t.Errorf("waits %s", w)
	}
	for range 40 {
		th.Failed("a")
	}
	if w := th.Wait("a"); w != throttleLast {
		t.Errorf("waits %s", w)
	}
	th.Succeeded("a")
	if w := th.Wait("a"); w != 0 {
		t.Errorf("waits %s", w)
	}
	th.Failed("b")
	now = now.Add(2 * throttleLife)
	th.Failed("b")
	if w := th.Wait("b"); w != 0 {
		t.Errorf("waits %s after a long time", w)
	}
}

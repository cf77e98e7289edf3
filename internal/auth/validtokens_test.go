package auth_test

import (
	"strings"
	"testing"
	"time"

	"github.com/causeway-apim/causeway/internal/auth"
)

func TestValidTokens(t *testing.T) {
	t.Parallel()
	var tokens auth.ValidTokens
	now := time.Unix(1_000_000, 0)
	key, other := newKey(t, []byte("one secret")), newKey(t, []byte("another secret"))
	text := sign(t, "HS256", []byte("one secret"), `{"exp":1000100,"aud":"a"}`)
	use := func(text string, rules auth.Rules, now time.Time) (*auth.Token, error) {
		t.Helper()
		token, err := tokens.Parse(text, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := rules.Check(token, now); err != nil {
			return token, err
		}
		tokens.Keep(token)
		return token, nil
	}
	good := auth.Rules{Keys: []auth.Key{key}, Audiences: []string{"a"}}
	refused, err := use(text, auth.Rules{Keys: []auth.Key{key}, Audiences: []string{"b"}}, now)
	if err == nil {
		t.Fatal("a token for another audience passes")
	}
	first, err := use(text, good, now)
	if err != nil || first == refused {
		t.Fatalf("the first valid use: %v, remembered though refused: %v", err, first == refused)
	}
	again, err := use(text, good, now)
	if err != nil || again != first {
		t.Errorf("the second use: %v, remembered: %v", err, again == first)
	}
	if _, err := use(text, auth.Rules{Keys: []auth.Key{other}}, now); err == nil {
		t.Error("a remembered token passes with a key that has not signed it")
	}
	if _, err := use(text, good, now.Add(time.Hour)); err == nil {
		t.Error("a remembered token passes after its end")
	}
	if _, err := use(text[:len(text)-4]+"AAAA", good, now); err == nil {
		t.Error("a changed token passes")
	}
}

func TestValidTokensAreBounded(t *testing.T) {
	t.Parallel()
	var tokens auth.ValidTokens
	key := newKey(t, []byte("secret"))
	padding := strings.Repeat("x", 90<<10)
	texts := make([]string, 200)
	for i := range texts {
		texts[i] = sign(t, "HS256", []byte("secret"), `{"n":`+strings.Repeat("1", i+1)+`,"p":"`+padding+`"}`)
		token, err := tokens.Parse(texts[i], nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := endless(key).Check(token, time.Time{}); err != nil {
			t.Fatal(err)
		}
		tokens.Keep(token)
	}
	kept := 0
	for _, text := range texts {
		a, err := tokens.Parse(text, nil)
		if err != nil {
			t.Fatal(err)
		}
		if b, _ := tokens.Parse(text, nil); a == b {
			kept++
		}
	}
	if kept == 0 || kept > 100 {
		t.Errorf("%d of %d tokens of 120 KB are kept", kept, len(texts))
	}
}

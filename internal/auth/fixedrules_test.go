package auth_test

import (
	"testing"
	"time"

	"github.com/causeway-apim/causeway/internal/auth"
)

// TestFixedRulesRemember checks that what a token remembers does not outlive its lifetime, the keys or the rules.
func TestFixedRulesRemember(t *testing.T) {
	t.Parallel()
	p, c := newProvider(t), newClock()
	o := auth.NewOpenID(p.Client(), c.Now)
	issuer, err := o.Issuer(t.Context(), p.configuration(), "")
	if err != nil {
		t.Fatal(err)
	}
	sources := []*auth.Issuer{issuer}
	var cache auth.ValidTokens
	parsed := p.token(t, c.Now())
	rules := auth.NewFixedRules(&auth.Rules{Skew: time.Minute})
	if err := rules.Check(parsed, sources, c.Now()); err != nil {
		t.Fatal(err)
	}
	cache.Keep(parsed)
	for range 2 {
		if err := rules.Check(parsed, sources, c.Now()); err != nil {
			t.Fatal(err)
		}
	}
	strict := auth.NewFixedRules(&auth.Rules{Audiences: []string{"another"}})
	if got := reasonOf(strict.Check(parsed, sources, c.Now())); got != auth.TokenAudienceNotAllowed {
		t.Errorf("other rules: %q", got)
	}
	other := newProvider(t)
	foreign, err := auth.NewOpenID(other.Client(), c.Now).Issuer(t.Context(), other.configuration(), "")
	if err != nil {
		t.Fatal(err)
	}
	if got := reasonOf(rules.Check(parsed, []*auth.Issuer{foreign}, c.Now())); got == "" {
		t.Error("accepted with the keys of another issuer")
	}
	if got := reasonOf(rules.Check(parsed, nil, c.Now())); got == "" {
		t.Error("accepted without keys")
	}
	if got := reasonOf(rules.Check(parsed, sources, c.Now().Add(1000*time.Hour))); got != auth.TokenExpired {
		t.Errorf("after its end: %q", got)
	}
	if got := reasonOf(rules.Check(parsed, sources, c.Now().Add(-1000*time.Hour))); got != auth.TokenInvalid {
		t.Errorf("before it begins: %q", got)
	}
}

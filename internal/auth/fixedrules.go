package auth

import (
	"slices"
	"time"
)

// FixedRules are rules that are the same for many tokens: a token of [ValidTokens] remembers that they have accepted it, and the next check looks at the
// clock only. They are safe for concurrent use.
type FixedRules struct{ rules Rules }

// NewFixedRules returns rules that nobody changes any more. Their sources come with each check.
func NewFixedRules(r *Rules) *FixedRules { return &FixedRules{rules: *r} }

// acceptance says who has accepted a token, with which keys, and for how long.
type acceptance struct {
	by          *FixedRules
	sources     []*Issuer
	from, until time.Time // a zero until is for ever
}

// Check is [Rules.Check] with OpenID configurations as sources.
func (f *FixedRules) Check(t *Token, sources []*Issuer, now time.Time) error {
	if a := t.accepted.Load(); a != nil && a.by == f && !now.Before(a.from) && (a.until.IsZero() || now.Before(a.until)) && slices.Equal(a.sources, sources) {
		return nil
	}
	r := f.rules
	r.Sources = slices.Clone(sources) // which lets the caller's list stay on its stack
	if err := r.Check(t, now); err != nil {
		return err
	}
	if t.kept { // others are gone with their request
		a := &acceptance{by: f, sources: r.Sources}
		if begins, has, _ := t.moment("nbf"); has {
			a.from = begins.Add(-r.Skew)
		}
		if expires, has, _ := t.moment("exp"); has {
			a.until = expires.Add(r.Skew)
		}
		t.accepted.Store(a)
	}
	return nil
}

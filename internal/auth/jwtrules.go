package auth

import (
	"encoding/json"
	"math"
	"slices"
	"strings"
	"time"
)

// Rules say which tokens are valid.
type Rules struct {
	// Keys verify signatures. Issuers' own keys come with Sources.
	Keys []Key
	// Sources are OpenID configurations: a token that verifies with one of their keys may have that configuration's issuer.
	Sources []*Issuer
	// AllowUnsigned accepts tokens without signature: alg "none", or encrypted claims.
	AllowUnsigned bool
	// AllowEndless accepts tokens that never expire.
	AllowEndless bool
	// Skew is how much the clocks may differ.
	Skew time.Duration
	// Audiences are the allowed audiences; none allows all.
	Audiences []string
	// Issuers are allowed issuers, beside those of Sources. All are allowed when there are neither.
	Issuers []string
	// Claims must be in the token.
	Claims []ClaimRule
}

// ClaimRule is a claim that a token must have.
type ClaimRule struct {
	Name string
	// Values are what it must hold; none means anything.
	Values []string
	// Any is satisfied by one of Values; otherwise the token must have all.
	Any bool
	// Separator splits a text into several values; empty for none.
	Separator string
}

// Check validates a token at a time: signature, lifetime, audience, issuer and claims, in this order. The error is a *TokenError or nil.
func (r *Rules) Check(t *Token, now time.Time) error {
	issuers, err := r.signature(t)
	if err == nil {
		err = r.lifetime(t, now)
	}
	if err == nil {
		err = r.audience(t)
	}
	if err == nil {
		err = r.issuer(t, issuers)
	}
	if err == nil {
		err = r.claims(t)
	}
	if err != nil { // a nil *TokenError must not become an error
		return err
	}
	return nil
}

// signature verifies the signature and returns which issuers may have made it.
func (r *Rules) signature(t *Token) (issuers []string, err *TokenError) {
	keys := r.Keys
	for _, s := range r.Sources {
		keys = append(keys[:len(keys):len(keys)], s.Keys...)
	}
	if !t.signed {
		if r.AllowUnsigned {
			return append(slices.Clip(r.Issuers), sourceIssuers(r.Sources, nil)...), nil
		}
		return nil, refuse(TokenSignatureInvalid, "JWT is not signed. Access denied.")
	}
	key, err := t.verify(keys)
	if err != nil {
		return nil, err
	}
	for i := range r.Keys {
		if &r.Keys[i] == key || r.Keys[i].print == key.print {
			key = nil
			break
		}
	}
	return append(slices.Clip(r.Issuers), sourceIssuers(r.Sources, key)...), nil
}

// sourceIssuers are the issuers of the sources that have a key; of all when key is nil. An issuer's key thus never vouches for another issuer.
func sourceIssuers(sources []*Issuer, key *Key) []string {
	var list []string
	for _, s := range sources {
		if s.Name == "" {
			continue
		}
		if key == nil || slices.ContainsFunc(s.Keys, func(k Key) bool { return k.print == key.print }) {
			list = append(list, s.Name)
		}
	}
	return list
}

func (r *Rules) lifetime(t *Token, now time.Time) *TokenError {
	expires, hasExpiry, ok := t.moment("exp")
	if !ok {
		return refuse(TokenInvalid, "Lifetime validation failed: exp is not a date.")
	}
	begins, hasBegin, ok := t.moment("nbf")
	if !ok {
		return refuse(TokenInvalid, "Lifetime validation failed: nbf is not a date.")
	}
	switch {
	case !hasExpiry && !r.AllowEndless:
		return refuse(TokenInvalid, "Lifetime validation failed: JWT has no expiration time.")
	case hasExpiry && hasBegin && expires.Before(begins):
		return refuse(TokenInvalid, "Lifetime validation failed: JWT expires before it becomes valid.")
	case hasBegin && begins.After(now.Add(r.Skew)):
		return refuse(TokenInvalid, "Lifetime validation failed: JWT is not valid before %s.", begins.Format(time.RFC3339))
	case hasExpiry && !now.Before(expires.Add(r.Skew)):
		return refuse(TokenExpired, "Lifetime validation failed: JWT expired at %s. Access denied.", expires.Format(time.RFC3339))
	}
	return nil
}

// moment reads a NumericDate (RFC 7519, section 2).
func (t *Token) moment(claim string) (at time.Time, present, ok bool) {
	value, present := t.claims[claim]
	if !present || value == nil {
		return time.Time{}, false, true
	}
	n, isNumber := value.(json.Number)
	if !isNumber {
		return time.Time{}, true, false
	}
	seconds, err := n.Float64()
	const limit = 253402300799 // the end of the year 9999
	if err != nil || math.Abs(seconds) > limit {
		return time.Time{}, true, false
	}
	whole, fraction := math.Modf(seconds)
	return time.Unix(int64(whole), int64(fraction*1e9)).UTC(), true, true
}

func (r *Rules) audience(t *Token) *TokenError {
	if len(r.Audiences) == 0 {
		return nil
	}
	found := claimTexts(t.claims["aud"])
	for _, a := range found {
		if slices.Contains(r.Audiences, a) {
			return nil
		}
	}
	return refuse(TokenAudienceNotAllowed, "Audience validation failed: %q is not allowed. Access denied.", strings.Join(found, ", "))
}

func (r *Rules) issuer(t *Token, allowed []string) *TokenError {
	if len(r.Issuers) == 0 && len(r.Sources) == 0 {
		return nil
	}
	issuer, tenant := t.Claim("iss"), t.Claim("tid")
	for _, a := range allowed {
		// Microsoft Entra's configuration for many tenants names none: the token does.
		if strings.Contains(a, tenantPlaceholder) {
			if !isTenant(tenant) {
				continue
			}
			a = strings.ReplaceAll(a, tenantPlaceholder, tenant)
		}
		if issuer != "" && issuer == a {
			return nil
		}
	}
	return refuse(TokenIssuerNotAllowed, "Issuer validation failed: %q is not allowed. Access denied.", issuer)
}

const tenantPlaceholder = "{tenantid}"

// isTenant tells a tenant's ID from a text that would change the shape of an issuer.
func isTenant(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(c rune) bool {
		return (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && c != '-'
	})
}

func (r *Rules) claims(t *Token) *TokenError {
	var missing []string
	for _, c := range r.Claims {
		if _, ok := t.claims[c.Name]; !ok {
			missing = append(missing, c.Name)
		}
	}
	if len(missing) > 0 {
		return refuse(TokenClaimNotFound, "JWT token is missing the following claims: %s. Access denied.", strings.Join(missing, ", "))
	}
	for _, c := range r.Claims {
		values := claimTexts(t.claims[c.Name])
		if !c.allows(values) {
			return refuse(TokenClaimValueNotAllowed, "Claim %s value of %s is not allowed. Access denied.", c.Name, strings.Join(values, ","))
		}
	}
	return nil
}

func (c *ClaimRule) allows(values []string) bool {
	if c.Separator != "" {
		var parts []string
		for _, v := range values {
			for part := range strings.SplitSeq(v, c.Separator) {
				parts = append(parts, strings.TrimSpace(part))
			}
		}
		values = parts
	}
	if len(c.Values) == 0 {
		return true
	}
	for _, want := range c.Values {
		if slices.Contains(values, want) == c.Any {
			return c.Any
		}
	}
	return !c.Any
}

// claimTexts are the values of a claim as texts: the items of an array, nothing for null, JSON for what is no text.
func claimTexts(value any) []string {
	switch v := value.(type) {
	case nil:
		return nil
	case string:
		return []string{v}
	case []any:
		var list []string
		for _, item := range v {
			if text, ok := item.(string); ok {
				list = append(list, text)
			} else {
				list = append(list, jsonText(item))
			}
		}
		return list
	}
	return []string{jsonText(value)}
}

func jsonText(v any) string {
	raw, err := json.Marshal(v)
	if err != nil {
		return ""
	}
	return string(raw)
}

package signin

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/causeway-apim/causeway/internal/auth"
	"github.com/causeway-apim/causeway/internal/manage/directory"
)

// refreshGrace is how long the refresh token before the current one still works: for clients that lost an answer, and
// for processes that share a cache of tokens.
const refreshGrace = time.Minute

// refreshCopies is how many tokens of one sign-in are valid at most, when several processes made some from the same one.
const refreshCopies = 8

// refresh exchanges a refresh token for tokens, a new refresh token among them (RFC 6749, section 6). One that was
// exchanged long ago ends all that came of the sign-in: somebody has stolen it (RFC 9700, section 4.14.2).
func (s *Service) refresh(r *http.Request) (map[string]any, error) {
	client, err := s.client(r)
	if err != nil {
		return nil, err
	}
	family, secret, _ := strings.Cut(r.PostForm.Get("refresh_token"), ".")
	var g grant
	next := directory.RandomText()
	now := s.c.Now()
	err = s.grants.use(r.Context(), kindRefresh, family, func(v *grant) (bool, error) {
		presented := hashOf(secret)
		known := slices.IndexFunc(v.Valid, func(hash string) bool { return auth.EqualSecret(presented, hash) })
		switch {
		case v.Client != client.id:
			return true, refuse("invalid_grant", "The refresh token was made for another client.")
		case known >= 0:
			v.Valid[known], v.Previous, v.Rotated = hashOf(next), presented, now
		case auth.EqualSecret(presented, v.Previous) && now.Sub(v.Rotated) < refreshGrace && len(v.Valid) < refreshCopies:
			v.Valid = append(v.Valid, hashOf(next))
		default:
			return false, refuse("invalid_grant", "The refresh token was used already. Sign in again.")
		}
		v.Expires = now.Add(refreshLife)
		g = *v
		return true, nil
	})
	if err != nil {
		return nil, invalidGrant(err, "The refresh token is not valid or has expired.")
	}
	p, err := s.valid(r.Context(), &g)
	if err != nil {
		return nil, err
	}
	i := issue{principal: p, client: g.Client, scope: g.Scope, resource: g.Resource, began: g.Began, refresh: family + "." + next}
	if scope := r.PostForm.Get("scope"); resourceOf(scope, "") != "" { // for another resource
		i.scope, i.resource = scope, ""
	}
	if resource := r.PostForm.Get("resource"); resource != "" {
		i.resource = resource
	}
	return s.answer(r, i)
}

package signin

import (
	"context"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/causeway-apim/causeway/internal/arm"
	"github.com/causeway-apim/causeway/internal/auth"
	"github.com/causeway-apim/causeway/internal/manage/directory"
)

// assertionSkew is how much the clocks of clients and ours may differ.
const assertionSkew = 5 * time.Minute

const assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

// client is who asks the token endpoint.
type client struct {
	id        string
	principal *directory.Principal // nil for a public client that is not in the directory
	proven    bool                 // by a secret or an assertion
}

// client authenticates the client of a request (RFC 6749, section 2.3).
func (s *Service) client(r *http.Request) (client, error) {
	id, secret, basic := r.BasicAuth()
	if basic { // both are form-encoded: RFC 6749, section 2.3.1
		id, secret = formDecoded(id), formDecoded(secret)
	} else {
		id, secret = r.PostForm.Get("client_id"), r.PostForm.Get("client_secret")
	}
	c := client{id: strings.ToLower(id)}
	names := []string{"client " + c.id, "address " + remoteIP(r)}
	if assertion := r.PostForm.Get("client_assertion"); assertion != "" || secret != "" {
		if wait := s.throttle.Wait(names...); wait > 0 {
			return c, &oauthError{"invalid_client", "Too many attempts failed. Try again later.", wait}
		}
		var err error
		if assertion != "" {
			c.principal, err = s.assertion(r, id, assertion)
		} else {
			c.principal, err = s.c.Directory.Client(r.Context(), c.id, secret)
		}
		if err != nil || c.principal == nil {
			s.throttle.Failed(names...)
			if err == nil {
				err = refuse("invalid_client", "The client is not known here, or its secret is wrong or has expired.")
			}
			return c, err
		}
		s.throttle.Succeeded(names[0])
		c.id, c.proven = strings.ToLower(c.principal.AppID), true
		return c, nil
	}
	if publicClient(c.id) != "" {
		return c, nil
	}
	state, err := s.c.Directory.State(r.Context())
	if err != nil {
		return c, err
	}
	c.principal = state.App(c.id)
	if c.principal == nil || c.principal.Disabled {
		return c, refuse("invalid_client", "The client '%s' is not known here.", id)
	}
	if len(c.principal.Passwords)+len(c.principal.Keys) > 0 {
		return c, refuse("invalid_client", "The client has credentials and must prove who it is.")
	}
	return c, nil
}

func formDecoded(text string) string {
	if plain, err := url.QueryUnescape(text); err == nil {
		return plain
	}
	return text
}

// remoteIP is the address of a caller, of IPv6 its network: one customer has many addresses there.
func remoteIP(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	if ip := net.ParseIP(host); ip != nil && ip.To4() == nil {
		return ip.Mask(net.CIDRMask(64, 128)).String()
	}
	return host
}

// assertion authenticates a client by a signed token: one that it made itself with a registered key (RFC 7523,
// section 3), or one that an issuer made that the client's registration trusts, such as a Kubernetes cluster.
func (s *Service) assertion(r *http.Request, id, assertion string) (*directory.Principal, error) {
	if t := r.PostForm.Get("client_assertion_type"); t != assertionType {
		return nil, refuse("invalid_request", "client_assertion_type must be %s.", assertionType)
	}
	token, err := auth.ParseToken(assertion, nil)
	if err != nil {
		return nil, refuse("invalid_client", "The client_assertion is not a token: %s", err)
	}
	if id == "" {
		id = token.Claim("sub")
	}
	state, err := s.c.Directory.State(r.Context())
	if err != nil {
		return nil, err
	}
	p := state.App(id)
	if p == nil || p.Disabled {
		return nil, nil
	}
	if strings.EqualFold(token.Claim("iss"), p.AppID) && strings.EqualFold(token.Claim("sub"), p.AppID) {
		return s.ownAssertion(r, p, token)
	}
	return s.foreignAssertion(r.Context(), p, token)
}

func (s *Service) ownAssertion(r *http.Request, p *directory.Principal, token *auth.Token) (*directory.Principal, error) {
	now := s.c.Now()
	base := s.base(r)
	common := arm.BaseURL(r) + "/common"
	rules := auth.Rules{Skew: assertionSkew, Audiences: []string{
		base + "/oauth2/v2.0/token", base + "/oauth2/token", base, base + "/v2.0", common + "/oauth2/v2.0/token", common + "/v2.0",
	}}
	for _, k := range p.Keys {
		if key, err := auth.ParsePublicKey(k.PEM); err == nil && (k.End.IsZero() || now.Before(k.End)) {
			rules.Keys = append(rules.Keys, key)
		}
	}
	if err := rules.Check(token, now); err != nil {
		return nil, refuse("invalid_client", "The client_assertion is refused: %s", err)
	}
	id := token.Claim("jti")
	if id == "" {
		return p, nil
	}
	// One that was seen is a replay: RFC 7523, section 3, point 7.
	seen := "assertion " + p.AppID + " " + id
	if _, err := s.grants.get(r.Context(), kindCode, seen); err == nil {
		return nil, refuse("invalid_client", "The client_assertion was used already.")
	}
	return p, s.grants.add(r.Context(), kindCode, seen, &grant{Client: p.AppID, Expires: now.Add(2*assertionSkew + 10*time.Minute)})
}

func (s *Service) foreignAssertion(ctx context.Context, p *directory.Principal, token *auth.Token) (*directory.Principal, error) {
	issuer, subject := token.Claim("iss"), token.Claim("sub")
	at := slices.IndexFunc(p.Federated, func(f directory.Federated) bool { return f.Trusts(issuer, subject) })
	if at < 0 || s.openID == nil {
		return nil, refuse("invalid_client", "The client trusts no issuer '%s' with subject '%s'.", issuer, subject)
	}
	if err := s.checkForeign(ctx, token, p.Federated[at].Audiences); err != nil {
		return nil, refuse("invalid_client", "The client_assertion is refused: %s", err)
	}
	return p, nil
}

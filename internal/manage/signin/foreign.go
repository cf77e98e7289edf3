package signin

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/causeway-apim/causeway/internal/auth"
	"github.com/causeway-apim/causeway/internal/manage"
	"github.com/causeway-apim/causeway/internal/manage/directory"
)

// verifyForeign reads an access token of an issuer that somebody here trusts: a service principal by one of its federated identity
// credentials, or everybody by the provider that people sign in with. ours says that the token's issuer is neither.
func (s *Service) verifyForeign(ctx context.Context, state *directory.State, token *auth.Token) (who manage.Principal, ours bool, err error) {
	issuer, subject := token.Claim("iss"), token.Claim("sub")
	trusting := state.Trusting(issuer, subject)
	x := s.c.External
	switch {
	case s.openID == nil:
		return who, true, nil
	case len(trusting) > 0:
		who, err = s.verifyApplication(ctx, trusting, token)
	case x != nil && len(x.Audiences) > 0 && sameIssuer(issuer, x.Issuer):
		who, err = s.verifyUser(ctx, token)
	default:
		return who, true, nil
	}
	return who, false, err
}

func sameIssuer(a, b string) bool { return strings.TrimSuffix(a, "/") == strings.TrimSuffix(b, "/") }

// verifyApplication finds the service principal whose credential trusts the token. The audiences tell apart those that trust the same subject.
func (s *Service) verifyApplication(ctx context.Context, trusting []*directory.Principal, token *auth.Token) (manage.Principal, error) {
	var found []*directory.Principal
	var refused error
	for _, p := range trusting {
		for _, f := range p.Federated {
			if !f.Trusts(token.Claim("iss"), token.Claim("sub")) {
				continue
			}
			if err := s.checkForeign(ctx, token, f.Audiences); err != nil {
				refused = err
			} else if !slices.Contains(found, p) {
				found = append(found, p)
			}
		}
	}
	switch {
	case len(found) == 0:
		return manage.Principal{}, invalidToken("The access token is not valid: " + refused.Error())
	case len(found) > 1:
		return manage.Principal{}, invalidToken("Several service principals trust the subject of the access token for its audience.")
	case found[0].Disabled:
		return manage.Principal{}, invalidToken("The account of the access token is disabled.")
	}
	return principal(found[0], found[0].AppID), nil
}

// verifyUser finds the user of the provider's access token, or makes it as a sign-in does.
func (s *Service) verifyUser(ctx context.Context, token *auth.Token) (manage.Principal, error) {
	if err := s.checkForeign(ctx, token, s.c.External.Audiences); err != nil {
		return manage.Principal{}, invalidToken("The access token is not valid: " + err.Error())
	}
	if token.Claim("sub") == "" {
		return manage.Principal{}, invalidToken("The access token has no subject.")
	}
	p, err := s.externalAccount(ctx, token)
	if err != nil {
		return manage.Principal{}, err
	}
	if p.Disabled {
		return manage.Principal{}, invalidToken("The account of the access token is disabled.")
	}
	return principal(p, firstText(token.Claim("azp"), token.Claim("appid"), token.Claim("client_id"))), nil
}

// checkForeign checks a token's signature with the keys that its issuer publishes, its issuer, its audience and its times.
func (s *Service) checkForeign(ctx context.Context, token *auth.Token, audiences []string) error {
	issuer := token.Claim("iss")
	source, err := s.openID.Issuer(ctx, strings.TrimSuffix(issuer, "/")+"/.well-known/openid-configuration", token.KeyID)
	if err != nil {
		return fmt.Errorf("the keys of the issuer %q cannot be read now", issuer)
	}
	if source.Name != issuer {
		return fmt.Errorf("the configuration of %q is that of another issuer", issuer)
	}
	rules := auth.Rules{Sources: []*auth.Issuer{source}, Issuers: []string{issuer}, Audiences: audiences, Skew: assertionSkew}
	if err := rules.Check(token, s.c.Now()); err != nil {
		return err
	}
	return nil
}

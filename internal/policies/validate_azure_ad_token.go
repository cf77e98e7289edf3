package policies

import (
	"net/url"
	"slices"
	"strings"

	"github.com/causeway-apim/causeway/internal/auth"
	"github.com/causeway-apim/causeway/internal/policy"
)

// ValidateAzureADToken is the validate-azure-ad-token policy.
var ValidateAzureADToken = policy.Define[validateAzureADToken](policy.Spec{
	Name:     "validate-azure-ad-token",
	Sections: policy.Inbound,
	Flow:     policy.FlowStays,
	Calls:    "the OpenID configuration of the tenant",
	Doc:      "Lets a request pass only with a valid token of Microsoft Entra ID.",
})

type validateAzureADToken struct {
	Tenant         policy.Value[string] `attr:"tenant-id,required" doc:"ID, domain or URL of the tenant; organizations or common for any."`
	Place          tokenPlace
	Refusal        tokenRefusal
	Variable       string          `attr:"output-token-variable-name" doc:"Variable for the token, a Jwt."`
	Clients        *applicationIDs `elem:"client-application-ids" doc:"Applications that may call."`
	Backends       *applicationIDs `elem:"backend-application-ids" doc:"Applications that the token may be for."`
	Audiences      *audiences      `elem:"audiences" doc:"Allowed audiences."`
	Claims         *requiredClaims `elem:"required-claims" doc:"Claims that the token must have."`
	DecryptionKeys *decryptionKeys `elem:"decryption-keys" doc:"Keys that decrypt tokens."`

	fixed map[string]*auth.FixedRules // by clientClaim; nil when they depend on the request
}

type applicationIDs struct {
	List []policy.Value[string] `elem:"application-id,required" doc:"ID of an application."`
}

func (a *applicationIDs) get(x *policy.Exec) ([]string, error) {
	if a == nil {
		return nil, nil
	}
	return texts(x, a.List)
}

func (p *validateAzureADToken) Compile(c *policy.Compiler) error {
	switch p.Place.count() {
	case 0:
		p.Place.Header = policy.Const("Authorization")
	case 1:
	default:
		c.Errorf("InvalidTokenSource", "validate-azure-ad-token takes only one of header-name, query-parameter-name and token-value")
	}
	if !p.isConstant() {
		return nil
	}
	p.fixed = make(map[string]*auth.FixedRules)
	for _, claim := range []string{entraV1Client, entraV2Client} {
		if rules, err := p.rules(nil, claim); err == nil { // constants need no request
			p.fixed[claim] = auth.NewFixedRules(rules)
		}
	}
	return nil
}

// isConstant says whether the rules are the same for all requests.
func (p *validateAzureADToken) isConstant() bool {
	return (p.Audiences == nil || areConstant(p.Audiences.List)) && p.Backends.isConstant() && p.Clients.isConstant() && p.Claims.isConstant()
}

func (a *applicationIDs) isConstant() bool { return a == nil || areConstant(a.List) }

func (p *validateAzureADToken) Run(x *policy.Exec) error {
	return p.Refusal.explain(x, p.validate(x))
}

func (p *validateAzureADToken) validate(x *policy.Exec) error {
	text, err := p.Place.token(x, "")
	if err != nil {
		return err
	}
	decryption, err := p.DecryptionKeys.get(x)
	if err != nil {
		return err
	}
	token, err := x.Host.Trust().Tokens.Parse(text, decryption)
	if err != nil {
		return err
	}
	claim := clientClaim(token)
	fixed := p.fixed[claim]
	if fixed == nil {
		rules, err := p.rules(x, claim)
		if err != nil {
			return err
		}
		fixed = auth.NewFixedRules(rules)
	}
	tenant, err := p.Tenant.Get(x)
	if err != nil {
		return err
	}
	return checkToken(x, token, fixed, []string{entraConfiguration(x.Host.Trust().Authority, tenant, token)}, p.Variable)
}

// rules are what the policy asks for of a token whose claim of that name has the ID of the calling application.
func (p *validateAzureADToken) rules(x *policy.Exec, claim string) (*auth.Rules, error) {
	r := &auth.Rules{}
	var err error
	if p.Audiences != nil {
		if r.Audiences, err = texts(x, p.Audiences.List); err != nil {
			return nil, err
		}
	}
	backends, err := p.Backends.get(x)
	if err != nil {
		return nil, err
	}
	for _, id := range backends { // tokens name an application by its ID or by the URI that it has by default
		r.Audiences = append(r.Audiences, id, "api://"+id)
	}
	if r.Claims, err = p.Claims.get(x); err != nil {
		return nil, err
	}
	clients, err := p.Clients.get(x)
	if err != nil || len(clients) == 0 {
		return r, err
	}
	r.Claims = slices.Insert(r.Claims, 0, auth.ClaimRule{Name: claim, Values: clients, Any: true})
	return r, nil
}

// isEntraV1 tells the two forms of Entra's access tokens apart: the first has its own issuer and claims ("Access tokens in the Microsoft
// identity platform").
func isEntraV1(t *auth.Token) bool { return t.Claim("ver") == "1.0" }

// The claims with the ID of the calling application.
const (
	entraV1Client = "appid"
	entraV2Client = "azp"
)

// clientClaim is the one that a token has.
func clientClaim(t *auth.Token) string {
	if isEntraV1(t) {
		return entraV1Client
	}
	return entraV2Client
}

// entraConfiguration is the URL of the OpenID configuration for a token of a tenant.
func entraConfiguration(authority, tenant string, t *auth.Token) string {
	base := strings.TrimSuffix(tenant, "/")
	if !strings.Contains(tenant, "://") {
		base = authority + "/" + url.PathEscape(tenant)
	}
	if isEntraV1(t) {
		return base + "/.well-known/openid-configuration"
	}
	return strings.TrimSuffix(base, "/v2.0") + "/v2.0/.well-known/openid-configuration"
}

package policies

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/causeway-apim/causeway/internal/auth"
	"github.com/causeway-apim/causeway/internal/message"
	"github.com/causeway-apim/causeway/internal/policy"
)

// ValidateJWT is the validate-jwt policy.
var ValidateJWT = policy.Define[validateJWT](policy.Spec{
	Name:     "validate-jwt",
	Sections: policy.Inbound,
	Flow:     policy.FlowStays,
	Calls:    "the OpenID configurations that it names",
	Doc:      "Lets a request pass only with a valid JSON Web Token (RFC 7519) in a header, a query parameter or a value.",
})

type validateJWT struct {
	Place             tokenPlace
	Refusal           tokenRefusal
	RequireExpiration policy.Value[bool]   `attr:"require-expiration-time" default:"true" doc:"Whether the token must expire."`
	RequireScheme     policy.Value[string] `attr:"require-scheme" doc:"Scheme that the Authorization header must have, such as Bearer."`
	RequireSigned     policy.Value[bool]   `attr:"require-signed-tokens" default:"true" doc:"Whether the token must be signed."`
	Skew              policy.Value[string] `attr:"clock-skew" default:"0" doc:"How much the clocks may differ: seconds or hh:mm:ss."`
	Variable          string               `attr:"output-token-variable-name" doc:"Variable for the token, a Jwt."`
	OpenID            []openIDConfig       `elem:"openid-config" doc:"OpenID configuration with keys and issuer."`
	SigningKeys       *signingKeys         `elem:"issuer-signing-keys" doc:"Keys that verify signatures."`
	DecryptionKeys    *decryptionKeys      `elem:"decryption-keys" doc:"Keys that decrypt tokens."`
	Audiences         *audiences           `elem:"audiences" doc:"Allowed audiences."`
	Issuers           *issuers             `elem:"issuers" doc:"Allowed issuers, besides those of the configurations."`
	Claims            *requiredClaims      `elem:"required-claims" doc:"Claims that the token must have."`

	fixed          *auth.FixedRules // nil when they depend on the request
	configurations []string         // likewise
}

type openIDConfig struct {
	URL policy.Value[string] `attr:"url,required" doc:"URL of the configuration."`
	// Connectivity is in documents that Azure's portal has written.
	Connectivity bool `attr:"validate-connectivity" default:"false" doc:"Taken and ignored: the configuration is fetched at the first request."`
}

type audiences struct {
	List []policy.Value[string] `elem:"audience,required" doc:"Audience."`
}

type issuers struct {
	List []policy.Value[string] `elem:"issuer,required" doc:"Issuer."`
}

func (p *validateJWT) Compile(c *policy.Compiler) error {
	if p.Place.count() != 1 {
		c.Errorf("InvalidTokenSource", "validate-jwt needs exactly one of header-name, query-parameter-name and token-value")
	}
	if skew, ok := p.Skew.Constant(); ok {
		if _, err := parseSkew(skew); err != nil {
			c.Errorf("InvalidValue", "attribute \"clock-skew\" of <validate-jwt>: %s", err)
		}
	}
	if signed, ok := p.RequireSigned.Constant(); ok && signed && len(p.OpenID) == 0 && p.SigningKeys == nil {
		c.Warnf("NoSigningKeys", "validate-jwt has neither openid-config nor issuer-signing-keys, so no token is valid")
	}
	if p.isConstant() { // constants need no request; wrong ones were told
		if rules, err := p.rules(nil); err == nil {
			p.fixed = auth.NewFixedRules(rules)
		}
		p.configurations, _ = p.urls(nil)
	}
	return nil
}

// isConstant says whether the rules and the configurations are the same for all requests.
func (p *validateJWT) isConstant() bool {
	_, expiring := p.RequireExpiration.Constant()
	_, signed := p.RequireSigned.Constant()
	if !expiring || !signed || !isConstant(p.Skew) || !p.SigningKeys.isConstant() || !p.Claims.isConstant() {
		return false
	}
	for i := range p.OpenID {
		if !isConstant(p.OpenID[i].URL) {
			return false
		}
	}
	return (p.Audiences == nil || areConstant(p.Audiences.List)) && (p.Issuers == nil || areConstant(p.Issuers.List))
}

// urls are those of the OpenID configurations.
func (p *validateJWT) urls(x *policy.Exec) ([]string, error) {
	urls := make([]string, len(p.OpenID))
	for i := range p.OpenID {
		var err error
		if urls[i], err = p.OpenID[i].URL.Get(x); err != nil {
			return nil, err
		}
	}
	return urls, nil
}

// parseSkew reads seconds or a time span.
func parseSkew(text string) (time.Duration, error) {
	text = strings.TrimSpace(text)
	fields := strings.Split(text, ":")
	const most = 24 * 3600
	total := int64(0)
	for i, field := range fields {
		n, err := strconv.ParseUint(field, 10, 32)
		if err != nil || i > 0 && n > 59 || len(fields) == 2 || len(fields) > 3 {
			return 0, fmt.Errorf("%q is neither a number of seconds nor a time span hh:mm:ss", text)
		}
		total = total*60 + int64(n)
	}
	if total > most {
		return 0, fmt.Errorf("must be at most %d seconds, not %d", most, total)
	}
	return time.Duration(total) * time.Second, nil
}

func (p *validateJWT) Run(x *policy.Exec) error {
	return p.Refusal.explain(x, p.validate(x))
}

func (p *validateJWT) validate(x *policy.Exec) error {
	scheme, err := p.RequireScheme.Get(x)
	if err != nil {
		return err
	}
	text, err := p.Place.token(x, scheme)
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
	if p.fixed != nil {
		return checkToken(x, token, p.fixed, p.configurations, p.Variable)
	}
	rules, err := p.rules(x)
	if err != nil {
		return err
	}
	urls, err := p.urls(x)
	if err != nil {
		return err
	}
	return checkToken(x, token, auth.NewFixedRules(rules), urls, p.Variable)
}

// rules are what the policy asks for in this request, without the issuers' keys.
func (p *validateJWT) rules(x *policy.Exec) (*auth.Rules, error) {
	expiring, err := p.RequireExpiration.Get(x)
	if err != nil {
		return nil, err
	}
	signed, err := p.RequireSigned.Get(x)
	if err != nil {
		return nil, err
	}
	r := &auth.Rules{AllowEndless: !expiring, AllowUnsigned: !signed}
	skew, err := p.Skew.Get(x)
	if err != nil {
		return nil, err
	}
	if r.Skew, err = parseSkew(skew); err != nil {
		return nil, &policy.Error{Reason: policy.ReasonExpression, Message: "clock-skew: " + err.Error(), Err: err}
	}
	if r.Keys, err = p.SigningKeys.get(x); err != nil {
		return nil, err
	}
	if p.Audiences != nil {
		if r.Audiences, err = texts(x, p.Audiences.List); err != nil {
			return nil, err
		}
	}
	if p.Issuers != nil {
		if r.Issuers, err = texts(x, p.Issuers.List); err != nil {
			return nil, err
		}
	}
	r.Claims, err = p.Claims.get(x)
	return r, err
}

// checkToken validates a token with the keys of issuers besides those of the rules, and keeps it in a variable.
func checkToken(x *policy.Exec, t *auth.Token, r *auth.FixedRules, configurations []string, variable string) error {
	var few [4]*auth.Issuer
	now := x.Now()
	sources, err := issuersOf(x, now, few[:0], configurations, t.KeyID)
	if err != nil {
		return err
	}
	if err := r.Check(t, sources, now); err != nil {
		return err
	}
	x.Host.Trust().Tokens.Keep(t)
	if variable != "" {
		x.SetVariable(variable, policy.NewJWT(t.Header, t.Payload))
	}
	return nil
}

// issuersOf gets OpenID configurations. Only when none has a key with the ID are they asked for newer ones. One that cannot be had does no harm
// while another can.
// They are appended to list.
func issuersOf(x *policy.Exec, now time.Time, list []*auth.Issuer, configurations []string, keyID string) ([]*auth.Issuer, error) {
	if len(configurations) == 0 {
		return nil, nil
	}
	before := list
	list, found := askIssuers(x, now, before, configurations, "", keyID)
	if !found && keyID != "" {
		list, _ = askIssuers(x, now, before, configurations, keyID, keyID)
	}
	if len(list) == 0 {
		return nil, &auth.TokenError{Reason: auth.TokenInvalid, Message: "The OpenID configuration cannot be obtained."}
	}
	return list, nil
}

// askIssuers gets the configurations that can be had, newer ones where fresh is a key that they do not have, and says whether one has a key.
func askIssuers(x *policy.Exec, now time.Time, list []*auth.Issuer, configurations []string, fresh, keyID string) (_ []*auth.Issuer, found bool) {
	trust := x.Host.Trust()
	for _, url := range configurations {
		issuer, err := trust.OpenID.IssuerAt(x.Context(), now, url, fresh)
		if err != nil {
			x.Host.Log(x.Context(), policy.LogError, "An OpenID configuration cannot be obtained.", "url", url, "error", err)
			continue
		}
		list = append(list, issuer)
		found = found || issuer.HasKey(keyID)
	}
	return list, found
}

// areConstant says whether all values are the same for all requests.
func areConstant(values []policy.Value[string]) bool {
	return !slices.ContainsFunc(values, func(v policy.Value[string]) bool { return !isConstant(v) })
}

// texts evaluates a list.
func texts(x *policy.Exec, values []policy.Value[string]) ([]string, error) {
	list := make([]string, len(values))
	for i, v := range values {
		var err error
		if list[i], err = v.Get(x); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// tokenPlace is where a token is.
type tokenPlace struct {
	Header policy.Value[string] `attr:"header-name" doc:"Header with the token, with the scheme Bearer or without a scheme."`
	Query  policy.Value[string] `attr:"query-parameter-name" doc:"Query parameter with the token."`
	Value  policy.Value[string] `attr:"token-value" doc:"The token itself, without a scheme."`
}

// count is how many places the document names.
func (p *tokenPlace) count() int {
	n := 0
	for _, v := range []policy.Value[string]{p.Header, p.Query, p.Value} {
		if v.IsSet() {
			n++
		}
	}
	return n
}

// token takes the token from its place; empty when there is none. scheme is the one that an Authorization header must have, or empty.
func (p *tokenPlace) token(x *policy.Exec, scheme string) (string, error) {
	switch {
	case p.Value.IsSet():
		text, err := p.Value.Get(x)
		return strings.TrimSpace(text), err
	case p.Query.IsSet():
		name, err := p.Query.Get(x)
		if err != nil {
			return "", err
		}
		return queryValue(x.Request.URL.RawQuery, name), nil
	}
	name, err := p.Header.Get(x)
	if err != nil {
		return "", err
	}
	text := strings.TrimSpace(x.Request.Header.Joined(name))
	if scheme == "" || !strings.EqualFold(name, "Authorization") {
		token, _ := cutScheme(text, "Bearer")
		return token, nil
	}
	if token, ok := cutScheme(text, scheme); ok {
		return token, nil
	}
	return "", nil
}

// queryValue is the decoded value of the first query parameter of that name.
func queryValue(query, name string) string {
	for n, v := range message.QueryPairs(query) {
		if !isQueryName(n, name) {
			continue
		}
		if decoded, err := url.QueryUnescape(v); err == nil {
			return decoded
		}
		return v
	}
	return ""
}

// cutScheme takes the scheme off the value of an Authorization header (RFC 9110, section 11.4).
func cutScheme(text, scheme string) (rest string, ok bool) {
	found, rest, ok := strings.Cut(text, " ")
	if !ok || !strings.EqualFold(found, scheme) {
		return text, false
	}
	return strings.TrimSpace(rest), true
}

// tokenRefusal is the answer to a request without a valid token.
type tokenRefusal struct {
	Code    policy.Value[int64]  `attr:"failed-validation-httpcode" default:"401" min:"100" max:"599" doc:"Status code for a request without a valid token."`
	Message policy.Value[string] `attr:"failed-validation-error-message" doc:"Message for a request without a valid token; what is wrong otherwise."`
}

// explain makes the policy's error of a token's.
func (r *tokenRefusal) explain(x *policy.Exec, err error) error {
	if err == nil {
		return nil
	}
	var refused *auth.TokenError
	if !errors.As(err, &refused) {
		return err
	}
	code, err := r.Code.Get(x)
	if err != nil {
		return err
	}
	message, err := r.Message.Get(x)
	if err != nil {
		return err
	}
	if message == "" {
		message = refused.Message
	}
	return &policy.Error{Reason: refused.Reason, Message: refused.Message, Status: int(code), Public: message, Err: refused.Err}
}

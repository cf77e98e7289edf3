package access

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/causeway-apim/causeway/internal/arm"
	"github.com/causeway-apim/causeway/internal/manage/directory"
)

// OurProvider is the namespace of what Azure keeps in other products: accounts, API tokens, the audit log.
const OurProvider = "Microsoft.Causeway"

// secretLife is the life of a client secret for which the caller names none; maxSecretLife is the longest.
const (
	secretLife    = 365 * 24 * time.Hour
	maxSecretLife = 2 * 366 * 24 * time.Hour
	tokenLife     = 90 * 24 * time.Hour
)

// Accounts serves principals and API tokens below /providers/Microsoft.Causeway. Rights on them are those of
// Microsoft.Authorization/principals at the tenant: who may give roles to others may make accounts as well.
type Accounts struct{ *Control }

// ServeExtension implements manage.Extension.
func (a Accounts) ServeExtension(w http.ResponseWriter, r *http.Request, scope arm.ID, rest []string) {
	a.serve(w, r, scope, rest, func(r *request) (answer, error) {
		if scope.IsZero() {
			switch strings.ToLower(rest[0]) {
			case "me":
				return a.me(r)
			case "principals":
				return a.principals(r)
			case "apitokens":
				return a.tokens(r)
			}
		}
		return answer{}, arm.Errorf(arm.CodeTypeNotFound, "There is nothing at %s.", r.URL.Path)
	})
}

// me tells callers who they are.
func (a Accounts) me(r *request) (answer, error) {
	if r.Method != http.MethodGet || len(r.rest) > 1 {
		return answer{}, r.notAllowed()
	}
	body := map[string]any{"id": r.who.ID, "name": r.who.Name, "appId": r.who.AppID, "scope": r.who.Scope, "readOnly": r.who.ReadOnly}
	if p := r.state.Principal(r.who.ID); p != nil {
		body["kind"], body["displayName"] = p.Kind, p.DisplayName
	}
	return answer{http.StatusOK, body}, nil
}

func principalBody(p *directory.Principal) map[string]any {
	return map[string]any{
		"id": "/providers/" + OurProvider + "/principals/" + p.ID, "name": p.ID, "type": OurProvider + "/principals", "properties": p,
	}
}

func (a Accounts) principals(r *request) (answer, error) {
	verb := map[string]string{http.MethodGet: "read", http.MethodDelete: "delete"}[r.Method]
	if verb == "" {
		verb = "write"
	}
	own := r.Method == http.MethodPost && len(r.rest) == 3 && strings.EqualFold(r.name(), r.who.ID) && strings.EqualFold(r.rest[2], "setPassword")
	if err := a.may(r, provider+"/principals/"+verb); err != nil && (!own || r.who.ReadOnly || r.who.Scope != "") {
		return answer{}, err
	}
	switch {
	case len(r.rest) == 1 && r.Method == http.MethodGet:
		return a.listPrincipals(r), nil
	case len(r.rest) == 3 && r.Method == http.MethodPost:
		return a.credential(r, strings.ToLower(r.rest[2]))
	case len(r.rest) != 2:
		return answer{}, r.notAllowed()
	}
	switch r.Method {
	case http.MethodGet:
		p := r.state.Principal(r.name())
		if p == nil {
			return answer{}, directory.ErrNotFound
		}
		return answer{http.StatusOK, principalBody(p)}, nil
	case http.MethodPut, http.MethodPatch:
		return a.putPrincipal(r)
	case http.MethodDelete:
		found, err := a.dir.RemovePrincipal(r.Context(), r.name())
		if !found {
			return answer{status: http.StatusNoContent}, err
		}
		return answer{status: http.StatusOK}, err
	}
	return answer{}, r.notAllowed()
}

func (a Accounts) listPrincipals(r *request) answer {
	all := r.state.Principals()
	slices.SortFunc(all, func(x, y *directory.Principal) int { return strings.Compare(x.ID, y.ID) })
	bodies := make([]map[string]any, len(all))
	for i, p := range all {
		bodies[i] = principalBody(p)
	}
	return list(bodies)
}

// principalInput is what a caller may set; what is absent stays.
type principalInput struct {
	Kind         *string                `json:"kind"`
	DisplayName  *string                `json:"displayName"`
	UserName     *string                `json:"userName"`
	Disabled     *bool                  `json:"disabled"`
	RedirectURIs *[]string              `json:"redirectUris"`
	Keys         *[]directory.PublicKey `json:"keyCredentials"`
	Federated    *[]directory.Federated `json:"federatedIdentityCredentials"`
	Password     *string                `json:"password"` // of a user, when it is made
}

func (a Accounts) putPrincipal(r *request) (answer, error) {
	if !isGUID(r.name()) {
		return answer{}, arm.Errorf(arm.CodeValidation, "The ID of a principal must be a GUID.").WithTarget("principalId")
	}
	var body struct {
		Properties principalInput `json:"properties"`
	}
	if err := r.decode(&body); err != nil {
		return answer{}, err
	}
	in, status := body.Properties, http.StatusOK
	p, err := a.dir.PutPrincipal(r.Context(), r.name(), func(p *directory.Principal, isNew bool) error {
		if isNew && r.Method == http.MethodPatch {
			return directory.ErrNotFound
		}
		if isNew {
			status = http.StatusCreated
		}
		return in.apply(p, isNew)
	})
	if err == nil && in.Password != nil {
		if err = a.dir.SetPassword(r.Context(), p.ID, *in.Password); err != nil && status == http.StatusCreated {
			_, undo := a.dir.RemovePrincipal(r.Context(), p.ID) // an account without its password is nobody's
			err = cmpErr(err, undo)
		}
	}
	if err != nil {
		return answer{}, err
	}
	state, err := a.dir.State(r.Context())
	if err != nil {
		return answer{}, err
	}
	if now := state.Principal(p.ID); now != nil {
		p = now
	}
	return answer{status, principalBody(p)}, nil
}

func (in *principalInput) apply(p *directory.Principal, isNew bool) error {
	if in.Kind != nil {
		if !isNew && !strings.EqualFold(p.Kind, *in.Kind) {
			return arm.Invalid("properties/kind", "The kind of a principal cannot be changed.")
		}
		p.Kind = *in.Kind
	}
	if p.Kind == directory.ServicePrincipal && p.AppID == "" {
		p.AppID = p.ID
	}
	set(&p.DisplayName, in.DisplayName)
	set(&p.UserName, in.UserName)
	set(&p.Disabled, in.Disabled)
	set(&p.RedirectURIs, in.RedirectURIs)
	set(&p.Keys, in.Keys)
	set(&p.Federated, in.Federated)
	for i := range p.Keys {
		if p.Keys[i].KeyID == "" {
			p.Keys[i].KeyID = arm.NewGUID()
		}
	}
	return nil
}

func set[T any](to *T, from *T) {
	if from != nil {
		*to = *from
	}
}

// credential gives credentials to a principal or takes them away.
func (a Accounts) credential(r *request, action string) (answer, error) {
	var in struct {
		DisplayName string    `json:"displayName"`
		End         time.Time `json:"endDateTime"`
		KeyID       string    `json:"keyId"`
		Password    string    `json:"password"`
	}
	if err := r.decode(&in); err != nil {
		return answer{}, err
	}
	switch action {
	case "addpassword":
		if in.End.IsZero() {
			in.End = a.now().UTC().Add(secretLife)
		}
		if in.End.Sub(a.now()) > maxSecretLife {
			return answer{}, arm.Invalid("endDateTime", "A client secret lives two years at most.")
		}
		secret, info, err := a.dir.AddSecret(r.Context(), r.name(), in.DisplayName, in.End)
		if err != nil {
			return answer{}, err
		}
		return answer{http.StatusOK, map[string]any{
			"keyId": info.KeyID, "displayName": info.DisplayName, "hint": info.Hint, "startDateTime": info.Start, "endDateTime": info.End,
			"secretText": secret,
		}}, nil
	case "removepassword":
		return answer{status: http.StatusNoContent}, a.dir.RemoveSecret(r.Context(), r.name(), in.KeyID)
	case "setpassword":
		return answer{status: http.StatusNoContent}, a.dir.SetPassword(r.Context(), r.name(), in.Password)
	}
	return answer{}, arm.Errorf(arm.CodeTypeNotFound, "There is no action '%s' of principals.", action)
}

// tokenBody is an API token without what is secret.
func tokenBody(t *directory.APIToken) map[string]any {
	return map[string]any{
		"id": "/providers/" + OurProvider + "/apiTokens/" + t.ID, "name": t.ID, "type": OurProvider + "/apiTokens",
		"properties": map[string]any{
			"principalId": t.PrincipalID, "displayName": t.DisplayName, "scope": t.Scope, "readOnly": t.ReadOnly,
			"createdDateTime": t.Created, "endDateTime": t.Expires,
		},
	}
}

// tokens serves API tokens: everybody's own, and those of others with the right to change accounts.
func (a Accounts) tokens(r *request) (answer, error) {
	switch {
	case len(r.rest) == 1 && r.Method == http.MethodGet:
		who := r.who.ID
		if a.may(r, provider+"/principals/read") == nil {
			who = ""
		}
		all, err := a.dir.Tokens(r.Context(), who)
		bodies := make([]map[string]any, len(all))
		for i, t := range all {
			bodies[i] = tokenBody(t)
		}
		return list(bodies), err
	case len(r.rest) == 1 && r.Method == http.MethodPost:
		return a.addToken(r)
	case len(r.rest) == 2 && r.Method == http.MethodDelete:
		return a.revoke(r)
	}
	return answer{}, r.notAllowed()
}

func (a Accounts) addToken(r *request) (answer, error) {
	var in struct {
		PrincipalID string    `json:"principalId"`
		DisplayName string    `json:"displayName"`
		Scope       string    `json:"scope"`
		ReadOnly    bool      `json:"readOnly"`
		End         time.Time `json:"endDateTime"`
	}
	if err := r.decode(&in); err != nil {
		return answer{}, err
	}
	if r.who.ReadOnly || r.who.Scope != "" { // it could give away more than it has
		return answer{}, arm.Errorf(arm.CodeAuthorization, "A limited API token cannot make API tokens.")
	}
	if in.PrincipalID == "" {
		in.PrincipalID = r.who.ID
	}
	if !strings.EqualFold(in.PrincipalID, r.who.ID) {
		if err := a.may(r, provider+"/principals/write"); err != nil {
			return answer{}, err
		}
	}
	scope, err := parseScope(in.Scope)
	if err != nil {
		return answer{}, err
	}
	if in.End.IsZero() {
		in.End = a.now().UTC().Add(tokenLife)
	}
	token, t, err := a.dir.AddToken(r.Context(), directory.APIToken{
		PrincipalID: in.PrincipalID, DisplayName: in.DisplayName, Scope: scope.String(), ReadOnly: in.ReadOnly, Expires: in.End,
	})
	if err != nil {
		return answer{}, err
	}
	body := tokenBody(t)
	body["token"] = token
	return answer{http.StatusCreated, body}, nil
}

func (a Accounts) revoke(r *request) (answer, error) {
	own, err := a.dir.Tokens(r.Context(), r.who.ID)
	if err != nil {
		return answer{}, err
	}
	mine := slices.ContainsFunc(own, func(t *directory.APIToken) bool { return strings.EqualFold(t.ID, r.name()) })
	if !mine || r.who.ReadOnly {
		if err := a.may(r, provider+"/principals/write"); err != nil {
			return answer{}, err
		}
	}
	found, err := a.dir.RevokeToken(r.Context(), r.name())
	if !found {
		return answer{status: http.StatusNoContent}, err
	}
	return answer{status: http.StatusOK}, err
}

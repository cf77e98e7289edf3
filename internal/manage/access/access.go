// Package access decides who may do what on the management API, and serves what that depends on: role definitions and
// assignments, locks and permissions as Azure's Microsoft.Authorization does, accounts and API tokens as a provider of
// ours, Microsoft.Causeway.
package access

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/causeway-apim/causeway/internal/arm"
	"github.com/causeway-apim/causeway/internal/auth/rbac"
	"github.com/causeway-apim/causeway/internal/manage"
	"github.com/causeway-apim/causeway/internal/manage/directory"
)

// maxBody is the longest body that the package reads, in bytes.
const maxBody = 256 << 10

// Control authorises requests and serves the rights. It is safe for concurrent use.
type Control struct {
	dir *directory.Directory
	now func() time.Time
}

// New returns the control over a directory.
func New(dir *directory.Directory, now func() time.Time) *Control { return &Control{dir, now} }

// Authorize implements [manage.Authorizer]: what no role allows is refused, and what a lock refuses too.
func (c *Control) Authorize(ctx context.Context, p manage.Principal, action string, scope arm.ID) error {
	manage.CallOf(ctx).Authorised(action)
	if err := c.allow(ctx, p, action, false, scope); err != nil {
		return err
	}
	s, err := c.dir.State(ctx)
	if err != nil {
		return err
	}
	for _, l := range s.Locks {
		lock := rbac.Lock{Scope: l.Scope, Level: l.Level}
		if lock.Refuses(action, scope.String()) {
			e := arm.Errorf(arm.CodeConflict, "The scope '%s' cannot perform '%s' because the lock '%s' is on '%s'. Delete the lock and try again.",
				scope, action, l.Name, l.Scope)
			e.Code = "ScopeLocked"
			return e
		}
	}
	return nil
}

// AuthorizeData decides about a data action, such as Microsoft.ApiManagement/service/gateways/getConfiguration/action.
func (c *Control) AuthorizeData(ctx context.Context, p manage.Principal, action string, scope arm.ID) error {
	return c.allow(ctx, p, action, true, scope)
}

func (c *Control) allow(ctx context.Context, p manage.Principal, action string, data bool, scope arm.ID) error {
	s, err := c.dir.State(ctx)
	if err != nil {
		return err
	}
	at := scope.String()
	outside := p.Scope != "" && !rbac.Covers(strings.ToLower(p.Scope), strings.ToLower(at))
	writes := p.ReadOnly && !strings.HasSuffix(strings.ToLower(action), "/read")
	if outside || writes || !s.Policy.Allows(p.ID, action, data, at) {
		return manage.Forbidden(p, action, scope)
	}
	return nil
}

// Sees implements [manage.Viewer].
func (c *Control) Sees(ctx context.Context, p manage.Principal, scope string) bool {
	within, scope := strings.ToLower(p.Scope), strings.ToLower(scope)
	if p.Scope != "" && !rbac.Covers(within, scope) && !rbac.Covers(scope, within) {
		return false
	}
	s, err := c.dir.State(ctx)
	return err == nil && s.Policy.Sees(p.ID, scope)
}

// Deleted forgets the rights in a scope that was deleted.
func (c *Control) Deleted(ctx context.Context, scope arm.ID) error {
	return c.dir.Gone(ctx, scope.String())
}

// request is one request to the package with its answer.
type request struct {
	*http.Request
	w     http.ResponseWriter
	who   manage.Principal
	scope arm.ID
	rest  []string
	state *directory.State
}

// name is the segment after the collection, "" when there is none.
func (r *request) name() string {
	if len(r.rest) > 1 {
		return r.rest[1]
	}
	return ""
}

// answer is a status with the value of a JSON body, nil for none.
type answer struct {
	status int
	body   any
}

// serve authenticates nothing: that was done. It reads the api-version, runs fn and renders what comes of it.
func (c *Control) serve(w http.ResponseWriter, r *http.Request, scope arm.ID, rest []string, fn func(r *request) (answer, error)) {
	req := &request{Request: r, w: w, who: manage.PrincipalOf(r.Context()), scope: scope, rest: rest}
	a, err := func() (answer, error) {
		if _, err := arm.AnyAPIVersion(r.URL.Query()); err != nil {
			return answer{}, err
		}
		var err error
		if req.state, err = c.dir.State(r.Context()); err != nil {
			return answer{}, err
		}
		return fn(req)
	}()
	switch {
	case err != nil:
		arm.WriteError(w, render(err))
	case a.body == nil:
		w.WriteHeader(a.status)
	default:
		arm.WriteJSON(w, a.status, a.body)
	}
}

// render turns the directory's errors into answers.
func render(err error) *arm.Error {
	if bad, ok := errors.AsType[*directory.InvalidError](err); ok {
		return arm.Errorf(arm.CodeValidation, "The request is not valid: %s.", bad)
	}
	switch {
	case errors.Is(err, directory.ErrNotFound):
		return arm.Errorf(arm.CodeResourceNotFound, "There is no such account or credential.")
	case errors.Is(err, directory.ErrTaken):
		return arm.Errorf(arm.CodeConflict, "Another one has this name already.")
	}
	e, _ := arm.AsError(err)
	return e
}

// may refuses an action of the caller at the request's scope.
func (c *Control) may(r *request, action string) error {
	return c.Authorize(r.Context(), r.who, action, r.scope)
}

func (r *request) notAllowed() error {
	return arm.Errorf(arm.CodeMethodNotAllowed, "The method %s is not allowed here.", r.Method)
}

// decode reads the request's body.
func (r *request) decode(v any) error {
	body, err := io.ReadAll(http.MaxBytesReader(r.w, r.Body, maxBody))
	if err != nil {
		return arm.Errorf(arm.CodeTooLarge, "The request's body is larger than %d bytes.", maxBody)
	}
	if err := arm.CheckJSON(body); err != nil {
		return err
	}
	if err := json.Unmarshal(body, v); err != nil {
		return arm.Errorf(arm.CodeInvalidJSON, "The request's body does not have the expected form: %s.", err)
	}
	return nil
}

func list[T any](values []T) answer {
	if values == nil {
		values = []T{}
	}
	return answer{http.StatusOK, map[string]any{"value": values}}
}

// at is a scope as IDs begin with it: "" for the tenant.
func at(scope string) string { return strings.TrimRight(scope, "/") }

func isGUID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i, c := range s {
		if dash := i == 8 || i == 13 || i == 18 || i == 23; dash != (c == '-') || !dash && !strings.ContainsRune("0123456789abcdefABCDEF", c) {
			return false
		}
	}
	return true
}

// quoted returns the text that a filter compares a field with: of principalId eq 'x' it is x.
func quoted(filter, field string) (string, bool) {
	lower := strings.ToLower(filter)
	i := strings.Index(lower, strings.ToLower(field))
	if i < 0 {
		return "", false
	}
	rest := filter[i+len(field):]
	from := strings.IndexByte(rest, '\'')
	if from < 0 {
		return "", false
	}
	to := strings.IndexByte(rest[from+1:], '\'')
	if to < 0 {
		return "", false
	}
	return rest[from+1 : from+1+to], true
}

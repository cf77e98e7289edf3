package access

import (
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/causeway-apim/causeway/internal/arm"
	"github.com/causeway-apim/causeway/internal/auth/rbac"
	"github.com/causeway-apim/causeway/internal/manage/directory"
)

// Limits of a lock ("Management Locks" in the REST reference).
const (
	maxLockName  = 260
	maxLockNotes = 512
)

func lockBody(l *directory.Lock) map[string]any {
	return map[string]any{
		"id": at(l.Scope) + "/providers/" + provider + "/locks/" + l.Name, "name": l.Name, "type": provider + "/locks",
		"properties": map[string]any{"level": l.Level, "notes": l.Notes},
	}
}

func (a Authorization) locks(r *request) (answer, error) {
	scope := at(r.scope.String())
	old := r.state.Lock(scope, r.name())
	switch r.Method {
	case http.MethodGet:
		if err := a.may(r, provider+"/locks/read"); err != nil {
			return answer{}, err
		}
		if r.name() == "" {
			return a.listLocks(r, scope), nil
		}
		if old == nil {
			return answer{}, notFound("LockNotFound", "The lock '%s' could not be found.", r.name())
		}
		return answer{http.StatusOK, lockBody(old)}, nil
	case http.MethodPut:
		if err := a.may(r, provider+"/locks/write"); err != nil {
			return answer{}, err
		}
		return a.putLock(r, scope, old == nil)
	case http.MethodDelete:
		if err := a.may(r, provider+"/locks/delete"); err != nil {
			return answer{}, err
		}
		found, err := a.dir.RemoveLock(r.Context(), scope, r.name())
		if !found {
			return answer{status: http.StatusNoContent}, err
		}
		return answer{status: http.StatusOK}, err
	}
	return answer{}, r.notAllowed()
}

// listLocks answers those that the scope has from above, its own, and those below it.
func (a Authorization) listLocks(r *request, scope string) answer {
	scope = strings.ToLower(scope)
	var all []map[string]any
	for _, l := range slices.SortedFunc(maps.Values(r.state.Locks), func(x, y *directory.Lock) int {
		return strings.Compare(x.Scope+"\n"+x.Name, y.Scope+"\n"+y.Name)
	}) {
		if where := strings.ToLower(l.Scope); rbac.Covers(where, scope) || rbac.Covers(scope, where) {
			all = append(all, lockBody(l))
		}
	}
	return list(all)
}

func (a Authorization) putLock(r *request, scope string, isNew bool) (answer, error) {
	var body struct {
		Properties struct {
			Level string `json:"level"`
			Notes string `json:"notes"`
		} `json:"properties"`
	}
	if err := r.decode(&body); err != nil {
		return answer{}, err
	}
	l := &directory.Lock{Name: r.name(), Scope: scope, Notes: body.Properties.Notes}
	for _, level := range []string{rbac.CanNotDelete, rbac.ReadOnly} {
		if strings.EqualFold(level, body.Properties.Level) {
			l.Level = level
		}
	}
	switch {
	case l.Level == "":
		return answer{}, arm.Invalid("properties/level", "level must be CanNotDelete or ReadOnly.")
	case l.Name == "" || len(l.Name) > maxLockName || strings.ContainsAny(l.Name, `<>%&:\?/`):
		return answer{}, arm.Invalid("lockName", "The name of a lock has at most %d characters and none of <>%%&:\\?/.", maxLockName)
	case len(l.Notes) > maxLockNotes:
		return answer{}, arm.Invalid("properties/notes", "notes must have at most %d characters.", maxLockNotes)
	}
	if err := a.dir.PutLock(r.Context(), l); err != nil {
		return answer{}, err
	}
	if isNew {
		return answer{http.StatusCreated, lockBody(l)}, nil
	}
	return answer{http.StatusOK, lockBody(l)}, nil
}

package audit

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/causeway-apim/causeway/internal/arm"
	"github.com/causeway-apim/causeway/internal/manage"
	"github.com/causeway-apim/causeway/internal/store"
)

// restore brings the resources of an entry back to what they were before it: what was deleted or changed is put, what
// was created is removed. Each is an ordinary write with the caller's rights, and audited itself; the first error ends it.
func (l *Log) restore(ctx context.Context, e *store.AuditEntry) (restored []string, err error) {
	var r Record
	if err := json.Unmarshal(e.Body, &r); err != nil {
		return nil, err
	}
	if r.Status != "Succeeded" || len(r.Changes) == 0 {
		return nil, arm.Errorf(arm.CodeConflict, "The request of this entry has changed nothing.")
	}
	if r.Omitted > 0 {
		return nil, arm.Errorf(arm.CodeConflict, "The entry does not hold all that was changed: %d changes did not fit.", r.Omitted)
	}
	var secrets map[string]map[string]string
	if e.Secret != "" {
		if err := json.Unmarshal([]byte(e.Secret), &secrets); err != nil {
			return nil, err
		}
	}
	// Parents come back before what is in them, and go after it.
	changes := slices.Clone(r.Changes)
	slices.SortStableFunc(changes, func(a, b Change) int { return strings.Count(a.Resource, "/") - strings.Count(b.Resource, "/") })
	for _, c := range changes {
		if c.Before == nil {
			continue
		}
		if err := l.bringBack(ctx, c, secrets[strings.ToLower(c.Resource)]); err != nil {
			return restored, err
		}
		restored = append(restored, c.Resource)
	}
	slices.Reverse(changes)
	for _, c := range changes {
		if c.Before != nil {
			continue
		}
		id, err := l.allowed(ctx, c.Resource, "delete")
		if err == nil {
			err = l.Engine().Remove(ctx, id)
		}
		if err != nil {
			return restored, err
		}
		restored = append(restored, c.Resource)
	}
	return restored, nil
}

// allowed reads a resource's ID and refuses what is in no service or what the caller may not change.
func (l *Log) allowed(ctx context.Context, path, verb string) (arm.ID, error) {
	id, err := arm.ParseID(path)
	if err != nil || id.Service().IsZero() {
		return id, arm.Errorf(arm.CodeConflict, "%s cannot be restored: only services and what is in them can.", path)
	}
	return id, l.Authorizer.Authorize(ctx, manage.PrincipalOf(ctx), id.Type()+"/"+verb, id)
}

func (l *Log) bringBack(ctx context.Context, c Change, secrets map[string]string) error {
	id, err := l.allowed(ctx, c.Resource, "write")
	if err != nil {
		return err
	}
	body, err := withSecrets(c.Before, secrets)
	if err != nil {
		return err
	}
	if !id.Equal(id.Service()) {
		if body, err = json.Marshal(map[string]json.RawMessage{"properties": body}); err != nil {
			return err
		}
	}
	_, err = l.Engine().Put(ctx, id, body)
	return err
}

// withSecrets puts secrets back into a document. Their names are the paths of their fields, such as
// credentials.authorization.parameter or items[0].value.
func withSecrets(body json.RawMessage, secrets map[string]string) (json.RawMessage, error) {
	if len(secrets) == 0 {
		return body, nil
	}
	var members any
	if err := json.Unmarshal(body, &members); err != nil {
		return nil, err
	}
	for path, value := range secrets {
		var v any = value
		if strings.HasPrefix(value, "{") || strings.HasPrefix(value, "[") {
			if err := json.Unmarshal([]byte(value), &v); err != nil {
				v = value
			}
		}
		set(members, strings.Split(strings.NewReplacer("[", ".", "]", "").Replace(path), "."), v)
	}
	return json.Marshal(members)
}

func set(in any, path []string, value any) {
	switch v := in.(type) {
	case map[string]any:
		if len(path) == 1 {
			v[path[0]] = value
			return
		}
		if v[path[0]] == nil {
			v[path[0]] = map[string]any{}
		}
		set(v[path[0]], path[1:], value)
	case []any:
		for i := range v {
			if len(path) > 1 && path[0] == strconv.Itoa(i) {
				set(v[i], path[1:], value)
			}
		}
	}
}

package manage

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/causeway-apim/causeway/internal/arm"
	"github.com/causeway-apim/causeway/internal/armtemplate"
)

// validateDeployment checks a template with its parameters and the caller's rights, and deploys nothing.
func (s *Server) validateDeployment(w http.ResponseWriter, r *http.Request, p deploymentPath) (answer, error) {
	o, err := s.open(r.Context(), w, r, p)
	if err == nil {
		err = s.mayDeploy(r.Context(), o)
	}
	if err != nil {
		return answer{}, err
	}
	d := s.newRun(o, nil).record.shown()
	d.Properties.State = stateSucceeded
	for _, res := range o.list {
		if !res.Skipped && !res.Existing {
			d.Properties.ValidatedResources = append(d.Properties.ValidatedResources, resourceReference{res.ID})
		}
	}
	return ok(d)
}

// The kinds of changes of a what-if.
const (
	changeCreate      = "Create"
	changeModify      = "Modify"
	changeNone        = "NoChange"
	changeDelete      = "Delete"
	changeIgnore      = "Ignore"
	changeDeploy      = "Deploy"
	changeUnsupported = "Unsupported"
	changeArray       = "Array"
)

// whatIfChange is what a deployment would do to one resource.
type whatIfChange struct {
	ID     string              `json:"resourceId"`
	Type   string              `json:"changeType"`
	Reason string              `json:"unsupportedReason,omitempty"`
	Before *armtemplate.Object `json:"before,omitempty"`
	After  *armtemplate.Object `json:"after,omitempty"`
	Delta  []propertyChange    `json:"delta,omitempty"`

	doubt *deploymentError // why the engine could not foresee the write
}

// diagnostic is a remark of a what-if.
type diagnostic struct {
	Level   string `json:"level"`
	Code    string `json:"code"`
	Message string `json:"message"`
	Target  string `json:"target"`
}

// propertyChange is what would become of one property.
type propertyChange struct {
	Path     string            `json:"path"`
	Type     string            `json:"propertyChangeType"`
	Before   armtemplate.Value `json:"before,omitempty"`
	After    armtemplate.Value `json:"after,omitempty"`
	Children []propertyChange  `json:"children,omitempty"`
}

// whatIf says what a deployment would change. It answers at once.
func (s *Server) whatIf(w http.ResponseWriter, r *http.Request, p deploymentPath) (answer, error) {
	o, err := s.open(r.Context(), w, r, p)
	if err == nil {
		err = s.mayDeploy(r.Context(), o)
	}
	if err != nil {
		return answer{}, err
	}
	o.world.foreseen = map[string]*armtemplate.Object{}
	changes := s.foresee(r.Context(), o, 0)
	for _, id := range s.rest(r.Context(), o) {
		c := whatIfChange{ID: id.String(), Type: changeIgnore}
		if o.mode == "Complete" {
			c.Type = changeDelete
		}
		if a, err := o.world.send(r.Context(), http.MethodGet, id.String(), readVersion, nil); err == nil && a.status == http.StatusOK {
			c.Before = a.object()
			changes = append(changes, c)
		}
	}
	diagnostics := []diagnostic{}
	for i := range changes {
		if d := changes[i].doubt; d != nil {
			diagnostics = append(diagnostics, diagnostic{"Warning", d.Code, d.text(), changes[i].ID})
		}
		if strings.EqualFold(o.format, "ResourceIdOnly") {
			changes[i].Before, changes[i].After, changes[i].Delta = nil, nil, nil
			if changes[i].Type == changeModify || changes[i].Type == changeNone {
				changes[i].Type = changeDeploy
			}
		}
	}
	return ok(map[string]any{"status": stateSucceeded, "properties": map[string]any{
		"correlationId": o.world.correlation, "changes": changes, "potentialChanges": []any{}, "diagnostics": diagnostics,
	}})
}

// rest are the resources that stand beside those of a deployment.
func (s *Server) rest(ctx context.Context, o *opened) []arm.ID {
	if o.scope.ResourceGroup() == "" {
		return nil
	}
	return s.unnamed(ctx, o)
}

// foresee works out the changes of a deployment and of those that it nests.
func (s *Server) foresee(ctx context.Context, o *opened, depth int) []whatIfChange {
	changes := []whatIfChange{}
	for _, r := range o.list {
		if r.Skipped || r.Existing {
			continue
		}
		if !strings.EqualFold(r.Type, deploymentType) {
			changes = append(changes, s.foreseeOne(ctx, o, r))
			continue
		}
		inner, err := s.nested(ctx, o, r)
		if err == nil && depth >= maxNesting {
			err = arm.Errorf("InvalidNestedDeployment", "Deployments are nested deeper than %d levels.", maxNesting)
		}
		if err == nil {
			err = s.mayDeploy(ctx, inner)
		}
		if err != nil {
			changes = append(changes, whatIfChange{ID: r.ID, Type: changeUnsupported, Reason: deploymentErrorOf(err, r.ID).Message})
			continue
		}
		changes = append(changes, s.foresee(ctx, inner, depth+1)...)
		outputs, _, err := inner.Outputs(ctx)
		if err != nil {
			outputs = &armtemplate.Object{} // they depend on what is not there yet
		}
		o.world.foreseen[strings.ToLower(r.ID)] = armtemplate.NewObject("id", r.ID, "name", r.Name, "type", r.Type,
			"properties", armtemplate.NewObject("provisioningState", stateSucceeded, "outputs", outputs))
	}
	if secrets := o.Secrets(); len(secrets) > 0 {
		for i := range changes {
			changes[i].hide(secrets)
		}
	}
	return changes
}

// hide takes secrets out of what is answered.
func (c *whatIfChange) hide(secrets []string) {
	if c.After != nil {
		c.After, _ = armtemplate.Hide(c.After, secrets).(*armtemplate.Object)
	}
	hideDelta(c.Delta, secrets)
}

func hideDelta(delta []propertyChange, secrets []string) {
	for i := range delta {
		delta[i].Before, delta[i].After = armtemplate.Hide(delta[i].Before, secrets), armtemplate.Hide(delta[i].After, secrets)
		hideDelta(delta[i].Children, secrets)
	}
}

// foreseeOne works out what would become of one resource.
func (s *Server) foreseeOne(ctx context.Context, o *opened, r *armtemplate.Resource) whatIfChange {
	c := whatIfChange{ID: r.ID, Type: changeUnsupported}
	body, err := r.Body(ctx)
	if err != nil {
		c.Reason = deploymentErrorOf(err, r.ID).Message
		return c
	}
	c.After = body.Clone()
	c.After.Set("id", r.ID)
	c.After.Set("type", r.Type)
	c.After.Set("name", r.Name[strings.LastIndexByte(r.Name, '/')+1:])
	o.world.foreseen[strings.ToLower(r.ID)] = c.After
	a, err := o.world.send(ctx, http.MethodGet, r.ID, r.APIVersion, nil)
	switch {
	case err != nil:
		c.Reason = deploymentErrorOf(err, r.ID).Message
		return c
	case a.status == http.StatusNotFound && a.object().Object("error").Text("code") != string(arm.CodeTypeNotFound), a.status == http.StatusMethodNotAllowed && !s.exists(ctx, o, r):
		c.Type = changeCreate
		return c
	case a.status == http.StatusMethodNotAllowed: // it links two others and has nothing else to say
		c.Type, c.After = changeNone, nil
		return c
	case a.status != http.StatusOK:
		c.Reason, c.After = a.failure(r.ID).Message, nil
		return c
	}
	c.Before = a.object()
	s.compare(ctx, &c, r, body)
	return c
}

// exists asks for a resource that cannot be read, such as a link of two others.
func (s *Server) exists(ctx context.Context, o *opened, r *armtemplate.Resource) bool {
	a, err := o.world.send(ctx, http.MethodHead, r.ID, r.APIVersion, nil)
	return err == nil && a.status < http.StatusMultipleChoices
}

// compare fills in what a write would change: as the engine foresees it, or by what the template says when the engine
// cannot foresee it, because the write depends on others of the deployment or would be refused: then it says why.
func (s *Server) compare(ctx context.Context, c *whatIfChange, r *armtemplate.Resource, body *armtemplate.Object) {
	id, err := arm.ParseID(r.ID)
	if err == nil && !id.Service().IsZero() && strings.HasPrefix(strings.ToLower(r.Type), strings.ToLower(arm.Provider)+"/") {
		var b, before, after []byte
		if b, err = json.Marshal(body); err == nil {
			before, after, err = s.engine.Preview(ctx, id, b)
		}
		x, y := &armtemplate.Object{}, &armtemplate.Object{}
		if err == nil && before != nil && x.UnmarshalJSON(before) == nil && y.UnmarshalJSON(after) == nil {
			for _, o := range []*armtemplate.Object{x, y} {
				o.Delete("etag")
				o.Delete("systemData")
			}
			c.After, c.Delta = y, difference("", x, y, true)
			c.judge()
			return
		}
		if err != nil {
			c.doubt = deploymentErrorOf(err, r.ID)
		}
	}
	c.Delta = difference("", c.Before, body, false)
	c.judge()
}

func (c *whatIfChange) judge() {
	if c.Type = changeNone; len(c.Delta) > 0 {
		c.Type = changeModify
	}
}

// difference lists the properties that differ. whole says that after is the whole resource; otherwise what it does not
// name stays.
func difference(path string, before, after *armtemplate.Object, whole bool) (delta []propertyChange) {
	add := func(k, kind string, x, y armtemplate.Value) {
		delta = append(delta, propertyChange{Path: strings.TrimPrefix(path+"."+k, "."), Type: kind, Before: x, After: y})
	}
	for _, k := range after.Keys() {
		y, _ := after.Get(k)
		x, was := before.Get(k)
		bx, nested := x.(*armtemplate.Object)
		by, both := y.(*armtemplate.Object)
		switch {
		case nested && both:
			delta = append(delta, difference(strings.TrimPrefix(path+"."+k, "."), bx, by, whole)...)
		case same(x, y):
		case !was:
			if y != nil {
				add(k, changeCreate, nil, y)
			}
		default:
			if l, ok := listChange(strings.TrimPrefix(path+"."+k, "."), x, y, whole); ok {
				delta = append(delta, l...)
			} else {
				add(k, changeModify, x, y)
			}
		}
	}
	for _, k := range before.Keys() {
		if _, stays := after.Get(k); whole && !stays {
			x, _ := before.Get(k)
			add(k, changeDelete, x, nil)
		}
	}
	return delta
}

// loggerSecret begins the reference to the named value that a logger's secret is kept in: each write makes another one.
const loggerSecret = "{{Logger-Credentials--"

// same compares two values; a short reference such as /apis/echo is the same as the full ID.
func same(x, y armtemplate.Value) bool {
	a, one := x.(string)
	b, two := y.(string)
	if one && two && strings.HasPrefix(a, loggerSecret) && strings.HasPrefix(b, loggerSecret) {
		return true
	}
	if one && two && a != b {
		return strings.HasPrefix(b, "/") && len(b) > 1 && strings.HasSuffix(strings.ToLower(a), strings.ToLower(b)) ||
			strings.EqualFold(a, b) && strings.HasPrefix(a, "/subscriptions/")
	}
	return armtemplate.Equal(x, y)
}

// listChange describes the change of an array by its elements.
func listChange(path string, x, y armtemplate.Value, whole bool) ([]propertyChange, bool) {
	before, one := x.([]armtemplate.Value)
	after, two := y.([]armtemplate.Value)
	if !one || !two {
		return nil, false
	}
	c := propertyChange{Path: path, Type: changeArray}
	for i := range max(len(before), len(after)) {
		at := strconv.Itoa(i)
		switch {
		case i >= len(before):
			c.Children = append(c.Children, propertyChange{Path: at, Type: changeCreate, After: after[i]})
		case i >= len(after):
			c.Children = append(c.Children, propertyChange{Path: at, Type: changeDelete, Before: before[i]})
		case same(before[i], after[i]):
		default:
			bx, nested := before[i].(*armtemplate.Object)
			by, both := after[i].(*armtemplate.Object)
			if !nested || !both {
				c.Children = append(c.Children, propertyChange{Path: at, Type: changeModify, Before: before[i], After: after[i]})
			} else if inner := difference("", bx, by, whole); len(inner) > 0 {
				c.Children = append(c.Children, propertyChange{Path: at, Type: changeModify, Children: inner})
			}
		}
	}
	if len(c.Children) == 0 {
		return nil, true
	}
	return []propertyChange{c}, true
}

// joined is the name of a resource in its service as templates write it: contoso/echo/get.
func joined(id arm.ID) string {
	names := []string{id.Service().Name()}
	for i, seg := range slices.DeleteFunc(strings.Split(id.RelPath(), "/"), func(s string) bool { return s == "" }) {
		if i%2 == 1 {
			names = append(names, seg)
		}
	}
	return strings.Join(names, "/")
}

//go:build interop

package sdk

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
)

// step is a resource that is made, read, changed, listed and at the end deleted; or an action.
type step struct {
	Group string   // group of operations, as the SDK names it
	IDs   []string // the last is the resource's name
	// Body makes it. In texts $base is the path of what holds references: empty, or that of the workspace.
	Body   json.RawMessage
	Update json.RawMessage // changes it
	Hidden []string        // properties that must not come back
	Other  []string        // properties that come back as something else
	Keep   bool            // cannot be deleted, or exists already
	Only   string          // "service" or "workspace"
	New    bool            // armapimanagement v1 does not know it, or what it needs

	Do   string          // an action, such as ListSecrets
	Want json.RawMessage // what it answers at least; "*" stands for any text
	Min  int             // items that a list has at least
}

// readSteps reads a file of steps for the service or for a workspace of it.
func readSteps(t *testing.T, file, workspace string) (steps []*step) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	base, only := "", "service"
	if workspace != "" {
		base, only = "/workspaces/"+workspace, "workspace"
	}
	var all []*step
	if err := json.Unmarshal([]byte(strings.ReplaceAll(string(text), "$base", base)), &all); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	for _, s := range all {
		if s.Only == "" || s.Only == only {
			steps = append(steps, s)
		}
	}
	return steps
}

// files lists the files of steps.
func files(t *testing.T) []string {
	t.Helper()
	names, err := filepath.Glob("testdata/*.json")
	if err != nil || len(names) == 0 {
		t.Fatalf("no steps: %v", err)
	}
	return names
}

// run does the steps of a file in order, then deletes what they made in reverse order.
func (d *driver) run(t *testing.T, steps []*step) {
	var made []*step
	for _, s := range steps {
		c := d.client(s.Group)
		switch {
		case !c.IsValid() || s.New && d.old:
			continue
		case s.Do != "":
			d.act(t, c, s)
		default:
			if d.create(t, c, s) && !s.Keep {
				made = append(made, s)
			}
		}
	}
	for i := len(made) - 1; i >= 0; i-- {
		d.remove(t, d.client(made[i].Group), made[i])
	}
}

// name of an operation, as the coverage counts it.
func (d *driver) name(s *step, method string) string {
	if d.workspace != "" {
		return "Workspace" + s.Group + "." + method
	}
	return s.Group + "." + method
}

// create makes, reads, changes and lists a resource.
func (d *driver) create(t *testing.T, c reflect.Value, s *step) bool {
	if m, n := method(c, "CreateOrUpdate", "BeginCreateOrUpdate", "Create"); m.IsValid() {
		a, err := d.call(m, d.name(s, n), s.IDs, s.Body)
		if err != nil {
			s.errorf(t, "%s: %v", n, err)
			return false
		}
		if !s.Keep && a.Status != 201 && a.Status != 200 {
			s.errorf(t, "%s answers %d", n, a.Status)
		}
		d.compare(t, s, n, sent(t, m, s.Body), a.Body)
	}
	want := d.read(t, c, s, s.Body)
	if m, n := method(c, "Update", "BeginUpdate"); m.IsValid() && s.Update != nil {
		if _, err := d.call(m, d.name(s, n), s.IDs, s.Update); err != nil {
			s.errorf(t, "%s: %v", n, err)
		} else if want != nil {
			changed, err := json.Marshal(merge(want, sent(t, m, s.Update)))
			if err != nil {
				t.Fatal(err)
			}
			d.read(t, c, s, changed)
		}
	}
	d.list(t, c, s)
	return true
}

// read reads a resource and its entity tag, and compares it with what was sent, which it returns as the model of the
// answer would have it.
func (d *driver) read(t *testing.T, c reflect.Value, s *step, body json.RawMessage) any {
	tag := ""
	if m, n := method(c, "GetEntityTag", "GetEntityState", "CheckEntityExists"); m.IsValid() {
		a, err := d.call(m, d.name(s, n), s.IDs, nil)
		if err != nil {
			s.errorf(t, "%s: %v", n, err)
		}
		tag = a.ETag
		if v, ok := at(a.Body, "Success").(bool); !ok || !v {
			s.errorf(t, "%s: %v", n, a.Body)
		}
	}
	m, n := method(c, "Get")
	if !m.IsValid() {
		return nil
	}
	a, err := d.call(m, d.name(s, n), s.IDs, nil)
	if err != nil {
		s.errorf(t, "%s: %v", n, err)
		return nil
	}
	if tag != "" && tag != a.ETag {
		s.errorf(t, "the entity tag is %s, of a read %s", tag, a.ETag)
	}
	if body == nil {
		return nil
	}
	var want any
	put, _ := method(c, "CreateOrUpdate", "BeginCreateOrUpdate", "Create")
	want = sent(t, put, body)
	d.compare(t, s, n, want, a.Body)
	return want
}

// sent is what the SDK sends of a body.
func sent(t *testing.T, m reflect.Value, body json.RawMessage) any {
	t.Helper()
	for i := range m.Type().NumIn() {
		if in := m.Type().In(i); in.Kind() == reflect.Struct {
			v := reflect.New(in)
			if err := json.Unmarshal(body, v.Interface()); err != nil {
				t.Fatalf("%s: %v", body, err)
			}
			model, err := plain(v.Interface())
			if err != nil {
				t.Fatal(err)
			}
			return model
		}
	}
	return nil
}

// compare reports what of a body is not in an answer.
func (d *driver) compare(t *testing.T, s *step, n string, want, got any) {
	t.Helper()
	for _, path := range s.Hidden {
		cut(want, path)
		if v := at(got, path); v != nil && v != "" {
			s.errorf(t, "%s tells %s", n, path)
		}
	}
	for _, path := range s.Other {
		cut(want, path)
	}
	if want == nil {
		return
	}
	for _, p := range lost(want, got, n) {
		s.errorf(t, "%s", p)
	}
}

// list looks for a resource in the lists of its client.
func (d *driver) list(t *testing.T, c reflect.Value, s *step) {
	depth := 2 + len(s.IDs) - 1
	if d.workspace != "" {
		depth++
	}
	for i := range c.NumMethod() {
		n := c.Type().Method(i).Name
		m := c.Method(i)
		if !strings.HasPrefix(n, "NewList") && !strings.HasPrefix(n, "ListBy") || strings.Contains(n, "ByTags") || texts(m.Type()) != depth {
			continue
		}
		a, err := d.call(m, d.name(s, n), s.IDs[:len(s.IDs)-1], nil)
		if err != nil {
			s.errorf(t, "%s: %v", n, err)
			continue
		}
		if a.Items == nil {
			a.Items, _ = at(a.Body, "value").([]any)
		}
		if !contains(a.Items, s.IDs[len(s.IDs)-1]) {
			s.errorf(t, "%s does not list it: %v", n, a.Items)
		}
	}
}

func texts(t reflect.Type) (n int) {
	for i := range t.NumIn() {
		if t.In(i).Kind() == reflect.String {
			n++
		}
	}
	return n
}

func contains(items []any, name string) bool {
	for _, i := range items {
		if n, ok := at(i, "name").(string); ok && strings.EqualFold(n, name) {
			return true
		}
	}
	return false
}

// remove deletes a resource twice and reads it.
func (d *driver) remove(t *testing.T, c reflect.Value, s *step) {
	m, n := method(c, "Delete", "BeginDelete")
	if !m.IsValid() {
		return
	}
	for range 2 {
		if _, err := d.call(m, d.name(s, n), s.IDs, nil); err != nil {
			s.errorf(t, "%s: %v", n, err)
		}
	}
	get, n := method(c, "Get")
	if !get.IsValid() {
		return
	}
	_, err := d.call(get, d.name(s, n), s.IDs, nil)
	var r *azcore.ResponseError
	if !errors.As(err, &r) || r.StatusCode != 404 || r.ErrorCode != "ResourceNotFound" {
		s.errorf(t, "after its deletion: %v", err)
	}
}

// act calls an action or a list.
func (d *driver) act(t *testing.T, c reflect.Value, s *step) {
	m, n := method(c, s.Do)
	if !m.IsValid() {
		return
	}
	a, err := d.call(m, d.name(s, n), s.IDs, s.Body)
	if err != nil {
		s.errorf(t, "%s: %v", n, err)
		return
	}
	if a.Items == nil {
		a.Items, _ = at(a.Body, "value").([]any)
	}
	if len(a.Items) < s.Min {
		s.errorf(t, "%s lists %d, want %d", n, len(a.Items), s.Min)
	}
	if s.Want == nil {
		return
	}
	var want any
	if err := json.Unmarshal(s.Want, &want); err != nil {
		t.Fatal(err)
	}
	for _, p := range lost(anyText(want, a.Body), a.Body, n) {
		s.errorf(t, "%s", p)
	}
}

// anyText replaces "*" by the text that came.
func anyText(want, got any) any {
	switch w := want.(type) {
	case map[string]any:
		for k, v := range w {
			w[k] = anyText(v, at(got, k))
		}
	case string:
		if text, ok := got.(string); ok && w == "*" && text != "" {
			return text
		}
	}
	return want
}

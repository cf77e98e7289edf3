package resource

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/causeway-apim/causeway/internal/arm"
)

// Limits that a Spec may change.
const (
	defaultNameMax = 80
	defaultMaxBody = 4 << 20
	maxMaxBody     = 64 << 20
)

// defaultNamePattern is API Management's: none of the characters that mean something in a URL.
const defaultNamePattern = `[^*#&+:<>?\\/]+`

// Type is a declared type with its T erased. It is made by [Define] or [NotImplemented] and never changes.
type Type struct {
	name, title, doc string
	parents          []string
	workspaces       bool
	verbs            Verbs
	names            []string
	namePattern      *regexp.Regexp
	nameMax          int
	topLevel         bool
	join             string
	maxBody          int64
	patchEmpty       bool
	putOK, headOK    bool
	deleteEmpty      bool
	emptyBody        bool
	reason           string // of a type that is not implemented

	schema  *schema
	filters arm.Fields
	actions []action
	hooks   hooks
	has     abilities
}

// abilities say which hooks a type has, where the engine saves work by knowing.
type abilities struct {
	alias, prepare, initial, view, items, publish, affects, remove bool
	keep                                                           []string // query parameters
}

// action is an [Action] with its T erased.
type action struct {
	name, method, doc string
	input, output     any
	write, async      bool
	rewrite           bool
	valid             func(body json.RawMessage) error
}

// showsTag reports whether the action answers secret properties as they are: then the resource's entity tag comes with
// them, as with a GET (listSecrets, listKeys and listValue of API Management).
func (a action) showsTag() bool {
	return !a.write && a.method == http.MethodPost && strings.HasPrefix(a.name, "list")
}

// anyDoc is a *Doc[T] for code that does not know T.
type anyDoc interface {
	meta() *Meta
	props() reflect.Value // addressable struct
}

// hooks are a Spec's functions with T erased. Documents are *Doc[T]; old may be nil.
type hooks interface {
	newDoc() anyDoc
	alias(x *Reader, id arm.ID) (arm.ID, error)
	prepare(ctx context.Context, x *Request, old, d anyDoc) error
	fill(x *Tx, old, d anyDoc) error
	check(x *Tx, old, d anyDoc) error
	after(x *Tx, old, d anyDoc) error
	remove(x *Tx, old anyDoc) error
	initial(x *Reader, id arm.ID) (anyDoc, error)
	acts(x *Reader, id arm.ID) (anyDoc, error)
	view(x *Reader, d anyDoc) (any, error)
	keep(x *Reader, d anyDoc) (bool, error)
	items(x *Reader, parent arm.ID) ([]string, error)
	indexes(d anyDoc) []Index
	narrow(field, text string) (index, value string)
	read(i int, x *Reader, d anyDoc, body json.RawMessage) (any, error)
	write(i int, x *Tx, d anyDoc, body json.RawMessage) (any, error)
	publish(p *Pub, d anyDoc) error
	affects(id arm.ID) []arm.ID
}

// Define reads a declaration. A wrong one is a bug and panics at start, with the type's name and what is wrong.
func Define[T any](s Spec[T]) *Type {
	t, err := define(s)
	if err != nil {
		panic(fmt.Sprintf("resource: declaration of %s: %v", s.Name, err))
	}
	return t
}

func define[T any](s Spec[T]) (*Type, error) {
	t := &Type{
		name: s.Name, title: s.Title, doc: s.Doc, parents: s.Parents, workspaces: s.Workspaces, verbs: s.Verbs, names: s.Names,
		nameMax: s.NameMax, topLevel: s.TopLevel, join: s.Join, maxBody: s.MaxBody,
		patchEmpty: s.PatchEmpty, putOK: s.PutOK, headOK: s.HeadOK, deleteEmpty: s.DeleteEmpty, emptyBody: s.EmptyBody, hooks: &typed[T]{s},
		has: abilities{
			alias: s.Alias != nil, prepare: s.Prepare != nil, initial: s.Initial != nil, view: s.View != nil, keep: s.KeepParams,
			items: s.Items != nil, publish: s.Publish != nil, affects: s.Affects != nil, remove: s.Delete != nil,
		},
		filters: arm.Fields{"name": arm.FieldString},
	}
	if s.Name == "" || len(s.Parents) == 0 && s.Name != "service" || s.Verbs == 0 && len(s.Actions) == 0 {
		return nil, errors.New("name, parents and verbs are needed")
	}
	if t.title == "" {
		t.title = s.Name
	}
	if t.nameMax == 0 {
		t.nameMax = defaultNameMax
	}
	if t.maxBody == 0 {
		t.maxBody = defaultMaxBody
	}
	if t.maxBody > maxMaxBody {
		return nil, fmt.Errorf("MaxBody is more than %d", maxMaxBody)
	}
	pattern := s.NamePattern
	if pattern == "" {
		pattern = defaultNamePattern
	}
	var err error
	if t.namePattern, err = regexp.Compile("^(?:" + pattern + ")$"); err != nil {
		return nil, err
	}
	if t.schema, err = (schemaBuilder{}).of(reflect.TypeFor[T]()); err != nil {
		return nil, err
	}
	t.schema.filterFields("", t.filters)
	if err := checkDefaults(t.schema, map[*schema]bool{}); err != nil {
		return nil, err
	}
	for _, a := range s.Actions {
		if n := given(a.Read != nil) + given(a.Write != nil) + given(a.Rewrite); n != 1 {
			return nil, fmt.Errorf("action %s: one of Read, Write and Rewrite is needed", a.Name)
		}
		t.actions = append(t.actions, action{a.Name, orPost(a.Method), a.Doc, a.Input, a.Output, a.Write != nil, a.Async, a.Rewrite, a.Valid})
	}
	return t, nil
}

func given(set bool) int {
	if set {
		return 1
	}
	return 0
}

func orPost(method string) string {
	if method == "" {
		return http.MethodPost
	}
	return method
}

func checkDefaults(s *schema, seen map[*schema]bool) error {
	if seen[s] {
		return nil
	}
	seen[s] = true
	for _, f := range s.fields {
		if f.rules.def != "" {
			if err := setDefault(reflect.New(s.typ.FieldByIndex(f.index).Type).Elem(), f.rules.def); err != nil {
				return fmt.Errorf("default of %s: %w", f.name, err)
			}
		}
		if f.sub != nil {
			if err := checkDefaults(f.sub, seen); err != nil {
				return err
			}
		}
	}
	return nil
}

// NotImplemented declares a type that API Management has and Causeway does not have yet: every request below it
// answers 501 with the reason.
func NotImplemented(name, reason string, parents ...string) *Type {
	if len(parents) == 0 {
		parents = []string{""}
	}
	return &Type{name: name, title: name, reason: reason, parents: parents, schema: &schema{}}
}

// canonicalName returns the spelling of a name that a type has fixed names for, and whether the name is allowed at all.
func (t *Type) canonicalName(name string) (string, bool) {
	if len(t.names) == 0 {
		return name, true
	}
	i := slices.IndexFunc(t.names, func(n string) bool { return strings.EqualFold(n, name) })
	if i < 0 {
		return "", false
	}
	return t.names[i], true
}

// typed implements hooks for one T.
type typed[T any] struct{ s Spec[T] }

// doc converts an erased document. A nil interface becomes a nil pointer.
func (t *typed[T]) doc(d anyDoc) *Doc[T] {
	if d == nil {
		return nil
	}
	return d.(*Doc[T])
}

func (t *typed[T]) newDoc() anyDoc { return new(Doc[T]) }

func (t *typed[T]) alias(x *Reader, id arm.ID) (arm.ID, error) {
	if t.s.Alias == nil {
		return id, nil
	}
	return t.s.Alias(x, id)
}

func (t *typed[T]) prepare(ctx context.Context, x *Request, old, d anyDoc) error {
	return t.s.Prepare(ctx, x, t.doc(old), t.doc(d))
}

func (t *typed[T]) fill(x *Tx, old, d anyDoc) error { return t.call(t.s.Default, x, old, d) }

func (t *typed[T]) check(x *Tx, old, d anyDoc) error { return t.call(t.s.Check, x, old, d) }

func (t *typed[T]) after(x *Tx, old, d anyDoc) error { return t.call(t.s.After, x, old, d) }

func (t *typed[T]) call(hook func(x *Tx, old, d *Doc[T]) error, x *Tx, old, d anyDoc) error {
	if hook == nil {
		return nil
	}
	return hook(x, t.doc(old), t.doc(d))
}

func (t *typed[T]) remove(x *Tx, old anyDoc) error {
	if t.s.Delete == nil {
		return nil
	}
	return t.s.Delete(x, t.doc(old))
}

func (t *typed[T]) initial(x *Reader, id arm.ID) (anyDoc, error) {
	p, err := t.s.Initial(x, id)
	if err != nil || p == nil {
		return nil, err
	}
	return &Doc[T]{Meta: Meta{ID: id, ETag: "initial"}, Props: *p}, nil
}

func (t *typed[T]) acts(x *Reader, id arm.ID) (anyDoc, error) {
	if t.s.Acts == nil {
		return nil, nil
	}
	p, err := t.s.Acts(x, id)
	if err != nil || p == nil {
		return nil, err
	}
	return &Doc[T]{Meta: Meta{ID: id}, Props: *p}, nil
}

func (t *typed[T]) view(x *Reader, d anyDoc) (any, error) { return t.s.View(x, t.doc(d)) }

func (t *typed[T]) keep(x *Reader, d anyDoc) (bool, error) { return t.s.Keep(x, t.doc(d)) }

func (t *typed[T]) items(x *Reader, parent arm.ID) ([]string, error) { return t.s.Items(x, parent) }

func (t *typed[T]) narrow(field, text string) (index, value string) {
	if t.s.Narrow == nil {
		return "", ""
	}
	return t.s.Narrow(field, text)
}

func (t *typed[T]) indexes(d anyDoc) []Index {
	if t.s.Indexes == nil {
		return nil
	}
	return t.s.Indexes(t.doc(d))
}

func (t *typed[T]) read(i int, x *Reader, d anyDoc, body json.RawMessage) (any, error) {
	return t.s.Actions[i].Read(x, t.doc(d), body)
}

func (t *typed[T]) write(i int, x *Tx, d anyDoc, body json.RawMessage) (any, error) {
	return t.s.Actions[i].Write(x, t.doc(d), body)
}

func (t *typed[T]) publish(p *Pub, d anyDoc) error { return t.s.Publish(p, t.doc(d)) }

func (t *typed[T]) affects(id arm.ID) []arm.ID { return t.s.Affects(id) }

package graphql

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/vektah/gqlparser/v2/ast"
)

// Limits of an execution.
const (
	// maxFields bounds the fields and list items of an answer: aliases and fragments multiply what a small query asks for.
	maxFields = 250_000
	// maxResolved bounds how often resolvers run for one operation, maxParallel how many do at a time.
	maxResolved = 10_000
	maxParallel = 16
)

// Source is where data comes from. It is used by several goroutines at a time.
type Source interface {
	// Resolves says whether a field of an object type has a resolver. The others are taken from the parent by their name.
	Resolves(typ, field string) bool
	// Resolve runs the resolver of a field. The result is JSON; nothing is null, and a text that is no JSON is the value of a scalar. The error's
	// message is for the client.
	Resolve(ctx context.Context, f Field) ([]byte, error)
}

// Field is one execution of a resolver.
type Field struct {
	// Type and Name say which field of which object type it is.
	Type, Name string
	// Arguments are those of the field, a JSON object.
	Arguments json.RawMessage
	// Parent is the object that the field belongs to as JSON; null below the root.
	Parent json.RawMessage
}

// Options are the surroundings of an execution.
type Options struct {
	// Source has the resolvers.
	Source Source
	// Fallback asks another GraphQL service for those fields of the root that have no resolver, and returns its answer. nil: they are null.
	Fallback func(ctx context.Context, r Request) ([]byte, error)
	// Event is the value of the field of a subscription that is executed for an event.
	Event []byte
	// Errors are errors that the answer is to have besides its own.
	Errors Errors
}

// Execute runs the operation and returns the answer: a JSON object with data and, if there are any, errors. Fields of a query are resolved side by
// side, those of the root of a mutation one after the other.
func (o *Operation) Execute(ctx context.Context, options Options) []byte {
	run := o.start(ctx, options)
	root := o.schema.root(o.op.Operation)
	data := &slot{owner: root, typ: ast.NamedType(root.Name, nil)}
	switch {
	case o.IsSubscription():
		run.event(data, root)
	default:
		run.root(data, root)
	}
	run.wait.Wait()
	return run.answer(data)
}

// execution is an operation while it runs.
type execution struct {
	*Operation
	ctx      context.Context
	options  Options
	wait     sync.WaitGroup // of resolvers that run
	parallel chan struct{}

	mu       sync.Mutex
	errors   Errors
	fields   int
	resolved int
}

func (o *Operation) start(ctx context.Context, options Options) *execution {
	return &execution{Operation: o, ctx: ctx, options: options, parallel: make(chan struct{}, maxParallel), errors: slices.Clone(options.Errors)}
}

// slot is the place of a value in the answer. Each is filled by one goroutine; who waits for all of them sees the whole tree.
type slot struct {
	typ   *ast.Type
	owner *ast.Definition // the object type that has the field
	field *ast.Field      // nil for the root
	path  *path
	// remote says that the value is the answer of another GraphQL service, whose names are response names.
	remote bool
	// resolved says that the value is the result of a resolver itself.
	resolved bool

	value any // nil, json.RawMessage, []*slot or []member
}

// member is a field of an object in the answer.
type member struct {
	key  string
	slot *slot
}

// path is a way through the answer, from its end.
type path struct {
	up  *path
	key any // string or int
}

func (p *path) list() []any {
	if p == nil {
		return nil
	}
	return append(p.up.list(), p.key)
}

// fail notes an error of a field. Its value stays null.
func (e *execution) fail(s *slot, format string, args ...any) {
	e.add(&Error{Message: fmt.Sprintf(format, args...), Path: s.path.list(), Locations: s.locations()})
}

// refuse notes the error of a source, which may be an [*Error] with extensions.
func (e *execution) refuse(s *slot, err error) {
	out := &Error{Message: err.Error(), Path: s.path.list(), Locations: s.locations()}
	if own, ok := errors.AsType[*Error](err); ok {
		out.Extensions = own.Extensions
	}
	e.add(out)
}

func (s *slot) locations() []Location {
	if s.field == nil {
		return nil
	}
	return locationOf(s.field.Position)
}

func (s *slot) name() string {
	if s.field == nil {
		return s.owner.Name
	}
	return s.owner.Name + "." + s.field.Name
}

func (e *execution) add(err *Error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.errors) < maxErrors {
		e.errors = append(e.errors, err)
	}
}

// grow counts n more values and says whether the answer may have them.
func (e *execution) grow(n int) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.fields += n
	return e.fields <= maxFields
}

// root executes the fields of the root of a query or mutation.
func (e *execution) root(data *slot, root *ast.Definition) {
	groups := e.collect(root, e.op.SelectionSet)
	members := make([]member, len(groups))
	var remote []group
	for i, g := range groups {
		s := &slot{typ: g.typ(), owner: root, field: g.fields[0], path: &path{key: g.key}}
		members[i] = member{g.key, s}
		if e.options.Fallback != nil && !isIntrospection(g.fields[0].Name) && !e.options.Source.Resolves(root.Name, g.fields[0].Name) {
			g.slot = s
			remote = append(remote, g)
			if e.IsMutation() {
				e.delegate([]group{g})
				e.wait.Wait()
			}
			continue
		}
		e.execute(s, g, nil, nil)
		if e.IsMutation() {
			e.wait.Wait()
		}
	}
	data.value = members
	if len(remote) > 0 && !e.IsMutation() {
		e.wait.Go(func() { e.delegate(remote) })
	}
}

// event executes a subscription for one event.
func (e *execution) event(data *slot, root *ast.Definition) {
	var members []member
	for _, g := range e.collect(root, e.op.SelectionSet) {
		s := &slot{typ: g.typ(), owner: root, field: g.fields[0], path: &path{key: g.key}, resolved: true}
		members = append(members, member{g.key, s})
		e.complete(s, g.fields, e.parse(s, e.options.Event))
	}
	data.value = members
}

// group are the fields that share a name in the answer.
type group struct {
	key    string
	fields []*ast.Field
	slot   *slot // of fields that are delegated
}

func (g *group) typ() *ast.Type { return g.fields[0].Definition.Type }

// collect lists the fields of selection sets for an object type (specification, 6.3.2).
func (e *execution) collect(object *ast.Definition, sets ...ast.SelectionSet) []group {
	c := collector{execution: e, object: object, at: make(map[string]int)}
	for _, set := range sets {
		c.add(set)
	}
	return c.groups
}

type collector struct {
	*execution
	object *ast.Definition
	groups []group
	at     map[string]int
	spread map[string]bool
}

func (c *collector) add(set ast.SelectionSet) {
	for _, s := range set {
		switch s := s.(type) {
		case *ast.Field:
			if c.skips(s.Directives) {
				continue
			}
			i, ok := c.at[s.Alias]
			if !ok {
				i = len(c.groups)
				c.at[s.Alias] = i
				c.groups = append(c.groups, group{key: s.Alias})
			}
			c.groups[i].fields = append(c.groups[i].fields, s)
		case *ast.InlineFragment:
			if !c.skips(s.Directives) && c.schema.applies(c.object, s.TypeCondition) {
				c.add(s.SelectionSet)
			}
		case *ast.FragmentSpread:
			if c.spread[s.Name] || c.skips(s.Directives) {
				continue
			}
			if c.spread == nil {
				c.spread = make(map[string]bool)
			}
			c.spread[s.Name] = true
			if c.schema.applies(c.object, s.Definition.TypeCondition) {
				c.add(s.Definition.SelectionSet)
			}
		}
	}
}

// skips evaluates @skip and @include.
func (o *Operation) skips(directives ast.DirectiveList) bool {
	is := func(name string) (value, ok bool) {
		d := directives.ForName(name)
		if d == nil {
			return false, false
		}
		a := d.Arguments.ForName("if")
		if a == nil {
			return false, false
		}
		v, _ := plainLiteral(a.Value, o.variables)
		value, ok = v.(bool)
		return value, ok
	}
	if skip, ok := is("skip"); ok && skip {
		return true
	}
	include, ok := is("include")
	return ok && !include
}

// parent is what fields are taken from: an object of a data source, or one of the schema.
type parent struct {
	raw     json.RawMessage
	members map[string]json.RawMessage
	shown   introspected
}

// execute resolves a field and completes its value. A resolver runs beside the caller.
func (e *execution) execute(s *slot, g group, p *parent, raw json.RawMessage) {
	f := g.fields[0]
	switch {
	case f.Name == "__typename":
		s.value = json.RawMessage(appendString(nil, s.owner.Name))
	case isIntrospection(f.Name) || p != nil && p.shown != nil:
		e.introspect(s, g, p)
	case e.options.Source != nil && e.options.Source.Resolves(s.owner.Name, f.Name):
		e.resolve(s, g, raw)
	case p == nil:
		e.complete(s, g.fields, nil)
	case s.remote:
		e.complete(s, g.fields, rawOrNil(p.members[g.key]))
	default:
		e.complete(s, g.fields, rawOrNil(p.members[f.Name]))
	}
}

func rawOrNil(raw json.RawMessage) any {
	if isNull(raw) {
		return nil
	}
	return raw
}

// resolve runs a resolver in a goroutine of its own.
func (e *execution) resolve(s *slot, g group, parent json.RawMessage) {
	f := g.fields[0]
	arguments, err := e.schema.arguments(f.Definition.Arguments, f.Arguments, e.variables)
	if err != nil {
		e.fail(s, "%s: %s.", s.name(), err)
		return
	}
	text, err := json.Marshal(arguments)
	if err != nil {
		e.fail(s, "%s: the arguments cannot be written.", s.name())
		return
	}
	e.mu.Lock()
	e.resolved++
	many := e.resolved > maxResolved
	e.mu.Unlock()
	if many {
		e.fail(s, "The query needs more than %d runs of resolvers.", maxResolved)
		return
	}
	if parent == nil {
		parent = jsonNull
	}
	s.resolved, s.remote = true, false
	e.wait.Go(func() {
		result, err := e.call(Field{Type: s.owner.Name, Name: f.Name, Arguments: text, Parent: parent})
		if err != nil {
			e.refuse(s, err)
			return
		}
		e.complete(s, g.fields, e.parse(s, result))
	})
}

// call waits for a place and runs the resolver.
func (e *execution) call(f Field) ([]byte, error) {
	select {
	case e.parallel <- struct{}{}:
		defer func() { <-e.parallel }()
	case <-e.ctx.Done():
		return nil, errors.New("the request was cancelled")
	}
	return e.options.Source.Resolve(e.ctx, f)
}

// parse reads what a resolver gave: JSON, or the text of a scalar.
func (e *execution) parse(s *slot, result []byte) any {
	result = trimJSON(result)
	switch {
	case isNull(result):
		return nil
	case json.Valid(result):
		return json.RawMessage(result)
	case s.typ.Elem == nil && e.schema.types.Types[s.typ.NamedType].IsLeafType():
		return json.RawMessage(appendString(nil, string(result)))
	}
	return errNotJSON
}

var errNotJSON = errors.New("the data source gave no JSON")

// trimJSON removes white space and a byte order mark around a value.
func trimJSON(b []byte) []byte {
	const space = " \t\r\n"
	for len(b) >= 3 && b[0] == 0xef && b[1] == 0xbb && b[2] == 0xbf {
		b = b[3:]
	}
	i, j := 0, len(b)
	for i < j && containsByte(space, b[i]) {
		i++
	}
	for j > i && containsByte(space, b[j-1]) {
		j--
	}
	return b[i:j]
}

func containsByte(s string, c byte) bool {
	for i := range len(s) {
		if s[i] == c {
			return true
		}
	}
	return false
}

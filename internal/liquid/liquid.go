// Package liquid runs the Liquid templates of set-body: the dialect of DotLiquid with the names of C# (filters are written as in
// {{body.when | Date: "yyyy-MM-dd"}}, formats are those of .NET), and API Management's tag JSONArrayFor.
//
// A template is parsed once and rendered many times, also at the same time. Rendering is bounded by [Limits]. Failures of filters do not end
// a rendering: as in DotLiquid their message stands in the output.
//
// Source: the page of the set-body policy and DotLiquid's own documentation; docs/decisions/0030-liquid.md says why this is an engine of
// our own.
package liquid

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Limits bound a rendering. A zero field means its default.
type Limits struct {
	// Steps is how many nodes, iterations and filters run (1,000,000).
	Steps int
	// Output is the size of the output in bytes (16 MiB).
	Output int
	// Memory is the sum of the sizes in bytes of the texts that filters and captures make (64 MiB).
	Memory int
}

const (
	defaultSteps  = 1_000_000
	defaultOutput = 16 << 20
	defaultMemory = 64 << 20

	// maxSource and maxDepth bound what is parsed: the bytes of a template and how deep its tags are nested.
	maxSource = 1 << 20
	maxDepth  = 100
	// matchTimeout bounds one search with a regular expression.
	matchTimeout = 250 * time.Millisecond
)

// ErrLimit is what a rendering that reached a limit wraps.
var ErrLimit = errors.New("the template exceeds a limit")

// SyntaxError is why a text is no template.
type SyntaxError struct {
	// Line and Column, in bytes, count from 1.
	Line, Column int
	Message      string
}

func (e *SyntaxError) Error() string {
	return fmt.Sprintf("line %d, column %d of the template: %s", e.Line, e.Column, e.Message)
}

// Template is a parsed template. It is immutable.
type Template struct {
	body     []node
	warnings []string
}

// Warnings are findings that do not keep the template from running, such as the names of unknown filters.
func (t *Template) Warnings() []string { return t.warnings }

// Env is what a rendering works with.
type Env struct {
	// Globals are the variables that the template can read. Values are nil, bool, int64, float64, string, [time.Time], []any, *[Map] and
	// implementations of [Object], [Lister] and [Texter].
	Globals map[string]any
	// Now is the clock, for Date of "now".
	Now    func() time.Time
	Limits Limits
}

// Render returns the output of the template. The error wraps [ErrLimit] or is the context's.
func (t *Template) Render(ctx context.Context, env Env) (string, error) {
	l := env.Limits
	r := &run{
		ctx: ctx, env: env, scopes: []scope{{}},
		steps: orDefault(l.Steps, defaultSteps), output: orDefault(l.Output, defaultOutput), memory: orDefault(l.Memory, defaultMemory),
		cycles: make(map[string]int), counters: make(map[string]int64), changed: make(map[node]string),
	}
	err := r.all(t.body)
	if err != nil && !errors.Is(err, errBreak) && !errors.Is(err, errContinue) {
		return "", fmt.Errorf("rendering a Liquid template: %w", err)
	}
	return string(r.out), nil
}

func orDefault(n, fallback int) int {
	if n == 0 {
		return fallback
	}
	return n
}

// scope is a level of variables.
type scope map[string]any

// run is one rendering.
type run struct {
	ctx    context.Context
	env    Env
	out    []byte
	scopes []scope // the outermost first: assign and capture write there

	steps, output, memory int // what is left

	cycles   map[string]int
	counters map[string]int64
	changed  map[node]string // what an ifchanged has written last
}

// step takes one from the budget.
func (r *run) step() error {
	r.steps--
	if r.steps < 0 {
		return fmt.Errorf("%w: too many steps", ErrLimit)
	}
	if r.steps%1024 == 0 {
		return r.ctx.Err()
	}
	return nil
}

// write appends to the output.
func (r *run) write(s string) error {
	if r.output -= len(s); r.output < 0 {
		return fmt.Errorf("%w: the output is too large", ErrLimit)
	}
	r.out = append(r.out, s...)
	return nil
}

// keep accounts for a text that the template has made.
func (r *run) keep(s string) error {
	if r.memory -= len(s); r.memory < 0 {
		return fmt.Errorf("%w: the texts are too large", ErrLimit)
	}
	return nil
}

// apart renders nodes into a text of their own.
func (r *run) apart(nodes []node) (string, error) {
	from := len(r.out)
	if err := r.all(nodes); err != nil {
		return "", err
	}
	text := string(r.out[from:])
	r.discard(from)
	return text, r.keep(text)
}

// discard takes back what has been written since the output was that long.
func (r *run) discard(length int) {
	r.output += len(r.out) - length
	r.out = r.out[:length]
}

// all renders nodes in turn.
func (r *run) all(nodes []node) error {
	for _, n := range nodes {
		if err := r.step(); err != nil {
			return err
		}
		if err := n.render(r); err != nil {
			return err
		}
	}
	return nil
}

// variable finds a variable by its name, the innermost scope first.
func (r *run) variable(name string) any {
	for i := len(r.scopes) - 1; i >= 0; i-- {
		if v, ok := r.scopes[i][name]; ok {
			return v
		}
	}
	return r.env.Globals[name]
}

// within runs f with a scope of its own.
func (r *run) within(s scope, f func() error) error {
	r.scopes = append(r.scopes, s)
	defer func() { r.scopes = r.scopes[:len(r.scopes)-1] }()
	return f()
}

// node is a piece of a template.
type node interface {
	render(r *run) error
}

// text is what is written as it stands.
type text string

func (t text) render(r *run) error { return r.write(string(t)) }

// output is {{ … }}.
type output struct{ value *filtered }

func (o *output) render(r *run) error {
	v, err := o.value.eval(r)
	if err != nil {
		return err
	}
	return r.write(Text(v))
}

// errBreak and errContinue end an iteration of the innermost loop.
var (
	errBreak    = errors.New("break")
	errContinue = errors.New("continue")
)

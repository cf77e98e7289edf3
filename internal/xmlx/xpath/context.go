package xpath

import (
	"context"
	"errors"
	"fmt"
)

// Context is where an expression is evaluated.
type Context struct {
	Node           *Node
	Position, Size int
	// Current is the current node of XSLT.
	Current *Node
	// Locals are the variables of the template that runs.
	Locals []Value
	// Run is whatever functions and variables of the host language need.
	Run    any
	Budget *Budget
}

// Budget bounds what a run may cost. Going beyond it ends the run: see [Catch].
type Budget struct {
	ctx   context.Context
	steps int64
	tick  int64
}

// NewBudget allows a number of steps; a step is a node that is looked at, or an instruction. The run also ends with ctx.
func NewBudget(ctx context.Context, steps int64) *Budget { return &Budget{ctx: ctx, steps: steps} }

// ErrBudget says that a run costs too much.
var ErrBudget = errors.New("the work is more than is allowed")

// MaxString is the size in bytes of the longest string that an expression may make.
const MaxString = 16 << 20

// Spend takes steps.
func (b *Budget) Spend(n int) {
	b.steps -= int64(n)
	if b.steps < 0 {
		Fail(ErrBudget)
	}
	if b.tick += int64(n); b.tick >= 1024 {
		b.tick = 0
		if b.ctx.Err() != nil {
			Fail(context.Cause(b.ctx))
		}
	}
}

// spendText pays for a string that was made.
func (b *Budget) spendText(s string) string {
	if len(s) > MaxString {
		Fail(fmt.Errorf("%w: a text is longer than %d bytes", ErrBudget, MaxString))
	}
	b.Spend(len(s) / 8)
	return s
}

// failure is the panic of a run that cannot go on.
type failure struct{ err error }

// Fail ends the run with an error.
func Fail(err error) { panic(failure{err}) }

// Failf ends the run with an error.
func Failf(format string, args ...any) { Fail(fmt.Errorf(format, args...)) }

// Catch is deferred where a run begins; it gives back what [Fail] was given.
func Catch(err *error) {
	switch r := recover().(type) {
	case nil:
	case failure:
		*err = r.err
	default:
		panic(r)
	}
}

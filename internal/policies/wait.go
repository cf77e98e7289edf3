package policies

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/causeway-apim/causeway/internal/message"
	"github.com/causeway-apim/causeway/internal/policy"
)

// Wait is the wait policy.
var Wait = policy.Define[wait](policy.Spec{
	Name:     "wait",
	Sections: policy.Inbound | policy.Backend | policy.Outbound,
	Flow:     policy.FlowStays,
	Doc:      "Runs its policies side by side and goes on when all of them, or the first one, have ended.",
})

type wait struct {
	For      policy.Value[string] `attr:"for" default:"all" enum:"all,any" doc:"Whether to wait for all policies or for the first one that ends; then the others are cancelled."`
	Steps    policy.Block         `only:"send-request,cache-lookup-value,choose"`
	branches []policy.Block
}

// Compile splits the policies.
func (p *wait) Compile(*policy.Compiler) error {
	p.branches = p.Steps.Split()
	return nil
}

// errDecided is the cause of the end of branches that another one has overtaken.
var errDecided = errors.New("another branch of wait has ended before")

// branch is one of the policies while it runs.
type branch struct {
	exec   *policy.Exec
	ctx    context.Context
	cancel context.CancelCauseFunc
	err    error
	bug    any // what it panicked with
}

// Run forks the request for each policy and joins them in the order in which they end. A branch that fails or ends the pipeline decides for
// all: the others are cancelled.
func (p *wait) Run(x *policy.Exec) error {
	mode, err := p.For.Get(x)
	if err != nil {
		return err
	}
	host, turn := x.Host, new(sync.Mutex)
	outer, nested := x.Host.(*branchHost)
	if nested {
		host, turn = outer.Host, outer.turn
	}
	done := make(chan *branch, len(p.branches))
	all := make([]*branch, len(p.branches))
	for i := range all {
		b := &branch{exec: x.Fork()}
		// The context of a branch that is joined lives on with the request: the body of an answer may still stream.
		b.ctx, b.cancel = context.WithCancelCause(x.Context())
		b.exec.Host = &branchHost{host, turn}
		all[i] = b
	}
	if nested { // the branch that waits lets its own run
		turn.Unlock()
		defer turn.Lock()
	}
	for i, b := range all {
		go func() { done <- b.run(p.branches[i], turn) }()
	}
	return collect(x, all, done, turn, mode == "any")
}

// run runs the policy when it is the branch's turn.
func (b *branch) run(steps policy.Block, turn *sync.Mutex) *branch {
	turn.Lock()
	defer turn.Unlock()
	defer func() { b.bug = recover() }()
	b.err = b.exec.WithContext(b.ctx, func() error {
		if err := context.Cause(b.ctx); err != nil {
			return err
		}
		return b.exec.Run(steps)
	})
	return b
}

// collect waits until every branch has ended, because they share the request, but joins only until it is decided how the policy ends.
func collect(x *policy.Exec, all []*branch, done chan *branch, turn *sync.Mutex, first bool) (err error) {
	decided := false
	var bug any
	for range all {
		b := <-done
		if b.bug != nil {
			bug = b.bug
		}
		turn.Lock()
		if decided {
			x.Discard(b.exec)
		} else {
			x.Join(b.exec)
		}
		turn.Unlock()
		if decided || !first && b.err == nil && b.bug == nil {
			continue
		}
		decided, err = true, b.err
		for _, other := range all {
			if other != b {
				other.cancel(errDecided)
			}
		}
	}
	if bug != nil {
		panic(bug) // in the goroutine of the request, as in any other policy
	}
	return err
}

// branchHost gives the turn to other branches while one waits for the world outside.
type branchHost struct {
	policy.Host
	turn *sync.Mutex
}

// Send sends a request while other branches run.
func (h *branchHost) Send(ctx context.Context, r *message.Request, o policy.SendOptions) (*message.Response, error) {
	h.turn.Unlock()
	defer h.turn.Lock()
	return h.Host.Send(ctx, r, o)
}

// Sleep waits while other branches run.
func (h *branchHost) Sleep(ctx context.Context, d time.Duration) error {
	h.turn.Unlock()
	defer h.turn.Lock()
	return h.Host.Sleep(ctx, d)
}

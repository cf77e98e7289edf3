package policy

import (
	"github.com/causeway-apim/causeway/internal/message"
	"github.com/causeway-apim/causeway/internal/snapshot"
)

// routing is what a branch may replace beside variables.
type routing struct {
	response    *message.Response
	base        message.URL
	backendID   string
	certificate *snapshot.Certificate
	proxy       *snapshot.Proxy
}

func (x *Exec) routing() routing {
	return routing{x.Response, x.Base, x.BackendID, x.ClientCertificate, x.Proxy}
}

// Fork returns an Exec for a branch that runs beside others: for wait. The branch sees the variables as they are now; what it sets is its own
// until [Exec.Join]. The messages themselves are shared, so only one branch may run at a time: the policy that forks lets go of a branch while
// that waits for the host. x itself rests meanwhile.
func (x *Exec) Fork() *Exec {
	x.forked = true
	branch := *x
	branch.atEnd, branch.atAnswer, branch.atFinish, branch.stored, branch.written, branch.branch = nil, nil, nil, nil, nil, true
	branch.pending, branch.bodies, branch.forkedFrom = message.Header{}, bodies{}, x.routing()
	branch.state = x.state[:len(x.state):len(x.state)]
	branch.scratch = Scratch{}
	return &branch
}

// Join takes over what a branch has set. Branches are joined in the order in which they end, so the last one wins. The variables that were forked
// stay shared with branches that still run.
func (x *Exec) Join(branch *Exec) {
	for _, name := range branch.written {
		value := branch.variables[name]
		if v, ok := value.(*ResponseValue); ok {
			v.x = x
		}
		x.SetVariable(name, value)
	}
	was := branch.forkedFrom
	if branch.Base != was.base || branch.BackendID != was.backendID {
		x.Base, x.BackendID = branch.Base, branch.BackendID
	}
	if branch.ClientCertificate != was.certificate {
		x.ClientCertificate = branch.ClientCertificate
	}
	if branch.Proxy != was.proxy {
		x.Proxy = branch.Proxy
	}
	for i := range branch.pending.Len() {
		f := branch.pending.At(i)
		x.pending.Set(f.Name, f.Value)
	}
	if branch.Response != was.response && branch.Response != nil {
		x.SetResponse(branch.Response)
	}
	for _, s := range branch.state {
		x.SetState(s.key, s.value)
	}
	x.atEnd = append(x.atEnd, branch.atEnd...)
	x.atAnswer = append(x.atAnswer, branch.atAnswer...)
	x.atFinish = append(x.atFinish, branch.atFinish...)
	x.stored = append(x.stored, branch.stored...)
}

// Discard drops what a branch has set, when another one has decided. The responses that it got are closed.
func (x *Exec) Discard(branch *Exec) { branch.closeStored() }

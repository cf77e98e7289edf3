package policy

import (
	"context"
	"errors"
	"strings"

	"github.com/causeway-apim/causeway/internal/message"
)

// Block is a compiled list of policies: a section, or what stands in a container.
type Block struct{ steps []step }

// Len is the number of steps.
func (b *Block) Len() int { return len(b.steps) }

// Names are the element names of the steps.
func (b *Block) Names() []string {
	names := make([]string, len(b.steps))
	for i := range b.steps {
		names[i] = b.steps[i].name
	}
	return names
}

// Split returns the steps as blocks of their own, for containers that run them apart.
func (b *Block) Split() []Block {
	single := make([]Block, len(b.steps))
	for i := range b.steps {
		single[i].steps = b.steps[i : i+1]
	}
	return single
}

// step is one policy in a block.
type step struct {
	run      Runner
	name, id string
	path     string // of element names and positions from the section on, such as choose[1]/when[2]/set-header[1]
	fragment Block  // the policies of the fragment that the step stands for

	origin    *origin
	pos, end  int // of the element in the document
	container bool
	skips     bool // the handshakes of WebSocket APIs
}

// origin is the text that steps were compiled from.
type origin struct {
	src      source
	fragment string // its name; empty for a policy document
}

// maxStatementText is how much of a statement's text a trace shows.
const maxStatementText = 2 << 10

// statementText is the statement as it was written, named values not replaced; empty when it is long or may hold credentials.
func (s *step) statementText() string {
	if s.end <= s.pos || s.end > len(s.origin.src) || s.end-s.pos > maxStatementText {
		return ""
	}
	text := string(s.origin.src[s.pos:s.end])
	lower := strings.ToLower(text)
	for _, word := range [...]string{"password", "authorization", "secret", "token", "cookie", "key", "code=", "sig="} {
		if strings.Contains(lower, word) {
			return ""
		}
	}
	return text
}

// Pipeline is the effective policy of a request: the blocks of its scopes strung together. It is immutable and safe for concurrent use.
type Pipeline struct {
	sections [sectionCount][]blockRef
	use      BodyUse
}

// blockRef is a block and the scope of its document.
type blockRef struct {
	block *Block
	scope Scope
}

// Link makes the pipeline of the documents from broad to narrow: service, workspace, product, API, operation. nil stands for a scope without a
// document, which is the same as one with only <base /> in every section. A section begins with the narrowest document; <base /> is where the
// next broader one's stands, and without it nothing broader counts.
func Link(scopes ...*Document) *Pipeline {
	p := &Pipeline{}
	for i := range p.sections {
		p.sections[i] = p.link(nil, scopes, i)
	}
	return p
}

func (p *Pipeline) link(refs []blockRef, scopes []*Document, section int) []blockRef {
	last := len(scopes) - 1
	if last < 0 {
		return refs
	}
	d := scopes[last]
	if d == nil {
		return p.link(refs, scopes[:last], section)
	}
	s := &d.sections[section]
	p.use |= s.use
	refs = appendBlock(refs, &s.before, d.scope)
	if s.base {
		refs = p.link(refs, scopes[:last], section)
	}
	return appendBlock(refs, &s.after, d.scope)
}

func appendBlock(refs []blockRef, b *Block, scope Scope) []blockRef {
	if b.Len() == 0 {
		return refs
	}
	return append(refs, blockRef{b, scope})
}

// BodyUse is which bodies the pipeline may read or replace as a whole; the others stream through.
func (p *Pipeline) BodyUse() BodyUse { return p.use }

// Has says whether a policy of that element name stands directly in a section, so that the gateway can prepare for it.
func (p *Pipeline) Has(s Section, name string) bool {
	for _, ref := range p.sections[s.index()] {
		for i := range ref.block.steps {
			if ref.block.steps[i].name == name {
				return true
			}
		}
	}
	return false
}

// IsDirect says whether no statement stands between the backend service and the answer: backend is nothing but forward-request, outbound is empty.
func (p *Pipeline) IsDirect() bool {
	backend := p.sections[Backend.index()]
	return len(p.sections[Outbound.index()]) == 0 && len(backend) == 1 && backend[0].block.Len() == 1 && backend[0].block.steps[0].name == "forward-request"
}

// Run runs the sections: inbound, backend, outbound, and on-error after an error. Afterwards x.Response is the answer; it is never nil. The
// result is the error that led to on-error, or nil; it is for records: the answer is complete.
func (p *Pipeline) Run(x *Exec) *Error {
	err := p.runSections(x)
	var failure *Error
	if err != nil && !errors.Is(err, ErrStop) {
		failure = WrapError(err)
		p.fail(x, failure)
	}
	x.finish()
	return failure
}

// Fail runs only on-error, for an error of a built-in step before the pipeline (configuration, authorization). Afterwards x.Response is the
// answer.
func (p *Pipeline) Fail(x *Exec, err *Error) {
	p.fail(x, err)
	x.finish()
}

// runSections runs inbound, backend and outbound.
func (p *Pipeline) runSections(x *Exec) error {
	for i := range sectionCount - 1 {
		x.Section = 1 << i
		if x.Section == Outbound {
			x.EnsureResponse()
		}
		if x.ctx.Err() != nil {
			err := context.Cause(x.ctx)
			return x.locate(&Error{Reason: ReasonClientConnection, Message: "The client connection was aborted.", Status: 499, Err: err}, nil)
		}
		if err := x.answered(); err != nil {
			return err
		}
		err := x.runRefs(p.sections[i])
		if errors.Is(err, ErrSkipBackend) && x.Section&(Inbound|Backend) != 0 {
			x.Section, i = Outbound, Outbound.index()
			err = x.runRefs(p.sections[i])
			return err
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// answered runs what waits for the response of the backend section.
func (x *Exec) answered() error {
	if x.Section != Outbound {
		return nil
	}
	for i := 0; i < len(x.atAnswer); i++ {
		if err := x.atAnswer[i](x); err != nil {
			return x.locate(WrapError(err), nil)
		}
	}
	return nil
}

func (x *Exec) runRefs(refs []blockRef) error {
	for i := range refs {
		x.Scope = refs[i].scope
		if err := x.Run(*refs[i].block); err != nil {
			return err
		}
	}
	return nil
}

// Run runs the steps of a block. Containers call it.
func (x *Exec) Run(b Block) error {
	for i := range b.steps {
		s := &b.steps[i]
		if s.skips && x.API != nil && x.API.Type == "websocket" {
			continue
		}
		var err error
		if x.Tracer == nil {
			err = s.run.Run(x)
		} else {
			err = x.runTraced(s)
		}
		if err != nil {
			return x.stepFailed(s, err)
		}
	}
	return nil
}

// stepFailed gives an error its place, unless it is no failure or has one from an inner step.
func (x *Exec) stepFailed(s *step, err error) error {
	if err == ErrStop || err == ErrSkipBackend {
		return err
	}
	return x.locate(WrapError(err), s)
}

func (x *Exec) locate(e *Error, s *step) *Error {
	if e.at.known {
		return e
	}
	e.at = position{known: true, scope: x.Scope, section: x.Section}
	if s != nil {
		e.at.path, e.at.policyID = s.path, s.id
		if e.Source == "" {
			e.Source = s.name
		}
	}
	return e
}

// fail prepares the error response and runs on-error.
func (p *Pipeline) fail(x *Exec, e *Error) {
	x.setError(e)
	x.Section = OnError
	if x.Tracer != nil {
		x.traceFailure()
	}
	err := x.runRefs(p.sections[OnError.index()])
	if err == nil || errors.Is(err, ErrStop) || errors.Is(err, ErrSkipBackend) {
		return
	}
	x.setError(WrapError(err))
	if x.Tracer != nil {
		x.traceFailure()
	}
}

// setError makes x.LastError and the response that goes with an error by default.
func (x *Exec) setError(e *Error) {
	x.LastError = &LastError{
		Source: e.Source, Reason: e.Reason, Message: e.Message, Status: e.status(),
		Scope: e.at.scope.String(), Section: e.at.section.String(), Path: e.at.path, PolicyID: e.at.policyID,
	}
	x.SetResponse(x.ErrorResponse(e))
}

// finish runs what waits for the end.
func (x *Exec) finish() {
	x.EnsureResponse()
	for i := 0; i < len(x.atEnd); i++ {
		x.atEnd[i](x)
	}
	x.closeStored()
}

// status is the status code for the caller.
func (e *Error) status() int {
	if e.Status == 0 {
		return 500
	}
	return e.Status
}

// ErrorResponse is the response that APIM gives for an error by default: a JSON object with the status code and a message. Errors that are not
// the caller's say no more than an activity ID.
func (x *Exec) ErrorResponse(e *Error) *message.Response {
	status := e.status()
	text, activity := e.Public, ""
	switch {
	case text != "":
	case status < 500:
		text = e.Message
	case status == 500:
		text, activity = "Internal server error", x.RequestIDString()
	default:
		text, activity = message.ReasonPhrase(status), x.RequestIDString()
	}
	body := e.Body
	if body == nil {
		body = appendErrorBody(nil, status, text, activity)
	}
	r := &message.Response{Status: status, Header: e.Header.Clone(), Body: message.BytesBody(body), ContentLength: int64(len(body))}
	r.Header.Set("Content-Type", "application/json")
	return r
}

// Preflight asks the policies that stand directly in inbound, or in a fragment that is included there, in the order in which they would run, for
// an answer to a preflight request. What one has only proposed is the answer when no other has a better one.
func (p *Pipeline) Preflight(x *Exec) (answered bool, err error) {
	x.Section = Inbound
	for _, ref := range p.sections[Inbound.index()] {
		x.Scope = ref.scope
		if answered, err = x.preflight(ref.block); answered || err != nil {
			return answered, err
		}
	}
	return x.Response != nil, nil
}

func (x *Exec) preflight(b *Block) (answered bool, err error) {
	for i := range b.steps {
		s := &b.steps[i]
		if p, ok := s.run.(Preflighter); ok {
			if answered, err = p.Preflight(x); err != nil {
				return answered, x.stepFailed(s, err)
			}
		} else {
			answered, err = x.preflight(&s.fragment)
		}
		if answered || err != nil {
			return answered, err
		}
	}
	return false, nil
}

// Unmatched asks the policies that stand directly in inbound, or in a fragment that is included there, for an answer to a request that no operation
// takes.
func (p *Pipeline) Unmatched(x *Exec) (answered bool) {
	x.Section = Inbound
	for _, ref := range p.sections[Inbound.index()] {
		x.Scope = ref.scope
		if x.unmatched(ref.block) {
			return true
		}
	}
	return false
}

func (x *Exec) unmatched(b *Block) bool {
	for i := range b.steps {
		s := &b.steps[i]
		if u, ok := s.run.(Stopgap); ok && u.Unmatched(x) || x.unmatched(&s.fragment) {
			return true
		}
	}
	return false
}

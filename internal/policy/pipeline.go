package policy

// Block is a compiled list of policies: a section, or what stands in a container.
type Block struct{ steps []step }

// Len is the number of steps.
func (b *Block) Len() int { return len(b.steps) }

// step is one policy in a block.
type step struct {
	run      Runner
	name, id string
	path     string // of element names and positions from the section on, such as choose[1]/when[2]/set-header[1]
}

// Pipeline is the effective policy of a request: the blocks of its scopes strung together. It is immutable.
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
// document, which is the same as one with only <base /> in every section.
func Link(scopes ...*Document) *Pipeline { return &Pipeline{} }

// BodyUse is which bodies the pipeline may read.
func (p *Pipeline) BodyUse() BodyUse { return p.use }

// Run runs the sections: inbound, backend, outbound, and on-error after an error. Afterwards x.Response is the answer; it is never nil. The
// result is the error that led to on-error, or nil; it is for records: the answer is complete.
func (p *Pipeline) Run(x *Exec) *Error { return nil }

// Fail runs only on-error, for an error of a built-in step before the pipeline (configuration, authorization). Afterwards x.Response is the
// answer. p may be nil.
func (p *Pipeline) Fail(x *Exec, err *Error) {}

// Preflight asks the policies that stand directly in inbound, in the order in which they would run, for an answer to a preflight request.
func (p *Pipeline) Preflight(x *Exec) (answered bool, err error) { return false, nil }

// Run runs the steps of a block. Containers call it.
func (x *Exec) Run(b Block) error { return nil }

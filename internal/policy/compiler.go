package policy

import "fmt"

// Compiler is what a [Compilable] policy works with. It stands at one element of a document.
type Compiler struct {
	section Section
	scope   Scope
}

// Section is the section that the element stands in; several when a fragment is checked by itself.
func (c *Compiler) Section() Section { return c.section }

// Scope is the scope of the document; 0 when it is not known.
func (c *Compiler) Scope() Scope { return c.scope }

// Errorf reports an error at the element with a code of its own, such as InvalidRegex.
func (c *Compiler) Errorf(code, format string, args ...any) {
	_ = fmt.Sprintf(format, args...)
}

// Warnf reports a warning at the element.
func (c *Compiler) Warnf(code, format string, args ...any) {}

// Backend notes that the policy uses a backend entity. An unknown one is an error, or a warning when the service is not known.
func (c *Compiler) Backend(name string) {}

// Certificate notes that the policy uses a certificate, by name or thumbprint.
func (c *Compiler) Certificate(idOrThumbprint string) {}

// Fragment compiles the steps of a policy fragment for the place of the element.
func (c *Compiler) Fragment(name string) Block { return Block{} }

// UsesBody notes that the policy reads or replaces bodies as a whole.
func (c *Compiler) UsesBody(use BodyUse) {}

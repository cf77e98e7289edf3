package policy

import (
	"sync"

	"github.com/causeway-apim/causeway/internal/csharp"
	"github.com/causeway-apim/causeway/internal/csharp/clr"
)

// Types of the .NET library that values of the context need: those of a library are the ones of its extensions too.
var (
	stringType      = onceType("string")
	objectPair      = onceType("System.Collections.Generic.KeyValuePair<string, object>")
	stringPair      = onceType("System.Collections.Generic.KeyValuePair<string, string>")
	stringArrayPair = onceType("System.Collections.Generic.KeyValuePair<string, string[]>")
	certificatePair = onceType("System.Collections.Generic.KeyValuePair<string, System.Security.Cryptography.X509Certificates.X509Certificate2>")
	stringListType  = onceType("System.Collections.Generic.List<string>")
	formType        = onceType("System.Collections.Generic.Dictionary<string, System.Collections.Generic.IList<string>>")
)

// onceType looks a type up at its first use.
func onceType(name string) func() *csharp.Type {
	return sync.OnceValue(func() *csharp.Type { return clr.Library().MustType(name) })
}

// The dictionaries of the context are sequences of pairs: foreach and LINQ go through Each.

// Each yields the variables.
func (v *variablesObject) Each(run *csharp.Run, yield func(item any) bool) {
	clr.EachPair(run, objectPair(), v, yield)
}

// Each yields the template parameters.
func (m *matchedObject) Each(run *csharp.Run, yield func(item any) bool) {
	clr.EachPair(run, stringPair(), m, yield)
}

// Each yields the names with their values.
func (h *headers) Each(run *csharp.Run, yield func(item any) bool) {
	clr.EachPair(run, stringArrayPair(), h, yield)
}

// Each yields the names with their values.
func (q *query) Each(run *csharp.Run, yield func(item any) bool) {
	clr.EachPair(run, stringArrayPair(), q, yield)
}

// Each yields the claims with their values.
func (c *claims) Each(run *csharp.Run, yield func(item any) bool) {
	clr.EachPair(run, stringArrayPair(), c, yield)
}

// Each yields the claims.
func (c *authorizationClaims) Each(run *csharp.Run, yield func(item any) bool) {
	clr.EachPair(run, objectPair(), c, yield)
}

// Each yields the certificates.
func (c *certificatesObject) Each(run *csharp.Run, yield func(item any) bool) {
	clr.EachPair(run, certificatePair(), c, yield)
}

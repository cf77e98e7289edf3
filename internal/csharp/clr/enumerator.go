package clr

import "github.com/causeway-apim/causeway/internal/csharp"

// An Enumerator is IEnumerator<T> taken by hand. It walks over a copy of the items made when it is created: code that steps
// by hand through a sequence which changes meanwhile is not supported.
type Enumerator struct {
	items []any
	i     int
}

func newEnumerator(r run, v any) *Enumerator { return &Enumerator{items: csharp.Items(r, v), i: -1} }

// Dispose does nothing.
func (*Enumerator) Dispose() {}

// declareSteps declares GetEnumerator for a class whose items are Ts.
func declareSteps(t *csharp.TypeBuilder, item string) {
	t.Method("IEnumerator<"+item+"> GetEnumerator()", csharp.F2(newEnumerator))
}

func declareEnumerator(b *csharp.Builder) {
	t := b.Type("interface System.Collections.Generic.IEnumerator<T> : IDisposable", csharp.Go[*Enumerator]())
	t.Method("bool MoveNext()", csharp.F1(func(e *Enumerator) bool {
		if e.i < len(e.items) {
			e.i++
		}
		return e.i < len(e.items)
	}))
	t.Prop("T Current", csharp.F2(func(t typeArgs, e *Enumerator) any {
		if e.i < 0 || e.i >= len(e.items) {
			return csharp.Zero(t[0])
		}
		return e.items[e.i]
	}))
	t.Method("void Reset()", csharp.V1(func(e *Enumerator) { e.i = -1 }))
}

package clr

import (
	"strconv"
	"strings"

	"github.com/causeway-apim/causeway/internal/csharp"
)

// A Tuple is System.Tuple<T1, …>.
type Tuple struct {
	typ   *csharp.Type
	items []any
	size  int // see csharp.Nested
}

// NestedSize implements csharp.Nested.
func (t *Tuple) NestedSize() int { return t.size }

// ClrType is the exact type.
func (t *Tuple) ClrType() *csharp.Type { return t.typ }

// ToString gives (1, x).
func (t *Tuple) ToString() string { return "(" + csharp.JoinText(texts(t.items), ", ") + ")" }

// Equals compares item by item.
func (t *Tuple) Equals(v any) bool {
	u, ok := v.(*Tuple)
	if !ok || t.typ != u.typ {
		return false
	}
	for i := range t.items {
		if !csharp.Equal(t.items[i], u.items[i]) {
			return false
		}
	}
	return true
}

// HashKey is equal for equal tuples.
func (t *Tuple) HashKey() any { return t.typ.FullName() + t.ToString() }

// CompareTo compares item by item.
func (t *Tuple) CompareTo(v any) int {
	for i := range t.items {
		if n := Compare(t.items[i], v.(*Tuple).items[i]); n != 0 {
			return n
		}
	}
	return 0
}

func declareTuple(b *csharp.Builder) {
	s := b.Type("static class System.Tuple", csharp.NoGo())
	var params, args []string
	for n := 1; n <= 7; n++ {
		i := strconv.Itoa(n)
		params = append(params, "T"+i)
		args = append(args, "T"+i+" item"+i)
		name := "<" + strings.Join(params, ", ") + ">"
		t := b.Type("class System.Tuple"+name, csharp.Go[*Tuple]())
		f := tupleMaker(n)
		t.New("("+strings.Join(args, ", ")+")", f)
		s.Static("Tuple"+name+" Create"+name+"("+strings.Join(args, ", ")+")", f)
		for k := 1; k <= n; k++ {
			t.Prop("T"+strconv.Itoa(k)+" Item"+strconv.Itoa(k), csharp.F1(func(t *Tuple) any { return t.items[k-1] }))
		}
	}
}

func tupleMaker(n int) csharp.Func {
	make1 := func(t resultType, items ...any) *Tuple { return &Tuple{t.Type, items, csharp.NestedSize(items)} }
	switch n {
	case 1:
		return csharp.F2(func(t resultType, a any) *Tuple { return make1(t, a) })
	case 2:
		return csharp.F3(func(t resultType, a, b any) *Tuple { return make1(t, a, b) })
	case 3:
		return csharp.F4(func(t resultType, a, b, c any) *Tuple { return make1(t, a, b, c) })
	case 4:
		return csharp.F5(func(t resultType, a, b, c, d any) *Tuple { return make1(t, a, b, c, d) })
	case 5:
		return csharp.F6(func(t resultType, a, b, c, d, e any) *Tuple { return make1(t, a, b, c, d, e) })
	case 6:
		return csharp.F7(func(t resultType, a, b, c, d, e, f any) *Tuple { return make1(t, a, b, c, d, e, f) })
	}
	return csharp.F8(func(t resultType, a, b, c, d, e, f, g any) *Tuple { return make1(t, a, b, c, d, e, f, g) })
}

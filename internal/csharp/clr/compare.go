package clr

import (
	"strings"
	"sync"

	"golang.org/x/text/collate"
	"golang.org/x/text/language"

	"github.com/causeway-apim/causeway/internal/csharp"
)

// collators hold the order of strings in the invariant culture, that of the Unicode root collation as ICU gives it.
// A collator is not safe for concurrent use, hence pools.
var (
	collators     = sync.Pool{New: func() any { return collate.New(language.Und) }}
	foldCollators = sync.Pool{New: func() any { return collate.New(language.Und, collate.IgnoreCase) }}
)

// CompareCulture compares as String.Compare does without StringComparison.
func CompareCulture(a, b string, fold bool) int {
	if n, done := compareNull(a, b); done {
		return n
	}
	pool := &collators
	if fold {
		pool = &foldCollators
	}
	c := pool.Get().(*collate.Collator)
	defer pool.Put(c)
	return c.CompareString(a, b)
}

func compareNull(a, b string) (int, bool) {
	x, y := csharp.IsNull(a), csharp.IsNull(b)
	switch {
	case x && y:
		return 0, true
	case x:
		return -1, true
	case y:
		return 1, true
	}
	return 0, false
}

// compareOrdinal compares UTF-16 units: the difference of the first ones that differ, else that of the lengths.
func compareOrdinal(a, b string) int {
	if n, done := compareNull(a, b); done {
		return n
	}
	if csharp.IsASCII(a) && csharp.IsASCII(b) {
		return compareUnits([]byte(a), []byte(b))
	}
	return compareUnits(csharp.Units(a), csharp.Units(b))
}

func compareUnits[U byte | uint16](a, b []U) int {
	for i := 0; i < len(a) && i < len(b); i++ {
		if a[i] != b[i] {
			return int(a[i]) - int(b[i])
		}
	}
	return len(a) - len(b)
}

// compareWhole is compareOrdinal of whole strings, which .NET compares two units at a time with the zero behind the last one:
// where the shorter one ends after an odd number of units, the result is the difference of the next unit from zero.
func compareWhole(a, b string) int {
	n := compareOrdinal(a, b)
	if n == 0 || csharp.IsNull(a) || csharp.IsNull(b) || !strings.HasPrefix(a, b) && !strings.HasPrefix(b, a) {
		return n
	}
	short, long, sign := csharp.Length(a), b, -1
	if n > 0 {
		short, long, sign = csharp.Length(b), a, 1
	}
	if short != 0 && short%2 == 0 {
		return n
	}
	if next := csharp.Units(csharp.Slice(long, short, short+1))[0]; next != 0 {
		return sign * int(next)
	}
	return n
}

// foldCase is the simple upper case that OrdinalIgnoreCase compares.
func foldCase(s string) string { return strings.ToUpper(s) }

// comparison is System.StringComparison.
type comparison int

const (
	currentCulture comparison = iota
	currentCultureIgnoreCase
	invariantCulture
	invariantCultureIgnoreCase
	ordinal
	ordinalIgnoreCase
)

func comparisonOf(n int) comparison {
	if n < 0 || n > int(ordinalIgnoreCase) {
		csharp.ThrowArgument("System.ArgumentException", "The string comparison type passed in is currently not supported.", "comparisonType")
	}
	return comparison(n)
}

func (c comparison) ignoreCase() bool { return c&1 == 1 }

func (c comparison) compare(a, b string) int {
	switch c {
	case ordinal:
		return compareWhole(a, b)
	case ordinalIgnoreCase:
		if n, done := compareNull(a, b); done {
			return n
		}
		return compareOrdinal(foldCase(a), foldCase(b))
	}
	return CompareCulture(a, b, c.ignoreCase())
}

func (c comparison) equal(a, b string) bool {
	if c == ordinal {
		return a == b && csharp.IsNull(a) == csharp.IsNull(b)
	}
	if c == ordinalIgnoreCase && csharp.IsASCII(a) && csharp.IsASCII(b) {
		return equalFoldASCII(a, b) && csharp.IsNull(a) == csharp.IsNull(b)
	}
	return c.compare(a, b) == 0
}

// equalFoldASCII compares header names, methods and the like without making strings.
func equalFoldASCII(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range len(a) {
		p, q := a[i], b[i]
		if 'A' <= p && p <= 'Z' {
			p |= 0x20
		}
		if 'A' <= q && q <= 'Z' {
			q |= 0x20
		}
		if p != q {
			return false
		}
	}
	return true
}

// Compare is Comparer<object>.Default: null first, then IComparable.
func Compare(a, b any) int {
	switch {
	case a == nil && b == nil:
		return 0
	case a == nil:
		return -1
	case b == nil:
		return 1
	}
	switch x := a.(type) {
	case string:
		if y, ok := b.(string); ok {
			return CompareCulture(x, y, false)
		}
	case float64:
		if y, ok := b.(float64); ok {
			return compareFloat(x, y)
		}
	case float32:
		if y, ok := b.(float32); ok {
			return compareFloat(float64(x), float64(y))
		}
	case bool:
		if y, ok := b.(bool); ok {
			switch {
			case x == y:
				return 0
			case x:
				return 1
			}
			return -1
		}
	case uint64:
		if y, ok := b.(uint64); ok {
			switch {
			case x < y:
				return -1
			case x > y:
				return 1
			}
			return 0
		}
	case csharp.Comparer:
		return x.CompareTo(b)
	}
	x, ok := csharp.Integer(a)
	y, ok2 := csharp.Integer(b)
	if !ok || !ok2 || csharp.TypeName(a) != csharp.TypeName(b) {
		if ok {
			csharp.Throwf("System.ArgumentException", "Object must be of type %s.", strings.TrimPrefix(csharp.TypeName(a), "System."))
		}
		csharp.Throw("System.InvalidOperationException", "Failed to compare two elements in the array.")
	}
	switch {
	case x < y:
		return -1
	case x > y:
		return 1
	}
	return 0
}

// compareTo is CompareTo(object) of the type with the short name.
func compareTo(name string, a, b any) int {
	if b == nil {
		return 1
	}
	if csharp.TypeName(b) != "System."+name {
		csharp.Throw("System.ArgumentException", "Object must be of type "+name+".")
	}
	return Compare(a, b)
}

func compareFloat(x, y float64) int {
	switch {
	case x < y:
		return -1
	case x > y:
		return 1
	case x == y:
		return 0
	case x != x && y != y:
		return 0
	case x != x:
		return -1
	}
	return 1
}

// A StringComparer is System.StringComparer.
type StringComparer struct{ c comparison }

// ClrName is System.StringComparer.
func (*StringComparer) ClrName() string { return "System.StringComparer" }

// equality is an IEqualityComparer: key gives a comparable Go value that is equal for equal items.
type equality interface{ key(v any) any }

// ordering is an IComparer.
type ordering interface {
	order(r run, a, b any) int
}

func (s *StringComparer) key(v any) any {
	x, ok := v.(string)
	if !ok {
		return csharp.KeyOf(v)
	}
	if s.c == ordinal {
		return x
	}
	if s.c.ignoreCase() {
		return foldCase(x)
	}
	return x
}

func (s *StringComparer) order(_ run, a, b any) int {
	return s.c.compare(csharp.UnboxString(a), csharp.UnboxString(b))
}

// keyer gives the key function of a comparer, which may be nil for the default.
func keyer(c any) func(any) any {
	if e, ok := c.(equality); ok {
		return e.key
	}
	return csharp.KeyOf
}

// defaultComparer is Comparer<T>.Default and EqualityComparer<T>.Default.
type defaultComparer struct{ _ byte }

func (*defaultComparer) key(v any) any             { return csharp.KeyOf(v) }
func (*defaultComparer) order(_ run, a, b any) int { return Compare(a, b) }

// delegateComparer is Comparer<T>.Create.
type delegateComparer struct{ d delegate }

func (c *delegateComparer) order(r run, a, b any) int { return int(call(r, c.d, a, b).(int32)) }

func declareComparers(b *csharp.Builder) {
	eq := b.Type("interface System.Collections.Generic.IEqualityComparer<T>", csharp.Go[equality]())
	eq.Method("bool Equals(T x, T y)", csharp.F3(func(c equality, x, y any) bool { return c.key(x) == c.key(y) }))
	cmp := b.Type("interface System.Collections.Generic.IComparer<T>", csharp.Go[ordering]())
	cmp.Method("int Compare(T x, T y)", csharp.F4(func(r run, c ordering, x, y any) int { return c.order(r, x, y) }))
	def := b.Type("class System.Collections.Generic.EqualityComparer<T> : IEqualityComparer<T>", csharp.Go[*defaultComparer]()).Outside()
	def.StaticProp("EqualityComparer<T> Default", csharp.F0(func() *defaultComparer { return &defaultComparer{} }))
	dc := b.Type("class System.Collections.Generic.Comparer<T> : IComparer<T>", csharp.Go[ordering]()).Outside()
	dc.StaticProp("Comparer<T> Default", csharp.F0(func() *defaultComparer { return &defaultComparer{} }))
	dc.Static("Comparer<T> Create(Comparison<T> comparison)", csharp.F1(func(d delegate) *delegateComparer { return &delegateComparer{d} }))

	b.Enum("System.StringComparison", false,
		[]string{"CurrentCulture", "CurrentCultureIgnoreCase", "InvariantCulture", "InvariantCultureIgnoreCase", "Ordinal", "OrdinalIgnoreCase"},
		[]int64{0, 1, 2, 3, 4, 5})
	s := b.Type("class System.StringComparer : IEqualityComparer<string>, IComparer<string>", csharp.Go[*StringComparer]())
	for i, n := range []string{"CurrentCulture", "CurrentCultureIgnoreCase", "InvariantCulture", "InvariantCultureIgnoreCase", "Ordinal", "OrdinalIgnoreCase"} {
		v := &StringComparer{comparison(i)}
		s.StaticProp("StringComparer "+n, csharp.F0(func() *StringComparer { return v }))
	}
	s.Method("int Compare(string x, string y)", csharp.F3(func(c *StringComparer, x, y string) int { return c.c.compare(x, y) }))
	s.Method("bool Equals(string x, string y)", csharp.F3(func(c *StringComparer, x, y string) bool { return c.c.equal(x, y) }))
	s.Static("StringComparer FromComparison(StringComparison comparisonType)", csharp.F1(func(n int) *StringComparer { return &StringComparer{comparisonOf(n)} }))
	s.Method("int GetHashCode(string obj)", csharp.F2(func(c *StringComparer, v string) int {
		needString(v, "obj")
		return hashCode(c.key(v))
	}))
	s.Method("int Compare(object x, object y)", csharp.F4(func(r run, c *StringComparer, x, y any) int {
		if csharp.TypeName(x) != "System.String" || csharp.TypeName(y) != "System.String" {
			return Compare(x, y)
		}
		return c.order(r, x, y)
	}))
}

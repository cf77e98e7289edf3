package liquid

import (
	"iter"
	"math/big"
	"strconv"
	"strings"
	"time"

	"github.com/causeway-apim/causeway/internal/csharp/clr"
)

// Object is a value with members, such as context.Request.
type Object interface {
	// Get returns the member of that name.
	Get(name string) (value any, ok bool)
}

// Lister is a value over which a template can loop.
type Lister interface{ Items() []any }

// Texter is a value with a text of its own.
type Texter interface{ Text() string }

// Map is an object of a JSON document: members in their order.
type Map struct {
	names  []string
	values map[string]any
}

// Set sets a member.
func (m *Map) Set(name string, value any) {
	if m.values == nil {
		m.values = make(map[string]any)
	}
	if _, there := m.values[name]; !there {
		m.names = append(m.names, name)
	}
	m.values[name] = value
}

// Get implements Object.
func (m *Map) Get(name string) (value any, ok bool) {
	value, ok = m.values[name]
	return value, ok
}

// All goes over the members in their order.
func (m *Map) All() iter.Seq2[string, any] {
	return func(yield func(string, any) bool) {
		for _, name := range m.names {
			if !yield(name, m.values[name]) {
				return
			}
		}
	}
}

// Len is the number of members.
func (m *Map) Len() int { return len(m.names) }

// Items implements Lister: pairs of name and value, whose members are Key and Value.
func (m *Map) Items() []any {
	items := make([]any, len(m.names))
	for i, name := range m.names {
		items[i] = pair{name, m.values[name]}
	}
	return items
}

// pair is a member of an object that is looped over.
type pair struct {
	key   string
	value any
}

func (p pair) Get(name string) (value any, ok bool) {
	switch name {
	case "Key", "key", "itemName":
		return p.key, true
	case "Value", "value":
		return p.value, true
	}
	if o, is := p.value.(Object); is {
		return o.Get(name)
	}
	return nil, false
}

func (p pair) Items() []any { return []any{p.key, p.value} }

func (p pair) Text() string { return "[" + p.key + ", " + Text(p.value) + "]" }

// span is a range of whole numbers (a..b).
type span struct{ from, to int64 }

// maxSpan is the most numbers of a range that is looped over.
const maxSpan = 1_000_000

func (s span) Items() []any {
	if s.to < s.from {
		return nil
	}
	items := make([]any, 0, min(uint64(s.to)-uint64(s.from), maxSpan-1)+1)
	for i := s.from; i <= s.to && len(items) < cap(items); i++ {
		items = append(items, i)
	}
	return items
}

// keyword is empty or blank, which equal what has no content.
type keyword struct{}

// Text is how a value is written: null as nothing, numbers and times as .NET does in the invariant culture, lists item by item.
func Text(v any) string {
	switch v := v.(type) {
	case nil, keyword:
		return ""
	case string:
		return v
	case bool:
		return strconv.FormatBool(v)
	case int64:
		return strconv.FormatInt(v, 10)
	case float64:
		return clr.Format(v, "")
	case *decimal:
		return v.String()
	case time.Time:
		return clr.NewDateTime(v).Format("")
	case Texter:
		return v.Text()
	case []any:
		return listText(v)
	case Lister:
		return listText(v.Items())
	}
	return ""
}

func listText(items []any) string {
	var b strings.Builder
	for _, item := range items {
		b.WriteString(Text(item))
	}
	return b.String()
}

// truthy: everything is true but null and false.
func truthy(v any) bool { return v != nil && v != false }

// items is what a loop or a filter over lists sees; nil for what is no list.
func items(v any) []any {
	switch v := v.(type) {
	case []any:
		return v
	case Lister:
		return v.Items()
	}
	return nil
}

func isList(v any) bool {
	switch v.(type) {
	case []any, Lister:
		return true
	}
	return false
}

// size is the number of items or of UTF-16 units; ok is false for what has none.
func size(v any) (n int64, ok bool) {
	switch v := v.(type) {
	case string:
		return int64(utf16Len(v)), true
	case nil, bool, int64, float64, *decimal, time.Time, keyword:
		return 0, false
	}
	if isList(v) {
		return int64(len(items(v))), true
	}
	if t, is := v.(Texter); is {
		return int64(utf16Len(t.Text())), true
	}
	return 0, false
}

func utf16Len(s string) (n int) {
	for _, c := range s {
		n++
		if c > 0xffff {
			n++
		}
	}
	return n
}

// isEmpty says whether a value equals empty and blank.
func isEmpty(v any) bool {
	if v == nil {
		return true
	}
	n, ok := size(v)
	return ok && n == 0
}

// member is v.name or v[name]; size, first and last belong to lists.
func member(v any, key any) any {
	switch key := key.(type) {
	case int64:
		return element(v, key)
	case string:
		if o, ok := v.(Object); ok {
			if found, ok := o.Get(key); ok {
				return found
			}
		}
		switch key {
		case "size", "Size":
			if n, ok := size(v); ok {
				return n
			}
		case "first", "First":
			return element(v, 0)
		case "last", "Last":
			return element(v, -1)
		}
	}
	return nil
}

// element is the i-th item of a list, counted from the end when i is negative.
func element(v any, i int64) any {
	list := items(v)
	if i < 0 {
		i += int64(len(list))
	}
	if i < 0 || i >= int64(len(list)) {
		return nil
	}
	return list[i]
}

// equal compares as == does: numbers by value, all else by type and value.
func equal(a, b any) bool {
	if _, ok := b.(keyword); ok {
		return isEmpty(a)
	}
	if _, ok := a.(keyword); ok {
		return isEmpty(b)
	}
	a, b = plain(a), plain(b)
	if x, y := number(a), number(b); x != nil && y != nil {
		return x.Cmp(y) == 0
	}
	switch x := a.(type) {
	case nil, bool, string:
		return a == b
	case time.Time:
		y, ok := b.(time.Time)
		return ok && x.Equal(y)
	}
	if !isList(a) || !isList(b) {
		return false
	}
	x, y := items(a), items(b)
	if len(x) != len(y) {
		return false
	}
	for i := range x {
		if !equal(x[i], y[i]) {
			return false
		}
	}
	return true
}

// order compares two values; ok is false when they have no order.
func order(a, b any) (c int, ok bool) {
	a, b = plain(a), plain(b)
	if x, y := number(a), number(b); x != nil && y != nil {
		return x.Cmp(y), true
	}
	switch x := a.(type) {
	case string:
		switch y := b.(type) {
		case string:
			return strings.Compare(x, y), true
		case int64, float64, *decimal: // the text of an XML element beside a number
			if n, fine := parseDecimal(x); fine {
				return n.rat().Cmp(number(y)), true
			}
		}
	case int64, float64, *decimal:
		if y, is := b.(string); is {
			if n, fine := parseDecimal(y); fine {
				return number(x).Cmp(n.rat()), true
			}
		}
	case time.Time:
		if y, is := b.(time.Time); is {
			return x.Compare(y), true
		}
	}
	return 0, false
}

// plain is the text of a value that is nothing but a text with members, such as an XML element.
func plain(v any) any {
	if t, ok := v.(Texter); ok {
		return t.Text()
	}
	return v
}

// number is the exact value of a number, nil for anything else.
func number(v any) *big.Rat {
	if d := toDecimal(v); d != nil {
		return d.rat()
	}
	return nil
}

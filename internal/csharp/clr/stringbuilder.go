package clr

import (
	"strings"

	"github.com/causeway-apim/causeway/internal/csharp"
)

// A StringBuilder is System.Text.StringBuilder.
type StringBuilder struct{ b []byte }

// ClrName is System.Text.StringBuilder.
func (*StringBuilder) ClrName() string { return "System.Text.StringBuilder" }

// ToString gives the text.
func (s *StringBuilder) ToString() string { return string(s.b) }

func (s *StringBuilder) append(r run, t string) *StringBuilder {
	r.Alloc(len(t))
	s.b = append(s.b, t...)
	return s
}

func (s *StringBuilder) set(t string) *StringBuilder {
	s.b = append(s.b[:0], t...)
	return s
}

func declareStringBuilder(b *csharp.Builder) {
	type sb = *StringBuilder
	t := b.Type("class System.Text.StringBuilder", csharp.Go[sb]())
	t.New("()", csharp.F0(func() sb { return &StringBuilder{} }))
	t.New("(string value)", csharp.F2(func(r run, v string) sb { return (&StringBuilder{}).append(r, v) }))
	t.New("(int capacity)", csharp.F1(func(int) sb { return &StringBuilder{} }))
	t.New("(string value, int capacity)", csharp.F3(func(r run, v string, _ int) sb { return (&StringBuilder{}).append(r, v) }))
	t.Prop("int Length", csharp.F1(func(s sb) int { return csharp.Length(s.ToString()) }), csharp.V3(func(r run, s sb, n int) {
		have := csharp.Length(s.ToString())
		switch {
		case n < 0:
			outOfRange("value", "Length cannot be less than zero.")
		case n <= have:
			s.set(csharp.Slice(s.ToString(), 0, n))
		default:
			s.append(r, repeatChar(r, 0, n-have))
		}
	}))
	t.Prop("int Capacity", csharp.F1(func(s sb) int { return cap(s.b) }))
	t.Index("char this[int index]", csharp.F2(func(s sb, i int) csharp.Char { return csharp.CharAt(s.ToString(), i) }), csharp.V3(func(s sb, i int, c csharp.Char) {
		u := csharp.Units(s.ToString())
		if i < 0 || i >= len(u) {
			outOfRange("index", "Index was out of range. Must be non-negative and less than the size of the collection.")
		}
		u[i] = uint16(c)
		s.set(csharp.FromUnits(u))
	}))
	t.Method("StringBuilder Append(string value)", csharp.F3(func(r run, s sb, v string) sb { return s.append(r, v) }))
	t.Method("StringBuilder Append(char value)", csharp.F3(func(r run, s sb, c csharp.Char) sb {
		if c >= 0xDC00 && c <= 0xDFFF {
			s.b = csharp.AppendUnit(s.b, uint16(c))
			return s
		}
		return s.append(r, c.String())
	}))
	t.Method("StringBuilder Append(char value, int repeatCount)", csharp.F4(func(r run, s sb, c csharp.Char, n int) sb {
		if n < 0 {
			outOfRange("repeatCount", "Non-negative number required.")
		}
		return s.append(r, repeatChar(r, c, n))
	}))
	t.Method("StringBuilder Append(char[] value)", csharp.F3(func(r run, s sb, a array) sb { return s.append(r, charsToString(a)) }))
	t.Method("StringBuilder Append(object value)", csharp.F3(func(r run, s sb, v any) sb { return s.append(r, text(v)) }))
	t.Method("StringBuilder Append(string value, int startIndex, int count)", csharp.F5(func(r run, s sb, v string, i, n int) sb { return s.append(r, substring(v, i, n)) }))
	t.Method("StringBuilder AppendLine()", csharp.F2(func(r run, s sb) sb { return s.append(r, "\n") }))
	t.Method("StringBuilder AppendLine(string value)", csharp.F3(func(r run, s sb, v string) sb { return s.append(r, v).append(r, "\n") }))
	t.Method("StringBuilder AppendFormat(string format, params object[] args)", csharp.F4(func(r run, s sb, f string, a array) sb {
		return s.append(r, composite(r, f, a.Items))
	}))
	t.Method("StringBuilder AppendJoin(string separator, params object[] values)", csharp.F4(func(r run, s sb, sep string, a array) sb {
		return s.append(r, joinText(r, sep, texts(a.Items)))
	}))
	t.Method("StringBuilder AppendJoin<T>(string separator, IEnumerable<T> values)", csharp.F4(func(r run, s sb, sep string, v any) sb {
		return s.append(r, joinText(r, sep, texts(csharp.Items(r, v))))
	}))
	t.Method("StringBuilder Insert(int index, string value)", csharp.F4(insertText))
	t.Method("StringBuilder Insert(int index, object value)", csharp.F4(func(r run, s sb, i int, v any) sb { return insertText(r, s, i, text(v)) }))
	t.Method("StringBuilder Remove(int startIndex, int length)", csharp.F3(func(s sb, i, n int) sb {
		v := s.ToString()
		total := csharp.Length(v)
		switch {
		case i < 0:
			outOfRange("startIndex", "Non-negative number required.")
		case n < 0:
			negative("length", n)
		case i+n > total:
			outOfRange("length", "Index was out of range. Must be non-negative and less than or equal to the size of the collection.")
		}
		return s.set(csharp.Slice(v, 0, i) + csharp.Slice(v, i+n, total))
	}))
	t.Method("StringBuilder Replace(string oldValue, string newValue)", csharp.F4(func(r run, s sb, a, c string) sb { return s.set(replaceText(r, s.ToString(), a, c, ordinal)) }))
	t.Method("StringBuilder Replace(char oldChar, char newChar)", csharp.F3(func(s sb, a, c csharp.Char) sb {
		return s.set(strings.ReplaceAll(s.ToString(), a.String(), c.String()))
	}))
	declareStringBuilderMore(t)
	t.Method("bool Equals(StringBuilder sb)", csharp.F2(func(s, o sb) bool { return o != nil && s.ToString() == o.ToString() }))
	t.Method("StringBuilder Clear()", csharp.F1(func(s sb) sb { return s.set("") }))
	t.Method("string ToString()", csharp.F2(func(r run, s sb) string { r.Alloc(len(s.b)); return string(s.b) }))
	t.Method("string ToString(int startIndex, int length)", csharp.F3(func(s sb, i, n int) string { return substring(s.ToString(), i, n) }))
}

func insertText(r run, s *StringBuilder, i int, v string) *StringBuilder {
	old := s.ToString()
	if i < 0 || i > csharp.Length(old) {
		outOfRange("index", "Index was out of range. Must be non-negative and less than or equal to the size of the collection.")
	}
	r.Alloc(len(v))
	at := byteIndex(old, i)
	return s.set(old[:at] + v + old[at:])
}

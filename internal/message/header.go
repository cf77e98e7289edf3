package message

import (
	"iter"
	"math/bits"
	"slices"
	"strings"
)

// Field is one header or trailer field as it stands on the wire, without the surrounding white space of its value.
type Field struct{ Name, Value string }

// Header is an ordered list of fields. Names compare without regard to ASCII case (RFC 9110, 5.1), and keep the case in which they were given.
// The zero value is an empty header. Assigning a Header shares its fields; use [Header.Clone]. Not safe for concurrent use while it is changed.
type Header struct{ fields []Field }

// NewHeader returns a header with the given names and values in turn; an odd last name is dropped.
func NewHeader(namesAndValues ...string) Header {
	h := Header{fields: make([]Field, 0, len(namesAndValues)/2)}
	for i := 0; i+1 < len(namesAndValues); i += 2 {
		h.Add(namesAndValues[i], namesAndValues[i+1])
	}
	return h
}

// Len is the number of fields.
func (h *Header) Len() int { return len(h.fields) }

// At returns the field at position i, from 0 to Len()-1.
func (h *Header) At(i int) Field { return h.fields[i] }

// All yields names and values in order. The header may not be changed meanwhile.
func (h *Header) All() iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		for i := range h.fields {
			if !yield(h.fields[i].Name, h.fields[i].Value) {
				return
			}
		}
	}
}

// Each yields the values of name in order without allocating. The header may not be changed meanwhile.
func (h *Header) Each(name string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for i := range h.fields {
			if f := &h.fields[i]; len(f.Name) == len(name) && EqualName(f.Name, name) && !yield(f.Value) {
				return
			}
		}
	}
}

// index returns the position of the first field called name from start on, or -1.
func (h *Header) index(name string, start int) int {
	for i := start; i < len(h.fields); i++ {
		// Most names differ in length: that saves the call.
		if f := &h.fields[i]; len(f.Name) == len(name) && EqualName(f.Name, name) {
			return i
		}
	}
	return -1
}

// Get returns the first value of name, or "".
func (h *Header) Get(name string) string {
	value, _ := h.Lookup(name)
	return value
}

// Lookup returns the first value of name and whether there is one.
func (h *Header) Lookup(name string) (string, bool) {
	if i := h.index(name, 0); i >= 0 {
		return h.fields[i].Value, true
	}
	return "", false
}

// Has says whether there is a field called name.
func (h *Header) Has(name string) bool { return h.index(name, 0) >= 0 }

// Values returns the values of name in order, nil when there are none.
func (h *Header) Values(name string) []string {
	var values []string
	for value := range h.Each(name) {
		values = append(values, value)
	}
	return values
}

// Joined returns the values of name joined by ",", as APIM shows repeated fields. It allocates only when there are several.
func (h *Header) Joined(name string) string {
	i := h.index(name, 0)
	if i < 0 {
		return ""
	}
	if h.index(name, i+1) < 0 {
		return h.fields[i].Value
	}
	return strings.Join(h.Values(name), ",")
}

// Grow makes room for n more fields.
func (h *Header) Grow(n int) { h.fields = slices.Grow(h.fields, n) }

// Add appends a field.
func (h *Header) Add(name, value string) { h.fields = append(h.fields, Field{name, value}) }

// Set gives the first field called name the value, drops the other ones of that name, or appends the field when there is none.
func (h *Header) Set(name, value string) {
	i := h.index(name, 0)
	if i < 0 {
		h.Add(name, value)
		return
	}
	h.fields[i] = Field{name, value}
	h.removeFrom(name, i+1)
}

// Del removes all fields called name.
func (h *Header) Del(name string) { h.removeFrom(name, 0) }

// removeFrom drops the fields called name at position start and later.
func (h *Header) removeFrom(name string, start int) {
	first := h.index(name, start)
	if first < 0 {
		return
	}
	kept := h.fields[:first]
	for _, f := range h.fields[first+1:] {
		if len(f.Name) != len(name) || !EqualName(f.Name, name) {
			kept = append(kept, f)
		}
	}
	clear(h.fields[len(kept):])
	h.fields = kept
}

// DeleteFunc removes the fields for which drop returns true.
func (h *Header) DeleteFunc(drop func(Field) bool) {
	first := slices.IndexFunc(h.fields, drop)
	if first < 0 {
		return
	}
	kept := h.fields[:first]
	for _, f := range h.fields[first+1:] {
		if !drop(f) {
			kept = append(kept, f)
		}
	}
	clear(h.fields[len(kept):])
	h.fields = kept
}

// Validate says which field cannot be sent, with an [InvalidFieldError]; nil when all can.
func (h *Header) Validate() error {
	for i := range h.fields {
		if f := &h.fields[i]; !ValidName(f.Name) || !ValidValue(f.Value) {
			return &InvalidFieldError{Name: f.Name}
		}
	}
	return nil
}

// Reset empties the header and keeps its memory for reuse.
func (h *Header) Reset() {
	clear(h.fields)
	h.fields = h.fields[:0]
}

// CopyFrom makes h a copy of src in the memory that h has; the strings are shared.
func (h *Header) CopyFrom(src *Header) {
	if h == src {
		return
	}
	h.Reset()
	h.fields = append(h.fields, src.fields...)
}

// Clone returns a copy whose fields may be changed apart from h; the strings are shared and valid as long as those of h.
func (h *Header) Clone() Header {
	if len(h.fields) == 0 {
		return Header{}
	}
	return Header{fields: append(make([]Field, 0, len(h.fields)+4), h.fields...)}
}

// Detach returns a copy that owns its strings, in one allocation beside the list.
func (h *Header) Detach() Header {
	if len(h.fields) == 0 {
		return Header{}
	}
	size := 0
	for _, f := range h.fields {
		size += len(f.Name) + len(f.Value)
	}
	var all strings.Builder
	all.Grow(size)
	for _, f := range h.fields {
		all.WriteString(f.Name)
		all.WriteString(f.Value)
	}
	rest, fields := all.String(), make([]Field, len(h.fields))
	for i, f := range h.fields {
		n, v := len(f.Name), len(f.Name)+len(f.Value)
		fields[i] = Field{rest[:n], rest[n:v]}
		rest = rest[v:]
	}
	return Header{fields: fields}
}

// EqualName says whether two field names are the same: equal but for the case of ASCII letters.
func EqualName(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	if a == b {
		return true
	}
	for i := range len(a) {
		if x, y := a[i], b[i]; x != y && lower(x) != lower(y) {
			return false
		}
	}
	return true
}

// lower maps ASCII capitals to small letters and leaves other bytes alone.
func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

// HasToken says whether one of the comma-separated tokens in the fields called name is token, ignoring case ("Connection: close, TE").
func (h *Header) HasToken(name, token string) bool {
	for value := range h.Each(name) {
		for len(value) > 0 {
			var item string
			item, value, _ = strings.Cut(value, ",")
			if EqualName(strings.Trim(item, " \t"), token) {
				return true
			}
		}
	}
	return false
}

// ValidName says whether name is a field name: one or more token characters (RFC 9110, 5.6.2).
func ValidName(name string) bool { return name != "" && TokenLength(name) == len(name) }

// TokenLength is the number of token characters (RFC 9110, 5.6.2) that s begins with.
func TokenLength(s string) int {
	i := 0
	for i < len(s) && tokenByte[s[i]] {
		i++
	}
	return i
}

// ValidValue says whether value may be sent as a field value: no control characters but tab (RFC 9110, 5.5), so that no text given to a policy can
// add fields or end the head.
func ValidValue(value string) bool { return ValueLength(value) == len(value) }

// ValueLength is the number of bytes that s begins with and that a field value may have: see [ValidValue].
func ValueLength(s string) int {
	i := 0
	for {
		i += textLength(s[i:])
		if i == len(s) || s[i] != '\t' {
			return i
		}
		i++
	}
}

// textLength is the number of bytes that s begins with and that are no control characters. It takes eight at a time: each turn sets the highest bit of
// the lowest byte that is less than a space or DEL, and perhaps those of bytes behind it.
func textLength(s string) int {
	const ones, highest = 0x0101010101010101, 0x8080808080808080
	i := 0
	for ; i+8 <= len(s); i += 8 {
		w := s[i : i+8]
		word := uint64(w[0]) | uint64(w[1])<<8 | uint64(w[2])<<16 | uint64(w[3])<<24 | uint64(w[4])<<32 | uint64(w[5])<<40 | uint64(w[6])<<48 | uint64(w[7])<<56
		deleted := word ^ ones*0x7f
		if found := ((word-ones*' ')&^word | (deleted-ones)&^deleted) & highest; found != 0 {
			return i + bits.TrailingZeros64(found)/8
		}
	}
	for i < len(s) && s[i] >= ' ' && s[i] != 0x7f {
		i++
	}
	return i
}

// tokenByte marks the characters of tokens (RFC 9110, 5.6.2).
var tokenByte = func() (table [256]bool) {
	for c := '0'; c <= '9'; c++ {
		table[c] = true
	}
	for c := 'a'; c <= 'z'; c++ {
		table[c], table[c-'a'+'A'] = true, true
	}
	for _, c := range "!#$%&'*+-.^_`|~" {
		table[c] = true
	}
	return table
}()

package clr

import (
	"slices"
	"strconv"
	"strings"

	"github.com/dlclark/regexp2"

	"github.com/causeway-apim/causeway/internal/csharp"
)

// A subject is a text in the engine's form: one rune for each UTF-16 unit, so that positions are those of .NET.
type subject struct {
	s     string
	ascii bool
	units []rune
}

func newSubject(r run, s string) *subject {
	needString(s, "input")
	r.Alloc(4 * len(s))
	x := &subject{s: s, ascii: csharp.IsASCII(s)}
	if x.ascii {
		x.units = []rune(s)
	} else {
		for _, u := range csharp.Units(s) {
			x.units = append(x.units, rune(u))
		}
	}
	if len(x.units) > maxSubject {
		panic(&csharp.LimitError{Limit: "memory"})
	}
	return x
}

func (x *subject) slice(from, to int) string {
	if x.ascii {
		return x.s[from:to]
	}
	var b []byte
	for _, u := range x.units[from:to] {
		b = csharp.AppendUnit(b, uint16(u))
	}
	return string(b)
}

// A Capture is System.Text.RegularExpressions.Capture.
type Capture struct {
	sub           *subject
	index, length int
}

func (c *Capture) capture() *Capture { return c }

func (c *Capture) value() string {
	if c.sub == nil {
		return ""
	}
	return c.sub.slice(c.index, c.index+c.length)
}

// ClrName is System.Text.RegularExpressions.Capture.
func (c *Capture) ClrName() string { return regexSpace + "Capture" }

// ToString is the captureLike text.
func (c *Capture) ToString() string { return c.value() }

// A Group is System.Text.RegularExpressions.Group: its last capture and all of them.
type Group struct {
	Capture
	name     string
	success  bool
	captures []*Capture
}

func (g *Group) group() *Group { return g }

// ClrName is System.Text.RegularExpressions.Group.
func (g *Group) ClrName() string { return regexSpace + "Group" }

// A Match is System.Text.RegularExpressions.Match, which is its own group 0.
type Match struct {
	Group
	re     *Regex
	groups *GroupCollection
}

// ClrName is System.Text.RegularExpressions.Match.
func (m *Match) ClrName() string { return regexSpace + "Match" }

type (
	captureLike interface{ capture() *Capture }
	groupLike   interface{ group() *Group }
)

func emptyMatch() *Match {
	m := &Match{Group: Group{name: "0"}}
	m.groups = &GroupCollection{items: []groupLike{m}}
	return m
}

func newMatch(x *Regex, s *subject, found *regexp2.Match) *Match {
	m := &Match{re: x}
	m.groups = &GroupCollection{re: x}
	for i, g := range found.Groups() {
		own := Group{name: x.re.GroupNameFromNumber(x.numbers[i]), Capture: Capture{sub: s}}
		for _, c := range g.Captures {
			own.captures = append(own.captures, &Capture{s, c.Index, c.Length})
		}
		if n := len(own.captures); n > 0 {
			own.success = true
			own.Capture = *own.captures[n-1]
		}
		if i == 0 {
			m.Group = own
			m.groups.items = append(m.groups.items, m)
			continue
		}
		m.groups.items = append(m.groups.items, &own)
	}
	return m
}

// A GroupCollection is System.Text.RegularExpressions.GroupCollection.
type GroupCollection struct {
	re    *Regex
	items []groupLike
}

// ClrName is System.Text.RegularExpressions.GroupCollection.
func (c *GroupCollection) ClrName() string { return regexSpace + "GroupCollection" }

// Count is the number of groups.
func (c *GroupCollection) Count() int { return len(c.items) }

// Each implements csharp.Enumerable.
func (c *GroupCollection) Each(_ run, yield func(any) bool) { eachOf(c.items, yield) }

// number gives a group by its number; an unknown one is a group that did not match.
func (c *GroupCollection) number(n int) groupLike {
	i := n
	if c.re != nil {
		i = slices.Index(c.re.numbers, n)
	}
	if i < 0 || i >= len(c.items) {
		return &Group{}
	}
	return c.items[i]
}

func (c *GroupCollection) named(name string) groupLike {
	needString(name, "groupname")
	if c.re == nil {
		return &Group{}
	}
	return c.number(c.re.re.GroupNumberFromName(name))
}

// A MatchCollection is System.Text.RegularExpressions.MatchCollection.
type MatchCollection struct{ items []*Match }

// ClrName is System.Text.RegularExpressions.MatchCollection.
func (c *MatchCollection) ClrName() string { return regexSpace + "MatchCollection" }

// Count is the number of matches.
func (c *MatchCollection) Count() int { return len(c.items) }

// Each implements csharp.Enumerable.
func (c *MatchCollection) Each(_ run, yield func(any) bool) { eachOf(c.items, yield) }

// A CaptureCollection is System.Text.RegularExpressions.CaptureCollection.
type CaptureCollection struct{ items []*Capture }

// ClrName is System.Text.RegularExpressions.CaptureCollection.
func (c *CaptureCollection) ClrName() string { return regexSpace + "CaptureCollection" }

// Count is the number of captures.
func (c *CaptureCollection) Count() int { return len(c.items) }

// Each implements csharp.Enumerable.
func (c *CaptureCollection) Each(_ run, yield func(any) bool) { eachOf(c.items, yield) }

func eachOf[T any](items []T, yield func(any) bool) {
	for _, v := range items {
		if !yield(v) {
			return
		}
	}
}

func itemAt[T any](items []T, i int, param string) T {
	if i < 0 || i >= len(items) {
		outOfRange(param, "Specified argument was out of the range of valid values.")
	}
	return items[i]
}

func evaluator(r run, d delegate) func(*Match) string {
	if d == nil {
		csharp.ThrowArgumentNull("evaluator")
	}
	return func(m *Match) string {
		s, _ := call(r, d, m).(string)
		return s
	}
}

// replacement compiles a replacement pattern: $1, ${name}, $$, $&, $`, $', $+ and $_.
func (x *Regex) replacement(p string) func(*Match) string {
	needString(p, "replacement")
	if !strings.Contains(p, "$") {
		return func(*Match) string { return p }
	}
	var parts []func(*Match) string
	literal := func(s string) {
		if s != "" {
			parts = append(parts, func(*Match) string { return s })
		}
	}
	for p != "" {
		i := strings.IndexByte(p, '$')
		if i < 0 || i+1 == len(p) {
			break
		}
		literal(p[:i])
		f, n := x.substitution(p[i+1:])
		if f == nil {
			literal("$")
			p = p[i+1:]
			continue
		}
		parts = append(parts, f)
		p = p[i+1+n:]
	}
	literal(p)
	return func(m *Match) string {
		out := ""
		for _, f := range parts {
			out = csharp.Concat(out, f(m))
		}
		return out
	}
}

// substitution reads what follows a dollar sign and gives its length; nil when the dollar stands for itself.
func (x *Regex) substitution(p string) (func(*Match) string, int) {
	switch p[0] {
	case '$':
		return func(*Match) string { return "$" }, 1
	case '&':
		return func(m *Match) string { return m.value() }, 1
	case '`':
		return func(m *Match) string { return m.sub.slice(0, m.index) }, 1
	case '\'':
		return func(m *Match) string { return m.sub.slice(m.index+m.length, len(m.sub.units)) }, 1
	case '_':
		return func(m *Match) string { return m.sub.s }, 1
	case '+':
		last := x.numbers[len(x.numbers)-1]
		return func(m *Match) string { return m.groups.number(last).group().value() }, 1
	case '{':
		end := strings.IndexByte(p, '}')
		if end < 2 {
			return nil, 0
		}
		number := -1
		if n, err := strconv.Atoi(p[1:end]); err == nil {
			number = n
		} else {
			number = x.re.GroupNumberFromName(p[1:end])
		}
		return x.groupText(number), end + 1
	}
	// A number is as long as it names a group.
	var f func(*Match) string
	length := 0
	for n, i := 0, 0; i < len(p) && p[i] >= '0' && p[i] <= '9' && n < 1<<20; i++ {
		n = n*10 + int(p[i]-'0')
		if g := x.groupText(n); g != nil {
			f, length = g, i+1
		} else if x.options&0x100 == 0 {
			f, length = nil, 0
		}
	}
	return f, length
}

func (x *Regex) groupText(number int) func(*Match) string {
	if !slices.Contains(x.numbers, number) {
		return nil
	}
	return func(m *Match) string { return m.groups.number(number).group().value() }
}

func declareMatch(b *csharp.Builder) {
	const list = " : System.Collections.Generic.IReadOnlyList<"
	c := b.Type("class "+regexSpace+"Capture", csharp.Go[captureLike]())
	c.Prop("int Index", csharp.F1(func(c captureLike) int { return c.capture().index }))
	c.Prop("int Length", csharp.F1(func(c captureLike) int { return c.capture().length }))
	c.Prop("string Value", csharp.F1(func(c captureLike) string { return c.capture().value() }))
	c.Method("string ToString()", csharp.F1(func(c captureLike) string { return c.capture().value() })).Outside()
	cc := b.Type("class "+regexSpace+"CaptureCollection"+list+"Capture>", csharp.Go[*CaptureCollection]())
	cc.Prop("int Count", csharp.F1((*CaptureCollection).Count))
	cc.Index("Capture this[int i]", csharp.F2(func(c *CaptureCollection, i int) *Capture { return itemAt(c.items, i, "i") }))

	g := b.Type("class "+regexSpace+"Group : Capture", csharp.Go[groupLike]())
	g.Prop("bool Success", csharp.F1(func(g groupLike) bool { return g.group().success }))
	g.Prop("string Name", csharp.F1(func(g groupLike) string { return g.group().name })).Outside()
	g.Prop("CaptureCollection Captures", csharp.F1(func(g groupLike) *CaptureCollection { return &CaptureCollection{g.group().captures} }))
	gc := b.Type("class "+regexSpace+"GroupCollection"+list+"Group>", csharp.Go[*GroupCollection]())
	gc.Prop("int Count", csharp.F1((*GroupCollection).Count))
	gc.Index("Group this[int groupnum]", csharp.F2((*GroupCollection).number))
	gc.Index("Group this[string groupname]", csharp.F2((*GroupCollection).named))
	gc.Method("bool ContainsKey(string key)", csharp.F2(func(c *GroupCollection, k string) bool {
		needString(k, "key")
		return c.re != nil && c.re.re.GroupNumberFromName(k) >= 0
	})).Outside()
	gc.Prop("IEnumerable<string> Keys", csharp.F2(func(r run, c *GroupCollection) array {
		names := make([]string, len(c.items))
		for i, g := range c.items {
			names[i] = g.group().name
		}
		return newStrings(r, names)
	})).Outside()
	gc.Prop("IEnumerable<Group> Values", csharp.F1(func(c *GroupCollection) *GroupCollection { return c })).Outside()

	m := b.Type("class "+regexSpace+"Match : Group", csharp.Go[*Match]())
	m.StaticProp("Match Empty", csharp.F0(emptyMatch))
	m.Prop("GroupCollection Groups", csharp.F1(func(m *Match) *GroupCollection { return m.groups }))
	m.Method("string Result(string replacement)", csharp.F3(func(r run, m *Match, p string) string {
		needString(p, "replacement")
		if m.re == nil {
			csharp.Throw("System.NotSupportedException", "Result cannot be called on a failed Match.")
		}
		s := m.re.replacement(p)(m)
		r.Alloc(len(s))
		return s
	}))
	m.Method("Match NextMatch()", csharp.F2(func(r run, m *Match) *Match {
		if m.re == nil {
			return m
		}
		if n := m.re.next(r, m); n != nil {
			return n
		}
		return emptyMatch()
	})).Outside()
	mc := b.Type("class "+regexSpace+"MatchCollection"+list+"Match>", csharp.Go[*MatchCollection]())
	mc.Prop("int Count", csharp.F1((*MatchCollection).Count)).Outside()
	mc.Index("Match this[int i]", csharp.F2(func(c *MatchCollection, i int) *Match { return itemAt(c.items, i, "i") })).Outside()
}

const regexMeta = "\t\n\f\r #$()*+.?[\\^{|"

// regexEscape is Regex.Escape.
func regexEscape(s string) string {
	needString(s, "str")
	var out strings.Builder
	for i := 0; i < len(s); i++ {
		c := s[i]
		if strings.IndexByte(regexMeta, c) < 0 {
			out.WriteByte(c)
			continue
		}
		out.WriteByte('\\')
		switch c {
		case '\t':
			c = 't'
		case '\n':
			c = 'n'
		case '\f':
			c = 'f'
		case '\r':
			c = 'r'
		}
		out.WriteByte(c)
	}
	return out.String()
}

func regexUnescape(s string) string {
	needString(s, "str")
	if trailing := len(s) - len(strings.TrimRight(s, `\`)); trailing%2 == 1 {
		s = s[:len(s)-1] // .NET drops it
	}
	out, err := regexp2.Unescape(s)
	if err != nil {
		throwPattern(s, err)
	}
	return out
}

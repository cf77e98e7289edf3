package clr

import (
	"strings"
	"sync"
	"time"

	"github.com/dlclark/regexp2"

	"github.com/causeway-apim/causeway/internal/csharp"
)

// A Regex is System.Text.RegularExpressions.Regex.
type Regex struct {
	pattern string
	options int
	own     bool // the time limit was given by the expression
	timeout time.Duration
	re      *regexp2.Regexp
	numbers []int // group numbers by position
}

// ClrName is System.Text.RegularExpressions.Regex.
func (x *Regex) ClrName() string { return regexSpace + "Regex" }

// ToString is the pattern.
func (x *Regex) ToString() string { return x.pattern }

const (
	maxPattern    = 64 << 10 // bytes
	maxSubject    = 4 << 20  // UTF-16 units; the engine's stack is a multiple of it
	cachedSubject = 64 << 10 // units; an engine that has seen more keeps a large stack and is not used again
	maxCached     = 512      // compiled patterns
	maxCachedLen  = 1 << 10  // bytes of a pattern
)

// regexes compiles patterns and keeps what it has compiled: expressions call the static methods with the same few patterns on
// every request.
type regexes struct {
	mu    sync.Mutex
	cache map[regexKey]*Regex
}

type regexKey struct {
	pattern string
	options int
	timeout time.Duration
	own     bool
}

// get gives the compiled pattern. A timeout of 0 means the limit of the run.
func (c *regexes) get(r run, pattern string, options int, timeout time.Duration) *Regex {
	needString(pattern, "pattern")
	if options < 0 || options&^0x7FF != 0 || options&0x80 != 0 {
		outOfRange("options", "Specified argument was out of the range of valid values.")
	}
	own := timeout > 0 && timeout < r.RegexTime()
	if !own {
		timeout = r.RegexTime()
	}
	key := regexKey{pattern, options, timeout, own}
	c.mu.Lock()
	x := c.cache[key]
	c.mu.Unlock()
	if x != nil {
		return x
	}
	key.pattern = strings.Clone(pattern) // which may end with the request
	x = compileRegex(r, key)
	if len(pattern) > maxCachedLen {
		return x
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.cache) >= maxCached {
		for k := range c.cache { // any of them: a cache this full is in use by patterns made at run time
			delete(c.cache, k)
			break
		}
	}
	c.cache[key] = x
	return x
}

func compileRegex(r run, k regexKey) *Regex {
	if len(k.pattern) > maxPattern {
		csharp.Throw("System.ArgumentException", "The pattern is too long.")
	}
	r.Alloc(64 * len(k.pattern))
	re, err := regexp2.Compile(translatePattern(k.pattern), regexp2.RegexOptions(k.options&regexEngineOptions))
	if err != nil {
		throwPattern(k.pattern, err)
	}
	re.MatchTimeout = k.timeout
	return &Regex{pattern: k.pattern, options: k.options, own: k.own, timeout: k.timeout, re: re, numbers: re.GetGroupNumbers()}
}

func (x *Regex) rightToLeft() bool { return x.options&regexRightToLeft != 0 }

// find gives the next match at or after start (before it when the pattern runs from right to left), nil for none.
func (x *Regex) find(r run, s *subject, start int) *Match {
	r.Steps(1 + len(s.units)/256)
	r.Look()
	re := x.re
	if len(s.units) > cachedSubject {
		re = compileRegex(r, regexKey{x.pattern, x.options, x.timeout, x.own}).re
	}
	m, err := re.FindRunesMatchStartingAt(s.units, start)
	if err != nil {
		if !x.own {
			panic(&csharp.LimitError{Limit: "regex time"})
		}
		csharp.Throw(regexSpace+"RegexMatchTimeoutException", "The Regex engine has timed out while trying to match a pattern to an input string. This can occur for many reasons, including very large inputs or excessive backtracking caused by nested quantifiers, back-references and other factors.")
	}
	if m == nil {
		return nil
	}
	r.Alloc(128 * (1 + m.GroupCount()))
	return newMatch(x, s, m)
}

// begin is where matching starts when nothing else is said.
func (x *Regex) begin(s *subject) int {
	if x.rightToLeft() {
		return len(s.units)
	}
	return 0
}

// next is the match after m.
func (x *Regex) next(r run, m *Match) *Match {
	pos, step, end := m.index+m.length, 1, len(m.sub.units)
	if x.rightToLeft() {
		pos, step, end = m.index, -1, 0
	}
	if m.length == 0 {
		if pos == end {
			return nil
		}
		pos += step
	}
	return x.find(r, m.sub, pos)
}

// each gives up to n matches from start; n is negative for all.
func (x *Regex) each(r run, s *subject, start, n int, yield func(*Match)) {
	for m := x.find(r, s, start); m != nil && n != 0; n-- {
		yield(m)
		if n == 1 {
			return
		}
		m = x.next(r, m)
	}
}

func (x *Regex) isMatch(r run, s *subject, start int) bool { return x.find(r, s, start) != nil }

func (x *Regex) match(r run, s *subject, start int) *Match {
	if m := x.find(r, s, start); m != nil {
		return m
	}
	return emptyMatch()
}

func (x *Regex) matches(r run, s *subject, start int) *MatchCollection {
	c := &MatchCollection{}
	x.each(r, s, start, -1, func(m *Match) { c.items = append(c.items, m) })
	return c
}

// replace puts together the text between matches and what with gives for each of them.
func (x *Regex) replace(r run, s *subject, start, n int, with func(*Match) string) string {
	if n < -1 {
		outOfRange("count", "Count cannot be less than -1.")
	}
	var parts []string
	pos := 0
	if x.rightToLeft() {
		pos = len(s.units)
	}
	x.each(r, s, start, n, func(m *Match) {
		text := with(m)
		r.Alloc(len(text) + 32)
		if x.rightToLeft() {
			parts = append(parts, s.slice(m.index+m.length, pos), text)
			pos = m.index
			return
		}
		parts = append(parts, s.slice(pos, m.index), text)
		pos = m.index + m.length
	})
	if len(parts) == 0 {
		return s.s
	}
	if x.rightToLeft() {
		parts = append(parts, s.slice(0, pos))
		reverse(parts)
	} else {
		parts = append(parts, s.slice(pos, len(s.units)))
	}
	out := ""
	if joined := strings.Join(parts, ""); csharp.IsASCII(joined) {
		out = joined
	} else {
		for _, p := range parts { // surrogates may meet
			out = csharp.Concat(out, p)
		}
	}
	r.Alloc(len(out))
	return out
}

func reverse(list []string) {
	for i, j := 0, len(list)-1; i < j; i, j = i+1, j-1 {
		list[i], list[j] = list[j], list[i]
	}
}

// split gives the texts between matches, with the values of captured groups in their places.
func (x *Regex) split(r run, s *subject, n, start int) []string {
	if n < 0 {
		outOfRange("count", "Count cannot be less than -1.")
	}
	if n == 1 {
		return []string{s.s}
	}
	var out []string
	pos := x.begin(s)
	x.each(r, s, start, n-1, func(m *Match) {
		r.Alloc(32)
		if x.rightToLeft() {
			out = append(out, s.slice(m.index+m.length, pos))
			pos = m.index
		} else {
			out = append(out, s.slice(pos, m.index))
			pos = m.index + m.length
		}
		for _, g := range m.groups.items[1:] {
			if g := g.group(); g.success {
				out = append(out, g.value())
			}
		}
	})
	if x.rightToLeft() {
		out = append(out, s.slice(0, pos))
		reverse(out)
		return out
	}
	return append(out, s.slice(pos, len(s.units)))
}

// startAt checks a start position.
func startAt(s *subject, n int) int {
	if n < 0 || n > len(s.units) {
		outOfRange("startat", "Start index cannot be less than 0 or greater than input length.")
	}
	return n
}

func regexTime(t TimeSpan) time.Duration {
	if t == -1*ticksPerMillisecond {
		return 0
	}
	if t <= 0 {
		outOfRange("matchTimeout", "Specified argument was out of the range of valid values.")
	}
	return time.Duration(min(t, 3600*ticksPerSecond)) * 100
}

func declareRegex(b *csharp.Builder) {
	declareRegexOptions(b)
	declareMatch(b)
	b.Type("delegate string "+regexSpace+"MatchEvaluator(Match match)", csharp.NoGo())
	c := &regexes{cache: map[regexKey]*Regex{}}
	t := b.Type("class "+regexSpace+"Regex", csharp.Go[*Regex]())
	t.New("(string pattern)", csharp.F2(func(r run, p string) *Regex { return c.get(r, p, 0, 0) }))
	t.New("(string pattern, RegexOptions options)", csharp.F3(func(r run, p string, o int) *Regex { return c.get(r, p, o, 0) }))
	t.New("(string pattern, RegexOptions options, TimeSpan matchTimeout)", csharp.F4(func(r run, p string, o int, d TimeSpan) *Regex {
		return c.get(r, p, o, regexTime(d))
	}))
	t.Static("string Escape(string str)", csharp.F1(regexEscape)).Outside()
	t.Static("string Unescape(string str)", csharp.F1(regexUnescape))
	t.Prop("RegexOptions Options", csharp.F1(func(x *Regex) int { return x.options })).Outside()
	t.Prop("bool RightToLeft", csharp.F1((*Regex).rightToLeft)).Outside()
	t.Method("string[] GetGroupNames()", csharp.F2(func(r run, x *Regex) array {
		names := make([]string, len(x.numbers))
		for i, n := range x.numbers {
			names[i] = x.re.GroupNameFromNumber(n)
		}
		return newStrings(r, names)
	})).Outside()
	t.Method("string GroupNameFromNumber(int i)", csharp.F2(func(x *Regex, n int) string { return x.re.GroupNameFromNumber(n) })).Outside()
	t.Method("int GroupNumberFromName(string name)", csharp.F2(func(x *Regex, n string) int { return x.re.GroupNumberFromName(n) })).Outside()
	declareRegexInstance(t)
	declareRegexStatic(t, c)
}

func declareRegexInstance(t *csharp.TypeBuilder) {
	t.Method("bool IsMatch(string input)", csharp.F3(func(r run, x *Regex, in string) bool {
		s := newSubject(r, in)
		return x.isMatch(r, s, x.begin(s))
	}))
	t.Method("bool IsMatch(string input, int startat)", csharp.F4(func(r run, x *Regex, in string, at int) bool {
		s := newSubject(r, in)
		return x.isMatch(r, s, startAt(s, at))
	}))
	t.Method("Match Match(string input)", csharp.F3(func(r run, x *Regex, in string) *Match {
		s := newSubject(r, in)
		return x.match(r, s, x.begin(s))
	}))
	t.Method("Match Match(string input, int startat)", csharp.F4(func(r run, x *Regex, in string, at int) *Match {
		s := newSubject(r, in)
		return x.match(r, s, startAt(s, at))
	}))
	t.Method("MatchCollection Matches(string input)", csharp.F3(func(r run, x *Regex, in string) *MatchCollection {
		s := newSubject(r, in)
		return x.matches(r, s, x.begin(s))
	}))
	t.Method("MatchCollection Matches(string input, int startat)", csharp.F4(func(r run, x *Regex, in string, at int) *MatchCollection {
		s := newSubject(r, in)
		return x.matches(r, s, startAt(s, at))
	}))
	t.Method("string Replace(string input, string replacement)", csharp.F4(func(r run, x *Regex, in, with string) string {
		s := newSubject(r, in)
		return x.replace(r, s, x.begin(s), -1, x.replacement(with))
	}))
	t.Method("string Replace(string input, string replacement, int count)", csharp.F5(func(r run, x *Regex, in, with string, n int) string {
		s := newSubject(r, in)
		return x.replace(r, s, x.begin(s), n, x.replacement(with))
	}))
	t.Method("string Replace(string input, string replacement, int count, int startat)", csharp.F6(func(r run, x *Regex, in, with string, n, at int) string {
		s := newSubject(r, in)
		return x.replace(r, s, startAt(s, at), n, x.replacement(with))
	}))
	t.Method("string Replace(string input, MatchEvaluator evaluator)", csharp.F4(func(r run, x *Regex, in string, d delegate) string {
		s := newSubject(r, in)
		return x.replace(r, s, x.begin(s), -1, evaluator(r, d))
	}))
	t.Method("string Replace(string input, MatchEvaluator evaluator, int count)", csharp.F5(func(r run, x *Regex, in string, d delegate, n int) string {
		s := newSubject(r, in)
		return x.replace(r, s, x.begin(s), n, evaluator(r, d))
	}))
	t.Method("string[] Split(string input)", csharp.F3(func(r run, x *Regex, in string) array {
		s := newSubject(r, in)
		return newStrings(r, x.split(r, s, 0, x.begin(s)))
	}))
	t.Method("string[] Split(string input, int count)", csharp.F4(func(r run, x *Regex, in string, n int) array {
		s := newSubject(r, in)
		return newStrings(r, x.split(r, s, n, x.begin(s)))
	}))
	t.Method("string[] Split(string input, int count, int startat)", csharp.F5(func(r run, x *Regex, in string, n, at int) array {
		s := newSubject(r, in)
		return newStrings(r, x.split(r, s, n, startAt(s, at)))
	}))
}

// declareRegexStatic declares each static method with its three tails of parameters.
func declareRegexStatic(t *csharp.TypeBuilder, c *regexes) {
	isMatch := func(r run, in, p string, o int, d time.Duration) bool {
		s := newSubject(r, in)
		x := c.get(r, p, o, d)
		return x.isMatch(r, s, x.begin(s))
	}
	t.Static("bool IsMatch(string input, string pattern)", csharp.F3(func(r run, in, p string) bool { return isMatch(r, in, p, 0, 0) }))
	t.Static("bool IsMatch(string input, string pattern, RegexOptions options)", csharp.F4(func(r run, in, p string, o int) bool { return isMatch(r, in, p, o, 0) }))
	t.Static("bool IsMatch(string input, string pattern, RegexOptions options, TimeSpan matchTimeout)", csharp.F5(func(r run, in, p string, o int, d TimeSpan) bool {
		return isMatch(r, in, p, o, regexTime(d))
	}))
	match := func(r run, in, p string, o int, d time.Duration) *Match {
		s := newSubject(r, in)
		x := c.get(r, p, o, d)
		return x.match(r, s, x.begin(s))
	}
	t.Static("Match Match(string input, string pattern)", csharp.F3(func(r run, in, p string) *Match { return match(r, in, p, 0, 0) }))
	t.Static("Match Match(string input, string pattern, RegexOptions options)", csharp.F4(func(r run, in, p string, o int) *Match { return match(r, in, p, o, 0) }))
	t.Static("Match Match(string input, string pattern, RegexOptions options, TimeSpan matchTimeout)", csharp.F5(func(r run, in, p string, o int, d TimeSpan) *Match {
		return match(r, in, p, o, regexTime(d))
	}))
	matches := func(r run, in, p string, o int, d time.Duration) *MatchCollection {
		s := newSubject(r, in)
		x := c.get(r, p, o, d)
		return x.matches(r, s, x.begin(s))
	}
	t.Static("MatchCollection Matches(string input, string pattern)", csharp.F3(func(r run, in, p string) *MatchCollection { return matches(r, in, p, 0, 0) }))
	t.Static("MatchCollection Matches(string input, string pattern, RegexOptions options)", csharp.F4(func(r run, in, p string, o int) *MatchCollection { return matches(r, in, p, o, 0) }))
	t.Static("MatchCollection Matches(string input, string pattern, RegexOptions options, TimeSpan matchTimeout)", csharp.F5(func(r run, in, p string, o int, d TimeSpan) *MatchCollection {
		return matches(r, in, p, o, regexTime(d))
	}))
	replace := func(r run, in, p, with string, o int, d time.Duration) string {
		s := newSubject(r, in)
		x := c.get(r, p, o, d)
		return x.replace(r, s, x.begin(s), -1, x.replacement(with))
	}
	t.Static("string Replace(string input, string pattern, string replacement)", csharp.F4(func(r run, in, p, with string) string { return replace(r, in, p, with, 0, 0) }))
	t.Static("string Replace(string input, string pattern, string replacement, RegexOptions options)", csharp.F5(func(r run, in, p, with string, o int) string {
		return replace(r, in, p, with, o, 0)
	}))
	t.Static("string Replace(string input, string pattern, string replacement, RegexOptions options, TimeSpan matchTimeout)", csharp.F6(func(r run, in, p, with string, o int, d TimeSpan) string {
		return replace(r, in, p, with, o, regexTime(d))
	}))
	replaceWith := func(r run, in, p string, e delegate, o int) string {
		s := newSubject(r, in)
		x := c.get(r, p, o, 0)
		return x.replace(r, s, x.begin(s), -1, evaluator(r, e))
	}
	t.Static("string Replace(string input, string pattern, MatchEvaluator evaluator)", csharp.F4(func(r run, in, p string, e delegate) string { return replaceWith(r, in, p, e, 0) }))
	t.Static("string Replace(string input, string pattern, MatchEvaluator evaluator, RegexOptions options)", csharp.F5(replaceWith))
	split := func(r run, in, p string, o int, d time.Duration) array {
		s := newSubject(r, in)
		x := c.get(r, p, o, d)
		return newStrings(r, x.split(r, s, 0, x.begin(s)))
	}
	t.Static("string[] Split(string input, string pattern)", csharp.F3(func(r run, in, p string) array { return split(r, in, p, 0, 0) }))
	t.Static("string[] Split(string input, string pattern, RegexOptions options)", csharp.F4(func(r run, in, p string, o int) array { return split(r, in, p, o, 0) }))
	t.Static("string[] Split(string input, string pattern, RegexOptions options, TimeSpan matchTimeout)", csharp.F5(func(r run, in, p string, o int, d TimeSpan) array {
		return split(r, in, p, o, regexTime(d))
	}))
}

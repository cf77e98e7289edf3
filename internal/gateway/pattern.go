package gateway

import "strings"

// pattern is a template segment cut into literals and parameters, such as
// {id}.json or v{major}-{minor}.
type pattern []patternPart

type patternPart struct {
	text  string // literal text, or the parameter's name
	param bool
}

func parsePattern(seg string) pattern {
	var p pattern
	for seg != "" {
		open := strings.IndexByte(seg, '{')
		end := strings.IndexByte(seg, '}')
		if open < 0 || end < open {
			return append(p, patternPart{text: seg})
		}
		if open > 0 {
			p = append(p, patternPart{text: seg[:open]})
		}
		p = append(p, patternPart{text: seg[open+1 : end], param: true})
		seg = seg[end+1:]
	}
	return p
}

func (p pattern) isLiteral() bool {
	for _, part := range p {
		if part.param {
			return false
		}
	}
	return true
}

func (p pattern) isParam() bool { return len(p) == 1 && p[0].param }

func (p pattern) names() []string {
	var out []string
	for _, part := range p {
		if part.param {
			out = append(out, part.text)
		}
	}
	return out
}

// weight is the number of literal characters: more of them, more specific.
func (p pattern) weight() int {
	n := 0
	for _, part := range p {
		if !part.param {
			n += len(part.text)
		}
	}
	return n
}

// equal tells whether two patterns match the same segments.
func (p pattern) equal(q pattern) bool {
	if len(p) != len(q) {
		return false
	}
	for i := range p {
		if p[i].param != q[i].param || !p[i].param && !strings.EqualFold(p[i].text, q[i].text) {
			return false
		}
	}
	return true
}

// match appends the parameters' values. A parameter is at least one character
// long; it ends at the first place where the literal after it stands, or, before
// the last literal, where that literal ends the segment. There is no
// backtracking: the cost is linear in the segment.
func (p pattern) match(seg string, values *[]string) bool {
	for i, part := range p {
		if !part.param {
			n := len(part.text)
			if len(seg) < n || !strings.EqualFold(seg[:n], part.text) {
				return false
			}
			seg = seg[n:]
			continue
		}
		n := p[i+1:].valueEnd(seg)
		if n < 1 {
			return false
		}
		*values = append(*values, seg[:n])
		seg = seg[n:]
	}
	return seg == ""
}

// valueEnd returns the length of a parameter's value at the start of seg, when
// p is what follows the parameter; less than 1 means no match.
func (p pattern) valueEnd(seg string) int {
	switch {
	case len(p) == 0:
		return len(seg)
	case p[0].param:
		return 1
	case len(p) == 1:
		return len(seg) - len(p[0].text)
	}
	text := p[0].text
	for n := 1; n+len(text) <= len(seg); n++ {
		if strings.EqualFold(seg[n:n+len(text)], text) {
			return n
		}
	}
	return -1
}

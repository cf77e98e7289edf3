package liquid

import (
	"fmt"
	"strings"
)

// Parse reads a template. The error is a *[SyntaxError].
func Parse(src string) (*Template, error) {
	if len(src) > maxSource {
		return nil, &SyntaxError{1, 1, fmt.Sprintf("the template is larger than %d bytes", maxSource)}
	}
	p := &parser{src: src}
	err := p.parse()
	if err != nil {
		at, message := 0, err.Error()
		if l, ok := err.(*located); ok {
			at = l.at
		}
		line, column := position(src, at)
		return nil, &SyntaxError{line, column, message}
	}
	return &Template{body: p.body, warnings: p.warnings}, nil
}

func position(src string, at int) (line, column int) {
	head := src[:min(at, len(src))]
	return strings.Count(head, "\n") + 1, len(head) - strings.LastIndexByte(head, '\n')
}

type parser struct {
	src      string
	pieces   []piece
	at       int
	depth    int
	loops    int // how many loops are around
	body     []node
	warnings []string
}

func (p *parser) parse() (err error) {
	if p.pieces, err = split(p.src); err != nil {
		return err
	}
	var end *tag
	if p.body, end, err = p.block(nil); err == nil && end != nil {
		err = &located{end.at, fmt.Sprintf("unexpected tag %q", end.name)}
	}
	return err
}

func (p *parser) warn(at int, format string, args ...any) {
	line, column := position(p.src, at)
	p.warnings = append(p.warnings, fmt.Sprintf("line %d, column %d of the template: %s", line, column, fmt.Sprintf(format, args...)))
}

// tag is {% name rest %}.
type tag struct {
	name, rest string
	at, restAt int
}

func tagOf(pc piece) tag {
	text := strings.TrimLeft(pc.text, " \t\r\n")
	at := pc.at + len(pc.text) - len(text)
	end := strings.IndexAny(text, " \t\r\n")
	if end < 0 {
		end = len(text)
	}
	return tag{text[:end], text[end:], at, at + end}
}

// markup scans what follows the tag's name.
func (p *parser) markup(text string, at int) (*markup, error) {
	tokens, err := scan(text, at)
	return &markup{tokens: tokens, p: p}, err
}

// block reads nodes up to a tag of that list, or of the template's end when the list is nil.
func (p *parser) block(until []string) (nodes []node, end *tag, err error) {
	if p.depth++; p.depth > maxDepth {
		return nil, nil, &located{p.pieces[p.at-1].at, fmt.Sprintf("tags are nested deeper than %d", maxDepth)}
	}
	defer func() { p.depth-- }()
	for p.at < len(p.pieces) {
		pc := p.pieces[p.at]
		p.at++
		var n node
		switch pc.kind {
		case 't':
			n = text(pc.text)
		case '{':
			n, err = p.output(pc)
		default:
			t := tagOf(pc)
			for _, name := range until {
				if strings.EqualFold(t.name, name) {
					return nodes, &t, nil
				}
			}
			n, err = p.tag(t)
		}
		if err != nil {
			return nil, nil, err
		}
		if n != nil {
			nodes = append(nodes, n)
		}
	}
	return nodes, nil, nil
}

// enclosed reads a block that must end with the tag of that name.
func (p *parser) enclosed(t tag, until ...string) ([]node, *tag, error) {
	nodes, end, err := p.block(until)
	if err == nil && end == nil {
		err = &located{t.at, fmt.Sprintf("%q has no %q", t.name, until[len(until)-1])}
	}
	return nodes, end, err
}

func (p *parser) output(pc piece) (node, error) {
	if strings.TrimSpace(pc.text) == "" {
		return nil, nil
	}
	m, err := p.markup(pc.text, pc.at)
	if err != nil {
		return nil, err
	}
	v, err := m.filtered()
	if err != nil {
		return nil, err
	}
	return &output{v}, m.end()
}

// tag reads a tag that is not the end of a block.
func (p *parser) tag(t tag) (node, error) {
	switch strings.ToLower(t.name) {
	case "comment":
		return nil, p.skipComment(t)
	case "if", "unless":
		return p.ifTag(t)
	case "case":
		return p.caseTag(t)
	case "for", "jsonarrayfor", "tablerow":
		return p.forTag(t)
	case "ifchanged":
		body, _, err := p.enclosed(t, "endifchanged")
		return &ifChanged{body}, err
	case "capture":
		return p.captureTag(t)
	case "break", "continue":
		if p.loops == 0 {
			return nil, &located{t.at, fmt.Sprintf("%q stands outside of a loop", t.name)}
		}
		return jump{strings.EqualFold(t.name, "break")}, nil
	}
	m, err := p.markup(t.rest, t.restAt)
	if err != nil {
		return nil, err
	}
	switch strings.ToLower(t.name) {
	case "assign":
		return m.assign()
	case "cycle":
		return m.cycle()
	case "increment", "decrement":
		name := m.next()
		if name.kind != tokenName {
			return nil, &located{name.at, "expected the name of a counter"}
		}
		return &counter{name.text, strings.EqualFold(t.name, "increment")}, m.end()
	}
	return nil, &located{t.at, fmt.Sprintf("there is no tag %q", t.name)}
}

// skipComment goes behind the endcomment that belongs to a comment.
func (p *parser) skipComment(t tag) error {
	for open := 1; p.at < len(p.pieces); {
		pc := p.pieces[p.at]
		p.at++
		if pc.kind != '%' {
			continue
		}
		switch strings.ToLower(tagOf(pc).name) {
		case "comment":
			open++
		case "endcomment":
			if open--; open == 0 {
				return nil
			}
		}
	}
	return &located{t.at, `"comment" has no "endcomment"`}
}

func (p *parser) ifTag(t tag) (node, error) {
	n := &ifNode{}
	negate := strings.EqualFold(t.name, "unless")
	closing := "end" + strings.ToLower(t.name)
	for at := &t; ; {
		b := branch{negate: negate}
		if at.name != "else" {
			m, err := p.markup(at.rest, at.restAt)
			if err != nil {
				return nil, err
			}
			if b.when, err = m.condition(); err != nil {
				return nil, err
			}
		}
		body, end, err := p.enclosed(t, "elsif", "elseif", "else", closing)
		if err != nil {
			return nil, err
		}
		b.body = body
		n.branches = append(n.branches, b)
		if strings.EqualFold(end.name, closing) {
			return n, nil
		}
		if at.name == "else" {
			return nil, &located{end.at, fmt.Sprintf("%q cannot follow else", end.name)}
		}
		end.name = strings.ToLower(end.name)
		at, negate = end, false
	}
}

func (p *parser) caseTag(t tag) (node, error) {
	m, err := p.markup(t.rest, t.restAt)
	if err != nil {
		return nil, err
	}
	of, err := m.operand()
	if err != nil {
		return nil, err
	}
	if err := m.end(); err != nil {
		return nil, err
	}
	// What stands before the first when is not written.
	_, end, err := p.enclosed(t, "when", "else", "endcase")
	n := &ifNode{}
	for err == nil && !strings.EqualFold(end.name, "endcase") {
		var b branch
		if strings.EqualFold(end.name, "when") {
			if b.when, err = p.when(of, end); err != nil {
				return nil, err
			}
		}
		b.body, end, err = p.enclosed(t, "when", "else", "endcase")
		n.branches = append(n.branches, b)
	}
	return n, err
}

// when reads the values of a when, separated by "or" or commas.
func (p *parser) when(of operand, t *tag) (condition, error) {
	m, err := p.markup(t.rest, t.restAt)
	if err != nil {
		return nil, err
	}
	var any condition
	for {
		value, err := m.operand()
		if err != nil {
			return nil, err
		}
		var c condition = &comparison{"==", of, value}
		if any != nil {
			c = &logical{false, any, c}
		}
		any = c
		if !m.take("or") && !m.take(",") {
			return any, m.end()
		}
	}
}

func (p *parser) captureTag(t tag) (node, error) {
	name := strings.Trim(strings.TrimSpace(t.rest), `"'`)
	if name == "" {
		return nil, &located{t.restAt, "expected the name of a variable"}
	}
	body, _, err := p.enclosed(t, "endcapture")
	return &capture{name, body}, err
}

func (p *parser) forTag(t tag) (node, error) {
	m, err := p.markup(t.rest, t.restAt)
	if err != nil {
		return nil, err
	}
	n := &loop{kind: strings.ToLower(t.name)}
	name := m.next()
	if name.kind != tokenName {
		return nil, &located{name.at, "expected the name of a variable"}
	}
	n.variable = name.text
	if err := m.expect("in"); err != nil {
		return nil, err
	}
	if n.over, err = m.operand(); err != nil {
		return nil, err
	}
	if err := m.loopOptions(n); err != nil {
		return nil, err
	}
	p.loops++
	defer func() { p.loops-- }()
	closing := "end" + n.kind
	body, end, err := p.enclosed(t, "else", closing)
	if err == nil && strings.EqualFold(end.name, "else") {
		n.otherwise, _, err = p.enclosed(t, closing)
	}
	n.body = body
	return n, err
}

// loopOptions reads reversed, limit:, offset:, cols: and where.
func (m *markup) loopOptions(n *loop) (err error) {
	for m.peek().kind != tokenEnd {
		m.take(",")
		t := m.next()
		if t.text == "reversed" {
			n.reversed = true
			continue
		}
		m.take(":")
		var v operand
		if v, err = m.operand(); err != nil {
			return err
		}
		switch t.text {
		case "limit":
			n.limit = v
		case "offset":
			n.offset = v
		case "cols":
			n.columns = v
		case "where":
			n.where = v
		default:
			return &located{t.at, fmt.Sprintf("unexpected %q", t.text)}
		}
	}
	return nil
}

func (m *markup) assign() (node, error) {
	t := m.next()
	if t.kind != tokenName {
		return nil, &located{t.at, "expected the name of a variable"}
	}
	if m.peek().text != "=" {
		return nil, m.unexpected(`expected "="`)
	}
	m.next()
	v, err := m.filtered()
	if err != nil {
		return nil, err
	}
	return &assign{t.text, v}, m.end()
}

// cycle reads [group:] value, value.
func (m *markup) cycle() (node, error) {
	v, err := m.operand()
	if err != nil {
		return nil, err
	}
	n := &cycle{}
	for _, t := range m.tokens {
		n.name += t.text + " "
	}
	if m.take(":") {
		n.group = v
		if v, err = m.operand(); err != nil {
			return nil, err
		}
	}
	n.values = append(n.values, v)
	for m.take(",") {
		if v, err = m.operand(); err != nil {
			return nil, err
		}
		n.values = append(n.values, v)
	}
	return n, m.end()
}

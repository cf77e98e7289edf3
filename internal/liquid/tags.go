package liquid

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// branch is one way of an if or case; without a condition it is the last.
type branch struct {
	when   condition
	negate bool
	body   []node
}

type ifNode struct{ branches []branch }

func (n *ifNode) render(r *run) error {
	for i := range n.branches {
		b := &n.branches[i]
		if err := r.step(); err != nil {
			return err
		}
		if b.when == nil || b.when.test(r) != b.negate {
			return r.all(b.body)
		}
	}
	return nil
}

// jump is break or continue.
type jump struct{ out bool }

func (j jump) render(*run) error {
	if j.out {
		return errBreak
	}
	return errContinue
}

type assign struct {
	name  string
	value *filtered
}

func (n *assign) render(r *run) error {
	v, err := n.value.eval(r)
	if err == nil {
		r.scopes[0][n.name] = v
	}
	return err
}

type capture struct {
	name string
	body []node
}

func (n *capture) render(r *run) error {
	text, err := r.apart(n.body)
	if err == nil {
		r.scopes[0][n.name] = text
	}
	return err
}

// ifChanged writes its body when it differs from what it was before.
type ifChanged struct{ body []node }

func (n *ifChanged) render(r *run) error {
	text, err := r.apart(n.body)
	if err != nil || text == r.changed[n] {
		return err
	}
	r.changed[n] = text
	return r.write(text)
}

// counter is increment, which writes and then counts, or decrement, which counts and then writes.
type counter struct {
	name string
	up   bool
}

func (n *counter) render(r *run) error {
	v := r.counters[n.name]
	if n.up {
		r.counters[n.name]++
	} else {
		v--
		r.counters[n.name] = v
	}
	return r.write(strconv.FormatInt(v, 10))
}

type cycle struct {
	name   string // the text of the tag, unless there is a group
	group  operand
	values []operand
}

func (n *cycle) render(r *run) error {
	name := n.name
	if n.group != nil {
		name = "group " + Text(n.group.eval(r))
	}
	i := r.cycles[name] % len(n.values)
	r.cycles[name] = i + 1
	return r.write(Text(n.values[i].eval(r)))
}

// loop is for, tablerow or JSONArrayFor.
type loop struct {
	kind                          string
	variable                      string
	over                          operand
	limit, offset, columns, where operand
	reversed                      bool
	body, otherwise               []node
}

// Named is an item of a list that has a name, such as an XML element: the where of JSONArrayFor compares it.
type Named interface{ Name() string }

func (n *loop) render(r *run) error {
	list := n.items(r)
	if len(list) == 0 {
		return r.all(n.otherwise)
	}
	state := &forloop{length: int64(len(list)), name: n.variable}
	state.columns = state.length
	if n.columns != nil {
		if c, _ := wholeNumber(n.columns.eval(r)); c > 0 {
			state.columns = c
		}
	}
	own := scope{"forloop": state}
	if n.kind == "tablerow" {
		own["tablerowloop"] = state
	}
	return r.within(own, func() error { return n.iterate(r, list, state, own) })
}

func (n *loop) iterate(r *run, list []any, state *forloop, own scope) error {
	separator := ""
	for i, item := range list {
		if err := r.step(); err != nil {
			return err
		}
		state.index, own[n.variable] = int64(i), item
		start := len(r.out)
		if err := r.write(separator + n.before(state)); err != nil {
			return err
		}
		content := len(r.out)
		err := r.all(n.body)
		if err != nil && !errors.Is(err, errBreak) && !errors.Is(err, errContinue) {
			return err
		}
		if n.kind == "jsonarrayfor" {
			if len(bytes.TrimSpace(r.out[content:])) == 0 {
				r.discard(start)
			} else {
				separator = ","
			}
		}
		if errors.Is(err, errBreak) {
			return nil
		}
		if err := r.write(n.after(state)); err != nil {
			return err
		}
	}
	return nil
}

// before is what a loop writes in front of an item.
func (n *loop) before(s *forloop) string {
	if n.kind != "tablerow" {
		return ""
	}
	cell := fmt.Sprintf(`<td class="col%d">`, s.index%s.columns+1)
	if s.index%s.columns != 0 {
		return cell
	}
	row := fmt.Sprintf(`<tr class="row%d">`, s.index/s.columns+1)
	if s.index == 0 {
		row += "\n"
	}
	return row + cell
}

// after is what a loop writes behind an item.
func (n *loop) after(s *forloop) string {
	switch {
	case n.kind != "tablerow":
		return ""
	case s.index == s.length-1 || (s.index+1)%s.columns == 0:
		return "</td></tr>\n"
	}
	return "</td>"
}

// items is what the loop goes over.
func (n *loop) items(r *run) []any {
	list := items(n.over.eval(r))
	if n.where != nil {
		name := Text(n.where.eval(r))
		list = slices.DeleteFunc(slices.Clone(list), func(item any) bool {
			named, ok := item.(Named)
			return !ok || !strings.EqualFold(named.Name(), name)
		})
	}
	if n.offset != nil {
		offset, _ := wholeNumber(n.offset.eval(r))
		list = list[min(max(offset, 0), int64(len(list))):]
	}
	if n.limit != nil {
		if limit, ok := wholeNumber(n.limit.eval(r)); ok {
			list = list[:min(max(limit, 0), int64(len(list)))]
		}
	}
	if n.reversed {
		list = slices.Clone(list)
		slices.Reverse(list)
	}
	return list
}

// forloop is the variable of that name in a loop.
type forloop struct {
	name                   string
	index, length, columns int64
}

// Get implements Object.
func (s *forloop) Get(name string) (any, bool) {
	column := s.index % s.columns
	switch foldName(name) {
	case "name":
		return s.name, true
	case "length":
		return s.length, true
	case "index":
		return s.index + 1, true
	case "index0":
		return s.index, true
	case "rindex":
		return s.length - s.index, true
	case "rindex0":
		return s.length - s.index - 1, true
	case "first":
		return s.index == 0, true
	case "last":
		return s.index == s.length-1, true
	case "col":
		return column + 1, true
	case "col0":
		return column, true
	case "colfirst":
		return column == 0, true
	case "collast":
		return column == s.columns-1, true
	}
	return nil, false
}

package armtemplate

import (
	"slices"
	"strings"
)

// scan notes in the frame's watch what the expressions of a value refer to: the first arguments of reference(), list*()
// and their like. nested says that the value is of a nested deployment, whose own template is left alone when its
// expressions are its own.
func (f frame) scan(v Value, nested bool, depth int) {
	if depth > maxDepth {
		return
	}
	f.step() // loops in loops are work, whatever is in them
	switch v := v.(type) {
	case string:
		if IsExpression(v) {
			f.scanExpr(f.d.template.parsed(v))
		}
	case []Value:
		for _, item := range v {
			f.scan(item, nested, depth+1)
		}
	case *Object:
		f.scanObject(v, nested, depth)
	}
}

func (f frame) scanObject(o *Object, nested bool, depth int) {
	for _, k := range o.Keys() {
		v, _ := o.Get(k)
		if nested && strings.EqualFold(k, "template") {
			continue
		}
		if loops, ok := v.([]Value); ok && strings.EqualFold(k, "copy") && isCopy(loops) {
			f.scanLoops(loops, nested, depth)
			continue
		}
		f.scan(v, nested, depth+1)
	}
}

// scanLoops looks at every turn of loops over properties, for what they refer to may depend on it.
func (f frame) scanLoops(loops []Value, nested bool, depth int) {
	for _, v := range loops {
		l := v.(*Object)
		count, _ := l.Get("count")
		input, _ := l.Get("input")
		n := int64(0)
		if guard(func() { n = f.count(count) }) != nil {
			continue
		}
		for i := range n {
			inner := f
			inner.loops = append(slices.Clip(f.loops), loop{name: l.Text("name"), at: i})
			inner.scan(input, nested, depth+1)
		}
	}
}

func (f frame) scanExpr(e expr) {
	switch e := e.(type) {
	case member:
		f.scanExpr(e.of)
	case index:
		f.scanExpr(e.of)
		f.scanExpr(e.at)
	case call:
		name := strings.ToLower(e.name)
		if len(e.args) > 0 && e.space == "" && (name == "reference" || name == "references" || strings.HasPrefix(name, "list")) {
			f.note(e.args[0])
		}
		for _, a := range e.args {
			f.scanExpr(a)
		}
	}
}

// note notes what an argument says, when that can be known before the deployment.
func (f frame) note(e expr) {
	var v Value
	if err := guard(func() { v = f.eval(e) }); err != nil {
		return
	}
	if s, ok := v.(string); ok {
		f.watch.refs[s] = true
	}
}

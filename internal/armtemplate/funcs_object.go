package armtemplate

import (
	"slices"
	"strings"
)

func objectFunctions() map[string]function {
	return map[string]function{
		"createobject":    {0, -1, createObject},
		"items":           {1, 1, items},
		"objectkeys":      {1, 1, func(a args) Value { return a.made(texts(sortedKeys(a.object(0)))) }},
		"shallowmerge":    {1, 1, shallowMerge},
		"tryget":          {2, -1, tryGet},
		"null":            {0, 0, func(args) Value { return nil }},
		"true":            {0, 0, func(args) Value { return true }},
		"false":           {0, 0, func(args) Value { return false }},
		"bool":            {1, 1, toBool},
		"not":             {1, 1, func(a args) Value { return !a.bool(0) }},
		"xor":             {2, 2, func(a args) Value { return a.bool(0) != a.bool(1) }},
		"equals":          {2, 2, func(a args) Value { return Equal(a.v[0], a.v[1]) }},
		"less":            {2, 2, func(a args) Value { return a.compare() < 0 }},
		"lessorequals":    {2, 2, func(a args) Value { return a.compare() <= 0 }},
		"greater":         {2, 2, func(a args) Value { return a.compare() > 0 }},
		"greaterorequals": {2, 2, func(a args) Value { return a.compare() >= 0 }},
	}
}

func texts(l []string) []Value {
	out := make([]Value, len(l))
	for i, s := range l {
		out[i] = s
	}
	return out
}

func sortedKeys(o *Object) []string {
	return slices.SortedFunc(slices.Values(o.Keys()), func(x, y string) int { return strings.Compare(strings.ToLower(x), strings.ToLower(y)) })
}

func createObject(a args) Value {
	if len(a.v)%2 != 0 {
		fail("The template function 'createObject' needs a value for each key.")
	}
	o := &Object{}
	for i := 0; i < len(a.v); i += 2 {
		o.Set(a.str(i), a.v[i+1])
	}
	a.holds(o.Len(), 0)
	return o
}

// items gives the members in the order of their names.
func items(a args) Value {
	out := []Value{}
	for _, k := range sortedKeys(a.object(0)) {
		v, _ := a.object(0).Get(k)
		out = append(out, NewObject("key", k, "value", v))
	}
	a.holds(2*len(out), 0)
	return a.made(out)
}

func shallowMerge(a args) Value {
	out := &Object{}
	for i, v := range a.array(0) {
		o, ok := v.(*Object)
		if !ok {
			fail("The template function 'shallowMerge' expects objects; element %d is of the type %s.", i, kindOf(v))
		}
		for _, k := range o.Keys() {
			m, _ := o.Get(k)
			out.Set(k, m)
		}
	}
	a.holds(out.Len(), 0)
	return out
}

func tryGet(a args) Value {
	v := a.v[0]
	for i := 1; i < len(a.v) && v != nil; i++ {
		switch at := a.v[i].(type) {
		case string:
			o, ok := v.(*Object)
			if !ok {
				return nil
			}
			v, _ = o.Get(at)
		case int64:
			l, ok := v.([]Value)
			if !ok || at < 0 || at >= int64(len(l)) {
				return nil
			}
			v = l[at]
		default:
			a.wrong(i, "a string or an integer")
		}
	}
	return v
}

func toBool(a args) Value {
	switch v := a.v[0].(type) {
	case bool:
		return v
	case int64:
		return v != 0
	case string:
		switch strings.ToLower(v) {
		case "true", "1":
			return true
		case "false", "0":
			return false
		}
	}
	fail("The value cannot be converted to a boolean.")
	return nil
}

// compare orders two integers or two strings.
func (a args) compare() int {
	if x, ok := a.v[0].(int64); ok {
		switch y := a.int(1); {
		case x < y:
			return -1
		case x > y:
			return 1
		}
		return 0
	}
	return strings.Compare(a.str(0), a.str(1))
}

// lazyFunctions evaluate no more of their arguments than they need.
func lazyFunctions() map[string]func(f frame, a []expr) Value {
	return map[string]func(f frame, a []expr) Value{
		"if": func(f frame, a []expr) Value {
			f.needs("if", a, 3, 3)
			if f.condition("if", a[0]) {
				return f.eval(a[1])
			}
			return f.eval(a[2])
		},
		"and": func(f frame, a []expr) Value {
			f.needs("and", a, 1, len(a))
			return !slices.ContainsFunc(a, func(e expr) bool { return !f.condition("and", e) })
		},
		"or": func(f frame, a []expr) Value {
			f.needs("or", a, 1, len(a))
			return slices.ContainsFunc(a, func(e expr) bool { return f.condition("or", e) })
		},
		"coalesce": func(f frame, a []expr) Value {
			f.needs("coalesce", a, 1, len(a))
			for _, e := range a {
				if v := f.eval(e); v != nil {
					return v
				}
			}
			return nil
		},
		"lambda":          makeLambda,
		"lambdavariables": lambdaVariable,
		"fail": func(f frame, a []expr) Value {
			f.needs("fail", a, 1, 1)
			fail("%s", plain(f.eval(a[0])))
			return nil
		},
	}
}

func (f frame) needs(name string, a []expr, lo, hi int) {
	if len(a) < max(lo, 1) || len(a) > hi {
		fail("The template function '%s' is called with %d arguments; it needs %d.", name, len(a), lo)
	}
}

func (f frame) condition(name string, e expr) bool {
	b, ok := f.eval(e).(bool)
	if !ok {
		fail("The template function '%s' expects booleans.", name)
	}
	return b
}

// makeLambda is lambda('a', 'b', body).
func makeLambda(f frame, a []expr) Value {
	f.needs("lambda", a, 1, 4)
	l := lambda{body: a[len(a)-1], at: f}
	for _, e := range a[:len(a)-1] {
		name, ok := f.eval(e).(string)
		if !ok {
			fail("The names of a lambda expression's parameters are strings.")
		}
		l.names = append(l.names, name)
	}
	return l
}

func lambdaVariable(f frame, a []expr) Value {
	f.needs("lambdaVariables", a, 1, 1)
	name, _ := f.eval(a[0]).(string)
	for l := f.locals; l != nil; l = l.outer {
		if strings.EqualFold(l.name, name) {
			return l.v
		}
	}
	fail("The lambda variable '%s' is not found.", name)
	return nil
}

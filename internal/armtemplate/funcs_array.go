package armtemplate

import (
	"slices"
	"strings"
	"unicode/utf8"
)

func arrayFunctions() map[string]function {
	return map[string]function{
		"array":           {1, 1, func(a args) Value { return a.toArray() }},
		"createarray":     {0, -1, func(a args) Value { return a.made(slices.Clone(a.v)) }},
		"contains":        {2, 2, contains},
		"empty":           {1, 1, func(a args) Value { return a.length() == 0 }},
		"length":          {1, 1, func(a args) Value { return int64(a.length()) }},
		"first":           {1, 1, func(a args) Value { return a.end(true) }},
		"last":            {1, 1, func(a args) Value { return a.end(false) }},
		"skip":            {2, 2, func(a args) Value { return a.part(true) }},
		"take":            {2, 2, func(a args) Value { return a.part(false) }},
		"range":           {2, 2, rangeOf},
		"flatten":         {1, 1, flatten},
		"min":             {1, -1, func(a args) Value { return a.extreme(func(x, y int64) bool { return x < y }) }},
		"max":             {1, -1, func(a args) Value { return a.extreme(func(x, y int64) bool { return x > y }) }},
		"union":           {1, -1, union},
		"intersection":    {1, -1, intersection},
		"tryindexfromend": {2, 2, func(a args) Value { return a.fromEnd(true) }},
		"indexfromend":    {2, 2, func(a args) Value { return a.fromEnd(false) }},
		"map":             {2, 2, mapEach},
		"filter":          {2, 2, filter},
		"reduce":          {3, 3, reduce},
		"sort":            {2, 2, sortBy},
		"groupby":         {2, 3, groupBy},
		"toobject":        {2, 3, toObject},
		"mapvalues":       {2, 2, mapValues},
	}
}

func (a args) toArray() Value {
	if l, ok := a.v[0].([]Value); ok {
		return l
	}
	return a.made([]Value{a.v[0]})
}

func (a args) length() int {
	switch v := a.v[0].(type) {
	case nil:
		if a.name == "empty" {
			return 0
		}
	case string:
		return utf8.RuneCountInString(v)
	case []Value:
		return len(v)
	case *Object:
		return v.Len()
	}
	a.wrong(0, "an array, an object or a string")
	return 0
}

func contains(a args) Value {
	switch in := a.v[0].(type) {
	case string:
		return strings.Contains(in, plain(a.v[1]))
	case *Object:
		_, ok := in.Get(plain(a.v[1]))
		return ok
	case []Value:
		return slices.ContainsFunc(in, func(v Value) bool { return Equal(v, a.v[1]) })
	}
	a.wrong(0, "an array, an object or a string")
	return nil
}

func (a args) end(first bool) Value {
	switch v := a.v[0].(type) {
	case string:
		r := []rune(v)
		switch {
		case len(r) == 0:
			return ""
		case first:
			return string(r[0])
		}
		return string(r[len(r)-1])
	case []Value:
		switch {
		case len(v) == 0:
			return nil
		case first:
			return v[0]
		}
		return v[len(v)-1]
	}
	a.wrong(0, "an array or a string")
	return nil
}

// part is skip() and take().
func (a args) part(skip bool) Value {
	n := a.int(1)
	cut := func(size int) int { return int(min(max(n, 0), int64(size))) }
	switch v := a.v[0].(type) {
	case string:
		r := []rune(v)
		if skip {
			return a.text(string(r[cut(len(r)):]))
		}
		return a.text(string(r[:cut(len(r))]))
	case []Value:
		if skip {
			return slices.Clip(v[cut(len(v)):])
		}
		return slices.Clip(v[:cut(len(v))])
	}
	a.wrong(0, "an array or a string")
	return nil
}

func rangeOf(a args) Value {
	from, n := a.int(0), a.int(1)
	if n < 0 || n > maxRange || from > 1<<31-1 || from < -(1<<31) || from+n > 1<<31-1 {
		fail("The template function 'range' makes at most %d numbers below 2147483647.", maxRange)
	}
	out := make([]Value, n)
	for i := range out {
		out[i] = from + int64(i)
	}
	return a.made(out)
}

func flatten(a args) Value {
	out := []Value{}
	for _, v := range a.array(0) {
		l, ok := v.([]Value)
		if !ok {
			fail("The template function 'flatten' expects an array of arrays.")
		}
		out = append(out, l...)
	}
	return a.made(out)
}

func (a args) extreme(better func(x, y int64) bool) Value {
	l := a.v
	if one, ok := a.v[0].([]Value); ok && len(a.v) == 1 {
		l = one
	}
	if len(l) == 0 {
		fail("The template function '%s' needs at least one integer.", a.name)
	}
	numbers := args{frame: a.frame, name: a.name, v: l}
	best := numbers.int(0)
	for i := range l {
		if n := numbers.int(i); better(n, best) {
			best = n
		}
	}
	return best
}

func union(a args) Value {
	if _, ok := a.v[0].([]Value); !ok {
		out := &Object{}
		for i := range a.v {
			if a.v[i] != nil {
				out = a.merge(out, a.object(i), 0)
			}
		}
		return out
	}
	out := []Value{}
	for i := range a.v {
		for _, v := range a.array(i) {
			a.step()
			if !a.among(out, v) {
				out = append(out, v)
			}
		}
	}
	return a.made(out)
}

// among is a search that counts as work.
func (a args) among(l []Value, v Value) bool {
	if a.d.work.steps -= len(l) / 8; a.d.work.steps < 0 {
		a.step()
	}
	return slices.ContainsFunc(l, func(x Value) bool { return Equal(x, v) })
}

// merge is union() of two objects: nested objects are merged, arrays replaced.
func (a args) merge(x, y *Object, depth int) *Object {
	if depth > maxDepth {
		fail("The objects are nested too deep.")
	}
	out := x.Clone()
	a.holds(x.Len()+y.Len(), 0)
	for _, k := range y.Keys() {
		v, _ := y.Get(k)
		if inner, ok := v.(*Object); ok {
			if before := out.Object(k); before != nil {
				v = a.merge(before, inner, depth+1)
			}
		}
		out.Set(k, v)
	}
	return out
}

func intersection(a args) Value {
	if first, ok := a.v[0].([]Value); ok {
		out := []Value{}
		for _, v := range first {
			in := !a.among(out, v)
			for i := 1; i < len(a.v) && in; i++ {
				in = a.among(a.array(i), v)
			}
			if in {
				out = append(out, v)
			}
		}
		return a.made(out)
	}
	out := a.object(0).Clone()
	for i := 1; i < len(a.v); i++ {
		for _, k := range slices.Clone(out.Keys()) {
			x, _ := out.Get(k)
			if y, ok := a.object(i).Get(k); !ok || !Equal(x, y) {
				out.Delete(k)
			}
		}
	}
	return out
}

func (a args) fromEnd(try bool) Value {
	if a.v[0] == nil && try {
		return nil
	}
	l, n := a.array(0), a.int(1)
	if n >= 1 && n <= int64(len(l)) {
		return l[int64(len(l))-n]
	}
	if !try {
		fail("The array has no element %d from its end.", n)
	}
	return nil
}

func mapEach(a args) Value {
	l := a.takes(1, 1, 2)
	out := make([]Value, len(a.array(0)))
	for i, v := range a.array(0) {
		out[i] = l.run(v, int64(i))
	}
	return a.made(out)
}

func (a args) truth(v Value) bool {
	b, ok := v.(bool)
	if !ok {
		fail("The lambda expression of '%s' must give a boolean.", a.name)
	}
	return b
}

func filter(a args) Value {
	l := a.takes(1, 1, 2)
	out := []Value{}
	for i, v := range a.array(0) {
		if a.truth(l.run(v, int64(i))) {
			out = append(out, v)
		}
	}
	return a.made(out)
}

func reduce(a args) Value {
	l := a.takes(2, 2, 3)
	result := a.v[1]
	for i, v := range a.array(0) {
		result = l.run(result, v, int64(i))
	}
	return result
}

func sortBy(a args) Value {
	l := a.takes(1, 2, 2)
	out := slices.Clone(a.array(0))
	slices.SortStableFunc(out, func(x, y Value) int {
		switch {
		case a.truth(l.run(x, y)):
			return -1
		case a.truth(l.run(y, x)):
			return 1
		}
		return 0
	})
	return a.made(out)
}

func (a args) key(v Value) string {
	s, ok := v.(string)
	if !ok {
		fail("The lambda expression of '%s' must give a string as the key.", a.name)
	}
	return s
}

func groupBy(a args) Value {
	l := a.takes(1, 1, 1)
	out := &Object{}
	for _, v := range a.array(0) {
		k := a.key(l.run(v))
		if a.has(2) {
			v = a.takes(2, 1, 1).run(v)
		}
		group, _ := out.Get(k)
		list, _ := group.([]Value)
		out.Set(k, append(list, v))
	}
	a.holds(len(a.array(0)), 0)
	return out
}

func toObject(a args) Value {
	l := a.takes(1, 1, 1)
	out := &Object{}
	for _, v := range a.array(0) {
		k := a.key(l.run(v))
		if a.has(2) {
			v = a.takes(2, 1, 1).run(v)
		}
		out.Set(k, v)
	}
	a.holds(out.Len(), 0)
	return out
}

func mapValues(a args) Value {
	l := a.takes(1, 1, 1)
	out := &Object{}
	for _, k := range a.object(0).Keys() {
		v, _ := a.object(0).Get(k)
		out.Set(k, l.run(v))
	}
	a.holds(out.Len(), 0)
	return out
}

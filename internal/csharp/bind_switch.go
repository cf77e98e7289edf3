package csharp

// switchBinding is a switch whose sections are being bound.
type switchBinding struct {
	x        operand
	sections []switchSection
	values   map[any]int // constant of a case label -> section
	fallback int         // section of default, or -1
	labels   map[any]any // label -> its constant as a key
	konst    any         // key of the value when it is a constant
	met      bool        // a label without a condition is that constant
	covered  []*Type     // types that labels without a condition take
	null     bool        // a label without a condition takes null
	all      bool        // labels without conditions take every value
}

func (b *binder) switchStatement(s *switchStmt) exec {
	x := b.operandValue(s.x)
	if x.t.kind == kindNull || x.t.kind == kindLambda {
		b.fail(s.x.at(), "CS8119", "The switch expression must be a value; found '%s'.", x.t)
	}
	v := b.temp(x.t)
	keep := b.store(v, x.c)
	held := operand{pos: x.pos, t: x.t, c: b.load(v)}
	sw := &switchBinding{x: held, sections: s.sections, values: map[any]int{}, labels: map[any]any{}, fallback: -1}
	if x.konst {
		sw.konst = KeyOf(x.val)
	}
	b.switchValues(sw)
	b.jumps = &jumpTarget{outer: b.jumps, isSwitch: true, breaks: flow{dead: true}, cases: sw}
	b.push()
	defer b.pop()
	var cells []int
	b.scope.cells = &cells
	type test struct {
		f       func(*Frame) bool
		section int
	}
	var tests []test
	bodies := make([]exec, len(s.sections))
	start := b.flow.clone()
	for i, sec := range s.sections {
		b.flow = start.clone()
		entry := flow{dead: true}
		b.push()
		for j := range sec.labels {
			l := &sec.labels[j]
			b.flow = start.clone()
			if l.isDefault {
				b.flow.dead = b.flow.dead || sw.matched()
				entry = entry.join(b.flow)
				continue
			}
			f := b.pattern(held, l.pat)
			b.subsume(sw, held, *l)
			always := true
			if l.when != nil {
				w, t, _ := b.truth(l.when)
				b.flow = t
				always = w.konst && w.val == true
				p, q := f, w.c.b
				f = func(fr *Frame) bool { return p(fr) && q(fr) }
			}
			b.reachLabel(sw, l, always)
			entry = entry.join(b.flow)
			tests = append(tests, test{f, i})
		}
		b.flow = entry
		body := b.statements(sec.body)
		bodies[i] = body
		b.pop()
		if !b.flow.dead && i == len(s.sections)-1 {
			b.fail(sec.labels[len(sec.labels)-1].at(), "CS8070", "Control cannot fall out of switch from the final case label")
		}
		if !b.flow.dead {
			b.fail(sec.labels[len(sec.labels)-1].at(), "CS0163", "Control cannot fall through from one case label to another or out of the switch")
		}
	}
	out := b.jumps.breaks
	b.jumps = b.jumps.outer
	if sw.fallback < 0 && !sw.all && !sw.met {
		out = out.join(start)
	}
	b.flow = out
	fallback := sw.fallback
	return func(fr *Frame) ctl {
		for _, n := range cells {
			fr.objs[n] = &cell{}
		}
		keep(fr)
		at := fallback
		for _, t := range tests {
			if t.f(fr) {
				at = t.section
				break
			}
		}
		for at >= 0 {
			switch c := bodies[at](fr); c {
			case ctlGotoCase:
				fr.run.Step()
				at = fr.label
			case ctlBreak, ctlNext:
				return ctlNext
			default:
				return c
			}
		}
		return ctlNext
	}
}

// matched tells that a label takes the constant that the switch is about, so that nothing reaches the default.
func (sw *switchBinding) matched() bool {
	if sw.konst == nil {
		return false
	}
	_, ok := sw.values[sw.konst]
	return ok
}

// reachLabel cuts the flow off at a label that the constant of the switch never meets and notes one that it always meets.
func (b *binder) reachLabel(sw *switchBinding, l *switchLabel, always bool) {
	k, ok := sw.labels[l]
	if !ok || sw.konst == nil {
		return
	}
	if k != sw.konst {
		b.flow.dead = true
	} else if always {
		sw.met = true
	}
}

// subsume refuses a label that an earlier one leaves nothing to, and notes what this one takes.
func (b *binder) subsume(sw *switchBinding, x operand, l switchLabel) {
	var t *Type // of the values that the pattern takes; nil for null
	whole := l.pat.isVar
	switch value := l.pat.value; {
	case whole:
		t = x.t
	default:
		if value == nil && l.pat.name == "" && len(l.pat.typ.suffix) == 0 && l.pat.typ.tuple == nil {
			value = b.constantName(l.pat.typ)
		}
		if value != nil {
			whole = false
			if k := b.value(value); k.t.kind != kindNull {
				t = k.t
				if u := x.t.underlying(); u.isNumeric() {
					t = u
				}
			}
			b.unreachable(sw, t, l)
			if t == nil && l.when == nil {
				sw.null = true
				for _, c := range sw.covered {
					sw.all = sw.all || referenceConversion(x.t.underlying(), c)
				}
			}
			return
		}
		t = b.typ(l.pat.typ)
	}
	b.unreachable(sw, t, l)
	if l.when == nil {
		sw.covered = append(sw.covered, t)
		sw.all = sw.all || whole || x.t.isValue() && x.t == t || sw.null && referenceConversion(x.t.underlying(), t)
	}
}

func (b *binder) unreachable(sw *switchBinding, t *Type, l switchLabel) {
	hit := sw.all
	for _, c := range sw.covered {
		hit = hit || t != nil && referenceConversion(t, c)
	}
	if hit {
		b.fail(l.at(), "CS8120", "The switch case is unreachable. It has already been handled by a previous case or it is impossible to match.")
	}
}

// switchValues finds the constants of the labels, for goto case and to report duplicates.
func (b *binder) switchValues(sw *switchBinding) {
	for i, sec := range sw.sections {
		for j := range sec.labels {
			l := &sec.labels[j]
			if l.isDefault {
				if sw.fallback >= 0 {
					b.fail(l.at(), "CS0152", "The switch statement contains multiple cases with the label value 'default'")
				}
				sw.fallback = i
				continue
			}
			e := l.pat.value
			if e == nil && l.pat.typ != nil && l.pat.name == "" {
				e = b.constantName(l.pat.typ)
			}
			if e == nil {
				continue
			}
			var k operand
			if b.attempt(func() { k = b.value(e) }) != nil || !k.konst {
				continue
			}
			if y, ok := b.implicit(k, sw.x.t); ok && y.konst {
				k = y
			}
			if _, dup := sw.values[KeyOf(k.val)]; dup && l.when == nil {
				b.fail(l.at(), "CS0152", "The switch statement contains multiple cases with the label value '%s'", FormatValue(k.val))
			}
			sw.labels[l] = KeyOf(k.val)
			sw.values[KeyOf(k.val)] = i
		}
	}
}

func (b *binder) gotoCase(s *jumpStmt) exec {
	j := b.jumps
	for j != nil && !j.isSwitch {
		j = j.outer
	}
	if j == nil {
		b.fail(s.at(), "CS0153", "A goto case is only valid inside a switch statement")
	}
	to := j.cases.fallback
	if s.x != nil {
		k := b.convert(b.value(s.x), j.cases.x.t, "")
		n, ok := j.cases.values[KeyOf(k.val)]
		if !ok || !k.konst {
			b.fail(s.at(), "CS0159", "No such label 'case %s:' within the scope of the goto statement", FormatValue(k.val))
		}
		to = n
	} else if to < 0 {
		b.fail(s.at(), "CS0159", "No such label 'default:' within the scope of the goto statement")
	}
	return func(fr *Frame) ctl { fr.label = to; return ctlGotoCase }
}

package snapshot

import "strings"

// ManagedGateway is the name of a service's own gateway: its view is the whole
// configuration.
const ManagedGateway = "managed"

// View is what one gateway sees of a service's configuration, kept up with it
// at the cost of each change. It is not safe for concurrent use.
//
// A self-hosted gateway sees the service and its policy, itself and its
// hostnames, the APIs that are assigned to it with all that belongs to them, the
// products that hold those APIs, the subscriptions that reach them, the users of
// those, and the named values, fragments, backends and certificates that the
// visible documents may use.
type View struct {
	gateway string
	master  *Snapshot
	seen    *Snapshot
	// assigned are the visible parts that are not sent: KindGatewayAPI.
	assigned map[Key]*Part
	// active counts the visible parts that point at a mark.
	active map[mark]pointers
}

// pointers counts what points at a mark. Firm ones are not fragments or
// backends, so that they cannot be part of a circle.
type pointers struct{ all, firm int32 }

// NewView makes the view of a gateway (by name, in any case) from scratch.
func NewView(s *Snapshot, gateway string) *View {
	v := &View{gateway: strings.ToLower(gateway), master: s, seen: s}
	if v.gateway == ManagedGateway {
		return v
	}
	v.seen = Empty()
	v.assigned = map[Key]*Part{}
	v.active = map[mark]pointers{}
	e := v.edit(s)
	e.grow = append(e.grow, markOf(classService, ""), markOf(classGateway, v.gateway))
	e.settle()
	v.seen = e.edit.done(s.sequence)
	return v
}

// Snapshot is the gateway's configuration.
func (v *View) Snapshot() *Snapshot { return v.seen }

// Apply follows the service's configuration to s, which is the state after d,
// and returns the change of the view. D must start where the view stands.
func (v *View) Apply(d Delta, s *Snapshot) Delta {
	was := v.seen
	v.master = s
	if v.gateway == ManagedGateway {
		v.seen = s
		return d
	}
	e := v.edit(s)
	for i := range d.Put {
		e.change(d.Put[i].Key)
	}
	for _, k := range d.Delete {
		e.change(k)
	}
	e.settle()
	v.seen = e.edit.done(s.sequence)
	return Diff(was, v.seen)
}

// viewEdit is one change of a view. While it runs the view may hold too much,
// never too little: what appears is added first, then what nothing points at
// any more is taken away.
type viewEdit struct {
	*View
	edit  *edit
	graph *graph
	grow  []mark // became active: look for parts that appear
	check []mark // lost a pointer: look for parts that go
}

func (v *View) edit(s *Snapshot) *viewEdit {
	return &viewEdit{View: v, edit: v.seen.edit(), graph: s.graph()}
}

func (e *viewEdit) get(k Key) *Part {
	if k.Kind == KindGatewayAPI {
		return e.assigned[k]
	}
	return e.edit.get(k)
}

// change brings one part of the service's configuration up to date.
func (e *viewEdit) change(k Key) {
	was, is := e.get(k), e.master.get(k)
	switch {
	case was == is:
	case is == nil || !e.wanted(is):
		if was != nil {
			e.hide(was)
		}
	default:
		e.show(is)
		if was != nil {
			e.unpoint(was)
		}
	}
}

// settle runs until nothing appears or goes any more.
func (e *viewEdit) settle() {
	for len(e.grow)+len(e.check) > 0 {
		if n := len(e.grow); n > 0 {
			m := e.grow[n-1]
			e.grow = e.grow[:n-1]
			for p := range e.graph.under(m) {
				// One active mark is enough for most kinds; asking costs a look
				// into the document.
				if e.get(p.Key) == nil && (p.Key.Kind != KindSubscriptionKeys || e.wanted(p)) {
					e.show(p)
				}
			}
			continue
		}
		n := len(e.check)
		m := e.check[n-1]
		e.check = e.check[:n-1]
		if e.isActive(m, nil) {
			continue
		}
		for p := range e.graph.under(m) {
			if e.get(p.Key) != nil && !e.wanted(p) {
				e.hide(p)
			}
		}
	}
}

// show makes a part visible and activates what it points at.
func (e *viewEdit) show(p *Part) {
	if p.Key.Kind == KindGatewayAPI {
		e.assigned[p.Key] = p
	} else {
		e.edit.put(p)
	}
	firm := firmness(p)
	for _, m := range linksOf(p).points {
		n := e.active[m]
		if n.all == 0 {
			e.grow = append(e.grow, m)
		}
		e.active[m] = pointers{n.all + 1, n.firm + firm}
	}
	if p.Key.Kind == KindSubscription {
		e.grow = append(e.grow, markOf(classSubscription, segment(p.Key.ID)))
	}
}

func (e *viewEdit) hide(p *Part) {
	if p.Key.Kind == KindGatewayAPI {
		delete(e.assigned, p.Key)
	} else {
		e.edit.delete(p.Key)
	}
	e.unpoint(p)
	if p.Key.Kind == KindSubscription {
		e.check = append(e.check, markOf(classSubscription, segment(p.Key.ID)))
	}
}

// unpoint takes back the pointers of a part that went or changed.
func (e *viewEdit) unpoint(p *Part) {
	firm := firmness(p)
	for _, m := range linksOf(p).points {
		n := e.active[m]
		if n.all == 1 {
			delete(e.active, m)
		} else {
			e.active[m] = pointers{n.all - 1, n.firm - firm}
		}
		e.check = append(e.check, m)
	}
}

func firmness(p *Part) int32 {
	if circular(p.Key.Kind) {
		return 0
	}
	return 1
}

// wanted reports whether a part belongs into the view as it stands.
func (e *viewEdit) wanted(p *Part) bool { return e.reached(p, nil) }

func (e *viewEdit) reached(p *Part, passed map[mark]bool) bool {
	l := linksOf(p)
	for _, m := range l.under {
		if e.isActive(m, passed) != l.every {
			return !l.every
		}
	}
	return l.every
}

// isActive reports whether a visible part points at the mark. Fragments and
// backends that only point at each other do not count; passed holds the marks
// that the search came through.
func (e *viewEdit) isActive(m mark, passed map[mark]bool) bool {
	switch name := m.Value(); name.class {
	case classService:
		return true
	case classGateway:
		return name.name == e.gateway
	case classSubscription:
		return e.get(Key{KindSubscription, "subscriptions/" + name.name}) != nil
	}
	n := e.active[m]
	if n.firm > 0 || n.all == 0 || !circularMark(m) {
		return n.all > 0
	}
	if passed == nil {
		passed = map[mark]bool{}
	}
	if passed[m] {
		return false
	}
	passed[m] = true
	for p := range e.graph.pointing(m) {
		if e.get(p.Key) != nil && e.reached(p, passed) {
			return true
		}
	}
	return false
}

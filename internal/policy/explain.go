package policy

import (
	"fmt"
	"slices"
	"strings"
)

// Gateway is a set of kinds of gateways.
type Gateway uint8

// The kinds of gateways of API Management.
const (
	GatewayManaged Gateway = 1 << iota
	GatewaySelfHosted
	GatewayWorkspace
)

// names lists the kinds in the set.
func (g Gateway) names() (names []string) {
	for i, name := range [...]string{"managed", "self-hosted", "workspace"} {
		if g&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return names
}

// Flow says where the values of a policy go.
type Flow uint8

// The ways of values. What a policy does not declare counts as one that may leave the gateway.
const (
	FlowUnknown  Flow = iota
	FlowStays         // used by the gateway alone: keys, limits, conditions
	FlowVariable      // into a variable
	FlowMessage       // into the request to the backend service, or into the response
	FlowSent          // into a message to somebody else
	FlowLog           // into logs, traces or measurements
	FlowCache         // into a cache
)

// Statement is one statement of a document, or of an effective policy, with what is known of it before any request.
type Statement struct {
	Section string `json:"section"`
	Element string `json:"element"`
	Path    string `json:"path"` // in its section, such as choose[1]/when[2]/set-header[1]
	ID      string `json:"id,omitempty"`
	// Scope and Document say which document it stands in: empty for one that was given by itself. Fragment is the fragment that it comes from;
	// Line and Column are places in that text.
	Scope    string `json:"scope,omitempty"`
	Document string `json:"document,omitempty"`
	Fragment string `json:"fragment,omitempty"`
	Line     int    `json:"line"`
	Column   int    `json:"column"`
	// Buffers are the messages whose bodies it reads or replaces as a whole: request, response.
	Buffers []string `json:"buffers,omitempty"`
	// Calls is whom it calls, in words.
	Calls string `json:"calls,omitempty"`
	// NotOn are the kinds of Azure's gateways that cannot run it. This gateway can.
	NotOn []string `json:"notOn,omitempty"`
	// Secrets are the named values that flow into what it makes.
	Secrets []SecretFlow `json:"secrets,omitempty"`

	flow   Flow
	values []valueNote
}

// SecretFlow is a named value on its way.
type SecretFlow struct {
	Secret string `json:"secret"`
	To     string `json:"to"` // such as: variable token
	// Leaves says that what it flows into leaves the gateway.
	Leaves bool `json:"leaves"`
	// May says that it is not certain: the value may be no secret, or may not get there.
	May bool `json:"may,omitempty"`
}

// valueNote is a value of a statement that secrets may flow through.
type valueNote struct {
	element, attribute string
	name               string // of the variable, header or parameter that it becomes
	text               string
	secrets            []secretUse
}

// secretUse is a named value in a text; may is set when it is not known to be a secret.
type secretUse struct {
	name string
	may  bool
}

// explaining is what a compilation notes for an explanation; nil otherwise.
type explaining struct {
	statements []*Statement
	current    *Statement
	secrets    []secretUse // of the value that is being assigned
}

// beginStatement notes a statement and makes it the current one until the returned function is called.
func (c *Compiler) beginStatement(n *node, e *entry, path string) (end func(id string, use BodyUse)) {
	x := c.k.explaining
	if x == nil {
		return func(string, BodyUse) {}
	}
	line, column := c.k.src.position(n.pos)
	s := &Statement{
		Section: c.section.String(), Element: n.name, Path: path, Scope: c.scope.String(), Fragment: c.k.originOf().fragment, Line: line, Column: column,
		Calls: e.Calls, NotOn: e.NotOn.names(), flow: e.Flow,
	}
	outer := x.current
	x.statements, x.current = append(x.statements, s), s
	return func(id string, use BodyUse) {
		s.ID = id
		for i, name := range [...]string{"request", "response"} {
			if use&(1<<i) != 0 {
				s.Buffers = append(s.Buffers, name)
			}
		}
		x.current = outer
	}
}

// noteValue notes a value of the current statement.
func (c *Compiler) noteValue(f *field, t text) {
	x := c.k.explaining
	if x == nil || x.current == nil {
		return
	}
	v := valueNote{element: c.node.name, attribute: f.name, text: t.s, secrets: slices.Clone(x.secrets), name: c.nodeName()}
	x.current.values = append(x.current.values, v)
}

// nodeName is the name of the variable, header or parameter that the element, or the one around it, makes.
func (c *Compiler) nodeName() string {
	for n := c; n != nil; n = n.parent {
		for _, name := range [...]string{"name", "variable-name"} {
			if a := n.node.attr(name); a != nil {
				return a.value.s
			}
		}
	}
	return ""
}

// taint follows secrets from statement to statement.
type taint struct {
	variables map[string][]secretUse
	messages  [sectionCount][]secretUse // what stands in the request, and in the response
}

// Places of messages in taint.
const (
	taintRequest = iota
	taintResponse
)

// followSecrets fills in the flows of statements in the order in which they run. It goes round until nothing new comes up, because retry and
// on-error run what stood before once more.
func followSecrets(statements []*Statement) {
	t := taint{variables: make(map[string][]secretUse)}
	for before := -1; before != t.size(); {
		before = t.size()
		for _, s := range statements {
			s.Secrets = nil
			for _, v := range s.values {
				s.follow(&t, v)
			}
		}
	}
}

func (t *taint) size() int {
	n := len(t.messages[taintRequest]) + len(t.messages[taintResponse])
	for _, uses := range t.variables {
		n += 1 + len(uses)
	}
	return n
}

// follow adds what flows through one value.
func (s *Statement) follow(t *taint, v valueNote) {
	uses := slices.Clone(v.secrets)
	if isExpression(v.text) || strings.Contains(v.text, "{{") || strings.Contains(v.text, "{%") {
		uses = t.read(v.text, uses)
	}
	if len(uses) == 0 || v.attribute == "name" || v.attribute == "variable-name" {
		return
	}
	to, leaves, may := s.sink(t, v, uses)
	for _, use := range uses {
		flow := SecretFlow{Secret: use.name, To: to, Leaves: leaves, May: use.may || may}
		if !slices.Contains(s.Secrets, flow) {
			s.Secrets = append(s.Secrets, flow)
		}
	}
}

// read adds what an expression may get from variables and messages.
func (t *taint) read(text string, uses []secretUse) []secretUse {
	if strings.Contains(text, "Variables") {
		named := false
		for name, held := range t.variables {
			if strings.Contains(text, `"`+name+`"`) {
				named, uses = true, addUses(uses, held, false)
			}
		}
		if !named && !strings.Contains(text, `"`) { // which one is known at run time only
			for _, held := range t.variables {
				uses = addUses(uses, held, true)
			}
		}
	}
	if strings.Contains(text, "Request") {
		uses = addUses(uses, t.messages[taintRequest], true)
	}
	if strings.Contains(text, "Response") {
		uses = addUses(uses, t.messages[taintResponse], true)
	}
	return uses
}

func addUses(to, from []secretUse, may bool) []secretUse {
	for _, use := range from {
		use.may = use.may || may
		if !slices.ContainsFunc(to, func(u secretUse) bool { return u.name == use.name }) {
			to = append(to, use)
		}
	}
	return to
}

// sink says where a value goes, and notes it for those who read there.
func (s *Statement) sink(t *taint, v valueNote, uses []secretUse) (to string, leaves, may bool) {
	place := fmt.Sprintf("the content of <%s>", v.element)
	if v.attribute != "" && v.attribute != v.element {
		place = fmt.Sprintf("attribute %q of <%s>", v.attribute, v.element)
	}
	flow := s.flow
	if v.attribute == "condition" || v.attribute == "counter-key" {
		flow = FlowStays
	}
	switch flow {
	case FlowStays:
		return place, false, false
	case FlowVariable:
		t.variables[v.name] = addUses(t.variables[v.name], uses, false)
		return "variable " + v.name, false, false
	case FlowMessage:
		i, message := taintRequest, "the request to the backend service"
		if s.Section == Outbound.String() || s.Section == OnError.String() {
			i, message = taintResponse, "the response"
		}
		t.messages[i] = addUses(t.messages[i], uses, false)
		what := place
		if v.name != "" {
			what = fmt.Sprintf("%s %s", s.Element, v.name)
		}
		return what + " of " + message, true, false
	case FlowSent:
		return place + ", which is sent", true, false
	case FlowLog:
		return place + ", which is logged", true, false
	case FlowCache:
		return place + ", which is kept in a cache", true, false
	}
	return place, true, true
}

// noteSecret notes that a named value stands in the value that is being assigned.
func (c *Compiler) noteSecret(name string, may bool) {
	if x := c.k.explaining; x != nil {
		x.secrets = append(x.secrets, secretUse{name, may})
	}
}

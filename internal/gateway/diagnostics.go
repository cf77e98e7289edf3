package gateway

import (
	"slices"
	"strings"

	"github.com/causeway-apim/causeway/internal/snapshot"
)

// maxDiagnostics is how many diagnostics one request can have: those of other names are without effect.
const maxDiagnostics = 4

// diagnostic is a diagnostic of the configuration.
type diagnostic struct {
	part   snapshot.Diagnostic
	logger string // its local name
	least  int    // weight of what the trace policy must say to be sent
}

// The weights of verbosities.
const (
	weightVerbose = iota
	weightInformation
	weightError
)

// wantsAll says that requests are sent that did not fail too.
func (d *diagnostic) wantsAll() bool { return d.least < weightError }

// putDiagnostic takes over a diagnostic of a scope: "" is the service, others are the IDs of the parts of APIs and workspaces.
func (e *edit) putDiagnostic(id string, part snapshot.Diagnostic) {
	d := &diagnostic{part: part, logger: localName(part.Logger), least: weightInformation}
	switch strings.ToLower(part.Verbosity) {
	case "verbose":
		d.least = weightVerbose
	case "error":
		d.least = weightError
	}
	list := append(e.otherDiagnostics(id), d)
	slices.SortFunc(list, func(a, b *diagnostic) int { return strings.Compare(a.part.Name, b.part.Name) })
	e.diagnostics.set(diagnosticScope(id), list)
}

func (e *edit) removeDiagnostic(id string) {
	if list := e.otherDiagnostics(id); len(list) > 0 {
		e.diagnostics.set(diagnosticScope(id), list)
	} else {
		e.diagnostics.delete(diagnosticScope(id))
	}
}

// otherDiagnostics are those of the same scope.
func (e *edit) otherDiagnostics(id string) []*diagnostic {
	list, _ := e.diagnostics.Get(diagnosticScope(id))
	return slices.DeleteFunc(slices.Clone(list), func(d *diagnostic) bool { return d.part.Name == lastSegment(id) })
}

func diagnosticScope(id string) string {
	scope, _, _ := strings.Cut("/"+id, "/diagnostics/")
	return strings.TrimPrefix(scope, "/")
}

// findDiagnostics puts those that apply to an API, nil for requests that match none, into list and returns their number. The API's come before its
// workspace's, and those before the service's, of each name one.
func (c *config) findDiagnostics(a *api, list *[maxDiagnostics]*diagnostic) (n int) {
	take := func(scope string) {
		own, _ := c.diagnostics.Get(scope)
		for _, d := range own {
			named := func(o *diagnostic) bool { return o.part.Name == d.part.Name }
			if n < len(list) && !slices.ContainsFunc(list[:n], named) {
				list[n] = d
				n++
			}
		}
	}
	if a != nil {
		take(a.scope)
		if workspace, _ := splitWorkspace(a.scope); workspace != "" {
			take(workspacePrefix + workspace)
		}
	}
	take("")
	return n
}

// visibleHeaders are the fields that a diagnostic shows of a message. Credentials are masked whatever it says.
func visibleHeaders(log *snapshot.MessageLog, each func(yield func(name, value string) bool), show func(name, value string)) {
	for name, value := range each {
		if !slices.ContainsFunc(log.Headers, func(want string) bool { return strings.EqualFold(want, name) }) {
			continue
		}
		switch mode := maskOf(log.MaskedHeaders, strings.ToLower(name)); {
		case mode == "Hide":
			continue
		case mode == "Mask" || holdsCredentials(name):
			value = maskedText
		}
		show(name, value)
	}
}

// maskedText stands for what a diagnostic masks.
const maskedText = "*****"

// maskOf is how a name in lower case is hidden; "" when it is not.
func maskOf(masks map[string]string, name string) string {
	if mode, ok := masks[name]; ok {
		return mode
	}
	return masks["*"]
}

// visibleQuery is a query as a diagnostic shows it, with its question mark. raw has been freed of credentials.
func visibleQuery(log *snapshot.MessageLog, raw string) string {
	if raw == "" {
		return ""
	}
	var pairs []string
	for pair := range strings.SplitSeq(raw, "&") {
		name, _, ok := strings.Cut(pair, "=")
		switch maskOf(log.MaskedQuery, strings.ToLower(name)) {
		case "Hide":
			continue
		case "Mask":
			if ok {
				pair = name + "=" + maskedText
			}
		}
		pairs = append(pairs, pair)
	}
	if len(pairs) == 0 {
		return ""
	}
	return "?" + strings.Join(pairs, "&")
}

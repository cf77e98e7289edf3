package policy

import (
	"errors"
	"strings"

	"github.com/causeway-apim/causeway/internal/message"
	"github.com/causeway-apim/causeway/internal/snapshot"
)

// traceState is what a traced step may change, as it was before.
type traceState struct {
	method               string
	url, base            message.URL
	backendID            string
	requestHeader        message.Header
	requestBody          message.Body
	response             *message.Response
	status               int
	reason               string
	responseHeader       message.Header
	responseBody         message.Body
	pending              message.Header
	certificate          *snapshot.Certificate
	proxy                *snapshot.Proxy
	outerStep            *step
	outerSet             []string
	outerSecret, outerIn bool
}

func (x *Exec) traceState() traceState {
	s := traceState{
		method: x.Request.Method, url: x.Request.URL, base: x.Base, backendID: x.BackendID, requestHeader: x.Request.Header.Clone(), requestBody: x.Request.Body,
		response: x.Response, pending: x.pending.Clone(), certificate: x.ClientCertificate, proxy: x.Proxy,
		outerStep: x.tracing.step, outerSet: x.tracing.set, outerSecret: x.tracing.secret, outerIn: x.tracing.nested,
	}
	if r := x.Response; r != nil {
		s.status, s.reason, s.responseHeader, s.responseBody = r.Status, r.Reason, r.Header.Clone(), r.Body
	}
	return s
}

// tracing is what a traced request knows of the step that runs.
type tracing struct {
	step   *step
	set    []string // variables
	secret bool     // an expression was made of secrets
	nested bool     // other steps ran inside
}

// runTraced runs a step and records what it did. A container is recorded before the steps in it, and with its effect afterwards.
func (x *Exec) runTraced(s *step) error {
	before, started := x.traceState(), x.Now()
	x.tracing = tracing{step: s}
	if s.container {
		x.Tracer.Add(s.name, s.place(x))
	}
	err := s.run.Run(x)
	data := s.place(x)
	data["message"], data["duration"] = outcomeText(err), x.Now().Sub(started)
	if text := s.statementText(); text != "" {
		data["statement"] = text
	}
	if s.container {
		delete(data, "statement")
	}
	x.traceError(data, err)
	if effect := x.effect(&before); len(effect) > 0 {
		data["effect"] = effect
	}
	x.Tracer.Add(s.name, data)
	x.tracing = tracing{step: before.outerStep, set: before.outerSet, secret: before.outerSecret, nested: true}
	return err
}

// place says which statement a step is.
func (s *step) place(x *Exec) map[string]any {
	line, column := s.origin.src.position(s.pos)
	data := map[string]any{"path": s.path, "line": line, "column": column}
	if scope := x.Scope.String(); scope != "" {
		data["scope"] = scope
	}
	if s.origin.fragment != "" {
		data["fragment"] = s.origin.fragment
	}
	if s.id != "" {
		data["policyId"] = s.id
	}
	if s.container {
		data["message"] = "The policies in it are executed."
	}
	return data
}

func outcomeText(err error) string {
	switch {
	case err == nil:
		return "Policy was executed."
	case errors.Is(err, ErrStop):
		return "Policy ended the pipeline."
	case errors.Is(err, ErrSkipBackend):
		return "Policy answered instead of the backend."
	}
	return "Policy failed."
}

func (x *Exec) traceError(data map[string]any, err error) {
	if err == nil || errors.Is(err, ErrStop) || errors.Is(err, ErrSkipBackend) {
		return
	}
	e := WrapError(err)
	source := e.Source
	if source == "" {
		source = x.tracing.step.name
	}
	data["error"] = map[string]any{"source": source, "reason": e.Reason, "message": e.Message, "statusCode": e.status()}
}

// effect is what a step has changed.
func (x *Exec) effect(before *traceState) map[string]any {
	out := make(map[string]any)
	if request := x.requestEffect(before); len(request) > 0 {
		out["request"] = request
	}
	if response := x.responseEffect(before); len(response) > 0 {
		out["response"] = response
	}
	if x.Base != before.base || x.BackendID != before.backendID {
		out["backend"] = map[string]any{"url": TraceURL(&x.Base), "id": x.BackendID}
	}
	if x.ClientCertificate != before.certificate && x.ClientCertificate != nil {
		out["clientCertificate"] = x.ClientCertificate.Name
	}
	if x.Proxy != before.proxy && x.Proxy != nil {
		out["proxy"] = x.Proxy.URL
	}
	if changed := headerChanges(&before.pending, &x.pending); len(changed) > 0 {
		out["responseHeadersToCome"] = changed
	}
	if len(x.tracing.set) > 0 {
		variables := make(map[string]any, len(x.tracing.set))
		for _, name := range x.tracing.set {
			value := x.variables[name]
			if x.tracing.secret {
				x.Tracer.taint(name, value)
				value = hiddenText
			}
			variables[name] = value
		}
		out["variables"] = variables
	}
	return out
}

func (x *Exec) requestEffect(before *traceState) map[string]any {
	out, r := make(map[string]any), x.Request
	if r.Method != before.method {
		out["method"] = r.Method
	}
	if r.URL != before.url {
		out["url"] = TraceURL(&r.URL)
	}
	if changed := headerChanges(&before.requestHeader, &r.Header); len(changed) > 0 {
		out["headers"] = changed
	}
	if r.Body != before.requestBody {
		out["body"] = bodyChange(r.Body, r.ContentLength)
	}
	return out
}

func (x *Exec) responseEffect(before *traceState) map[string]any {
	out, r := make(map[string]any), x.Response
	if r == nil {
		return out
	}
	if r != before.response {
		return TraceResponse(r)
	}
	if r.Status != before.status || r.Reason != before.reason {
		out["status"] = map[string]any{"code": r.Status, "reason": r.Reason}
	}
	if changed := headerChanges(&before.responseHeader, &r.Header); len(changed) > 0 {
		out["headers"] = changed
	}
	if r.Body != before.responseBody {
		out["body"] = bodyChange(r.Body, r.ContentLength)
	}
	return out
}

// bodyChange tells of a body that is another one than before.
func bodyChange(b message.Body, length int64) any {
	if b == nil {
		return "removed"
	}
	if memory, ok := b.(message.Memory); ok {
		length = int64(len(memory.Rest()))
	}
	return map[string]any{"length": length}
}

// headerChanges lists the fields that differ: their values before and after.
func headerChanges(before, after *message.Header) []any {
	var list []any
	seen := make(map[string]bool)
	for _, h := range [...]*message.Header{before, after} {
		for name := range h.All() {
			key := strings.ToLower(name)
			if seen[key] {
				continue
			}
			seen[key] = true
			was, is := before.Values(name), after.Values(name)
			if strings.Join(was, "\n") == strings.Join(is, "\n") && len(was) == len(is) {
				continue
			}
			change := map[string]any{"name": name}
			if len(was) > 0 {
				change["before"] = shownFields(name, was)
			}
			if len(is) > 0 {
				change["after"] = shownFields(name, is)
			}
			list = append(list, change)
		}
	}
	return list
}

func shownFields(name string, values []string) any {
	shown := make([]string, len(values))
	for i, v := range values {
		shown[i] = shownField(name, v)
	}
	if len(shown) == 1 {
		return shown[0]
	}
	return shown
}

// traceExpression records what an expression gave. What secrets went into does not show, there and later.
func (x *Exec) traceExpression(e *expression, value any) {
	source := ""
	if s := x.tracing.step; s != nil {
		source = s.name
	}
	text := strings.TrimSpace(e.source)
	if strings.HasPrefix(text, "@(") && strings.HasSuffix(text, ")") {
		text = text[2 : len(text)-1]
	}
	if e.secret || x.Tracer.readsTainted(text) {
		x.tracing.secret = true
		if s, ok := value.(string); ok {
			x.Tracer.Hide(s)
		}
		value = hiddenText
	}
	x.Tracer.Add(source, map[string]any{"message": "Expression was successfully evaluated.", "expression": text, "value": value})
}

// taint notes a variable that was made of secrets.
func (t *traceLog) taint(name string, value any) {
	t.mu.Lock()
	t.tainted[name] = true
	t.mu.Unlock()
	if s, ok := value.(string); ok {
		t.Hide(s)
	}
}

// readsTainted says whether an expression may read a variable that was made of secrets.
func (t *traceLog) readsTainted(expression string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.tainted) == 0 || !strings.Contains(expression, "Variables") {
		return false
	}
	for name := range t.tainted {
		if strings.Contains(expression, name) {
			return true
		}
	}
	return false
}

// traceFailure records why on-error runs, or that it failed itself.
func (x *Exec) traceFailure() {
	e := x.LastError
	x.Tracer.Add(e.Source, map[string]any{
		"message": "An error ended the pipeline: " + e.Message,
		"error": map[string]any{
			"source": e.Source, "reason": e.Reason, "message": e.Message, "statusCode": e.Status, "scope": e.Scope, "section": e.Section, "path": e.Path,
			"policyId": e.PolicyID,
		},
	})
}

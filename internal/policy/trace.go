package policy

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/causeway-apim/causeway/internal/csharp"
	"github.com/causeway-apim/causeway/internal/message"
)

// The bounds of a trace. What is beyond them is counted, and cut.
const (
	maxTraceEntries = 2000
	maxTraceBytes   = 384 << 10 // of entries together; a gateway sends a trace in one record
	maxTraceText    = 8 << 10   // of one text
	resolverShare   = 2         // resolvers get this part of entries and bytes: a list can have thousands of fields, and what follows is to show too
	minSecretPart   = 4         // shorter secrets are hidden only where they are the whole text
	hiddenText      = "***"
)

// Trace is the debug trace of one request: what every statement read and changed, in the shape of the action listTrace of API Management. It is
// safe for the branches of wait and for resolvers that run side by side. Texts are copied and secrets hidden when an entry is made.
type Trace struct {
	*traceLog
	resolver string // begins the sources of a resolver's entries; empty elsewhere
}

// traceLog is what the parts of a request write their entries to.
type traceLog struct {
	x       *Exec // the request's, which says in which section it is
	mu      sync.Mutex
	entries [sectionCount][]traceEntry
	count   int
	bytes   int
	dropped int
	secrets []string
	hide    *strings.Replacer
	tainted map[string]bool // variables that were made of secrets
}

type traceEntry struct {
	Source    string          `json:"source"`
	Timestamp string          `json:"timestamp"`
	Elapsed   string          `json:"elapsed"`
	Data      json.RawMessage `json:"data"`
}

// NewTrace begins the trace of the request of x and makes it x.Tracer. secrets are texts that must not show: they are hidden wherever they stand.
func NewTrace(x *Exec, secrets ...string) *Trace {
	t := &Trace{traceLog: &traceLog{x: x, tainted: make(map[string]bool)}}
	for name, value := range x.Request.Header.All() {
		if isSecretHeader(name) {
			secrets = append(secrets, value)
			if _, credential, ok := strings.Cut(value, " "); ok {
				secrets = append(secrets, credential)
			}
		}
	}
	t.Hide(secrets...)
	x.Tracer = t
	return t
}

// ForResolver is the same trace for the run of a resolver within the request: its entries stand in the section in which the query runs, and their
// sources begin with the field, as in "resolver Query.user: http-data-source".
func (t *Trace) ForResolver(typ, field string) *Trace {
	return &Trace{traceLog: t.traceLog, resolver: "resolver " + typ + "." + field + ": "}
}

// Hide adds texts that must not show from now on. Hiding costs time for each of them, so they are for few: keys, tokens, passwords.
func (t *traceLog) Hide(secrets ...string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, s := range secrets {
		if s != "" && !slices.Contains(t.secrets, s) {
			t.secrets, t.hide = append(t.secrets, strings.Clone(s)), nil
		}
	}
}

// hidden is s without secrets. The caller holds the lock.
func (t *traceLog) hidden(s string) string {
	if t.hide == nil {
		// Longer ones first: a secret may be a part of another one.
		slices.SortStableFunc(t.secrets, func(a, b string) int { return len(b) - len(a) })
		var pairs []string
		for _, secret := range t.secrets {
			if len(secret) >= minSecretPart {
				pairs = append(pairs, secret, hiddenText)
			}
		}
		t.hide = strings.NewReplacer(pairs...)
	}
	if len(s) < minSecretPart && slices.Contains(t.secrets, s) {
		return hiddenText
	}
	if len(s) > 2*maxTraceText { // a secret across the cut would show in part
		s = s[:2*maxTraceText]
	}
	return cutText(t.hide.Replace(s))
}

// cutText shortens a text at the end of a character.
func cutText(s string) string {
	if len(s) <= maxTraceText {
		return s
	}
	return fmt.Sprintf("%s… (%d bytes in all)", strings.ToValidUTF8(s[:maxTraceText], ""), len(s))
}

// Step records that something happened in the section that runs. Data are names and values in turn.
func (t *Trace) Step(source, text string, data ...any) {
	object := make(map[string]any, 1+len(data)/2)
	for i := 0; i+1 < len(data); i += 2 {
		if name, ok := data[i].(string); ok {
			object[name] = data[i+1]
		}
	}
	if text != "" {
		object["message"] = text
	}
	t.Add(source, object)
}

// Add records an entry with data of its own shape: texts, numbers, maps, lists, and values of expressions.
func (t *Trace) Add(source string, data map[string]any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	entries, size := maxTraceEntries, maxTraceBytes
	if t.resolver != "" {
		source = t.resolver + source
		entries, size = entries/resolverShare, size/resolverShare
	}
	if t.count >= entries || t.bytes > size {
		t.dropped++
		return
	}
	encoded, err := encodeTrace(t.shown(data))
	if err != nil { // a number that JSON does not have
		encoded = []byte(`{"message":"The entry cannot be shown."}`)
	}
	now := t.x.Host.Now()
	i := max(t.x.Section.index(), 0)
	t.count++
	t.bytes += len(encoded) + len(source) + 100
	t.entries[i] = append(t.entries[i], traceEntry{
		Source: t.hidden(source), Timestamp: now.UTC().Format("2006-01-02T15:04:05.0000000Z"), Elapsed: traceSpan(now.Sub(t.x.Started)), Data: encoded,
	})
}

// traceSpan writes a duration as .NET does, with seven digits.
func traceSpan(d time.Duration) string {
	d = max(d, 0)
	return fmt.Sprintf("%02d:%02d:%02d.%07d", int(d.Hours()), int(d.Minutes())%60, int(d.Seconds())%60, d.Nanoseconds()/100%1e7)
}

// shown makes a value one that JSON can hold and that has no secrets.
func (t *traceLog) shown(v any) any {
	switch v := v.(type) {
	case nil, bool, int, int64, int32, float64, json.RawMessage:
		return v
	case string:
		if csharp.IsNull(v) {
			return nil
		}
		return t.hidden(v)
	case []byte:
		return t.hidden(string(v))
	case time.Duration:
		return traceSpan(v)
	case map[string]any:
		out := make(map[string]any, len(v))
		for name, item := range v {
			out[t.hidden(name)] = t.shown(item)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, item := range v {
			out[i] = t.shown(item)
		}
		return out
	case []string:
		out := make([]any, len(v))
		for i, item := range v {
			out[i] = t.hidden(item)
		}
		return out
	case *ResponseValue:
		return fmt.Sprintf("IResponse with status %d", v.r.Status)
	case error:
		return t.hidden(v.Error())
	}
	return t.hidden(csharp.FormatValue(v))
}

// Document is the trace as listTrace answers it.
func (t *traceLog) Document(service, id string) []byte {
	t.mu.Lock()
	defer t.mu.Unlock()
	sections := make(map[string][]traceEntry, sectionCount)
	for i, name := range sectionNames {
		if entries := t.entries[i]; len(entries) > 0 || i != OnError.index() {
			sections[name] = append([]traceEntry{}, entries...)
		}
	}
	doc := map[string]any{"serviceName": service, "traceId": id, "traceEntries": sections}
	if t.dropped > 0 {
		doc["entriesDropped"] = t.dropped
	}
	b, _ := encodeTrace(doc) // everything in it was encoded before
	return b
}

// encodeTrace writes JSON in which markup can be read.
func encodeTrace(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}

// TraceHeader is a header as traces show it.
func TraceHeader(h *message.Header) []any {
	list := make([]any, 0, h.Len())
	for name, value := range h.All() {
		list = append(list, map[string]any{"name": name, "value": shownField(name, value)})
	}
	return list
}

// shownField is the value of a header field without what it identifies its sender with.
func shownField(name, value string) string {
	if !isSecretHeader(name) {
		return value
	}
	if scheme, _, ok := strings.Cut(value, " "); ok && message.ValidName(scheme) && strings.HasSuffix(strings.ToLower(name), "authorization") {
		return scheme + " " + hiddenText
	}
	return hiddenText
}

// IsSecretHeader says whether a header field holds credentials, by its name: traces and logs do not show it.
func IsSecretHeader(name string) bool { return isSecretHeader(name) }

// isSecretHeader says whether a header field holds credentials.
func isSecretHeader(name string) bool {
	switch name = strings.ToLower(name); name {
	case "authorization", "proxy-authorization", "cookie", "set-cookie", "apim-debug-authorization", "ocp-apim-subscription-key", "x-arr-clientcert":
		return true
	}
	return isSecretName(name)
}

// isSecretName guesses by its name, in lower case, whether a header field or a query parameter holds credentials.
func isSecretName(name string) bool {
	switch strings.NewReplacer("-", "", "_", "", ".", "").Replace(name) {
	case "apikey", "xapikey", "subscriptionkey", "xfunctionskey", "xmsauthorizationauxiliary", "accesstoken", "idtoken", "refreshtoken", "clientsecret",
		"password", "secret", "token", "sig", "code", "key", "xauthtoken", "xaccesstoken", "xcsrftoken", "sastoken":
		return true
	}
	return false
}

// TraceURL is a URL as traces show it.
func TraceURL(u *message.URL) string {
	shown := *u
	if u.RawQuery != "" {
		pairs := strings.Split(u.RawQuery, "&")
		for i, pair := range pairs {
			if name, _, ok := strings.Cut(pair, "="); ok && isSecretName(strings.ToLower(name)) {
				pairs[i] = name + "=" + hiddenText
			}
		}
		shown.RawQuery = strings.Join(pairs, "&")
	}
	if shown.Host == "" { // relative to whatever comes before
		return string(shown.AppendTarget(nil))
	}
	return shown.String()
}

// TraceRequest is a request as traces show it.
func TraceRequest(method string, u *message.URL, h *message.Header) map[string]any {
	return map[string]any{"method": method, "url": TraceURL(u), "headers": TraceHeader(h)}
}

// TraceResponse is a response as traces show it.
func TraceResponse(r *message.Response) map[string]any {
	reason := r.Reason
	if reason == "" {
		reason = message.ReasonPhrase(r.Status)
	}
	return map[string]any{"status": map[string]any{"code": r.Status, "reason": reason}, "headers": TraceHeader(&r.Header)}
}

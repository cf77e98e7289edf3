package audit

import (
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/causeway-apim/causeway/internal/arm"
	"github.com/causeway-apim/causeway/internal/manage"
	"github.com/causeway-apim/causeway/internal/resource"
	"github.com/causeway-apim/causeway/internal/store"
)

// readAction is the right to read the log, Azure's.
const readAction = "Microsoft.Insights/eventtypes/values/read"

// Log serves the audit log: below {scope}/providers/Microsoft.Insights as Azure's activity log, below
// {scope}/providers/Microsoft.Causeway/audit in full.
type Log struct {
	Store store.Store
	// Engine restores; it is set once the server has made it.
	Engine func() *resource.Engine
	// Authorizer decides who may read and restore.
	Authorizer manage.Authorizer
}

// ServeExtension implements manage.Extension.
func (l *Log) ServeExtension(w http.ResponseWriter, r *http.Request, scope arm.ID, rest []string) {
	status, body, err := l.serve(r, scope, rest)
	if err != nil {
		e, _ := arm.AsError(err)
		arm.WriteError(w, e)
		return
	}
	if body == nil {
		w.WriteHeader(status)
		return
	}
	arm.WriteJSON(w, status, body)
}

func (l *Log) serve(r *http.Request, scope arm.ID, rest []string) (int, any, error) {
	if _, err := arm.AnyAPIVersion(r.URL.Query()); err != nil {
		return 0, nil, err
	}
	path := strings.ToLower(strings.Join(rest, "/"))
	azure := path == "eventtypes/management/values"
	switch {
	case (azure || path == "audit") && r.Method == http.MethodGet:
		if err := l.Authorizer.Authorize(r.Context(), manage.PrincipalOf(r.Context()), readAction, scope); err != nil {
			return 0, nil, err
		}
		body, err := l.list(r, scope, azure)
		return http.StatusOK, body, err
	case len(rest) == 2 && strings.EqualFold(rest[0], "audit") && r.Method == http.MethodGet:
		e, err := l.entry(r, scope, rest[1])
		if err != nil {
			return 0, nil, err
		}
		return http.StatusOK, shown(e, true), nil
	case len(rest) == 3 && strings.EqualFold(rest[0], "audit") && strings.EqualFold(rest[2], "restore") && r.Method == http.MethodPost:
		e, err := l.entry(r, scope, rest[1])
		if err != nil {
			return 0, nil, err
		}
		changed, err := l.restore(r.Context(), e)
		return http.StatusOK, map[string]any{"restored": changed}, err
	}
	return 0, nil, arm.Errorf(arm.CodeTypeNotFound, "There is nothing at %s.", r.URL.Path)
}

// entry returns an entry that the caller may read. Who may read nothing at the scope is not told which entries there are.
func (l *Log) entry(r *http.Request, scope arm.ID, id string) (*store.AuditEntry, error) {
	e, err := l.Store.AuditEntry(r.Context(), strings.ToLower(id))
	if errors.Is(err, store.ErrNotFound) {
		if err := l.Authorizer.Authorize(r.Context(), manage.PrincipalOf(r.Context()), readAction, scope); err != nil {
			return nil, err
		}
		return nil, arm.Errorf(arm.CodeResourceNotFound, "There is no entry '%s' in the audit log.", id)
	}
	if err != nil {
		return nil, err
	}
	scope = arm.ID{}
	if e.Scope != "" {
		if scope, err = arm.ParseID(e.Scope); err != nil {
			return nil, err
		}
	}
	return e, l.Authorizer.Authorize(r.Context(), manage.PrincipalOf(r.Context()), readAction, scope)
}

// list answers a page of entries.
func (l *Log) list(r *http.Request, scope arm.ID, azure bool) (any, error) {
	q := r.URL.Query()
	f, err := parseFilter(arm.Param(q, "$filter"))
	if err != nil {
		return nil, err
	}
	query := store.AuditQuery{Under: scope.Key(), Principal: strings.ToLower(f["principalid"]), Limit: arm.DefaultTop}
	if u := f["resourceuri"]; u != "" {
		query.Under = narrower(query.Under, strings.ToLower(strings.TrimRight(u, "/")))
	} else if g := f["resourcegroupname"]; g != "" {
		query.Under = narrower(query.Under, query.Under+"/resourcegroups/"+strings.ToLower(g))
	}
	if query.From, query.To, err = f.times(); err != nil {
		return nil, err
	}
	if top, err := strconv.Atoi(arm.Param(q, "$top")); err == nil && top > 0 {
		query.Limit = min(top, store.MaxAuditPage)
	}
	if query.Before, err = cursor(q); err != nil {
		return nil, err
	}
	return l.page(r, query, f, azure)
}

func cursor(q url.Values) (int64, error) {
	text := arm.Param(q, "$skipToken")
	if text == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 1 {
		return 0, arm.Errorf(arm.CodeInvalidQuery, "$skipToken is not one of a nextLink.").WithTarget("$skipToken")
	}
	return n, nil
}

// page reads entries until the page is full: what the database does not filter is filtered here.
func (l *Log) page(r *http.Request, query store.AuditQuery, f filter, azure bool) (any, error) {
	values := []any{}
	limit := query.Limit
	for {
		entries, err := l.Store.AuditLog(r.Context(), query)
		if err != nil {
			return nil, err
		}
		for i := range entries {
			e := &entries[i]
			query.Before = e.N
			var rec Record
			if err := json.Unmarshal(e.Body, &rec); err != nil || !f.match(&rec) {
				continue
			}
			if azure {
				values = append(values, selected(event(e, &rec), arm.Param(r.URL.Query(), "$select")))
			} else {
				values = append(values, shown(e, false))
			}
			if len(values) == limit {
				break
			}
		}
		full := len(values) == limit
		if !full && len(entries) == query.Limit {
			continue
		}
		body := map[string]any{"value": values}
		if full {
			q := r.URL.Query()
			q.Set("$skipToken", strconv.FormatInt(query.Before, 10))
			body["nextLink"] = arm.BaseURL(r) + r.URL.EscapedPath() + "?" + q.Encode()
		}
		return body, nil
	}
}

func narrower(scope, wanted string) string {
	if strings.HasPrefix(wanted, scope) {
		return wanted
	}
	return scope + "/\x7f" // nothing is there
}

// filter are the comparisons of a $filter: Azure's log knows them joined by and only.
type filter map[string]string

func parseFilter(text string) (filter, error) {
	f := filter{}
	for part := range strings.SplitSeq(text, " and ") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		words := strings.SplitN(part, " ", 3)
		if len(words) != 3 || !strings.HasPrefix(words[2], "'") || !strings.HasSuffix(words[2], "'") || len(words[2]) < 2 {
			return nil, arm.Errorf(arm.CodeInvalidFilter, "The filter has %q; it must be FIELD eq 'VALUE', joined by and.", part).WithTarget("$filter")
		}
		name, op := strings.ToLower(words[0]), strings.ToLower(words[1])
		value := strings.ReplaceAll(words[2][1:len(words[2])-1], "''", "'")
		switch {
		case name == "eventtimestamp" && (op == "ge" || op == "le"):
			f[op] = value
		case op == "eq" && known(name):
			f[name] = value
		default:
			return nil, arm.Errorf(arm.CodeInvalidFilter, "The filter has %q, which is not supported.", part).WithTarget("$filter")
		}
	}
	return f, nil
}

func known(name string) bool {
	switch name {
	case "resourcegroupname", "resourceuri", "resourceid", "resourceprovider", "correlationid", "caller", "principalid", "status", "operationname", "channels", "levels", "eventchannels":
		return true
	}
	return false
}

func (f filter) times() (from, to time.Time, err error) {
	for op, at := range map[string]*time.Time{"ge": &from, "le": &to} {
		if f[op] == "" {
			continue
		}
		if *at, err = time.Parse(time.RFC3339Nano, f[op]); err != nil {
			if *at, err = time.Parse("2006-01-02", f[op][:min(10, len(f[op]))]); err != nil {
				return from, to, arm.Errorf(arm.CodeInvalidFilter, "%q is not a time.", f[op]).WithTarget("$filter")
			}
		}
	}
	if !to.IsZero() {
		to = to.Add(time.Microsecond) // le includes it
	}
	return from, to, nil
}

func (f filter) match(r *Record) bool {
	equal := func(name, value string) bool { return f[name] == "" || strings.EqualFold(f[name], value) }
	return equal("correlationid", r.Correlation) && equal("caller", r.Caller) && equal("status", r.Status) && equal("operationname", r.Operation) &&
		equal("resourceid", r.Resource) && equal("resourceprovider", namespace(r.Operation))
}

func namespace(operation string) string {
	name, _, _ := strings.Cut(operation, "/")
	return name
}

// shown is an entry in our own form.
func shown(e *store.AuditEntry, full bool) any {
	var r Record
	if err := json.Unmarshal(e.Body, &r); err != nil { // written by put
		return map[string]any{"id": e.ID, "time": e.At}
	}
	if !full {
		for i := range r.Changes {
			r.Changes[i].Before, r.Changes[i].After = nil, nil
		}
	}
	return struct {
		ID        string    `json:"id"`
		Time      time.Time `json:"time"`
		Principal string    `json:"principalId"`
		Record
	}{e.ID, e.At, e.Principal, r}
}

type localized struct {
	Value     string `json:"value"`
	Localized string `json:"localizedValue"`
}

func local(s string) localized { return localized{s, s} }

// selected keeps the members of an event that $select names; all without one.
func selected(event map[string]any, names string) map[string]any {
	if names == "" {
		return event
	}
	kept := map[string]any{}
	for name := range strings.SplitSeq(names, ",") {
		for k, v := range event {
			if strings.EqualFold(k, strings.TrimSpace(name)) {
				kept[k] = v
			}
		}
	}
	return kept
}

// event is an entry as Azure's activity log shows it ("Activity Logs - List", EventData).
func event(e *store.AuditEntry, r *Record) map[string]any {
	level, sub := "Informational", "OK"
	if r.Status == "Failed" {
		level, sub = "Error", http.StatusText(r.StatusCode)
	}
	id, _ := arm.ParseID(r.Resource)
	host, _, err := net.SplitHostPort(r.Client)
	if err != nil {
		host = r.Client
	}
	return map[string]any{
		"id": r.Resource + "/events/" + e.ID + "/ticks/" + strconv.FormatInt(e.At.UnixNano()/100, 10), "eventDataId": e.ID,
		"authorization": map[string]string{"action": r.Operation, "scope": r.Resource}, "caller": r.Caller, "claims": map[string]string{"appid": r.AppID},
		"channels": "Operation", "correlationId": r.Correlation, "description": "", "level": level, "operationId": r.Request,
		"eventName": local("EndRequest"), "category": local("Administrative"), "operationName": local(r.Operation),
		"resourceGroupName": id.ResourceGroup(), "resourceProviderName": local(namespace(r.Operation)), "resourceType": local(resourceType(r.Operation)),
		"resourceId": r.Resource, "subscriptionId": id.Subscription(), "status": local(r.Status), "subStatus": local(sub),
		"eventTimestamp": e.At, "submissionTimestamp": e.At,
		"httpRequest": map[string]string{"clientRequestId": r.Request, "clientIpAddress": host, "method": r.Method},
		"properties":  map[string]any{"statusCode": sub, "changes": len(r.Changes) + r.Omitted},
	}
}

func resourceType(operation string) string {
	if cut := strings.LastIndexByte(operation, '/'); cut > 0 {
		return strings.TrimSuffix(operation[:cut], "/action")
	}
	return operation
}

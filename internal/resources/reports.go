package resources

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/causeway-apim/causeway/internal/arm"
	"github.com/causeway-apim/causeway/internal/resource"
)

// ReportRecord is one line of a report, API Management's ReportRecordContract. Times are milliseconds.
type ReportRecord struct {
	Name             string     `json:"name,omitempty"`
	Timestamp        *time.Time `json:"timestamp,omitempty"`
	Interval         string     `json:"interval,omitempty"`
	Country          string     `json:"country,omitempty"`
	Region           string     `json:"region,omitempty"`
	Zip              string     `json:"zip,omitempty"`
	UserID           string     `json:"userId,omitempty"`
	ProductID        string     `json:"productId,omitempty"`
	APIID            string     `json:"apiId,omitempty"`
	OperationID      string     `json:"operationId,omitempty"`
	APIRegion        string     `json:"apiRegion,omitempty"`
	SubscriptionID   string     `json:"subscriptionId,omitempty"`
	CallCountSuccess int64      `json:"callCountSuccess"`
	CallCountBlocked int64      `json:"callCountBlocked"`
	CallCountFailed  int64      `json:"callCountFailed"`
	CallCountOther   int64      `json:"callCountOther"`
	CallCountTotal   int64      `json:"callCountTotal"`
	Bandwidth        int64      `json:"bandwidth"`
	CacheHitCount    int64      `json:"cacheHitCount"`
	CacheMissCount   int64      `json:"cacheMissCount"`
	APITimeAvg       float64    `json:"apiTimeAvg"`
	APITimeMin       float64    `json:"apiTimeMin"`
	APITimeMax       float64    `json:"apiTimeMax"`
	ServiceTimeAvg   float64    `json:"serviceTimeAvg"`
	ServiceTimeMin   float64    `json:"serviceTimeMin"`
	ServiceTimeMax   float64    `json:"serviceTimeMax"`

	key string // of the resource whose name it shows, below the service; or the time
}

// report is a way to group usage.
type report struct {
	name, doc string
	timed     bool // needs the parameter interval
	// group returns the record that a row belongs to, and what tells it from others; false leaves the row out.
	group func(r *resource.UsageRow) (ReportRecord, bool)
}

func reports() []report {
	named := func(key string, r ReportRecord) (ReportRecord, bool) {
		r.key = key
		return r, true
	}
	return []report{
		{name: "byApi", doc: "Reports usage by API.", group: func(r *resource.UsageRow) (ReportRecord, bool) {
			return named("apis/"+r.API, ReportRecord{APIID: "/apis/" + r.API})
		}},
		{name: "byOperation", doc: "Reports usage by operation.", group: func(r *resource.UsageRow) (ReportRecord, bool) {
			key := "apis/" + r.API + "/operations/" + r.Operation
			return named(key, ReportRecord{APIID: "/apis/" + r.API, OperationID: "/" + key})
		}},
		{name: "byProduct", doc: "Reports usage by product.", group: func(r *resource.UsageRow) (ReportRecord, bool) {
			return named("products/"+r.Product, ReportRecord{ProductID: "/products/" + r.Product})
		}},
		{name: "bySubscription", doc: "Reports usage by subscription.", group: func(r *resource.UsageRow) (ReportRecord, bool) {
			return named("subscriptions/"+r.Subscription, ReportRecord{
				SubscriptionID: "/subscriptions/" + r.Subscription, ProductID: reference("products", r.Product), UserID: reference("users", r.Developer),
			})
		}},
		{name: "byUser", doc: "Reports usage by user.", group: func(r *resource.UsageRow) (ReportRecord, bool) {
			return named("users/"+r.Developer, ReportRecord{UserID: "/users/" + r.Developer})
		}},
		{name: "byTime", doc: "Reports usage by time; interval, of ISO 8601, is a multiple of 15 minutes.", timed: true, group: func(*resource.UsageRow) (ReportRecord, bool) {
			return ReportRecord{}, true
		}},
		{name: "byGeo", doc: "Reports usage by the place of the callers, which is not known.", group: func(*resource.UsageRow) (ReportRecord, bool) {
			return ReportRecord{Country: unknownPlace, Region: unknownPlace, Zip: unknownPlace}, true
		}},
	}
}

// unknownPlace stands for places: nothing here knows where an address is.
const unknownPlace = "unknown"

func reference(segment, name string) string {
	if name == "" {
		return ""
	}
	return "/" + segment + "/" + name
}

// reportActions are the reports of a service.
func reportActions() (actions []resource.Action[Service]) {
	for _, rep := range reports() {
		actions = append(actions, resource.Action[Service]{
			Name: "reports/" + rep.name, Method: http.MethodGet, Doc: rep.doc, Output: collection[ReportRecord]{},
			Read: func(x *resource.Reader, d *resource.Doc[Service], _ json.RawMessage) (any, error) {
				return rep.run(x, d.ID)
			},
		})
	}
	return append(actions, resource.Action[Service]{
		Name: "reports/byRequest", Method: http.MethodGet, Doc: "Lists single requests of the last days.", Output: collection[RequestReportRecord]{},
		Read: func(x *resource.Reader, d *resource.Doc[Service], _ json.RawMessage) (any, error) {
			return listRequests(x, d.ID)
		},
	})
}

// usageFields are what filters of reports know.
func usageFields() arm.Fields {
	return arm.Fields{
		"timestamp": arm.FieldTime, "apiId": arm.FieldList, "operationId": arm.FieldList, "productId": arm.FieldList, "subscriptionId": arm.FieldList,
		"userId": arm.FieldList, "apiRegion": arm.FieldString,
	}
}

// run makes a report.
func (rep *report) run(x *resource.Reader, service arm.ID) (any, error) {
	filter, from, to, err := usageFilter(x, usageFields(), true)
	if err != nil {
		return nil, err
	}
	interval, err := rep.interval(x)
	if err != nil {
		return nil, err
	}
	order, err := parseReportOrder(x.Param("$orderby"))
	if err != nil {
		return nil, err
	}
	groups := make(map[ReportRecord]*resource.UsageSums)
	add := func(r *resource.UsageRow) error {
		if !filter.Match(func(field string) any { return usageField(r, service, field) }) {
			return nil
		}
		record, ok := rep.group(r)
		if !ok || strings.HasSuffix(record.key, "/") { // requests without such a resource
			return nil
		}
		if rep.timed {
			record.key = time.Unix(r.At-r.At%int64(interval/time.Second), 0).UTC().Format(time.RFC3339)
		}
		if groups[record] == nil {
			groups[record] = new(resource.UsageSums)
		}
		groups[record].Add(&r.UsageSums)
		return nil
	}
	if err := x.Store().Usage(x.Context(), service.Key(), from, to, add); err != nil {
		return nil, err
	}
	records, err := rep.records(x, service, groups)
	if err != nil {
		return nil, err
	}
	order.sort(records)
	return pageOf(x, records)
}

// records are the lines of a report.
func (rep *report) records(x *resource.Reader, service arm.ID, groups map[ReportRecord]*resource.UsageSums) ([]ReportRecord, error) {
	records := make([]ReportRecord, 0, len(groups))
	for r, sums := range groups {
		r.fill(sums)
		switch {
		case rep.timed:
			at, err := time.Parse(time.RFC3339, r.key)
			if err != nil {
				return nil, err
			}
			r.Timestamp, r.Interval = &at, x.Param("interval")
		case r.key != "":
			name, err := displayName(x, service, r.key)
			if err != nil {
				return nil, err
			}
			r.Name = name
		}
		records = append(records, r)
	}
	return records, nil
}

func (r *ReportRecord) fill(s *resource.UsageSums) {
	const milli = 1000 // microseconds
	r.CallCountSuccess, r.CallCountBlocked, r.CallCountFailed, r.CallCountOther, r.CallCountTotal = s.Success, s.Blocked, s.Failed, s.Other, s.Calls()
	r.Bandwidth, r.CacheHitCount, r.CacheMissCount = s.Bytes, s.Hits, s.Misses
	calls := float64(max(s.Calls(), 1))
	r.APITimeAvg, r.APITimeMin, r.APITimeMax = float64(s.APITime)/calls/milli, float64(s.APIMin)/milli, float64(s.APIMax)/milli
	r.ServiceTimeAvg, r.ServiceTimeMin, r.ServiceTimeMax = float64(s.ServiceTime)/calls/milli, float64(s.ServiceMin)/milli, float64(s.ServiceMax)/milli
}

// interval reads the parameter of that name.
func (rep *report) interval(x *resource.Reader) (time.Duration, error) {
	if !rep.timed {
		return 0, nil
	}
	const step = 15 * time.Minute
	d, ok := isoTime(x.Param("interval"))
	if !ok || d <= 0 || d%step != 0 {
		return 0, arm.Errorf(arm.CodeInvalidQuery, "interval is required: a duration of ISO 8601 that is a multiple of 15 minutes, such as PT15M or P1D.").WithTarget("interval")
	}
	return d, nil
}

// usageField returns a field for $filter. IDs match in any of their forms.
func usageField(r *resource.UsageRow, service arm.ID, field string) any {
	switch field {
	case "timestamp":
		return time.Unix(r.At, 0)
	case "apiRegion":
		return r.Region
	}
	return idForms(service, field, r.API, r.Operation, r.Product, r.Subscription, r.Developer)
}

// idForms are the ways to write the ID of a resource: its name, relative to the service, and in full.
func idForms(service arm.ID, field, api, operation, product, subscription, user string) []string {
	segment, name := "", ""
	switch field {
	case "apiId":
		segment, name = "apis/", api
	case "operationId":
		segment, name = "apis/"+api+"/operations/", operation
	case "productId":
		segment, name = "products/", product
	case "subscriptionId":
		segment, name = "subscriptions/", subscription
	case "userId":
		segment, name = "users/", user
	}
	if name == "" {
		return nil
	}
	return []string{name, segment + name, "/" + segment + name, service.String() + "/" + segment + name}
}

// displayName is the name that people gave to a resource, or that of its ID when it is no longer there.
func displayName(x *resource.Reader, service arm.ID, key string) (string, error) {
	id, err := arm.ParseID(service.String() + "/" + key)
	if err != nil {
		return "", err
	}
	if ok, err := x.Exists(id); err != nil || !ok {
		return id.Name(), err
	}
	d, err := x.Store().Get(x.Context(), id.Key())
	if err != nil {
		return "", err
	}
	var names struct{ DisplayName, FirstName, LastName string }
	if err := json.Unmarshal(d.Body, &names); err != nil {
		return "", fmt.Errorf("stored document %s: %w", d.ID, err)
	}
	return cmp.Or(names.DisplayName, strings.TrimSpace(names.FirstName+" "+names.LastName), id.Name()), nil
}

// timeBound finds comparisons with the time in a filter.
var timeBound = regexp.MustCompile(`(?i)\btimestamp\s+(ge|gt|le|lt|eq)\s+(?:datetime'([^']*)'|(\d[\dTZ:.+-]*))`)

// usageFilter reads the required $filter, and the times between which it looks. With intervals a time at which looking begins within an
// interval means the whole of it.
func usageFilter(x *resource.Reader, fields arm.Fields, intervals bool) (filter *arm.Filter, from, to time.Time, err error) {
	text := x.Param("$filter")
	if text == "" {
		return nil, from, to, arm.Errorf(arm.CodeInvalidQuery, "$filter is required, such as timestamp ge datetime'2026-11-01T00:00:00' and timestamp le datetime'2026-11-08T00:00:00'.").WithTarget("$filter")
	}
	from, to = time.Unix(0, 0), time.Unix(math.MaxInt32, 0)
	lower := strings.ToLower(text)
	bounded := !strings.Contains(lower, "or") && !strings.Contains(lower, "not") // else a comparison bounds nothing
	text = timeBound.ReplaceAllStringFunc(text, func(m string) string {
		parts := timeBound.FindStringSubmatch(m)
		at, ok := filterTime(parts[2] + parts[3])
		if !ok {
			return m
		}
		op := strings.ToLower(parts[1])
		begins := op == "ge" || op == "gt" || op == "eq"
		if begins && intervals {
			at = at.Truncate(15 * time.Minute)
		}
		if bounded && begins && at.After(from) {
			from = at
		}
		if bounded && (op == "le" || op == "lt" || op == "eq") && at.Before(to) {
			to = at
		}
		if begins && intervals && op == "gt" {
			op = "ge"
		}
		return "timestamp " + op + " datetime'" + at.UTC().Format(time.RFC3339Nano) + "'"
	})
	if filter, err = arm.ParseFilter(text, fields); err != nil {
		return nil, from, to, err
	}
	return filter, from, to, nil
}

func filterTime(s string) (time.Time, bool) {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05", "2006-01-02T15:04", time.DateOnly} {
		if t, err := time.Parse(layout, s); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}

// reportOrder is what a report is sorted by.
type reportOrder []struct {
	field string
	down  bool
}

// parseReportOrder reads $orderby.
func parseReportOrder(text string) (o reportOrder, err error) {
	if text == "" {
		return nil, nil
	}
	for part := range strings.SplitSeq(text, ",") {
		words := strings.Fields(part)
		if len(words) == 0 || len(words) > 2 || len(words) == 2 && !strings.EqualFold(words[1], "asc") && !strings.EqualFold(words[1], "desc") {
			return nil, arm.Errorf(arm.CodeInvalidQuery, "$orderby is a list of fields, each with asc or desc or neither.").WithTarget("$orderby")
		}
		field := strings.ToLower(words[0])
		if _, _, ok := (&ReportRecord{}).sortField(field); !ok {
			return nil, arm.Errorf(arm.CodeInvalidQuery, "Reports cannot be sorted by %s.", words[0]).WithTarget("$orderby")
		}
		o = append(o, struct {
			field string
			down  bool
		}{field, len(words) == 2 && strings.EqualFold(words[1], "desc")})
	}
	return o, nil
}

// sortField returns a field to sort by: a text or a number.
func (r *ReportRecord) sortField(field string) (text string, number float64, ok bool) {
	switch field {
	case "displayname", "name":
		return strings.ToLower(r.Name), 0, true
	case "timestamp":
		if r.Timestamp != nil {
			number = float64(r.Timestamp.Unix())
		}
		return "", number, true
	}
	n, ok := map[string]float64{
		"callcountsuccess": float64(r.CallCountSuccess), "callcountblocked": float64(r.CallCountBlocked), "callcountfailed": float64(r.CallCountFailed),
		"callcountother": float64(r.CallCountOther), "callcounttotal": float64(r.CallCountTotal), "bandwidth": float64(r.Bandwidth),
		"cachehitcount": float64(r.CacheHitCount), "cachehitscount": float64(r.CacheHitCount), "cachemisscount": float64(r.CacheMissCount),
		"apitimeavg": r.APITimeAvg, "apitimemin": r.APITimeMin, "apitimemax": r.APITimeMax,
		"servicetimeavg": r.ServiceTimeAvg, "servicetimemin": r.ServiceTimeMin, "servicetimemax": r.ServiceTimeMax,
	}[field]
	return "", n, ok
}

// sort sorts records by the order, then by time and ID.
func (o reportOrder) sort(records []ReportRecord) {
	slices.SortFunc(records, func(a, b ReportRecord) int {
		for _, by := range o {
			at, an, _ := a.sortField(by.field)
			bt, bn, _ := b.sortField(by.field)
			c := cmp.Or(strings.Compare(at, bt), cmp.Compare(an, bn))
			if by.down {
				c = -c
			}
			if c != 0 {
				return c
			}
		}
		return cmp.Or(strings.Compare(a.key, b.key), strings.Compare(a.ProductID+a.UserID, b.ProductID+b.UserID))
	})
}

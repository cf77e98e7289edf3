// Package metrics serves what gateways have reported as Azure Monitor serves the platform metrics of a service:
// {service}/providers/Microsoft.Insights/metrics and metricDefinitions ("Metrics - List" in the Azure Monitor REST reference). They are
// made from the sums of usage, whose intervals are a quarter of an hour.
package metrics

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/causeway-apim/causeway/internal/arm"
	"github.com/causeway-apim/causeway/internal/manage"
	"github.com/causeway-apim/causeway/internal/store"
)

const (
	namespace = "Microsoft.ApiManagement/service"
	// retention is how long sums are kept.
	retention = "P90D"
	// The dimensions by which a metric can be split.
	byLocation, byAPI = "Location", "ApiId"
)

// Metrics serves the metrics of services. What is none of its business it leaves to Next.
type Metrics struct {
	Store      store.Store
	Authorizer manage.Authorizer
	Now        func() time.Time
	Next       manage.Extension
}

// metric is one of the metrics of the service.
type metric struct {
	name, title, unit, primary string
	// count is how many requests it counts; nil for a time.
	count func(*store.UsageSums) int64
	// times are sum, minimum and maximum in microseconds.
	times func(*store.UsageSums) (sum, least, most int64)
}

func all() []metric {
	count := func(name, title string, of func(*store.UsageSums) int64) metric {
		return metric{name: name, title: title, unit: "Count", primary: "Total", count: of}
	}
	span := func(name, title string, of func(*store.UsageSums) (int64, int64, int64)) metric {
		return metric{name: name, title: title, unit: "MilliSeconds", primary: "Average", times: of}
	}
	return []metric{
		count("Requests", "Requests", (*store.UsageSums).Calls),
		span("Duration", "Overall Duration of Gateway Requests", func(s *store.UsageSums) (int64, int64, int64) { return s.APITime, s.APIMin, s.APIMax }),
		span("BackendDuration", "Duration of Backend Requests", func(s *store.UsageSums) (int64, int64, int64) { return s.ServiceTime, s.ServiceMin, s.ServiceMax }),
		count("TotalRequests", "Total Gateway Requests (Deprecated)", (*store.UsageSums).Calls),
		count("SuccessfulRequests", "Successful Gateway Requests (Deprecated)", func(s *store.UsageSums) int64 { return s.Success }),
		count("UnauthorizedRequests", "Unauthorized Gateway Requests (Deprecated)", func(s *store.UsageSums) int64 { return s.Blocked }),
		count("FailedRequests", "Failed Gateway Requests (Deprecated)", func(s *store.UsageSums) int64 { return s.Failed }),
		count("OtherRequests", "Other Gateway Requests (Deprecated)", func(s *store.UsageSums) int64 { return s.Other }),
	}
}

// ServeExtension implements manage.Extension.
func (m *Metrics) ServeExtension(w http.ResponseWriter, r *http.Request, scope arm.ID, rest []string) {
	path := strings.ToLower(strings.Join(rest, "/"))
	if path != "metrics" && path != "metricdefinitions" {
		m.Next.ServeExtension(w, r, scope, rest)
		return
	}
	body, err := m.serve(r, scope, path)
	if err != nil {
		e, _ := arm.AsError(err)
		arm.WriteError(w, e)
		return
	}
	arm.WriteJSON(w, http.StatusOK, body)
}

func (m *Metrics) serve(r *http.Request, scope arm.ID, path string) (any, error) {
	if _, err := arm.AnyAPIVersion(r.URL.Query()); err != nil {
		return nil, err
	}
	if r.Method != http.MethodGet || scope.Service().Key() == "" || scope.Service().Key() != scope.Key() {
		return nil, arm.Errorf(arm.CodeTypeNotFound, "There are no metrics at %s: a service has some.", r.URL.Path)
	}
	if err := m.Authorizer.Authorize(r.Context(), manage.PrincipalOf(r.Context()), "Microsoft.Insights/"+path+"/read", scope); err != nil {
		return nil, err
	}
	if path == "metricdefinitions" {
		return map[string]any{"value": definitions(scope)}, nil
	}
	q, err := parse(r.URL.Query(), m.Now())
	if err != nil {
		return nil, err
	}
	found := make(map[seriesKey]map[int64]*store.UsageSums)
	err = m.Store.View(r.Context(), func(reader store.Reader) error {
		return reader.Usage(r.Context(), scope.Key(), q.from, q.to.Add(-time.Second), func(row *store.UsageRow) error { return q.add(found, row) })
	})
	if err != nil {
		return nil, err
	}
	values := make([]any, 0, len(q.metrics))
	for i := range q.metrics {
		values = append(values, q.answer(scope, &q.metrics[i], found))
	}
	return map[string]any{
		"cost": 0, "timespan": q.from.Format(time.RFC3339) + "/" + q.to.Format(time.RFC3339), "interval": q.interval, "namespace": namespace, "value": values,
	}, nil
}

// named is a name as Azure Monitor shows it.
func named(name, title string) map[string]string {
	return map[string]string{"value": name, "localizedValue": title}
}

func definitions(scope arm.ID) []any {
	grains := make([]any, len(intervals))
	for i, g := range intervals {
		grains[i] = map[string]string{"timeGrain": g.name, "retention": retention}
	}
	var out []any
	for _, m := range all() {
		out = append(out, map[string]any{
			"id": scope.String() + "/providers/microsoft.insights/metricdefinitions/" + m.name, "resourceId": scope.String(), "namespace": namespace,
			"category": "Gateway Requests", "name": named(m.name, m.title), "displayDescription": m.title, "unit": m.unit, "isDimensionRequired": false,
			"primaryAggregationType": m.primary, "supportedAggregationTypes": []string{"Average", "Minimum", "Maximum", "Total", "Count"},
			"metricAvailabilities": grains, "dimensions": []any{named(byLocation, byLocation), named(byAPI, byAPI)},
		})
	}
	return out
}

// seriesKey are the values of the dimensions by which an answer is split.
type seriesKey struct{ location, api string }

// answer is one metric of an answer.
func (q *query) answer(scope arm.ID, m *metric, found map[seriesKey]map[int64]*store.UsageSums) any {
	keys := make([]seriesKey, 0, len(found))
	for k := range found {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b seriesKey) int {
		return strings.Compare(a.location+"\x00"+a.api, b.location+"\x00"+b.api)
	})
	if len(keys) == 0 && !q.splits() {
		keys = append(keys, seriesKey{})
	}
	series := []any{}
	for _, k := range keys {
		data := []any{}
		for at := q.from; at.Before(q.to); at = at.Add(q.step) {
			data = append(data, q.point(m, at, found[k][at.Unix()]))
		}
		series = append(series, map[string]any{"metadatavalues": q.metadata(k), "data": data})
	}
	return map[string]any{
		"id": scope.String() + "/providers/Microsoft.Insights/metrics/" + m.name, "type": "Microsoft.Insights/metrics", "name": named(m.name, m.title),
		"displayDescription": m.title, "unit": m.unit, "timeseries": series, "errorCode": "Success",
	}
}

func (q *query) metadata(k seriesKey) []any {
	out := []any{}
	if q.location.split {
		out = append(out, map[string]any{"name": named(strings.ToLower(byLocation), strings.ToLower(byLocation)), "value": k.location})
	}
	if q.api.split {
		out = append(out, map[string]any{"name": named(strings.ToLower(byAPI), strings.ToLower(byAPI)), "value": k.api})
	}
	return out
}

// point are the values of one interval. Times without a request have none.
func (q *query) point(m *metric, at time.Time, sums *store.UsageSums) map[string]any {
	p := map[string]any{"timeStamp": at.Format(time.RFC3339)}
	if sums == nil {
		if sums = new(store.UsageSums); m.count == nil {
			return p
		}
	}
	const millisecond = 1000.0
	values := map[string]float64{"count": float64(sums.Calls())}
	if m.count != nil {
		n := float64(m.count(sums))
		values["total"], values["count"] = n, n
		if n > 0 { // each request is a 1
			values["average"], values["minimum"], values["maximum"] = 1, 1, 1
		}
	} else {
		sum, least, most := m.times(sums)
		values["total"], values["minimum"], values["maximum"] = float64(sum)/millisecond, float64(least)/millisecond, float64(most)/millisecond
		values["average"] = values["total"] / max(values["count"], 1)
	}
	wanted := q.aggregations
	if len(wanted) == 0 {
		wanted = []string{strings.ToLower(m.primary)}
	}
	for _, name := range wanted {
		if v, ok := values[name]; ok {
			p[name] = v
		}
	}
	return p
}

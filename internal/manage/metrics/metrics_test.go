package metrics_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/causeway-apim/causeway/internal/arm"
	"github.com/causeway-apim/causeway/internal/manage"
	"github.com/causeway-apim/causeway/internal/manage/metrics"
	"github.com/causeway-apim/causeway/internal/store"
)

const service = "/subscriptions/s/resourceGroups/g/providers/Microsoft.ApiManagement/service/dev"

// authorizer allows what it names.
type authorizer string

func (a authorizer) Authorize(_ context.Context, _ manage.Principal, action string, _ arm.ID) error {
	if strings.Contains(string(a), action) {
		return nil
	}
	return errors.New("not allowed: " + action)
}

func (a authorizer) AuthorizeData(context.Context, manage.Principal, string, arm.ID) error {
	return nil
}

// next is what serves the rest.
type next struct{}

func (next) ServeExtension(w http.ResponseWriter, _ *http.Request, _ arm.ID, _ []string) {
	w.WriteHeader(http.StatusTeapot)
}

func TestMetrics(t *testing.T) {
	t.Parallel()
	st, err := store.Open(t.Context(), "sqlite://:memory:", store.Options{Keyring: store.NewKeyring([32]byte{1})})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close() })
	noon := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	row := func(at time.Time, region, api string, success, failed, time int64) store.UsageRow {
		return store.UsageRow{At: at.Unix(), Region: region, API: api, UsageSums: store.UsageSums{
			Success: success, Failed: failed, APITime: time, APIMin: time / 4, APIMax: time / 2, ServiceTime: time / 2, ServiceMin: 1000, ServiceMax: 2000,
		}}
	}
	err = st.PutUsage(t.Context(), &store.UsageReport{Service: strings.ToLower(service), Origin: "o", Sequence: 1, Rows: []store.UsageRow{
		row(noon, "Bergen", "echo", 3, 1, 40_000), row(noon.Add(15*time.Minute), "Bergen", "echo", 2, 0, 8000), row(noon, "Oslo", "pay", 5, 0, 10_000),
		row(noon.Add(-time.Hour), "Oslo", "pay", 100, 0, 1),
	}})
	if err != nil {
		t.Fatal(err)
	}
	scope, err := arm.ParseID(service)
	if err != nil {
		t.Fatal(err)
	}
	served := &metrics.Metrics{
		Store: st, Authorizer: authorizer("Microsoft.Insights/metrics/read Microsoft.Insights/metricdefinitions/read"), Next: next{},
		Now: func() time.Time { return noon.Add(20 * time.Minute) },
	}
	get := func(at arm.ID, path string, query ...string) (int, string) {
		t.Helper()
		values := url.Values{"api-version": {"2023-10-01"}}
		for i := 0; i < len(query); i += 2 {
			values.Set(query[i], query[i+1])
		}
		w := httptest.NewRecorder()
		served.ServeExtension(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/x?"+values.Encode(), http.NoBody), at, []string{path})
		return w.Code, w.Body.String()
	}
	const span = "2026-05-04T12:00:00Z/2026-05-04T12:30:00Z"
	f := func(want string, query ...string) {
		t.Helper()
		status, body := get(scope, "metrics", query...)
		var answer struct {
			Value []struct {
				TimeSeries any `json:"timeseries"`
			}
		}
		if err := json.Unmarshal([]byte(body), &answer); err != nil {
			t.Fatal(err)
		}
		var series []any
		for _, v := range answer.Value {
			series = append(series, v.TimeSeries)
		}
		text, err := json.Marshal(series)
		if err != nil || status != http.StatusOK || string(text) != want {
			t.Errorf("%q: %d %s\n%s\nwant\n%s", query, status, text, body, want)
		}
	}
	f(`[[{"data":[{"timeStamp":"2026-05-04T12:00:00Z","total":9},{"timeStamp":"2026-05-04T12:15:00Z","total":2}],"metadatavalues":[]}]]`,
		"timespan", span, "metricnames", "Requests", "interval", "PT1M")
	f(`[[{"data":[{"timeStamp":"2026-05-04T12:00:00Z","total":11}],"metadatavalues":[]}],[{"data":[{"timeStamp":"2026-05-04T12:00:00Z","total":1}],"metadatavalues":[]}]]`,
		"timespan", span, "metricnames", "requests,FailedRequests", "interval", "PT1H")
	f(`[[{"data":[{"average":10,"maximum":20,"timeStamp":"2026-05-04T12:00:00Z"},{"average":4,"maximum":4,"timeStamp":"2026-05-04T12:15:00Z"}],"metadatavalues":[{"name":{"localizedValue":"location","value":"location"},"value":"Bergen"}]}]]`,
		"timespan", span, "metricnames", "Duration", "$filter", "Location eq 'bergen'", "aggregation", "Average,Maximum")
	f(`[[{"data":[{"count":4,"minimum":1,"timeStamp":"2026-05-04T12:00:00Z"},{"count":2,"minimum":1,"timeStamp":"2026-05-04T12:15:00Z"}],"metadatavalues":[{"name":{"localizedValue":"apiid","value":"apiid"},"value":"echo"}]},`+
		`{"data":[{"count":5,"minimum":1,"timeStamp":"2026-05-04T12:00:00Z"},{"timeStamp":"2026-05-04T12:15:00Z"}],"metadatavalues":[{"name":{"localizedValue":"apiid","value":"apiid"},"value":"pay"}]}]]`,
		"timespan", span, "metricnames", "BackendDuration", "$filter", "ApiId eq '*'", "aggregation", "count,minimum")
	f(`[[{"data":[{"timeStamp":"2026-05-04T11:00:00Z","total":100},{"timeStamp":"2026-05-04T12:00:00Z","total":11}],"metadatavalues":[]}]]`, "interval", "PT1H")

	for path, want := range map[string]string{"eventtypes": "", "metricDefinitions": `"dimensions":[{"localizedValue":"Location"`} {
		status, body := get(scope, path)
		if want == "" && status != http.StatusTeapot || !strings.Contains(body, want) {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
	for want, query := range map[string][]string{
		"There is no metric": {"metricnames", "Capacity"}, "interval is": {"interval", "PT7M"}, "two moments": {"timespan", "yesterday"}, "too long": {"timespan", "2020-01-01/2026-01-01"},
		"no dimension": {"$filter", "Hostname eq '*'"}, "conditions are": {"$filter", "Location = 1"}, "aggregation has": {"aggregation", "median"},
	} {
		if status, body := get(scope, "metrics", query...); status != http.StatusBadRequest || !strings.Contains(body, want) {
			t.Errorf("%q: %d %s", query, status, body)
		}
	}
	if status, _ := get(scope.Child("apis", "echo"), "metrics"); status != http.StatusNotFound {
		t.Errorf("the metrics of an API: %d", status)
	}
	served.Authorizer = authorizer("")
	if status, body := get(scope, "metrics"); status == http.StatusOK {
		t.Errorf("without the right: %s", body)
	}
}

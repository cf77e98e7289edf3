package telemetry_test

import (
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/causeway-apim/causeway/internal/telemetry"
)

func TestUsage(t *testing.T) {
	t.Parallel()
	u := telemetry.NewUsage()
	at := time.Date(2026, 11, 23, 10, 7, 0, 0, time.UTC)
	add := func(id byte, status int, cache telemetry.CacheUse, total, backend time.Duration) {
		r := &telemetry.Record{
			Time: at, API: "echo", User: "ada", Method: "GET", URL: []byte("http://h/echo"), ResponseCode: status, Cache: cache,
			TotalTime: total, BackendTime: backend, RequestSize: 10, ResponseSize: 20,
		}
		r.RequestID[15] = id
		u.Add("s", r)
		u.List("s", r)
	}
	add(1, 200, telemetry.CacheMiss, 5*time.Millisecond, 3*time.Millisecond)
	add(2, 301, telemetry.CacheHit, 1*time.Millisecond, 0)
	add(3, 429, telemetry.CacheNone, 2*time.Millisecond, 0)
	add(4, 503, telemetry.CacheNone, 9*time.Millisecond, 7*time.Millisecond)
	add(4, 404, telemetry.CacheNone, 4*time.Millisecond, 1*time.Millisecond)
	reports := u.Flush()
	if len(reports) != 1 || len(reports[0].Rows) != 1 || len(reports[0].Requests) != 5 {
		t.Fatalf("got %+v", reports)
	}
	want := telemetry.UsageRow{
		UsageKey: telemetry.UsageKey{At: at.Truncate(telemetry.UsageInterval).Unix(), API: "echo", User: "ada"},
		UsageSums: telemetry.UsageSums{
			Success: 2, Blocked: 1, Failed: 1, Other: 1, Bytes: 150, Hits: 1, Misses: 1,
			APITime: 21000, APIMin: 1000, APIMax: 9000, ServiceTime: 11000, ServiceMin: 0, ServiceMax: 7000,
		},
	}
	if got := reports[0].Rows[0]; got != want {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if got := reports[0].Requests[1]; got.Cache != "hit" || got.URL != "http://h/echo" || got.APITime != 1000 {
		t.Errorf("request: %+v", got)
	}
	if again := u.Flush(); len(again) != 0 {
		t.Errorf("a second flush gives %+v", again)
	}
}

func TestUsageIsBounded(t *testing.T) {
	t.Parallel()
	u := telemetry.NewUsage()
	const n = 70_000
	r := &telemetry.Record{Time: time.Unix(0, 0), API: "a", ResponseCode: 200}
	for i := range n {
		r.Subscription = string([]byte{byte(i), byte(i >> 8), byte(i >> 16)})
		u.Add("s", r)
		u.List("s", r)
	}
	report := u.Flush()[0]
	var calls int64
	for _, row := range report.Rows {
		calls += row.Calls()
	}
	if calls != n {
		t.Errorf("%d calls were counted, not %d", calls, n)
	}
	if len(report.Rows) > 8193 || int64(len(report.Requests))+report.Unlisted != n {
		t.Errorf("%d rows, %d requests, %d unlisted", len(report.Rows), len(report.Requests), report.Unlisted)
	}
}

func TestUsageOfManyAtOnce(t *testing.T) {
	t.Parallel()
	u := telemetry.NewUsage()
	var wg sync.WaitGroup
	var mu sync.Mutex
	var calls int64
	for g := range 8 {
		wg.Go(func() {
			r := &telemetry.Record{Time: time.Unix(0, 0), API: "a", ResponseCode: 200}
			for i := range 1000 {
				r.RequestID[15] = byte(g)
				u.Add("s", r)
				if i%100 == 0 {
					for _, report := range u.Flush() {
						mu.Lock()
						calls += report.Rows[0].Calls()
						mu.Unlock()
					}
				}
			}
		})
	}
	wg.Wait()
	for _, report := range u.Flush() {
		calls += report.Rows[0].Calls()
	}
	if calls != 8000 {
		t.Errorf("%d calls, not 8000", calls)
	}
}

func TestUsageAllocatesNothing(t *testing.T) {
	u := telemetry.NewUsage()
	r := &telemetry.Record{Time: time.Unix(0, 0), API: "a", ResponseCode: 200, URL: []byte("http://h/")}
	u.Add("s", r)
	if n := testing.AllocsPerRun(100, func() { u.Add("s", r) }); n != 0 {
		t.Errorf("adding allocates %v times", n)
	}
	if got := reflect.TypeFor[telemetry.UsageSums]().NumField(); got != 13 {
		t.Errorf("%d sums: the store has 13 columns", got)
	}
}

package telemetry_test

import (
	"math/rand/v2"
	"reflect"
	"strings"
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

// TestUsageOfAny compares sums with those of each request by itself. Equal texts are not always at the same place.
func TestUsageOfAny(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	text := func() string {
		s := [...]string{"", "a", "b"}[random.IntN(3)]
		if random.IntN(2) == 0 {
			s = strings.Clone(s)
		}
		return s
	}
	u, want := telemetry.NewUsage(), make(map[telemetry.UsageKey]*telemetry.UsageSums)
	for range 20_000 {
		r := &telemetry.Record{
			Time: time.Unix(1_800_000_000+random.Int64N(3*900), 0), API: text(), Operation: text(), Product: text(), Subscription: text(), User: text(),
			ResponseCode: 200, RequestSize: random.Int64N(100), TotalTime: time.Duration(random.Int64N(1e9)), BackendTime: time.Duration(random.Int64N(1e6)),
		}
		r.RequestID[15] = byte(random.Uint32())
		u.Add("s", r)
		key := telemetry.UsageKey{At: r.Time.Truncate(telemetry.UsageInterval).Unix(), API: r.API, Operation: r.Operation, Product: r.Product, Subscription: r.Subscription, User: r.User}
		if want[key] == nil {
			want[key] = new(telemetry.UsageSums)
		}
		api, service := r.TotalTime.Microseconds(), r.BackendTime.Microseconds()
		want[key].Add(&telemetry.UsageSums{
			Success: 1, Bytes: r.RequestSize, APITime: api, APIMin: api, APIMax: api, ServiceTime: service, ServiceMin: service, ServiceMax: service,
		})
	}
	report := u.Flush()[0]
	if len(report.Rows) != len(want) {
		t.Errorf("%d rows, want %d", len(report.Rows), len(want))
	}
	for _, row := range report.Rows {
		if row.UsageSums != *want[row.UsageKey] {
			t.Fatalf("%+v: got %+v, want %+v", row.UsageKey, row.UsageSums, *want[row.UsageKey])
		}
	}
}

func BenchmarkUsage(b *testing.B) {
	u := telemetry.NewUsage()
	r := &telemetry.Record{
		Time: time.Now(), API: "orders", Operation: "get-order", Product: "starter", Subscription: "sub-1", User: "ada", ResponseCode: 200,
		TotalTime: 3 * time.Millisecond, BackendTime: 2 * time.Millisecond,
	}
	const service = "/subscriptions/0/resourcegroups/rg/providers/microsoft.apimanagement/service/contoso"
	for b.Loop() {
		r.RequestID[15]++
		u.Add(service, r)
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

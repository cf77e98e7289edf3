package plane

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/causeway-apim/causeway/internal/causewaytest"
	"github.com/causeway-apim/causeway/internal/store/pgtest"
)

// fullSize is how many APIs the large service has; CAUSEWAY_BENCH_APIS takes another.
const fullSize = 10_000

const smallSize = 10

// startWithin is how long a server may take to be ready on the large service.
const startWithin = 10 * time.Minute

func size(b *testing.B) int {
	n, err := strconv.Atoi(os.Getenv("CAUSEWAY_BENCH_APIS"))
	if err != nil || n < smallSize {
		return fullSize
	}
	b.Logf("%d APIs", n)
	return n
}

// world is a management plane with its managed gateway on a filled database.
type world struct {
	system *causewaytest.System
	plane  *causewaytest.Process
	apis   int
	n      int
}

// BenchmarkPlane prints medians (ms-median) of what people and programs do with a large service. "small" is the same
// with ten APIs, for comparison. The private PostgreSQL does not sync to disk; SQLite does.
func BenchmarkPlane(b *testing.B) {
	for _, kind := range []string{"sqlite", "postgres"} {
		b.Run(kind, func(b *testing.B) {
			for name, apis := range map[string]int{"small": smallSize, "large": size(b)} {
				b.Run(name, func(b *testing.B) { open(b, kind, apis).measure(b) })
			}
		})
	}
}

// TestCalls makes every call of the benchmark once, on a small service: it has to work when somebody wants to know its time.
func TestCalls(t *testing.T) {
	t.Parallel()
	for _, c := range open(t, "sqlite", smallSize).calls(t) {
		c.do()
	}
}

// open fills a database and starts a plane on it.
func open(b testing.TB, kind string, apis int) *world {
	b.Helper()
	w := &world{system: causewaytest.NewSystem(b), apis: apis}
	dir := b.TempDir()
	keyFile := filepath.Join(dir, "master.key")
	if err := os.WriteFile(keyFile, []byte(strings.Repeat("5a", 32)), 0o600); err != nil {
		b.Fatal(err)
	}
	database := "sqlite://" + filepath.Join(dir, "plane.db")
	if kind == "postgres" {
		database = pgtest.Database(b)
	}
	args := []string{"server", "--database", database, "--master-key", keyFile, "--management-rate-limit", "0", "--log-level", "warn"}
	w.plane = w.system.Start("plane", args...)
	group, _, _ := strings.Cut(causewaytest.DevService, "/providers/")
	w.system.ARM(w.plane, http.MethodPut, group+"?api-version=2021-04-01", `{"location":"westeurope"}`)
	w.system.ARM(w.plane, http.MethodPut, causewaytest.DevService,
		`{"location":"westeurope","sku":{"name":"Developer","capacity":1},"properties":{"publisherEmail":"a@example.com","publisherName":"A"}}`)
	w.put(b, "apis/api-0", `{"displayName":"API 0","path":"api-0","protocols":["http"],"serviceUrl":"http://127.0.0.1:9","subscriptionRequired":false}`)
	w.stop(b)

	start := time.Now()
	fill(b, database, keyFile, apis)
	b.Logf("filled in %v", time.Since(start).Round(time.Second))
	start = time.Now()
	w.plane = w.system.StartWithin(startWithin, "plane", append(args, "--gateway-listen", "127.0.0.1:0")...)
	b.Logf("started in %.2f s with %s of memory (peak %s)", time.Since(start).Seconds(), w.memory(b, "VmRSS"), w.memory(b, "VmHWM"))
	return w
}

func (w *world) stop(b testing.TB) {
	b.Helper()
	if code, err := w.plane.Stop(syscall.SIGTERM); err != nil || code != 0 {
		b.Fatalf("the server ended with code %d, %v", code, err)
	}
}

// memory is a line of the process's status in MB; "?" where the system has none.
func (w *world) memory(b testing.TB, what string) string {
	b.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", w.plane.PID()))
	if err != nil {
		return "?"
	}
	_, rest, _ := strings.Cut(string(status), what+":")
	fields := strings.Fields(rest)
	kb, err := strconv.Atoi(fields[0])
	if err != nil {
		return "?"
	}
	return fmt.Sprintf("%d MB", kb/1024)
}

func (w *world) put(b testing.TB, path, properties string) {
	b.Helper()
	w.system.ARM(w.plane, http.MethodPut, path, `{"properties":`+properties+`}`)
}

// call is something that is measured.
type call struct {
	name string
	do   func()
}

// measure prints the medians.
func (w *world) measure(b *testing.B) {
	for _, c := range w.calls(b) {
		median(b, c.name, c.do)
	}
	b.Logf("memory afterwards: %s (peak %s)", w.memory(b, "VmRSS"), w.memory(b, "VmHWM"))
}

// calls is the list of what is measured.
func (w *world) calls(b testing.TB) (all []call) {
	add := func(name string, do func()) { all = append(all, call{name, do}) }
	add("put-operation", func() {
		w.n++
		w.put(b, fmt.Sprintf("apis/api-%d/operations/op-%d", w.any(), w.n%operationsPerAPI),
			fmt.Sprintf(`{"displayName":"Changed %d","method":"GET","urlTemplate":"/things/%d/{id}","templateParameters":[{"name":"id","type":"string","required":true}]}`, w.n, w.n%operationsPerAPI))
	})
	add("new-operation", func() {
		w.n++
		w.put(b, fmt.Sprintf("apis/api-%d/operations/new-%d", w.any(), w.n), fmt.Sprintf(`{"displayName":"New","method":"POST","urlTemplate":"/new/%d"}`, w.n))
	})
	add("put-policy", func() { w.putPolicy(b) })
	add("policy-is-live", func() { w.awaitPolicy(b, w.putPolicy(b)) })
	add("new-subscription", func() {
		w.n++
		w.put(b, fmt.Sprintf("subscriptions/new-%d", w.n), fmt.Sprintf(`{"displayName":"New","scope":"/products/product-0","primaryKey":"new-%d"}`, w.n))
	})
	add("get-subscription", func() { w.get(b, fmt.Sprintf("subscriptions/s-%d", w.any())) })
	add("key-in-use", func() { w.keyInUse(b) })
	deep := w.apis * subscriptionsPerAPI / 10 * 9
	for _, l := range []struct{ name, path, query string }{
		{"list-apis", "apis", ""},
		{"list-apis-deep", "apis", "$skip=" + strconv.Itoa(w.apis/10*9)},
		{"list-apis-filter", "apis", "$filter=" + url.QueryEscape("contains(displayName,'99')")},
		{"list-operations", "apis/api-5/operations", ""},
		{"list-operations-filter", "apis/api-5/operations", "$filter=" + url.QueryEscape("method eq 'GET'")},
		{"list-subscriptions", "subscriptions", ""},
		{"list-subscriptions-1000", "subscriptions", "$top=1000"},
		{"list-subscriptions-middle", "subscriptions", "$skip=" + strconv.Itoa(w.apis*subscriptionsPerAPI/2)},
		{"list-subscriptions-deep", "subscriptions", "$skip=" + strconv.Itoa(deep)},
		{"list-subscriptions-filter-eq", "subscriptions", "$filter=" + url.QueryEscape("displayName eq 'Subscription 77'")},
		{"list-subscriptions-filter-none", "subscriptions", "$filter=" + url.QueryEscape("displayName eq 'nobody'")},
		{"list-subscriptions-filter-owner", "subscriptions", "$filter=" + url.QueryEscape("ownerId eq '"+causewaytest.DevService+"/users/user-7'")},
		{"list-subscriptions-filter-contains", "subscriptions", "$filter=" + url.QueryEscape("contains(displayName,'77')")},
		{"list-subscriptions-filter-state", "subscriptions", "$filter=" + url.QueryEscape("state eq 'active'")},
		{"list-of-product", "products/product-0/subscriptions", ""},
		{"list-of-user", "users/user-3/subscriptions", ""},
		{"list-apis-by-tags", "apisByTags", ""},
		{"list-operations-by-tags", "apis/api-5/operationsByTags", ""},
		{"list-products", "products", ""},
		{"list-products-by-tags", "productsByTags", ""},
		{"list-tag-resources", "tagResources", ""},
	} {
		add(l.name, func() { w.get(b, l.path+"?"+l.query) })
	}
	import1000, err := json.Marshal(description(1000))
	if err != nil {
		b.Fatal(err)
	}
	add("import-1000-operations", func() {
		w.n++
		w.put(b, fmt.Sprintf("apis/imported-%d", w.n%2), fmt.Sprintf(`{"format":"openapi+json","path":"imported-%d","value":%s}`, w.n%2, import1000))
	})
	return all
}

// any is the number of an API.
func (w *world) any() int { return rand.IntN(w.apis) }

func (w *world) get(b testing.TB, path string) {
	b.Helper()
	w.system.ARM(w.plane, http.MethodGet, strings.TrimSuffix(path, "?"), "")
}

// putPolicy writes the policy document of api-0 and returns what it says.
func (w *world) putPolicy(b testing.TB) string {
	b.Helper()
	w.n++
	said := strconv.Itoa(w.n)
	w.put(b, "apis/api-0/policies/policy", `{"format":"rawxml","value":"<policies><inbound><base /><return-response><set-header name=\"X-N\"><value>`+said+
		`</value></set-header></return-response></inbound><backend><base /></backend><outbound><base /></outbound><on-error><base /></on-error></policies>"}`)
	return said
}

func (w *world) awaitPolicy(b testing.TB, said string) {
	b.Helper()
	for deadline := time.Now().Add(startWithin); ; {
		resp, err := http.Get(w.plane.Listen["gateway"] + "/api-0/things/0/1")
		if err == nil {
			_ = resp.Body.Close()
			if resp.Header.Get("X-N") == said {
				return
			}
		}
		if time.Now().After(deadline) {
			b.Fatalf("the gateway does not serve the policy: %v", err)
		}
	}
}

// keyInUse offers a key that another subscription has: it has to be looked up among all.
func (w *world) keyInUse(b testing.TB) {
	b.Helper()
	body := `{"properties":{"displayName":"Double","scope":"/products/product-0","primaryKey":"taken","secondaryKey":"taken too"}}`
	status, answer, err := w.system.TryARM(w.plane, http.MethodPut, "subscriptions/holder", body)
	if err == nil && status < http.StatusBadRequest {
		status, answer, err = w.system.TryARM(w.plane, http.MethodPut, "subscriptions/second", body)
	}
	if err != nil || status != http.StatusConflict {
		b.Fatalf("a key in use is answered with %d: %s, %v", status, answer, err)
	}
}

// description is an OpenAPI description of n operations, as JSON text.
func description(n int) string {
	var paths []string
	for i := range n {
		paths = append(paths, fmt.Sprintf(`"/things/%d/{id}":{"get":{"operationId":"get-%d","summary":"Get %d","parameters":[{"name":"id","in":"path","required":true,"schema":{"type":"string"}},`+
			`{"name":"q","in":"query","schema":{"type":"integer"}}],"responses":{"200":{"description":"OK","content":{"application/json":{"schema":{"$ref":"#/components/schemas/T%d"}}}}}}}`, i, i, i, i%100))
	}
	var schemas []string
	for i := range min(n, 100) {
		schemas = append(schemas, fmt.Sprintf(`"T%d":{"type":"object","properties":{"id":{"type":"string"},"n":{"type":"integer"}}}`, i))
	}
	return `{"openapi":"3.0.1","info":{"title":"Imported","version":"1"},"servers":[{"url":"http://127.0.0.1:9"}],"paths":{` + strings.Join(paths, ",") +
		`},"components":{"schemas":{` + strings.Join(schemas, ",") + `}}}`
}

// median measures f and reports the median.
func median(b *testing.B, name string, f func()) {
	b.Run(name, func(b *testing.B) {
		var times []time.Duration
		for b.Loop() {
			start := time.Now()
			f()
			times = append(times, time.Since(start))
		}
		slices.Sort(times)
		b.ReportMetric(float64(times[len(times)/2].Microseconds())/1000, "ms-median")
		b.ReportMetric(float64(times[len(times)-1].Microseconds())/1000, "ms-max")
	})
}

package telemetry

import (
	"maps"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"
)

// UsageInterval is the resolution of usage: API Management's reports have intervals of 15 minutes and multiples.
const UsageInterval = 15 * time.Minute

const (
	maxUsageShards = 8
	usageSeconds   = int64(UsageInterval / time.Second)
	// maxUsageKeys are told apart by one shard between two flushes; what comes beyond is counted for its API only.
	maxUsageKeys = 8192
	// maxUsageRequests are kept between two flushes.
	maxUsageRequests = 1000
)

// CacheUse says what the response cache did for a request.
type CacheUse uint8

// The uses of the response cache.
const (
	CacheNone CacheUse = iota
	CacheMiss
	CacheHit
)

// String is API Management's word for it.
func (c CacheUse) String() string { return [...]string{"none", "miss", "hit"}[c] }

// UsageKey is what usage is added up by. Names are those of resources; empty ones mean that the request had none.
type UsageKey struct {
	At           int64  `json:"at"` // start of the interval in Unix seconds
	API          string `json:"api,omitempty"`
	Operation    string `json:"operation,omitempty"`
	Product      string `json:"product,omitempty"`
	Subscription string `json:"subscription,omitempty"`
	User         string `json:"user,omitempty"`
}

// UsageSums are the sums of an interval. Times are microseconds.
type UsageSums struct {
	Success     int64 `json:"success,omitempty"`
	Blocked     int64 `json:"blocked,omitempty"`
	Failed      int64 `json:"failed,omitempty"`
	Other       int64 `json:"other,omitempty"`
	Bytes       int64 `json:"bytes,omitempty"` // of requests and answers on the wire
	Hits        int64 `json:"hits,omitempty"`
	Misses      int64 `json:"misses,omitempty"`
	APITime     int64 `json:"apiTime,omitempty"` // sum over all calls, as the following ones
	APIMin      int64 `json:"apiMin,omitempty"`
	APIMax      int64 `json:"apiMax,omitempty"`
	ServiceTime int64 `json:"serviceTime,omitempty"`
	ServiceMin  int64 `json:"serviceMin,omitempty"`
	ServiceMax  int64 `json:"serviceMax,omitempty"`
}

// Calls is how many calls the sums are of.
func (s *UsageSums) Calls() int64 { return s.Success + s.Blocked + s.Failed + s.Other }

// Add adds other sums.
func (s *UsageSums) Add(o *UsageSums) {
	if o.Calls() == 0 {
		return
	}
	if s.Calls() == 0 {
		s.APIMin, s.ServiceMin = o.APIMin, o.ServiceMin
	}
	s.Success, s.Blocked, s.Failed, s.Other = s.Success+o.Success, s.Blocked+o.Blocked, s.Failed+o.Failed, s.Other+o.Other
	s.Bytes, s.Hits, s.Misses = s.Bytes+o.Bytes, s.Hits+o.Hits, s.Misses+o.Misses
	s.APITime, s.APIMin, s.APIMax = s.APITime+o.APITime, min(s.APIMin, o.APIMin), max(s.APIMax, o.APIMax)
	s.ServiceTime, s.ServiceMin, s.ServiceMax = s.ServiceTime+o.ServiceTime, min(s.ServiceMin, o.ServiceMin), max(s.ServiceMax, o.ServiceMax)
}

// count adds one request.
func (s *UsageSums) count(r *Record) {
	api, service := r.TotalTime.Microseconds(), r.BackendTime.Microseconds()
	if s.Calls() == 0 {
		s.APIMin, s.ServiceMin = api, service
	}
	switch r.Status() {
	case StatusSuccessful:
		s.Success++
	case StatusUnauthorized:
		s.Blocked++
	case StatusErroneous:
		s.Failed++
	default:
		s.Other++
	}
	switch r.Cache {
	case CacheHit:
		s.Hits++
	case CacheMiss:
		s.Misses++
	}
	s.Bytes += r.RequestSize + r.ResponseSize
	s.APITime, s.APIMin, s.APIMax = s.APITime+api, min(s.APIMin, api), max(s.APIMax, api)
	s.ServiceTime, s.ServiceMin, s.ServiceMax = s.ServiceTime+service, min(s.ServiceMin, service), max(s.ServiceMax, service)
}

// UsageRow is the usage of a key.
type UsageRow struct {
	UsageKey
	UsageSums
}

// UsageRequest is one request in the report of requests.
type UsageRequest struct {
	Time         time.Time `json:"time"`
	ID           string    `json:"id"`
	API          string    `json:"api,omitempty"`
	Operation    string    `json:"operation,omitempty"`
	Product      string    `json:"product,omitempty"`
	Subscription string    `json:"subscription,omitempty"`
	User         string    `json:"user,omitempty"`
	Method       string    `json:"method"`
	URL          string    `json:"url"`
	CallerIP     string    `json:"ip,omitempty"`
	Response     int       `json:"response"`
	Backend      int       `json:"backend,omitempty"`
	Cache        string    `json:"cache"`
	RequestSize  int64     `json:"requestSize"`
	ResponseSize int64     `json:"responseSize"`
	APITime      int64     `json:"apiTime"`     // microseconds
	ServiceTime  int64     `json:"serviceTime"` // microseconds
}

// UsageReport is the usage of one service since the last flush.
type UsageReport struct {
	Service  string         `json:"service"`          // as the gateway knows it
	Region   string         `json:"region,omitempty"` // of the gateway
	Rows     []UsageRow     `json:"rows"`
	Requests []UsageRequest `json:"requests,omitempty"`
	// Unlisted is how many requests are in Rows and not among Requests.
	Unlisted int64 `json:"unlisted,omitempty"`
}

// Usage adds up what requests use. Adding allocates nothing for keys that are known already; it is safe for concurrent use.
type Usage struct {
	shards []usageShard // a power of two

	mu       sync.Mutex
	requests []serviceRecord // the memory of URLs is used again
	kept     int
	unlisted map[string]int64 // by service, without those of the latest
	latest   string           // service of a request that was not listed
	passed   int64            // those of it
}

type usageShard struct {
	mu   sync.Mutex
	sums map[serviceKey]*usageEntry
	// recent are entries of sums by where the texts of their records lie. Texts of the configuration are the same for many requests, and comparing
	// a text with itself costs little, unlike hashing six of them.
	recent [64]*usageEntry
	_      [64]byte // shards are on cache lines of their own
}

type serviceKey struct {
	service string
	UsageKey
}

type usageEntry struct {
	serviceKey
	UsageSums
}

type serviceRecord struct {
	service string
	record  Record
}

// NewUsage returns an empty sum.
func NewUsage() *Usage {
	u := &Usage{shards: make([]usageShard, usageShards()), requests: make([]serviceRecord, maxUsageRequests), unlisted: make(map[string]int64)}
	for i := range u.shards {
		u.shards[i].sums = make(map[serviceKey]*usageEntry)
	}
	return u
}

// usageShards is how many shards there are, a power of two: no more than cores, so that a core that is alone has all sums in its cache.
func usageShards() int {
	n := 1
	for n < min(runtime.GOMAXPROCS(0), maxUsageShards) {
		n *= 2
	}
	return n
}

// Add adds a request of a service. The record's strings are kept.
func (u *Usage) Add(service string, r *Record) {
	second := r.Time.Unix()
	s := &u.shards[int(r.RequestID[15])&(len(u.shards)-1)]
	s.mu.Lock()
	defer s.mu.Unlock()
	recent := &s.recent[r.place()%uintptr(len(s.recent))]
	if e := *recent; e != nil && e.takes(service, second, r) {
		e.count(r)
		return
	}
	key := serviceKey{service, UsageKey{
		At: second - second%usageSeconds, API: r.API, Operation: r.Operation, Product: r.Product, Subscription: r.Subscription, User: r.User,
	}}
	if s.sums[key] == nil && len(s.sums) >= maxUsageKeys {
		key.UsageKey = UsageKey{At: key.At, API: key.API}
	}
	e := s.sums[key]
	if e == nil {
		e = &usageEntry{serviceKey: key}
		s.sums[key] = e
	}
	*recent = e
	e.count(r)
}

// takes says whether a request is of the entry's key. The entry that counts what comes beyond the bound does not say so of all that it counts.
func (e *usageEntry) takes(service string, second int64, r *Record) bool {
	return e.Subscription == r.Subscription && e.Operation == r.Operation && e.API == r.API && e.Product == r.Product && e.User == r.User &&
		e.service == service && uint64(second-e.At) < uint64(usageSeconds)
}

// List keeps a request for the report of requests while there is room, and counts it otherwise. It copies the record.
func (u *Usage) List(service string, r *Record) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.kept == len(u.requests) {
		u.pass(service)
		return
	}
	e := &u.requests[u.kept]
	u.kept++
	url := append(e.record.URL[:0], r.URL...)
	e.service, e.record = service, *r
	e.record.URL, e.record.BackendURL, e.record.Captured = url, nil, nil
}

// pass counts a request that is not listed. Most are of the service of the one before.
func (u *Usage) pass(service string) {
	if service != u.latest {
		u.unlisted[u.latest] += u.passed
		u.latest, u.passed = service, 0
	}
	u.passed++
}

// Flush takes what was added since the last time, one report for each service. A nil Usage has nothing.
func (u *Usage) Flush() []UsageReport {
	if u == nil {
		return nil
	}
	all := make(map[string]map[UsageKey]*UsageSums)
	for i := range u.shards {
		s := &u.shards[i]
		s.mu.Lock()
		sums := s.sums
		if len(sums) == 0 { // it stays the shard's
			s.mu.Unlock()
			continue
		}
		s.sums = make(map[serviceKey]*usageEntry, len(sums))
		clear(s.recent[:])
		s.mu.Unlock()
		for key, e := range sums {
			rows := all[key.service]
			if rows == nil {
				rows = make(map[UsageKey]*UsageSums)
				all[key.service] = rows
			}
			if rows[key.UsageKey] == nil {
				rows[key.UsageKey] = new(UsageSums)
			}
			rows[key.UsageKey].Add(&e.UsageSums)
		}
	}
	requests, unlisted := u.takeRequests()
	reports := make([]UsageReport, 0, len(all))
	for _, service := range slices.Sorted(maps.Keys(all)) {
		report := UsageReport{Service: service, Requests: requests[service], Unlisted: unlisted[service]}
		for key, v := range all[service] {
			report.Rows = append(report.Rows, UsageRow{key, *v})
		}
		slices.SortFunc(report.Rows, func(a, b UsageRow) int { return a.compare(&b.UsageKey) })
		delete(requests, service)
		reports = append(reports, report)
	}
	// Requests are listed a moment after they are added: those of the flush before may come now.
	for _, service := range slices.Sorted(maps.Keys(requests)) {
		reports = append(reports, UsageReport{Service: service, Requests: requests[service], Unlisted: unlisted[service]})
	}
	return reports
}

func (k *UsageKey) compare(o *UsageKey) int {
	if k.At != o.At {
		return int(k.At - o.At)
	}
	for _, pair := range [...][2]string{{k.API, o.API}, {k.Operation, o.Operation}, {k.Product, o.Product}, {k.Subscription, o.Subscription}} {
		if c := strings.Compare(pair[0], pair[1]); c != 0 {
			return c
		}
	}
	return strings.Compare(k.User, o.User)
}

func (u *Usage) takeRequests() (requests map[string][]UsageRequest, unlisted map[string]int64) {
	u.mu.Lock()
	defer u.mu.Unlock()
	requests = make(map[string][]UsageRequest)
	for i := range u.requests[:u.kept] {
		e := &u.requests[i]
		r := &e.record
		requests[e.service] = append(requests[e.service], UsageRequest{
			Time: r.Time.UTC(), ID: UUIDText(r.RequestID), API: r.API, Operation: r.Operation, Product: r.Product, Subscription: r.Subscription, User: r.User,
			Method: r.Method, URL: string(r.URL), CallerIP: r.CallerIP, Response: r.ResponseCode, Backend: r.BackendResponseCode, Cache: r.Cache.String(),
			RequestSize: r.RequestSize, ResponseSize: r.ResponseSize, APITime: r.TotalTime.Microseconds(), ServiceTime: r.BackendTime.Microseconds(),
		})
		*e = serviceRecord{record: Record{URL: r.URL[:0]}}
	}
	u.unlisted[u.latest] += u.passed
	u.passed = 0
	unlisted = u.unlisted
	u.kept, u.unlisted = 0, make(map[string]int64)
	return requests, unlisted
}

package telemetry

import (
	"bytes"
	"crypto/tls"
	"log/slog"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

// TestRecordLine compares whole lines, but for the time at which they were written.
func TestRecordLine(t *testing.T) {
	t.Parallel()
	record := Record{
		Time: time.Date(2026, 2, 3, 4, 5, 6, 78_900_100, time.UTC), CallerIP: "192.0.2.1", Service: "contoso", API: "orders", APIRevision: "2", Operation: "get-order",
		Product: "starter", Subscription: "sub-1", User: "ada", Workspace: "sales", Region: "west", Method: "GET", URL: []byte("http://h/o\n\"7\""), BackendURL: []byte("http://b/7"),
		ClientProtocol: "HTTP/2.0", BackendProtocol: "HTTP/1.1", ClientTLS: tls.VersionTLS13, Backend: "warehouse", BackendMethod: "GET", ResponseCode: 502, BackendResponseCode: 7,
		RequestSize: 99, ResponseSize: 1234567, TotalTime: 12 * time.Millisecond, BackendTime: 10 * time.Millisecond, ClientTime: 999 * time.Microsecond,
		ErrorSource: "forward-request", ErrorReason: "BackendFailed", ErrorMessage: "No.", ErrorSection: "backend", ErrorScope: "api", ConnectionFail: "gone",
		ErrorElapsed: -time.Second, Cache: CacheMiss, Tracing: TraceState{Requested: true, Allowed: true},
		RequestID: [16]byte{0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc, 0xde, 0xf0, 1, 2, 3, 4, 5, 6, 7, 255},
		Captured:  &Captured{Query: "?a=<b>", FrontendRequest: CapturedMessage{Headers: []Label{{"A", "1"}, {"A", "2"}}, Body: "x\ry"}},
	}
	for format, want := range map[string]string{
		"text": " [RequestCompleted] Request was answered., by: me\\n, category: GatewayLogs, operationName: Microsoft.ApiManagement/GatewayLogs, " +
			`timeGenerated: 2026-02-03T04:05:06.0789001Z, isRequestSuccess: false, method: GET, url: http://h/o\n"7"?a=<b>, responseCode: 502, totalTime: 12, ` +
			"correlationId: 12345678-9abc-def0-0102-0304050607ff, callerIpAddress: 192.0.2.1, region: west, serviceName: contoso, apiId: orders, apiRevision: 2, " +
			"operationId: get-order, productId: starter, apimSubscriptionId: sub-1, userId: ada, workspaceId: sales, clientProtocol: HTTP/2.0, clientTlsVersion: 1.3, " +
			"clientTime: 0, backendId: warehouse, backendMethod: GET, backendUrl: http://b/7, backendProtocol: HTTP/1.1, backendResponseCode: 7, backendTime: 10, " +
			"requestSize: 99, responseSize: 1234567, cache: miss, isTraceRequested: true, isTraceAllowed: true, isTraceExpired: false, isMasterTrace: false, " +
			"lastErrorElapsed: -1000, lastErrorSource: forward-request, lastErrorReason: BackendFailed, lastErrorMessage: No., lastErrorSection: backend, " +
			`lastErrorScope: api, connectionError: gone, requestHeaders: {"A":"1, 2"}, requestBody: x\ry` + "\n",
		"json": `Z","eventType":"RequestCompleted","message":"Request was answered.","by":"me\n","category":"GatewayLogs","operationName":"Microsoft.ApiManagement/GatewayLogs",` +
			`"timeGenerated":"2026-02-03T04:05:06.0789001Z","isRequestSuccess":false,"method":"GET","url":"http://h/o\n\"7\"?a=\u003cb\u003e","responseCode":502,"totalTime":12,` +
			`"correlationId":"12345678-9abc-def0-0102-0304050607ff","callerIpAddress":"192.0.2.1","region":"west","serviceName":"contoso","apiId":"orders","apiRevision":"2",` +
			`"operationId":"get-order","productId":"starter","apimSubscriptionId":"sub-1","userId":"ada","workspaceId":"sales","clientProtocol":"HTTP/2.0","clientTlsVersion":"1.3",` +
			`"clientTime":0,"backendId":"warehouse","backendMethod":"GET","backendUrl":"http://b/7","backendProtocol":"HTTP/1.1","backendResponseCode":7,"backendTime":10,` +
			`"requestSize":99,"responseSize":1234567,"cache":"miss","isTraceRequested":true,"isTraceAllowed":true,"isTraceExpired":false,"isMasterTrace":false,` +
			`"lastErrorElapsed":-1000,"lastErrorSource":"forward-request","lastErrorReason":"BackendFailed","lastErrorMessage":"No.","lastErrorSection":"backend",` +
			`"lastErrorScope":"api","connectionError":"gone","requestHeaders":{"A":"1, 2"},"requestBody":"x\ry"}` + "\n",
	} {
		var out bytes.Buffer
		h, err := NewLogHandler(&out, LogOptions{Format: format})
		if err != nil {
			t.Fatal(err)
		}
		writeRecords(slog.New(h).With("by", "me\n"), record, record)
		first, second, _ := strings.Cut(out.String(), "\n")
		if !strings.HasSuffix(first+"\n", want) || !strings.HasSuffix(second, want) {
			t.Errorf("%s: got\n%s\n%swant\n%s", format, first, second, want)
		}
	}
}

// TestRecordLineOfAny compares lines with those that are made of the attributes of a record.
func TestRecordLineOfAny(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	var out bytes.Buffer
	queues := make(map[*logHandler]*Queue)
	for _, o := range []LogOptions{{}, {Color: true}, {Format: "json"}} {
		h, err := NewLogHandler(&out, o)
		if err != nil {
			t.Fatal(err)
		}
		h = h.WithAttrs([]slog.Attr{slog.String("by\n", "\"\r")})
		q := NewQueue(2, Writer{Log: slog.New(h), Wants: func(*Record) bool { return false }})
		defer q.Close()
		queues[h.(*logHandler)] = q
	}
	for range 1000 {
		record := anyRecord(random)
		for h, q := range queues {
			out.Reset()
			for range 2 { // the second time with what was remembered of the first
				again := *record
				q.Add(&again)
			}
			q.Sync()
			line := logLine{severity: recordLevel, level: "Info", event: recordEvent, message: recordMessage, attrs: record.AppendAttrs(h.attrs[:1:1])}
			wantHead, want := cutTime(string(h.encode(nil, &line)))
			for got := range strings.Lines(out.String()) {
				if head, got := cutTime(got); head != wantHead || got != want {
					t.Fatalf("got  %s %swant %s %s", head, got, wantHead, want)
				}
			}
			if strings.Count(out.String(), "\n") != 2 {
				t.Fatalf("not two lines: %s", out.String())
			}
		}
	}
}

// cutTime returns what stands before and after the time at which a line was written.
func cutTime(line string) (before, after string) {
	year := strings.IndexByte(line, 'T') - len("2006-01-02")
	return line[:year], line[strings.Index(line, recordEvent):]
}

// anyRecord makes a record of texts of all kinds, few of each, so that some of the same come again.
func anyRecord(r *rand.Rand) *Record {
	texts := [...]string{"", "", "a", "b", "orders", "get order", "a\nb\r\n", `"quoted"\`, "<&>", "Z\u00fcrich", "bad \xff", "\x00", "a text that is long enough for several words \x1f"}
	text := func() string { return texts[r.IntN(len(texts))] }
	number := func() int64 { return int64(r.Uint64() >> r.IntN(64)) }
	took := func() time.Duration { return time.Duration(number()) }
	yes := func() bool { return r.IntN(2) == 0 }
	labels := func() (list []Label) {
		for range r.IntN(3) {
			list = append(list, Label{text(), text()})
		}
		return list
	}
	rec := &Record{
		Time: time.Unix(1_800_000_000+int64(r.IntN(2)), r.Int64N(1e9)), CallerIP: text(), Region: text(), Method: text(), URL: []byte(text()), BackendURL: []byte(text()),
		ClientProtocol: text(), BackendProtocol: text(), ClientTLS: uint16(r.IntN(2)) * tls.VersionTLS12, Backend: text(), BackendMethod: text(),
		ResponseCode: r.IntN(600), BackendResponseCode: int(number()), RequestSize: number(), ResponseSize: number(), TotalTime: took(), BackendTime: took(),
		ClientTime: took(), Cache: CacheUse(r.IntN(3)), Tracing: TraceState{yes(), yes(), yes(), yes()},
	}
	if yes() {
		rec.Service, rec.API, rec.APIRevision, rec.Operation = text(), text(), text(), text()
		rec.Product, rec.Subscription, rec.User, rec.Workspace = text(), text(), text(), text()
	}
	if yes() {
		rec.ErrorSource, rec.ErrorReason, rec.ErrorMessage, rec.ErrorSection, rec.ErrorScope = text(), text(), text(), text(), text()
		rec.ErrorElapsed, rec.ConnectionFail = took(), text()
	}
	for i := range rec.RequestID {
		rec.RequestID[i] = byte(r.Uint32())
	}
	if yes() {
		rec.Captured = &Captured{
			Query: text(), BackendQuery: text(), FrontendRequest: CapturedMessage{Headers: labels(), Body: text()}, BackendResponse: CapturedMessage{Headers: labels(), Body: text()},
		}
		for range r.IntN(3) {
			rec.Captured.Traces = append(rec.Captured.Traces, TraceMessage{Time: rec.Time, Severity: SeverityError, Source: text(), Message: text(), Metadata: labels()})
		}
	}
	return rec
}

package telemetry

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"
)

func TestQueueKeepsOrderAndCountsLoss(t *testing.T) {
	t.Parallel()
	block := make(chan struct{})
	started := make(chan struct{}, 1)
	var urls []string
	var lost int64
	q := NewQueue(2, func(r *Record) {
		if string(r.URL) == "/0" {
			started <- struct{}{}
			<-block
		}
		urls = append(urls, string(r.URL))
	}, func(n int64) { lost += n })
	add := func(url string) {
		r := q.New()
		r.URL, r.Time = append(r.URL, url...), time.Unix(1, 0)
		q.Add(r)
	}
	add("/0")
	<-started // the writer holds /0, the queue is empty
	for _, u := range []string{"/1", "/2", "/3"} {
		add(u)
	}
	close(block)
	q.Close()
	add("/4") // a request that did not end in time
	if got := strings.Join(urls, " "); got != "/0 /1 /2" || lost != 1 {
		t.Errorf("got %q, lost %d", got, lost)
	}
}

func TestLogRecord(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	h, _ := NewLogHandler(&out, LogOptions{Format: "json"})
	LogRecord(slog.New(h), &Record{Method: "GET", URL: []byte("/echo"), ResponseCode: 404, TotalTime: 1500 * time.Microsecond, ErrorReason: "OperationNotFound"})
	for _, want := range []string{`"responseCode":404`, `"totalTime":1,`, `"isRequestSuccess":false`, `"lastErrorReason":"OperationNotFound"`} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %s in %s", want, out.String())
		}
	}
}

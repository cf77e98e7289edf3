package telemetry

import (
	"bytes"
	"io"
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
	q := NewQueue(2, Writer{
		Write: func(r *Record) {
			if string(r.URL) == "/0" {
				started <- struct{}{}
				<-block
			}
			urls = append(urls, string(r.URL))
		},
		Lost: func(n int64) { lost += n },
	})
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

// writeRecords has a queue write lines.
func writeRecords(log *slog.Logger, records ...Record) {
	q := NewQueue(len(records), Writer{Log: log, Wants: func(*Record) bool { return false }})
	defer q.Close()
	for _, r := range records {
		q.Add(&r)
	}
}

func TestRecordLog(t *testing.T) {
	t.Parallel()
	record := Record{Method: "GET", URL: []byte("/echo"), ResponseCode: 404, TotalTime: 1500 * time.Microsecond, ErrorReason: "OperationNotFound"}
	for name, test := range map[string]struct {
		handler func(w *bytes.Buffer) slog.Handler
		want    []string
	}{
		"json": {
			func(w *bytes.Buffer) slog.Handler { h, _ := NewLogHandler(w, LogOptions{Format: "json"}); return h },
			[]string{`"eventType":"RequestCompleted"`, `"by":"me"`, `"url":"/echo"`, `"responseCode":404`, `"totalTime":1,`, `"isRequestSuccess":false`, `"lastErrorReason":"OperationNotFound"`},
		},
		"text": {
			func(w *bytes.Buffer) slog.Handler { h, _ := NewLogHandler(w, LogOptions{Format: "text"}); return h },
			[]string{"[Info]", " [RequestCompleted] Request was answered., by: me, ", ", url: /echo, ", ", responseCode: 404, ", "isRequestSuccess: false"},
		},
		"other": {
			func(w *bytes.Buffer) slog.Handler { return slog.NewTextHandler(w, nil) },
			[]string{"event=RequestCompleted", "by=me", "url=/echo", "responseCode=404"},
		},
	} {
		var out bytes.Buffer
		writeRecords(slog.New(test.handler(&out)).With("by", "me"), record, Record{Unlogged: true}, record)
		lines := strings.SplitAfter(out.String(), "\n")
		if len(lines) != 3 || lines[2] != "" {
			t.Fatalf("%s: %d lines in %s", name, len(lines), out.String())
		}
		for _, want := range test.want {
			if !strings.Contains(lines[0], want) || !strings.Contains(lines[1], want) {
				t.Errorf("%s: no %s in both lines of %s", name, want, out.String())
			}
		}
	}
}

// blockedWriter is a target of logs that takes nothing until it is released.
type blockedWriter struct {
	bytes.Buffer
	began, release chan struct{}
}

func (w *blockedWriter) Write(p []byte) (int, error) {
	select {
	case w.began <- struct{}{}:
	default:
	}
	<-w.release
	return w.Buffer.Write(p)
}

// TestQueueOfLines has a target that takes nothing for a while: requests do not wait for it, and lines that are too many are dropped and counted.
func TestQueueOfLines(t *testing.T) {
	t.Parallel()
	for _, wanted := range []bool{false, true} { // as a record besides
		out := &blockedWriter{began: make(chan struct{}, 1), release: make(chan struct{})}
		h, err := NewLogHandler(out, LogOptions{})
		if err != nil {
			t.Fatal(err)
		}
		written, lost := 0, int64(0)
		const size = 100
		q := NewQueue(size, Writer{
			Log:   slog.New(h),
			Wants: func(r *Record) bool { return wanted },
			Write: func(*Record) { written++ },
			Lost:  func(n int64) { lost += n },
		})
		add := func(id byte) {
			r := q.New()
			r.RequestID[0], r.Method = id, "GET"
			q.Add(r)
		}
		add(0)
		<-out.began // the writer waits
		for id := range byte(size + 20) {
			add(id + 1)
		}
		q.Add(&Record{Unlogged: true})
		close(out.release)
		q.Close()
		lines := strings.SplitAfter(strings.TrimSuffix(out.String(), "\n"), "\n")
		for i, line := range lines {
			if !strings.Contains(line, ", correlationId: "+UUIDText([16]byte{byte(i)})+", ") {
				t.Errorf("line %d is %s", i, line)
			}
		}
		want := int64(20)
		if wanted {
			want++ // the record without a line
		}
		if len(lines) != 1+size || lost != want {
			t.Errorf("%d lines, %d lost", len(lines), lost)
		}
		if want := 1 + size; wanted != (written == want) || !wanted && written != 0 {
			t.Errorf("%d records are written", written)
		}
	}
}

// BenchmarkQueue makes a record and has its line written with those of others.
func BenchmarkQueue(b *testing.B) {
	h, err := NewLogHandler(io.Discard, LogOptions{})
	if err != nil {
		b.Fatal(err)
	}
	q := NewQueue(10_000, Writer{Log: slog.New(h), Wants: func(*Record) bool { return false }, Lost: func(int64) {}})
	defer q.Close()
	record := benchmarkRecord()
	for i := 0; b.Loop(); i++ {
		r := q.New()
		url, backendURL := append(r.URL, record.URL...), append(r.BackendURL, record.BackendURL...)
		*r = record
		r.URL, r.BackendURL = url, backendURL
		if q.Add(r); i%200 == 199 {
			q.Sync()
		}
	}
}

func TestQueueSync(t *testing.T) {
	t.Parallel()
	written := 0 // of the writer; Sync orders it
	q := NewQueue(100, Writer{Write: func(*Record) { written++ }})
	for round := range 20 {
		for range 5 {
			q.Add(q.New())
		}
		q.Sync()
		if want := 5 * (round + 1); written != want {
			t.Fatalf("%d records are written of %d", written, want)
		}
	}
	q.Close()
	q.Sync() // nothing is written any more, and nobody waits
}

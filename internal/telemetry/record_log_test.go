package telemetry

import (
	"testing"
	"time"
)

// benchmarkRecord is the record of an ordinary request.
func benchmarkRecord() Record {
	return Record{
		Time: time.Now(), CallerIP: "127.0.0.1", Service: "contoso", API: "orders", APIRevision: "1", Operation: "get-order", Subscription: "sub-1",
		Region: "west", Method: "GET", URL: []byte("http://api.contoso.example/orders/42"), BackendURL: []byte("http://10.0.0.7:8080/orders/42"),
		ClientProtocol: "HTTP/1.1", BackendProtocol: "HTTP/1.1", BackendMethod: "GET", ResponseCode: 200, BackendResponseCode: 200,
		RequestSize: 200, ResponseSize: 700, TotalTime: 3 * time.Millisecond, BackendTime: 2 * time.Millisecond,
	}
}

func BenchmarkRecordLine(b *testing.B) {
	for name, form := range map[string]lineForm{"text": formText, "json": formJSON} {
		b.Run(name, func(b *testing.B) {
			line, r := newRecordLine(form), benchmarkRecord()
			b.ReportAllocs()
			for b.Loop() {
				line.buf = line.buf[:0]
				line.rest(&r)
				line.end(0)
			}
		})
	}
}

func TestAppendTime(t *testing.T) {
	t.Parallel()
	for _, at := range []time.Time{
		{}, time.Unix(0, 0).UTC(), time.Date(2026, 11, 23, 9, 8, 7, 123_456_789, time.UTC), time.Date(9999, 12, 31, 23, 59, 59, 999_999_999, time.UTC),
		time.Date(2024, 2, 29, 0, 0, 0, 900, time.UTC),
	} {
		for digits, layout := range map[int]string{7: timeLayout, 3: timeLayout[:23]} {
			if got, want := string(appendTime(nil, at, digits)), at.Format(layout); got != want {
				t.Errorf("%d digits: got %s, want %s", digits, got, want)
			}
		}
	}
}

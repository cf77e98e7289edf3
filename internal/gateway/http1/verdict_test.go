package http1

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/causeway-apim/causeway/internal/message"
	"github.com/causeway-apim/causeway/internal/message/messagetest"
)

// A reading is what one reader makes of a request on a connection.
type reading struct {
	method, target, version, host string
	fields                        map[string][]string // by their canonical names, but those that frame
	body                          string
	trailer                       map[string][]string
}

// readOurs reads requests until the first that is refused, and says why it was.
func readOurs(data []byte) (requests []reading, err error) {
	in := inputOf(bytes.NewReader(data))
	in.lenient = true
	for {
		var req message.Request
		var fr framing
		head, err := in.head(testHeadLimit, 0)
		if err == nil {
			_, err = parseRequest(alias(head), &req, &fr, false, 1000)
		}
		if err != nil {
			return requests, err
		}
		body := bodyReader{in: in, trailer: &req.Trailer}
		fr.requestBody(&body)
		text, err := readBody(&body)
		if err != nil {
			return requests, err
		}
		r := reading{req.Method, req.Target, req.Proto, fr.host, byName(&req.Header), text, byName(&req.Trailer)}
		if !strings.HasPrefix(req.Target, "/") && req.Target != "*" {
			r.host = strings.Join(r.fields["Host"], "|") // that of the target
		}
		delete(r.fields, "Host")
		requests = append(requests, r.clone())
		in.release()
	}
}

// clone detaches it from the input.
func (r reading) clone() reading {
	for _, s := range []*string{&r.method, &r.target, &r.version, &r.host} {
		*s = strings.Clone(*s)
	}
	return r
}

func byName(h *message.Header) map[string][]string {
	fields := map[string][]string{}
	for name, value := range h.All() {
		switch kind := fieldKind(name); kind {
		case fieldTransferEncoding, fieldContentLength:
		default:
			name = http.CanonicalHeaderKey(strings.Clone(name))
			fields[name] = append(fields[name], strings.Clone(value))
		}
	}
	return fields
}

// readTheirs does so with net/http.
func readTheirs(data []byte) (requests []reading, err error) {
	in := bufio.NewReader(bytes.NewReader(data))
	for {
		req, err := http.ReadRequest(in)
		if err != nil {
			return requests, err
		}
		text, err := io.ReadAll(req.Body)
		if err != nil {
			return requests, err
		}
		version := proto11
		if !req.ProtoAtLeast(1, 1) {
			version = proto10
		}
		delete(req.Header, "Content-Length")
		trailer := maps.Clone(map[string][]string(req.Trailer))
		maps.DeleteFunc(trailer, func(_ string, values []string) bool { return values == nil }) // announced ones that have not come
		requests = append(requests, reading{req.Method, req.RequestURI, version, req.Host, req.Header, string(text), trailer})
	}
}

// stricter are the reasons for which we refuse what net/http takes, each with a request that shows it.
func stricter() map[error]string {
	const post = "POST / HTTP/1.1\r\nHost: h\r\n"
	return map[error]string{
		errRequestLine:   "GET / HTTP/1.1\nHost: h\r\n\r\n",   // RFC 9112, 2.2 lets both do
		errVersion:       "GET / HTTP/3.0\r\nHost: h\r\n\r\n", // net/http asks at the server only
		errCodingTwice:   post + "Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n",
		errTarget:        "GET /a#b HTTP/1.1\r\nHost: h\r\n\r\n",                                    // RFC 9112, 3.2: no fragment
		errConnect:       "CONNECT h:443 HTTP/1.1\r\nHost: h:443\r\n\r\n",                           // a gateway is no tunnel
		errHost:          "GET / HTTP/1.1\r\n\r\n",                                                  // RFC 9112, 3.2: exactly one
		errField:         "GET / HTTP/1.1\r\nHost: h\r\nX: a\r\n b\r\n\r\n",                         // RFC 9112, 5.2: folded lines
		errBareLF:        "GET / HTTP/1.1\nHost: h\n\n",                                             // RFC 9112, 2.2 lets both do
		errLength:        post + "Content-Length: 1\r\nContent-Length: 1\r\n\r\na",                  // RFC 9112, 6.3 lets both do
		errBothFramings:  post + "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", // RFC 9112, 6.3 lets both do
		errCodingVersion: "POST / HTTP/1.0\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n",        // RFC 9112, 6.1: faulty framing
		errExpect:        post + "Expect: miracles\r\n\r\n",                                         // RFC 9110, 10.1.1
		errChunk:         post + "Transfer-Encoding: chunked\r\n\r\n1 \r\na\r\n0\r\n\r\n",           // RFC 9112, 7.1: no white space
		errTrailer:       post + "Transfer-Encoding: chunked\r\n\r\n0\r\nHost: other\r\n\r\n",       // RFC 9110, 6.5.1
		errHeadTooLong:   post + "X: " + strings.Repeat("a", testHeadLimit) + "\r\n\r\n",            // limits are ours to choose
	}
}

// milder are the beginnings of net/http's reasons to refuse what we take, each with a request that shows it.
func milder() map[string]string {
	const get, post = " HTTP/1.1\r\nHost: h\r\n\r\n", "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n"
	return map[string]string{
		`malformed HTTP request ""`: "\r\nGET /" + get,                                 // RFC 9112, 2.2: one empty line may come first
		"invalid URL escape":        "GET /%zz" + get,                                  // a path is passed on as it came: what it means is the backend service's business
		"bad trailer key":           post + "Trailer: Content-Length\r\n\r\n0\r\n\r\n", // the field only announces; what comes is checked
	}
}

// milderReason is the one of the table that an error of net/http has.
func milderReason(theirs error) string {
	for reason := range milder() {
		if strings.Contains(theirs.Error(), reason) {
			return reason
		}
	}
	return ""
}

// TestVerdictTables keeps the tables true.
func TestVerdictTables(t *testing.T) {
	t.Parallel()
	for reason, text := range stricter() {
		if ours, err := readOurs([]byte(text)); len(ours) > 0 || !errors.Is(err, reason) {
			t.Errorf("%.60q: we take %v, or refuse it with %v instead of %v", text, ours, err, reason)
		}
		if theirs, err := readTheirs([]byte(text)); len(theirs) == 0 {
			t.Errorf("%.60q: net/http refuses it too: %v", text, err)
		}
	}
	for reason, text := range milder() {
		if ours, err := readOurs([]byte(text)); len(ours) == 0 {
			t.Errorf("%.60q: we refuse it too: %v", text, err)
		}
		if theirs, err := readTheirs([]byte(text)); len(theirs) > 0 || milderReason(err) != reason {
			t.Errorf("%.60q: net/http takes %v, or refuses it with %v instead of %v", text, theirs, err, reason)
		}
	}
}

// FuzzVerdict compares what we make of all that comes on a connection with what net/http makes of it: what both take means the same to both, and where
// only one takes it there is a reason in the tables.
func FuzzVerdict(f *testing.F) {
	for _, c := range messagetest.MalformedRequests() {
		f.Add([]byte(c.Text + "GET /last HTTP/1.1\r\nHost: h\r\n\r\n"))
	}
	for _, text := range messagetest.TrickyRequests() {
		f.Add([]byte(text + "GET /last HTTP/1.1\r\nHost: h\r\n\r\n"))
	}
	for _, chunks := range messagetest.MalformedChunks() {
		f.Add([]byte("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks))
	}
	reasons := stricter()
	f.Fuzz(func(t *testing.T, data []byte) {
		ours, ourErr := readOurs(data)
		theirs, theirErr := readTheirs(data)
		for i := range min(len(ours), len(theirs)) {
			if what := differ(ours[i], theirs[i]); what != "" {
				t.Fatalf("request %d: %s: we read %+v, net/http %+v", i, what, ours[i], theirs[i])
			}
		}
		switch {
		case len(ours) < len(theirs):
			if _, known := reasons[reasonOf(ourErr)]; !known {
				t.Errorf("%.200q: we refuse request %d with %v, net/http reads %+v", data, len(ours), ourErr, theirs[len(ours)])
			}
		case len(ours) > len(theirs):
			if theirErr == io.EOF || milderReason(theirErr) == "" {
				t.Errorf("%.200q: net/http refuses request %d with %q, we read %+v", data, len(theirs), theirErr, ours[len(theirs)])
			}
		}
	})
}

// reasonOf is the refusal in an error, or the error itself.
func reasonOf(err error) error {
	var refused *refusal
	if errors.As(err, &refused) {
		return refused
	}
	return err
}

// differ says in what two readings of a request differ.
func differ(a, b reading) string {
	equal := func(a, b map[string][]string) bool { return maps.EqualFunc(a, b, slices.Equal[[]string]) }
	switch {
	case a.method != b.method:
		return "method"
	case a.target != b.target:
		return "target"
	case a.version != b.version:
		return "version"
	case a.host != b.host:
		return "host"
	case a.body != b.body:
		return "body"
	case !equal(a.fields, b.fields):
		return "fields"
	case !equal(a.trailer, b.trailer):
		return "trailer"
	}
	return ""
}

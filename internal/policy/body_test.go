package policy

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"testing"

	"github.com/causeway-apim/causeway/internal/message"
)

func packed(t *testing.T, content io.Reader) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := io.Copy(z, content); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// What policies read is the content, whatever the backend service has packed it into.
func TestPackedBodies(t *testing.T) {
	t.Parallel()
	data := packed(t, bytes.NewReader([]byte(`{"a":1}`)))
	f := func(coding string, body []byte, want, wantCoding string) {
		t.Helper()
		var x Exec
		newExec(&x)
		x.Section = Outbound
		x.SetResponse(&message.Response{Status: 200, Header: message.NewHeader("Content-Encoding", coding), Body: streamed{bytes.NewReader(body)}, ContentLength: int64(len(body))})
		got, err := x.ReadResponseBody()
		if err != nil || string(got) != want || x.Response.Header.Get("Content-Encoding") != wantCoding || x.Response.ContentLength != int64(len(want)) {
			t.Errorf("%s: got %q %v, header %v, length %d", coding, got, err, x.Response.Header, x.Response.ContentLength)
		}
		again, err := x.ReadResponseBody()
		if err != nil || string(again) != want {
			t.Errorf("%s again: got %q %v", coding, again, err)
		}
	}
	f("gzip", data, `{"a":1}`, "")
	f("X-GZip", data, `{"a":1}`, "")
	f("gzip", []byte("no gzip"), "no gzip", "gzip")
	f("gzip", data[:len(data)-6], string(data[:len(data)-6]), "gzip")
	f("br", data, string(data), "br")
	f("gzip", nil, "", "gzip")
}

func TestPackedBodyIsLimited(t *testing.T) {
	t.Parallel()
	data := packed(t, bytes.NewReader(make([]byte, 1000)))
	if content, err := unpack(data, 1000); err != nil || len(content) != 1000 {
		t.Errorf("got %d bytes, %v", len(content), err)
	}
	var tooLarge *message.TooLargeError
	if _, err := unpack(data, 999); !errors.As(err, &tooLarge) || tooLarge.Limit != 999 {
		t.Errorf("got %v", err)
	}
}

func TestPackedBodyInExpressions(t *testing.T) {
	t.Parallel()
	var x Exec
	newContextExec(&x)
	c := testCatalogue(t)
	x.SetResponse(&message.Response{Status: 200, Header: message.NewHeader("Content-Encoding", "gzip"), Body: message.BytesBody(packed(t, bytes.NewReader([]byte(`{"a":1}`))))})
	if got := evaluateText(t, c, &x, `context.Response.Body.As<JObject>(true)["a"]`); got != "1" {
		t.Errorf("got %s", got)
	}
	if x.Response.Header.Has("Content-Encoding") {
		t.Error("the answer still says that it is packed")
	}
}

// A body that is kept for another attempt goes out as it came, and a new one sheds the coding of the old.
func TestCodingOfNewBodies(t *testing.T) {
	t.Parallel()
	data := packed(t, bytes.NewReader([]byte("x")))
	var x Exec
	newExec(&x)
	x.Section = Inbound
	x.Request = &message.Request{Header: message.NewHeader("Content-Encoding", "gzip"), Body: streamed{bytes.NewReader(data)}, ContentLength: -1}
	if got, err := x.BufferRequestBody(); err != nil || !bytes.Equal(got, data) || !x.Request.Header.Has("Content-Encoding") {
		t.Errorf("got %q %v %v", got, err, x.Request.Header)
	}
	x.SetBody(data)
	if !x.Request.Header.Has("Content-Encoding") {
		t.Error("a packed body has lost its coding")
	}
	x.SetBody([]byte("y"))
	if x.Request.Header.Has("Content-Encoding") {
		t.Error("a plain body has the coding of the one before")
	}
}

func TestBodyTextOfCharset(t *testing.T) {
	t.Parallel()
	c := testCatalogue(t)
	f := func(contentType, body, want string) {
		t.Helper()
		var x Exec
		newContextExec(&x)
		x.Request = &message.Request{Header: message.NewHeader("Content-Type", contentType), Body: message.StringBody(body), ContentLength: int64(len(body))}
		if got := evaluateText(t, c, &x, `context.Request.Body.As<string>()`); got != want {
			t.Errorf("%s: got %q, want %q", contentType, got, want)
		}
	}
	f("text/plain", "\xc3\xa9", "é")
	f("text/plain; charset=utf-8", "\xef\xbb\xbf\xc3\xa9", "é")
	f("text/plain; charset=ISO-8859-1", "\xe9\xfc", "éü")
	f(`application/json; charset="latin1"`, "\xe9", "é")
	f("text/plain; charset=utf-16", "\xe9\x00", "é")
	f("text/plain; charset=utf-16", "\xfe\xff\x00\xe9", "é")
	f("text/plain; charset=utf-16be", "\x00\xe9\x00", "é")
	f("text/plain; charset=unknown", "x", "x")
	f("text/plain; charset", "x", "x")
}

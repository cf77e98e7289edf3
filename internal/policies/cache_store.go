package policies

import (
	"encoding/binary"
	"errors"
	"io"
	"strings"
	"time"
	"unsafe"

	"github.com/causeway-apim/causeway/internal/message"
	"github.com/causeway-apim/causeway/internal/policy"
)

// CacheStore is the cache-store policy.
var CacheStore = policy.Define[cacheStore](policy.Spec{
	Name:           "cache-store",
	NoHandshake:    true,
	Sections:       policy.Outbound,
	OncePerSection: true,
	Flow:           policy.FlowStays,
	Doc:            "Keeps the response to a GET request for later ones that cache-lookup of the same pipeline finds it for.",
})

type cacheStore struct {
	Duration policy.Value[int64] `attr:"duration,required" min:"0" doc:"Seconds for which the response is kept."`
	Response policy.Value[bool]  `attr:"cache-response" default:"false" doc:"Whether to keep any response; otherwise only those with the status 200 are."`
}

// maxCachedBody is the size in bytes up to which bodies are kept; larger ones stream through.
const maxCachedBody = 8 << 20

func (p *cacheStore) Run(x *policy.Exec) error {
	c, _ := x.State(responseCachingKey{}).(*responseCaching)
	if c == nil {
		return nil
	}
	seconds, err := p.Duration.Get(x)
	if err != nil {
		return err
	}
	if whatever, err := p.Response.Get(x); err != nil || !whatever && x.Response.Status != 200 {
		return err
	}
	body, ok, err := cacheableBody(x.Response)
	if err != nil || !ok {
		return err
	}
	ttl := time.Duration(seconds) * time.Second
	stored := storedResponse{status: x.Response.Status, reason: x.Response.Reason, header: x.Response.Header, body: body, expires: x.Now().Add(ttl)}
	c.cache.keep(x, c.key, stored.encode(), seconds)
	c.setHeader(&x.Response.Header, ttl)
	return nil
}

// cacheableBody reads a body that is not too large and leaves it there for whoever reads next.
func cacheableBody(r *message.Response) (body []byte, ok bool, err error) {
	if m, isMemory := r.Body.(message.Memory); isMemory {
		return m.Rest(), len(m.Rest()) <= maxCachedBody, nil
	}
	if r.Body == nil {
		return nil, true, nil
	}
	if r.ContentLength > maxCachedBody || strings.HasPrefix(strings.ToLower(r.Header.Get("Content-Type")), "text/event-stream") {
		return nil, false, nil
	}
	head, err := io.ReadAll(io.LimitReader(r.Body, maxCachedBody+1))
	if err != nil {
		return nil, false, err
	}
	if len(head) > maxCachedBody {
		r.Body = &resumedBody{head: head, Body: r.Body}
		return nil, false, nil
	}
	err = r.Body.Close()
	r.Body, r.ContentLength = message.BytesBody(head), int64(len(head))
	return head, true, err
}

// resumedBody is a body whose beginning has been read.
type resumedBody struct {
	head []byte
	message.Body
}

func (b *resumedBody) Read(p []byte) (int, error) {
	if len(b.head) == 0 {
		return b.Body.Read(p)
	}
	n := copy(p, b.head)
	b.head = b.head[n:]
	return n, nil
}

// storedResponse is a response in the cache.
type storedResponse struct {
	status  int
	reason  string
	header  message.Header
	body    []byte
	expires time.Time
}

// encode writes: expiry in seconds, status, reason, number of fields, names and values, body; numbers and sizes as varints.
func (s *storedResponse) encode() []byte {
	b := make([]byte, 0, len(s.body)+1024)
	b = binary.AppendUvarint(b, uint64(max(s.expires.Unix(), 0)))
	b = binary.AppendUvarint(b, uint64(s.status))
	b = appendText(b, s.reason)
	fields := 0
	for name := range s.header.All() {
		if isShared(name) {
			fields++
		}
	}
	b = binary.AppendUvarint(b, uint64(fields))
	for name, value := range s.header.All() {
		if isShared(name) {
			b = appendText(appendText(b, name), value)
		}
	}
	return append(b, s.body...)
}

// isShared says whether a field may go to other callers: cookies may not.
func isShared(name string) bool { return !message.EqualName(name, "Set-Cookie") }

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

var errStored = errors.New("the response in the cache is damaged")

// decodeResponse reads what encode has written. Texts and body are parts of data, which nobody changes.
func decodeResponse(data []byte) (*storedResponse, error) {
	d := storedReader{rest: data}
	s := &storedResponse{expires: time.Unix(int64(d.number()), 0), status: int(d.number()), reason: d.text()}
	n := d.number()
	s.header.Grow(int(min(n, uint64(len(d.rest)/2)))) // a field takes two bytes at least
	for ; n > 0 && !d.bad; n-- {
		name, value := d.text(), d.text()
		if !message.ValidName(name) || !message.ValidValue(value) {
			d.bad = true
		}
		s.header.Add(name, value)
	}
	s.body = d.rest
	if d.bad || s.status < 200 || s.status > 599 {
		return nil, errStored
	}
	return s, nil
}

type storedReader struct {
	rest []byte
	bad  bool
}

func (d *storedReader) number() uint64 {
	n, size := binary.Uvarint(d.rest)
	if size <= 0 || n > 1<<40 {
		d.bad, d.rest = true, nil
		return 0
	}
	d.rest = d.rest[size:]
	return n
}

func (d *storedReader) text() string {
	n := d.number()
	if n > uint64(len(d.rest)) {
		d.bad, d.rest = true, nil
		return ""
	}
	s := unsafe.String(unsafe.SliceData(d.rest), n)
	d.rest = d.rest[n:]
	return s
}

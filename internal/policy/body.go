package policy

import (
	"bytes"
	"compress/gzip"
	"io"
	"strings"

	"github.com/causeway-apim/causeway/internal/message"
)

// MaxBody is the size in bytes up to which bodies are read into memory.
const MaxBody = 64 << 20

// ReadRequestBody reads the whole request body into memory and leaves it there for whoever reads next. nil when there is none. A body that is
// compressed with gzip is unpacked, and the request sheds its Content-Encoding: policies read and change contents. The bytes must not be
// changed.
func (x *Exec) ReadRequestBody() ([]byte, error) {
	return readBody(&x.Request.Body, &x.Request.ContentLength, &x.Request.Header)
}

// BufferRequestBody reads the request body as it came, so that it can be sent again. nil when there is none. The bytes must not be changed.
func (x *Exec) BufferRequestBody() ([]byte, error) {
	return bufferBody(&x.Request.Body, &x.Request.ContentLength)
}

// ReadResponseBody does for the response what ReadRequestBody does.
func (x *Exec) ReadResponseBody() ([]byte, error) {
	r := x.EnsureResponse()
	return readBody(&r.Body, &r.ContentLength, &r.Header)
}

// readBody replaces a body by its content in memory and returns that.
func readBody(body *message.Body, length *int64, h *message.Header) ([]byte, error) {
	data, err := bufferBody(body, length)
	if err != nil || len(data) == 0 || !isGzip(h.Get("Content-Encoding")) {
		return data, err
	}
	content, err := unpack(data, MaxBody)
	if content == nil {
		return data, err
	}
	h.Del("Content-Encoding")
	*body, *length = message.BytesBody(content), int64(len(content))
	return content, nil
}

// bufferBody replaces a body by one in memory and returns its bytes.
func bufferBody(body *message.Body, length *int64) ([]byte, error) {
	if *body == nil {
		return nil, nil
	}
	if memory, ok := (*body).(message.Memory); ok {
		return memory.Rest(), nil
	}
	data, err := message.ReadAll(*body, MaxBody, *length)
	if err != nil {
		return nil, err
	}
	*body, *length = message.BytesBody(data), int64(len(data))
	return data, nil
}

// isGzip says whether gzip is the only content coding (RFC 9110, section 8.4.1.3).
func isGzip(coding string) bool {
	coding = strings.TrimSpace(coding)
	return strings.EqualFold(coding, "gzip") || strings.EqualFold(coding, "x-gzip")
}

// unpack is what gzip has compressed, at most limit bytes. It is nil for data that gzip has not made.
func unpack(data []byte, limit int64) ([]byte, error) {
	z, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, nil
	}
	content, err := io.ReadAll(io.LimitReader(z, limit+1))
	switch {
	case err != nil:
		return nil, nil
	case int64(len(content)) > limit:
		return nil, &message.TooLargeError{Limit: limit}
	}
	return content, nil
}

// SetBody replaces the body that the section changes: the request's in inbound and backend, the response's in outbound and on-error. The
// message sheds a Content-Encoding that the new body does not have. The bytes are kept, not copied; nil removes the body.
func (x *Exec) SetBody(data []byte) {
	if h := x.Header(); h.Has("Content-Encoding") && !bytes.HasPrefix(data, gzipMagic) {
		h.Del("Content-Encoding")
	}
	if x.Section&(Outbound|OnError) != 0 {
		ReplaceResponseBody(x.EnsureResponse(), data)
		x.bodies.response.consumed = false
		return
	}
	ReplaceRequestBody(x.Request, data)
	x.bodies.request.consumed = false
}

// gzipMagic is how data that gzip has made begins (RFC 1952, section 2.3.1).
var gzipMagic = []byte{0x1f, 0x8b}

// ReplaceRequestBody replaces the body of a request; nil removes it. The bytes are kept, not copied.
func ReplaceRequestBody(r *message.Request, data []byte) {
	replaceBody(&r.Body, &r.ContentLength, data)
}

// ReplaceResponseBody replaces the body of a response; nil removes it. The bytes are kept, not copied.
func ReplaceResponseBody(r *message.Response, data []byte) {
	replaceBody(&r.Body, &r.ContentLength, data)
}

func replaceBody(body *message.Body, length *int64, data []byte) {
	if *body != nil {
		(*body).Close()
	}
	*body, *length = nil, int64(len(data))
	if data != nil {
		*body = message.BytesBody(data)
	}
}

// messageBody is the C# view of a body: IMessageBody. Reading it consumes it unless it is told to preserve the content.
type messageBody struct {
	x        *Exec
	body     *message.Body
	length   *int64
	header   *message.Header
	consumed bool
}

// bodies is the C# view of the current messages' bodies.
type bodies struct {
	request  messageBody
	response ResponseValue
	// failure is why a body could not be read, when an expression ran into it.
	failure error
}

// ResponseValue is the C# view of a response, IResponse: context.Response, and what send-request puts into a variable.
type ResponseValue struct {
	r *message.Response
	messageBody
}

// NewResponseValue makes the value of a variable of a response. Its body streams until somebody reads it; what nobody has read is closed when the
// pipeline has run.
func NewResponseValue(x *Exec, r *message.Response) *ResponseValue {
	v := newResponseValue(x, r)
	x.stored = append(x.stored, r)
	return &v
}

func newResponseValue(x *Exec, r *message.Response) ResponseValue {
	return ResponseValue{r, messageBody{x: x, body: &r.Body, length: &r.ContentLength, header: &r.Header}}
}

// closeStored closes the bodies of responses that nobody has read and that are not the answer.
func (x *Exec) closeStored() {
	for _, r := range x.stored {
		if r != x.Response && r.Body != nil {
			r.Body.Close()
		}
	}
}

// Message is the response itself.
func (v *ResponseValue) Message() *message.Response { return v.r }

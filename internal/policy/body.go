package policy

import "github.com/causeway-apim/causeway/internal/message"

// bodies is what became of the bodies of the current messages.
type bodies struct{ request, response bodyState }

// bodyState is what expressions did with a body.
type bodyState struct{ consumed bool }

// MaxBody is the size in bytes to which bodies are read into memory.
const MaxBody = 64 << 20

// ReadRequestBody reads the whole request body into memory and leaves it there for whoever reads next. nil when there is none. The bytes
// must not be changed.
func (x *Exec) ReadRequestBody() ([]byte, error) {
	return readBody(&x.Request.Body, &x.Request.ContentLength)
}

// ReadResponseBody does for the response what ReadRequestBody does.
func (x *Exec) ReadResponseBody() ([]byte, error) {
	r := x.response()
	return readBody(&r.Body, &r.ContentLength)
}

// readBody replaces a body by one in memory and returns its bytes.
func readBody(body *message.Body, length *int64) ([]byte, error) {
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

// SetBody replaces the body that the section changes: the request's in inbound and backend, the response's in outbound and on-error. The
// bytes are kept, not copied; nil removes the body.
func (x *Exec) SetBody(data []byte) {
	if x.Section&(Outbound|OnError) != 0 {
		r := x.response()
		replaceBody(&r.Body, &r.ContentLength, data)
		x.bodies.response = bodyState{}
		return
	}
	replaceBody(&x.Request.Body, &x.Request.ContentLength, data)
	x.bodies.request = bodyState{}
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

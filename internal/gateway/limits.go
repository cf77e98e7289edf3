package gateway

import (
	"time"

	"github.com/causeway-apim/causeway/internal/gateway/http1"
	"github.com/causeway-apim/causeway/internal/gateway/http2"
)

// ServerLimits bound what clients can make the gateway do. A zero field means the engines' default.
type ServerLimits struct {
	// URLLength is the longest target of a request in bytes: 8 KiB.
	URLLength int
	// HeaderBytes and HeaderFields limit the header of a request: 64 KiB and 128.
	HeaderBytes, HeaderFields int
	// Streams is how many requests at once a connection of HTTP/2 may have: 250.
	Streams int
	// Conns and ConnsPerAddress limit the connections of all clients and of each IP address: none.
	Conns, ConnsPerAddress int
	// HandshakeTimeout limits the TLS handshake, 10 s; HeaderTimeout the arrival of a header, 20 s; IdleTimeout the wait for the next request, 120 s;
	// BodyTimeout each wait for a part of a body, and WriteTimeout how long a client may take nothing of its answer, 60 s.
	HandshakeTimeout, HeaderTimeout, IdleTimeout, BodyTimeout, WriteTimeout time.Duration
	// BodyRate is the least number of bytes a second that the body of a request of HTTP/1.1 has to bring on average: any.
	BodyRate int64
}

func (l *ServerLimits) http1() http1.Limits {
	const method = 64 // with the version, in the request line
	line := l.URLLength
	if line > 0 {
		line += method
	}
	return http1.Limits{
		RequestLine: line, HeaderBytes: l.HeaderBytes, HeaderFields: l.HeaderFields, HandshakeTimeout: l.HandshakeTimeout, HeaderTimeout: l.HeaderTimeout,
		IdleTimeout: l.IdleTimeout, BodyTimeout: l.BodyTimeout, WriteTimeout: l.WriteTimeout, BodyRate: l.BodyRate,
		Conns: l.Conns, ConnsPerAddress: l.ConnsPerAddress,
	}
}

func (l *ServerLimits) http2() http2.Limits {
	return http2.Limits{
		Streams: l.Streams, Target: l.URLLength, HeaderBytes: l.HeaderBytes, HeaderFields: l.HeaderFields, HeaderTimeout: l.HeaderTimeout,
		IdleTimeout: l.IdleTimeout, BodyTimeout: l.BodyTimeout, WriteTimeout: l.WriteTimeout,
	}
}

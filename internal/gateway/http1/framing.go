package http1

import (
	"strings"

	"github.com/causeway-apim/causeway/internal/message"
)

// The fields that mean something to the engine.
const (
	fieldOther = iota
	fieldHost
	fieldDate
	fieldExpect
	fieldUpgrade
	fieldConnection
	fieldContentLength
	fieldTransferEncoding
)

// fieldKind tells the engine's fields from the others.
func fieldKind(name string) int {
	switch len(name) {
	case 4:
		if message.EqualName(name, "Host") {
			return fieldHost
		}
		if message.EqualName(name, "Date") {
			return fieldDate
		}
	case 6:
		if message.EqualName(name, "Expect") {
			return fieldExpect
		}
	case 7:
		if message.EqualName(name, "Upgrade") {
			return fieldUpgrade
		}
	case 10:
		if message.EqualName(name, "Connection") {
			return fieldConnection
		}
	case 14:
		if message.EqualName(name, "Content-Length") {
			return fieldContentLength
		}
	case 17:
		if message.EqualName(name, "Transfer-Encoding") {
			return fieldTransferEncoding
		}
	}
	return fieldOther
}

// framing is what a head says about the end of its message and of its connection.
type framing struct {
	http10    bool
	length    int64 // Content-Length; -1: none
	chunked   bool
	coded     bool // Transfer-Encoding seen
	close     bool
	keepAlive bool
	upgrading bool // "Connection: upgrade"
	upgrade   bool // an Upgrade field
	expect    bool // "Expect: 100-continue"
	hosts     int
	host      string
}

func (f *framing) reset(proto string) { *f = framing{http10: proto == proto10, length: -1} }

// note takes one of the engine's fields. A nil framing is that of a trailer, where fields that frame or route a message have no place.
func (f *framing) note(kind int, value string) error {
	if f == nil {
		if kind == fieldDate {
			return nil
		}
		return errTrailer
	}
	switch kind {
	case fieldHost:
		f.hosts++
		f.host = value
	case fieldExpect:
		if !message.EqualName(value, "100-continue") {
			return errExpect
		}
		f.expect = !f.http10
	case fieldUpgrade:
		f.upgrade = true
	case fieldConnection:
		f.noteConnection(value)
	case fieldContentLength:
		return f.noteLength(value)
	case fieldTransferEncoding:
		return f.noteCoding(value)
	}
	return nil
}

func (f *framing) noteConnection(value string) {
	for value != "" {
		var option string
		option, value, _ = strings.Cut(value, ",")
		option = trimSpace(option)
		switch {
		case message.EqualName(option, "close"):
			f.close = true
		case message.EqualName(option, "keep-alive"):
			f.keepAlive = true
		case message.EqualName(option, "upgrade"):
			f.upgrading = true
		}
	}
}

// noteLength accepts one plain number. Lists and repetitions are refused even when they agree: two readers could take different ones.
func (f *framing) noteLength(value string) error {
	const maxDigits = 18 // below 2^63
	if f.length >= 0 || value == "" || len(value) > maxDigits {
		return errLength
	}
	var n int64
	for i := 0; i < len(value); i++ {
		if !isDigit(value[i]) {
			return errLength
		}
		n = n*10 + int64(value[i]-'0')
	}
	f.length = n
	if f.coded {
		return errBothFramings
	}
	return nil
}

// noteCoding accepts "chunked" as the one coding of the message.
func (f *framing) noteCoding(value string) error {
	switch {
	case f.coded:
		return errCodingTwice
	case f.http10:
		return errCodingVersion
	case f.length >= 0:
		return errBothFramings
	case message.EqualName(value, "chunked"):
		f.coded, f.chunked = true, true
		return nil
	case strings.IndexByte(value, ',') >= 0 && endsWithChunked(value) && !startsWithChunked(value):
		return errCoding // a well-formed list of codings that we do not have
	case value != "" && message.ValidName(value):
		return errCoding
	}
	return errCodingTwice
}

func startsWithChunked(value string) bool {
	first, _, _ := strings.Cut(value, ",")
	return message.EqualName(trimSpace(first), "chunked")
}

func endsWithChunked(value string) bool {
	return message.EqualName(trimSpace(value[strings.LastIndexByte(value, ',')+1:]), "chunked")
}

// persistent says whether the sender of the head keeps the connection open after the message (RFC 9112, 9.3).
func (f *framing) persistent() bool {
	if f.http10 {
		return f.keepAlive && !f.close
	}
	return !f.close
}

// bodyLength is the length of a request's body: 0 without one, -1 when it is not known.
func (f *framing) bodyLength() int64 {
	if f.chunked {
		return -1
	}
	return max(f.length, 0)
}

// requestBody starts b for the body of a request.
func (f *framing) requestBody(b *bodyReader) {
	switch length := f.bodyLength(); {
	case length < 0:
		b.begin(bodyChunked, 0)
	case length > 0:
		b.begin(bodyFixed, length)
	default:
		b.begin(bodyNone, 0)
	}
}

// responseBody starts b for the body of a response (RFC 9112, 6.3) and returns the length to show.
func (f *framing) responseBody(b *bodyReader, method string, status int) (length int64) {
	switch {
	case status == 204 || status/100 == 1:
		b.begin(bodyNone, 0)
		return 0
	case method == "HEAD" || status == 304:
		b.begin(bodyNone, 0)
		return f.length
	case f.chunked:
		b.begin(bodyChunked, 0)
		return -1
	case f.length > 0:
		b.begin(bodyFixed, f.length)
		return f.length
	case f.length == 0:
		b.begin(bodyNone, 0)
		return 0
	}
	b.begin(bodyUntilClose, 0)
	return -1
}

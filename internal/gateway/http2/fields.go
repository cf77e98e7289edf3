package http2

import (
	"slices"
	"strconv"
	"strings"
	"time"

	h2 "golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/causeway-apim/causeway/internal/message"
)

// headLimits bound a field block; count and bytes as RFC 9113, 6.5.2 counts them.
type headLimits struct {
	bytes, fields int
}

// maxFragments is how many frames a field block may come in.
const maxFragments = 64

// head is a field block: a request, an answer, an interim answer or a trailer. It is reused for each of a connection.
type head struct {
	id        uint32
	end       bool // with END_STREAM
	list      []hpack.HeaderField
	size      int
	bytes     int // as sent
	fragments int
	tooLarge  bool
	itself    bool      // names itself as the stream that it depends on
	open      time.Time // when it began, while parts of it are missing
}

// begin forgets the block before.
func (h *head) begin(id uint32, end bool) {
	clear(h.list)
	*h = head{id: id, end: end, list: h.list[:0]}
}

// gotField takes a field from the decoder.
func (l *link) gotField(f hpack.HeaderField) {
	h := &l.head
	h.size += int(f.Size())
	if h.tooLarge = h.tooLarge || h.size > l.limits.bytes || len(h.list) >= l.limits.fields; !h.tooLarge {
		h.list = append(h.list, f)
	}
}

// The fields that mean something to the engine.
const (
	fieldOther = iota
	fieldDate
	fieldHost
	fieldCookie
	fieldExpect
	fieldLength
	fieldTE
	fieldConnection // and the others that belong to a connection of HTTP/1.1
)

// fieldKind tells the engine's fields from the others.
func fieldKind(name string) int {
	var known string
	var kind int
	switch len(name) {
	case 2:
		known, kind = "te", fieldTE
	case 4:
		if known, kind = "host", fieldHost; name[0]|0x20 == 'd' {
			known, kind = "date", fieldDate
		}
	case 6:
		if known, kind = "cookie", fieldCookie; name[0]|0x20 == 'e' {
			known, kind = "expect", fieldExpect
		}
	case 7:
		known, kind = "upgrade", fieldConnection
	case 10:
		if known, kind = "connection", fieldConnection; name[0]|0x20 == 'k' {
			known = "keep-alive"
		}
	case 14:
		if known, kind = "content-length", fieldLength; name[0]|0x20 == 'h' {
			known, kind = "http2-settings", fieldConnection
		}
	case 16:
		known, kind = "proxy-connection", fieldConnection
	case 17:
		known, kind = "transfer-encoding", fieldConnection
	default:
		return fieldOther
	}
	if message.EqualName(name, known) {
		return kind
	}
	return fieldOther
}

// validReceived says whether a regular field may stand in a message (RFC 9113, 8.2).
func validReceived(f hpack.HeaderField) bool {
	if !message.ValidName(f.Name) || !message.ValidValue(f.Value) || strings.Trim(f.Value, " \t") != f.Value {
		return false
	}
	for i := 0; i < len(f.Name); i++ {
		if c := f.Name[i]; 'A' <= c && c <= 'Z' {
			return false
		}
	}
	return true
}

// trailerOf returns the fields of a trailer; ok is false when it is malformed. Fields that frame or route a message are dropped.
func trailerOf(list []hpack.HeaderField) (trailer message.Header, ok bool) {
	for _, f := range list {
		if !validReceived(f) {
			return trailer, false
		}
		switch fieldKind(f.Name) {
		case fieldConnection:
			return trailer, false
		case fieldOther, fieldDate:
			trailer.Add(f.Name, f.Value)
		}
	}
	return trailer, true
}

// parseLength parses a Content-Length. Lists are refused even when their members agree.
func parseLength(value string) (int64, bool) {
	const maxDigits = 18 // below 2^63
	if value == "" || len(value) > maxDigits || value[0] == '+' || value[0] == '-' {
		return 0, false
	}
	n, err := strconv.ParseInt(value, 10, 64)
	return n, err == nil
}

// put encodes a field into the block that is being made. The lock is held; what is encoded must be sent.
func (l *link) put(name, value string) {
	_ = l.encoder.WriteField(hpack.HeaderField{Name: name, Value: value}) // a bytes.Buffer takes everything
}

// putHeader encodes the fields of a header that may be sent, but Host, and Content-Length, which the engine writes. It says whether there is a Date.
func (l *link) putHeader(h *message.Header) (dated bool) {
	named := h.Joined("Connection")
	for i := range h.Len() {
		f := h.At(i)
		switch fieldKind(f.Name) {
		case fieldHost, fieldLength, fieldConnection:
			continue
		case fieldTE:
			if !message.EqualName(f.Value, "trailers") {
				continue // RFC 9113, 8.2.2
			}
		case fieldDate:
			dated = true
		}
		if named != "" && h.HasToken("Connection", f.Name) {
			continue
		}
		l.put(lowerName(f.Name), strings.Trim(f.Value, " \t"))
	}
	return dated
}

// putTrailer encodes the fields of a trailer. Those that do not belong there or cannot be sent are left out.
func (l *link) putTrailer(h *message.Header) {
	for i := range h.Len() {
		f := h.At(i)
		if kind := fieldKind(f.Name); (kind == fieldOther || kind == fieldDate) && message.ValidName(f.Name) && message.ValidValue(f.Value) {
			l.put(lowerName(f.Name), strings.Trim(f.Value, " \t"))
		}
	}
}

// putLength encodes a Content-Length.
func (l *link) putLength(n int64) { l.put("content-length", strconv.FormatInt(n, 10)) }

// lowerName returns a name in small letters, without allocating when it is so already or well known.
func lowerName(name string) string {
	for i := 0; i < len(name); i++ {
		if c := name[i]; 'A' <= c && c <= 'Z' {
			if at, found := slices.BinarySearchFunc(commonNames[:], name, func(pair [2]string, name string) int { return strings.Compare(pair[0], name) }); found {
				return commonNames[at][1]
			}
			return strings.ToLower(name)
		}
	}
	return name
}

// commonNames are names as most HTTP/1.1 servers spell them, sorted, with what they become.
var commonNames = func() (pairs [16][2]string) {
	for i, name := range [...]string{
		"Accept-Ranges", "Cache-Control", "Content-Encoding", "Content-Language", "Content-Type", "Date", "ETag", "Expires", "Last-Modified",
		"Location", "Pragma", "Server", "Set-Cookie", "Vary", "X-Forwarded-For", "X-Forwarded-Proto",
	} {
		pairs[i] = [2]string{name, strings.ToLower(name)}
	}
	return pairs
}()

// sendHead gathers what put has encoded as a HEADERS frame and what does not fit as CONTINUATION frames. The lock is held.
func (s *stream) sendHead(end bool) {
	l := s.link
	block := l.fields.Bytes()
	kind, flags := h2.FrameHeaders, h2.Flags(0)
	if end {
		flags = h2.FlagHeadersEndStream
		s.outEnded = true
	}
	for {
		part := block[:min(len(block), l.peerFrame, maxFrame)]
		if block = block[len(part):]; len(block) == 0 {
			flags |= h2.FlagHeadersEndHeaders
		}
		l.frame(kind, flags, s.id, part)
		s.bytesOut += frameHead + int64(len(part))
		if len(block) == 0 {
			break
		}
		kind, flags = h2.FrameContinuation, 0
	}
	l.fields.Reset()
	if end {
		s.checkEnd()
	}
}

package http1

import (
	"fmt"
	"strings"
	"unsafe"

	"github.com/causeway-apim/causeway/internal/message"
)

// refusal is a request that is answered by the engine itself, which then closes the connection.
type refusal struct {
	status int
	reason string
}

func (e *refusal) Error() string { return fmt.Sprintf("%s (%d)", e.reason, e.status) }
func (e *refusal) Unwrap() error { return message.ErrMalformed }

// What is refused, and with which status.
var (
	errRequestLine   = &refusal{400, "request line is malformed"}
	errVersion       = &refusal{505, "protocol version is not supported"}
	errTarget        = &refusal{400, "request target is malformed"}
	errTargetTooLong = &refusal{414, "request line is too long"}
	errConnect       = &refusal{405, "CONNECT is not supported"}
	errHost          = &refusal{400, "Host field is missing, repeated or malformed"}
	errField         = &refusal{400, "field line is malformed"}
	errTooLarge      = &refusal{431, "head is too large"}
	errTooMany       = &refusal{431, "head has too many fields"}
	errLength        = &refusal{400, "Content-Length is malformed or repeated"}
	errBothFramings  = &refusal{400, "Content-Length and Transfer-Encoding are both there"}
	errCoding        = &refusal{501, "transfer coding is not supported"}
	errCodingTwice   = &refusal{400, "Transfer-Encoding is repeated or chunked is not its only coding"}
	errCodingVersion = &refusal{400, "Transfer-Encoding needs HTTP/1.1"}
	errExpect        = &refusal{417, "expectation is not supported"}
	errStatusLine    = &refusal{502, "status line is malformed"}
	errChunk         = &refusal{400, "chunk is malformed"}
	errTrailer       = &refusal{400, "trailer is malformed or too large"}
	errHeaderTimeout = &refusal{408, "head did not arrive in time"}
)

const (
	proto10 = "HTTP/1.0"
	proto11 = "HTTP/1.1"
)

// alias returns b as a string without copying it. The string is valid until the buffer of b is reused: for heads, until input.release.
func alias(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// parseRequest parses the head that text begins with into req, whose strings alias it, notes in f what frames the message and returns the length of
// the head. secure says whether the connection has TLS. maxFields limits the number of fields.
func parseRequest(text string, req *message.Request, f *framing, secure bool, maxFields int) (size int, err error) {
	line, fields, ended := cutLine(text)
	method, rest, _ := strings.Cut(line, " ")
	target, version, found := strings.Cut(rest, " ")
	if !ended || !found || !message.ValidName(method) || target == "" {
		return 0, errRequestLine
	}
	proto, err := parseVersion(version)
	if err != nil {
		return 0, err
	}
	req.Method, req.Target, req.Proto = method, target, proto
	f.reset(proto)
	if fields, err = parseFields(fields, &req.Header, f, maxFields); err != nil {
		return 0, err
	}
	return len(text) - len(fields), parseTarget(req, f, secure)
}

// cutLine splits text behind its first line. ended says whether that has an end, which is CR LF.
func cutLine(text string) (line, rest string, ended bool) {
	end := strings.IndexByte(text, '\r')
	if end < 0 || end+1 == len(text) || text[end+1] != '\n' {
		return "", "", false
	}
	return text[:end], text[end+2:], true
}

// parseVersion maps the text after the target to one of the versions that we speak. Later minor versions are answered as 1.1 (RFC 9110, 6.2).
func parseVersion(version string) (string, error) {
	if len(version) != len(proto11) || version[:5] != "HTTP/" || version[6] != '.' || !isDigit(version[5]) || !isDigit(version[7]) {
		return "", errRequestLine
	}
	switch {
	case version[5] != '1':
		return "", errVersion
	case version[7] == '0':
		return proto10, nil
	}
	return proto11, nil
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// parseTarget fills the URL from the target's four forms (RFC 9112, 3.2) and the Host field.
func parseTarget(req *message.Request, f *framing, secure bool) error {
	for i := 0; i < len(req.Target); i++ {
		if c := req.Target[i]; c <= ' ' || c == 0x7f || c == '#' {
			return errTarget
		}
	}
	req.URL = message.URL{Scheme: "http"}
	if secure {
		req.URL.Scheme = "https"
	}
	if f.hosts > 1 || f.hosts == 0 && req.Proto != proto10 {
		return errHost
	}
	host, port, err := message.SplitAuthority(f.host)
	if err != nil {
		return errHost
	}
	req.URL.Host, req.URL.Port = host, port
	switch {
	case req.Method == "CONNECT":
		return errConnect
	case req.Target[0] == '/':
		req.URL.Path, req.URL.RawQuery, _ = strings.Cut(req.Target, "?")
	case req.Target == "*" && req.Method == "OPTIONS":
		req.URL.Path = "*"
	default:
		return parseAbsolute(req)
	}
	return nil
}

// parseAbsolute takes host and path from an absolute-form target, which replaces what the Host field says (RFC 9112, 3.2.2). The scheme stays that
// of the connection: a client's word does not make it secure.
func parseAbsolute(req *message.Request) error {
	u, err := message.ParseURL(req.Target)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" {
		return errTarget
	}
	authority := req.Target[len(u.Scheme)+len("://"):]
	if end := strings.IndexAny(authority, "/?"); end >= 0 {
		authority = authority[:end]
	}
	if u.Port == 0 && u.Scheme != req.URL.Scheme {
		u.Port = u.EffectivePort()
	}
	u.Scheme = req.URL.Scheme
	req.URL = u
	req.Header.Set("Host", authority)
	return nil
}

// parseStatus parses the head of a response that text begins with and returns its length.
func parseStatus(text string, resp *message.Response, f *framing, maxFields int) (size int, err error) {
	line, fields, ended := cutLine(text)
	// "HTTP/1.1 200" and an optional reason; some servers leave out the space before an empty one.
	if !ended || len(line) < 12 || line[8] != ' ' || len(line) > 12 && line[12] != ' ' {
		return 0, errStatusLine
	}
	proto, err := parseVersion(line[:8])
	if err != nil {
		return 0, errStatusLine
	}
	a, b, c := line[9], line[10], line[11]
	if a < '1' || a > '9' || !isDigit(b) || !isDigit(c) {
		return 0, errStatusLine
	}
	resp.Status = int(a-'0')*100 + int(b-'0')*10 + int(c-'0')
	resp.Reason = ""
	if len(line) > 13 {
		resp.Reason = line[13:]
	}
	if !message.ValidValue(resp.Reason) {
		return 0, errStatusLine
	}
	f.reset(proto)
	fields, err = parseFields(fields, &resp.Header, f, maxFields)
	return len(text) - len(fields), err
}

// parseFields parses the lines up to the empty one into h and returns what follows that. f is nil for trailers, whose framing fields are refused.
func parseFields(lines string, h *message.Header, f *framing, maxFields int) (rest string, err error) {
	for {
		colon := message.TokenLength(lines)
		if colon == 0 && len(lines) >= 2 && lines[:2] == "\r\n" {
			return lines[2:], nil
		}
		if colon == 0 || colon == len(lines) || lines[colon] != ':' {
			return "", errField // folded lines end here too: white space is no part of a name
		}
		name := lines[:colon]
		lines = lines[colon+1:]
		end := message.ValueLength(lines)
		if end+1 >= len(lines) || lines[end] != '\r' || lines[end+1] != '\n' {
			return "", errField
		}
		value := trimSpace(lines[:end])
		lines = lines[end+2:]
		if h.Len() == maxFields {
			return "", errTooMany
		}
		if kind := fieldKind(name); kind != fieldOther {
			if err := f.note(kind, value); err != nil {
				return "", err
			}
		}
		h.Add(name, value)
	}
}

// trimSpace removes optional white space (RFC 9110, 5.6.3), which is only space and tab.
func trimSpace(s string) string {
	for s != "" && (s[0] == ' ' || s[0] == '\t') {
		s = s[1:]
	}
	for s != "" && (s[len(s)-1] == ' ' || s[len(s)-1] == '\t') {
		s = s[:len(s)-1]
	}
	return s
}

package policy

import (
	"encoding/hex"
	"strconv"
)

// appendErrorBody appends APIM's error body. The activity is left out when it is empty.
func appendErrorBody(b []byte, status int, text, activity string) []byte {
	b = append(b, `{"statusCode":`...)
	b = strconv.AppendInt(b, int64(status), 10)
	b = appendJSONString(append(b, `,"message":`...), text)
	if activity != "" {
		b = appendJSONString(append(b, `,"activityId":`...), activity)
	}
	return append(b, '}')
}

// appendJSONString appends a JSON string; non-ASCII and the characters of HTML stay as they are.
func appendJSONString(b []byte, s string) []byte {
	const hexDigits = "0123456789abcdef"
	b = append(b, '"')
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c == '\n':
			b = append(b, '\\', 'n')
		case c == '\r':
			b = append(b, '\\', 'r')
		case c == '\t':
			b = append(b, '\\', 't')
		case c < ' ':
			b = append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		default:
			b = append(b, c)
		}
	}
	return append(b, '"')
}

// RequestIDString is context.RequestId as text: the activity ID of error bodies.
func (x *Exec) RequestIDString() string {
	var b [36]byte
	id := x.RequestID[:]
	hex.Encode(b[0:8], id[0:4])
	hex.Encode(b[9:13], id[4:6])
	hex.Encode(b[14:18], id[6:8])
	hex.Encode(b[19:23], id[8:10])
	hex.Encode(b[24:36], id[10:16])
	b[8], b[13], b[18], b[23] = '-', '-', '-', '-'
	return string(b[:])
}

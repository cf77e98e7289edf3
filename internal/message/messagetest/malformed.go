package messagetest

import "strings"

// MalformedRequest is a request of HTTP/1.1 that recipients read in different ways, or that no recipient may pass on. What they are is known from RFC
// 9112 (sections 2.2, 3, 5, 6 and 11.2) and from what HTTP Garden, James Kettle's HTTP desync research and others have published about servers.
type MalformedRequest struct {
	Name string
	// Status is what our engine answers before it closes the connection.
	Status int
	Text   string
}

// MalformedRequests returns all that there are. Each is a whole request for some readers.
func MalformedRequests() []MalformedRequest {
	return append(append(malformedFramings(), malformedLines()...), malformedTargets()...)
}

const (
	postHead = "POST / HTTP/1.1\r\nHost: h\r\n"
	getHead  = "GET / HTTP/1.1\r\nHost: h\r\n"
	empty    = "0\r\n\r\n" // a chunked body
)

// smuggled is a request inside another.
const smuggled = "GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n"

// malformedFramings are those whose body ends in several places.
func malformedFramings() []MalformedRequest {
	return []MalformedRequest{
		{"two lengths", 400, postHead + "Content-Length: 1\r\nContent-Length: 2\r\n\r\nab"},
		{"same length twice", 400, postHead + "Content-Length: 1\r\nContent-Length: 1\r\n\r\na"},
		{"list of lengths", 400, postHead + "Content-Length: 1, 1\r\n\r\na"},
		{"signed length", 400, postHead + "Content-Length: +1\r\n\r\na"},
		{"negative length", 400, postHead + "Content-Length: -1\r\n\r\na"},
		{"hexadecimal length", 400, postHead + "Content-Length: 0x1\r\n\r\na"},
		{"empty length", 400, postHead + "Content-Length:\r\n\r\n"},
		{"overflowing length", 400, postHead + "Content-Length: 18446744073709551617\r\n\r\na"},
		{"length and chunked", 400, postHead + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n" + empty},
		{"chunked and length", 400, postHead + "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n" + empty},
		{"chunked twice", 400, postHead + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n" + empty},
		{"chunked, chunked", 400, postHead + "Transfer-Encoding: chunked, chunked\r\n\r\n" + empty},
		{"chunked, identity", 400, postHead + "Transfer-Encoding: chunked, identity\r\n\r\n" + empty},
		{"unknown coding", 501, postHead + "Transfer-Encoding: xchunked\r\n\r\n" + empty},
		{"identity", 501, postHead + "Transfer-Encoding: identity\r\n\r\n"},
		{"gzip, chunked", 501, postHead + "Transfer-Encoding: gzip, chunked\r\n\r\n" + empty},
		{"vertical tab before chunked", 400, postHead + "Transfer-Encoding: \x0bchunked\r\n\r\n" + empty},
		{"quoted chunked", 400, postHead + "Transfer-Encoding: \"chunked\"\r\n\r\n" + empty},
		{"empty coding", 400, postHead + "Transfer-Encoding:\r\n\r\n"},
		{"space before colon", 400, postHead + "Transfer-Encoding : chunked\r\n\r\n" + empty},
		{"chunked in 1.0", 400, "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n" + empty},
		{"coding with a parameter", 400, postHead + "Transfer-Encoding: chunked;q=1\r\n\r\n" + empty},
		{"chunked before another", 400, postHead + "Transfer-Encoding: chunked, x\r\n\r\n" + empty},
		{"chunked and an empty one", 400, postHead + "Transfer-Encoding: chunked,\r\n\r\n" + empty},
		{"an empty one and chunked", 501, postHead + "Transfer-Encoding: , chunked\r\n\r\n" + empty},
		{"unknown one and chunked", 501, postHead + "Transfer-Encoding: x, chunked\r\n\r\n" + empty},
		{"unknown line behind chunked", 400, postHead + "Transfer-Encoding: chunked\r\nTransfer-encoding: x\r\n\r\n" + empty},
		{"unknown line before chunked", 501, postHead + "Transfer-Encoding: x\r\nTransfer-Encoding: chunked\r\n\r\n" + empty},
		{"space in chunked", 400, postHead + "Transfer-Encoding: chu nked\r\n\r\n" + empty},
		{"NUL behind chunked", 400, postHead + "Transfer-Encoding: chunked\x00\r\n\r\n" + empty},
		{"form feed before chunked", 400, postHead + "Transfer-Encoding: \x0cchunked\r\n\r\n" + empty},
		{"no-break space before chunked", 400, postHead + "Transfer-Encoding: \xa0chunked\r\n\r\n" + empty},
		{"NUL in name of the coding", 400, postHead + "Transfer-Encoding\x00: chunked\r\n\r\n" + empty},
		{"tab before colon", 400, postHead + "Transfer-Encoding\t: chunked\r\n\r\n" + empty},
		{"control before name", 400, postHead + "\x0bTransfer-Encoding: chunked\r\n\r\n" + empty},
		{"folded coding", 400, postHead + "Transfer-Encoding:\r\n chunked\r\n\r\n" + empty},
		{"folded colon", 400, postHead + "Transfer-Encoding\r\n: chunked\r\n\r\n" + empty},
		{"coding behind bare LF", 400, postHead + "X: y\nTransfer-Encoding: chunked\r\n\r\n" + empty},
		{"coding behind bare CR", 400, postHead + "X: y\rTransfer-Encoding: chunked\r\n\r\n" + empty},
		{"coding behind two CR", 400, postHead + "X: y\r\r\nTransfer-Encoding: chunked\r\n\r\n" + empty},
		{"coding in a folded line", 400, postHead + "X: y\r\n\tTransfer-Encoding: chunked\r\n\r\n" + empty},
		{"length and chunked around a request", 400, postHead + "Content-Length: 40\r\nTransfer-Encoding: chunked\r\n\r\n" + empty + smuggled},
		{"chunked and a short length", 400, postHead + "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n23\r\n" + smuggled + "\r\n" + empty},
		{"two numbers in a length", 400, postHead + "Content-Length: 5 5\r\n\r\nabcde"},
		{"list of other lengths", 400, postHead + "Content-Length: 5, 6\r\n\r\nabcde"},
		{"length with a parameter", 400, postHead + "Content-Length: 5;\r\n\r\nabcde"},
		{"length with a low line", 400, postHead + "Content-Length: 1_0\r\n\r\nabcde"},
		{"decimal length", 400, postHead + "Content-Length: 5.0\r\n\r\nabcde"},
		{"length with an exponent", 400, postHead + "Content-Length: 5e0\r\n\r\nabcde"},
		{"control before length", 400, postHead + "Content-Length: \x0b5\r\n\r\nabcde"},
		{"NUL behind length", 400, postHead + "Content-Length: 5\x00\r\n\r\nabcde"},
		{"length in other digits", 400, postHead + "Content-Length: \uff15\r\n\r\nabcde"},
		{"length in quotes", 400, postHead + "Content-Length: \"5\"\r\n\r\nabcde"},
		{"length behind a no-break space", 400, postHead + "Content-Length\u00a0: 5\r\n\r\nabcde"},
		{"length before a colon and space", 400, postHead + "Content-Length : 5\r\n\r\nabcde"},
		{"length folded", 400, postHead + "Content-Length:\r\n 5\r\n\r\nabcde"},
	}
}

// malformedLines are those whose lines are wrong.
func malformedLines() []MalformedRequest {
	return []MalformedRequest{
		{"folded field", 400, getHead + "X-A: 1\r\n 2\r\n\r\n"},
		{"folded first field", 400, "GET / HTTP/1.1\r\n Host: h\r\n\r\n"},
		{"bare CR in value", 400, getHead + "X-A: 1\rX-B: 2\r\n\r\n"},
		{"bare LF in value", 400, getHead + "X-A: 1\nX-B: 2\r\n\r\n"},
		{"only LF", 400, "GET / HTTP/1.1\nHost: h\n\n"},
		{"NUL in value", 400, getHead + "X-A: a\x00b\r\n\r\n"},
		{"NUL in name", 400, getHead + "X\x00A: b\r\n\r\n"},
		{"empty name", 400, getHead + ": b\r\n\r\n"},
		{"no colon", 400, getHead + "X-A\r\n\r\n"},
		{"space in name", 400, getHead + "X A: b\r\n\r\n"},
		{"no version", 400, "GET /\r\nHost: h\r\n\r\n"},
		{"bad version", 400, "GET / HTTP/1.1x\r\nHost: h\r\n\r\n"},
		{"version 2.0", 505, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"},
		{"two spaces", 400, "GET  / HTTP/1.1\r\nHost: h\r\n\r\n"},
		{"tab in line", 400, "GET\t/ HTTP/1.1\r\nHost: h\r\n\r\n"},
		{"unknown expectation", 417, getHead + "Expect: miracles\r\n\r\n"},
		{"leading space", 400, " GET / HTTP/1.1\r\nHost: h\r\n\r\n"},
		{"two empty lines first", 400, "\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n"},
		{"TLS", 400, "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\n"},
		{"bare LF first", 400, "\n" + getHead + "\r\n"},
		{"bare CR first", 400, "\r" + getHead + "\r\n"},
		{"bare CR before a field", 400, getHead + "\rX: y\r\n\r\n"},
		{"two CR at the end of a line", 400, getHead + "X: y\r\r\n\r\n"},
		{"end of the head with a bare CR", 400, getHead + "\r" + smuggled},
		{"end of the head with a bare LF", 400, getHead + "\n" + smuggled},
		{"delete in value", 400, getHead + "X: a\x7fb\r\n\r\n"},
		{"bytes above 127 in name", 400, getHead + "X\xff: b\r\n\r\n"},
		{"HTTP/0.9", 400, "GET /\r\n\r\n"},
		{"version 0.9", 505, "GET / HTTP/0.9\r\nHost: h\r\n\r\n"},
		{"version 3.0", 505, "GET / HTTP/3.0\r\nHost: h\r\n\r\n"},
		{"version in small letters", 400, "GET / http/1.1\r\nHost: h\r\n\r\n"},
		{"version with more digits", 400, "GET / HTTP/1.10\r\nHost: h\r\n\r\n"},
		{"version with a zero", 400, "GET / HTTP/01.1\r\nHost: h\r\n\r\n"},
		{"version with a sign", 400, "GET / HTTP/+1.1\r\nHost: h\r\n\r\n"},
		{"version with a comma", 400, "GET / HTTP/1,1\r\nHost: h\r\n\r\n"},
		{"space behind version", 400, "GET / HTTP/1.1 \r\nHost: h\r\n\r\n"},
		{"other protocol", 400, "GET / HTP/1.1\r\nHost: h\r\n\r\n"},
		{"no method", 400, " / HTTP/1.1\r\nHost: h\r\n\r\n"},
		{"NUL in method", 400, "G\x00T / HTTP/1.1\r\nHost: h\r\n\r\n"},
		{"separator in method", 400, "G(T / HTTP/1.1\r\nHost: h\r\n\r\n"},
		{"vertical tab in line", 400, "GET\x0b/ HTTP/1.1\r\nHost: h\r\n\r\n"},
		{"expectation behind another", 417, postHead + "Expect: y 100-continue\r\nContent-Length: 5\r\n\r\nabcde"},
		{"two expectations", 417, postHead + "Expect: 100-continue, x\r\nContent-Length: 5\r\n\r\nabcde"},
	}
}

// malformedTargets are those that several hosts could be meant by, or none.
func malformedTargets() []MalformedRequest {
	return []MalformedRequest{
		{"no host", 400, "GET / HTTP/1.1\r\n\r\n"},
		{"two hosts", 400, getHead + "Host: h\r\n\r\n"},
		{"host with user", 400, "GET / HTTP/1.1\r\nHost: a@b\r\n\r\n"},
		{"host with path", 400, "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"},
		{"host with bad port", 400, "GET / HTTP/1.1\r\nHost: a:99999\r\n\r\n"},
		{"space in target", 400, "GET /a b HTTP/1.1\r\nHost: h\r\n\r\n"},
		{"control in target", 400, "GET /a\x01 HTTP/1.1\r\nHost: h\r\n\r\n"},
		{"fragment", 400, "GET /a#b HTTP/1.1\r\nHost: h\r\n\r\n"},
		{"relative target", 400, "GET a HTTP/1.1\r\nHost: h\r\n\r\n"},
		{"asterisk for GET", 400, "GET * HTTP/1.1\r\nHost: h\r\n\r\n"},
		{"other scheme", 400, "GET ftp://h/ HTTP/1.1\r\nHost: h\r\n\r\n"},
		{"CONNECT", 405, "CONNECT h:443 HTTP/1.1\r\nHost: h:443\r\n\r\n"},
		{"host with space", 400, "GET / HTTP/1.1\r\nHost: a b\r\n\r\n"},
		{"host list", 400, "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n"},
		{"host with an open bracket", 400, "GET / HTTP/1.1\r\nHost: [::1\r\n\r\n"},
		{"host with signed port", 400, "GET / HTTP/1.1\r\nHost: a:-1\r\n\r\n"},
		{"host with port in hexadecimal", 400, "GET / HTTP/1.1\r\nHost: a:0x50\r\n\r\n"},
		{"host with backslash", 400, "GET / HTTP/1.1\r\nHost: a\\b\r\n\r\n"},
		{"host with query", 400, "GET / HTTP/1.1\r\nHost: a?b\r\n\r\n"},
		{"host with fragment", 400, "GET / HTTP/1.1\r\nHost: a#b\r\n\r\n"},
		{"host with NUL", 400, "GET / HTTP/1.1\r\nHost: a\x00b\r\n\r\n"},
		{"host with two ports", 400, "GET / HTTP/1.1\r\nHost: a:1:2\r\n\r\n"},
		{"host in quotes", 400, "GET / HTTP/1.1\r\nHost: \"a\"\r\n\r\n"},
		{"host in another spelling too", 400, getHead + "hOsT: other\r\n\r\n"},
		{"absolute form without Host", 400, "GET http://h/ HTTP/1.1\r\n\r\n"},
		{"absolute form with user", 400, "GET http://a@h/ HTTP/1.1\r\nHost: h\r\n\r\n"},
		{"absolute form without authority", 400, "GET http:///a HTTP/1.1\r\nHost: h\r\n\r\n"},
		{"absolute form with one slash", 400, "GET http:/h/ HTTP/1.1\r\nHost: h\r\n\r\n"},
		{"absolute form with bad port", 400, "GET http://h:99999/ HTTP/1.1\r\nHost: h\r\n\r\n"},
		{"authority form for GET", 400, "GET h:80 HTTP/1.1\r\nHost: h:80\r\n\r\n"},
		{"NUL in target", 400, "GET /a\x00b HTTP/1.1\r\nHost: h\r\n\r\n"},
		{"bare CR in target", 400, "GET /a\rb HTTP/1.1\r\nHost: h\r\n\r\n"},
		{"backslash for a slash", 400, "GET \\a HTTP/1.1\r\nHost: h\r\n\r\n"},
	}
}

// MalformedChunks returns chunked bodies that recipients read in different ways.
func MalformedChunks() []string {
	return []string{
		"x\r\n", "\r\n", "-1\r\n", "+1\r\na\r\n0\r\n\r\n", "0x1\r\na\r\n0\r\n\r\n", "1 \r\na\r\n0\r\n\r\n", " 1\r\na\r\n0\r\n\r\n", "1\na\r\n0\r\n\r\n",
		"1\r\nab\r\n0\r\n\r\n", "1\r\na\n0\r\n\r\n", "1\r\na\r0\r\n\r\n", "1\ra\r\n0\r\n\r\n", "1;a\nb\r\na\r\n0\r\n\r\n", "1;\x00\r\na\r\n0\r\n\r\n",
		"ffffffffffffffff\r\n", "1000000000000000\r\n", "0000000000000001\r\na\r\n0\r\n\r\n", "0\r\nX: 1\n\r\n", "0\r\n X: 1\r\n\r\n",
		"0\r\nContent-Length: 1\r\n\r\n", "0\r\nTransfer-Encoding: chunked\r\n\r\n", "0\r\nX\r\n\r\n", "0\r\nX: " + strings.Repeat("a", 20<<10),
		"1;" + strings.Repeat("a", 20<<10) + "\r\na\r\n0\r\n\r\n",
		"0\n\n", "0\r\n\n", "1\r\r\na\r\n" + empty, "1;a\r\r\na\r\n" + empty, "0_1\r\na\r\n" + empty, "1_0\r\na\r\n" + empty,
		"\t1\r\na\r\n" + empty, "1\t\r\na\r\n" + empty, "1\x00\r\na\r\n" + empty, "\uff11\r\na\r\n" + empty, "1,1\r\na\r\n" + empty,
		"1.0\r\na\r\n" + empty, "1\r\naXX" + empty, "1\r\na" + empty, "0\r\nX: a\rb\r\n\r\n", "0\r\nHost: other\r\n\r\n", "0\r\nX : a\r\n\r\n",
		"1;a=\"\n\"\r\na\r\n" + empty, "1 ;a\r\na\r\n" + empty, "-0\r\n\r\n", "00000000000000000\r\n\r\n",
	}
}

// Package http1 is the gateway's HTTP/1.1 engine: [Server] on the clients' side and [Client] on the backends' side of package message.
//
// One goroutine serves a connection. A message's head is read into a pooled buffer and parsed where it lies: the strings of its fields alias the
// buffer, which is not touched again before the exchange finishes (or the response is released). Bodies flow through the room behind the head, or
// past it when the reader's buffer is larger. Head and the first part of a body leave in one write.
//
// Parsing is strict (RFC 9112): whatever two implementations could read in two ways is refused, see the errors in head.go and framing.go. Only
// CRLF ends a line; one Content-Length or one "Transfer-Encoding: chunked", never both; no folding, no space before colons, no control characters.
//
// Under the race detector a finished head is overwritten, so that strings that outlive their exchange show.
package http1

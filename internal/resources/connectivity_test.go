package resources

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/causeway-apim/causeway/internal/arm"
	"github.com/causeway-apim/causeway/internal/importer"
)

func TestConnectivity(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost || r.Header.Get("X-Probe") != "1" || r.URL.Path != "/health" {
			w.WriteHeader(http.StatusBadRequest)
		}
	}))
	t.Cleanup(server.Close)
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = closed.Close()
	open, none := server.Listener.Addr().(*net.TCPAddr).Port, closed.Addr().(*net.TCPAddr).Port
	const post = `"protocol":"HTTP","protocolConfiguration":{"HTTPConfiguration":{"method":"POST","headers":[{"name":"X-Probe","value":"1"}],"validStatusCodes":[%d]}}`
	for _, test := range []struct {
		name, body    string
		loopback      bool
		status, issue string
	}{
		{"tcp", fmt.Sprintf(`{"destination":{"address":"127.0.0.1","port":%d}}`, open), true, "Connected", ""},
		{"nobody listens", fmt.Sprintf(`{"destination":{"address":"127.0.0.1","port":%d}}`, none), true, "Disconnected", "Unknown"},
		{"refused address", fmt.Sprintf(`{"destination":{"address":"127.0.0.1","port":%d}}`, open), false, "Disconnected", "NetworkSecurityRule"},
		{"refused IPv6 address", fmt.Sprintf(`{"destination":{"address":"::1","port":%d}}`, open), false, "Disconnected", "NetworkSecurityRule"},
		{"http", fmt.Sprintf(`{"destination":{"address":"http://127.0.0.1/health","port":%d},`+post+`}`, open, 200), true, "Connected", ""},
		{"another status", fmt.Sprintf(`{"destination":{"address":"http://127.0.0.1/health","port":%d},`+post+`}`, open, 204), true, "Disconnected", "Unknown"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			c, err := parseConnectivity([]byte(test.body))
			if err != nil {
				t.Fatal(err)
			}
			r := c.run(t.Context(), importer.FetchOptions{AllowLoopback: test.loopback}, arm.Path("subscriptions", "s"))
			issue := ""
			if issues := r.Hops[1].Issues; len(issues) > 0 {
				issue = issues[0].Type
			}
			failed := map[bool]int{true: probes, false: 0}[test.issue != ""]
			if r.ConnectionStatus != test.status || issue != test.issue || r.ProbesSent != probes || r.ProbesFailed != failed {
				t.Errorf("the result is %+v, want %s with %q", r, test.status, test.issue)
			}
			if r.Hops[0].NextHopIDs[0] != r.Hops[1].ID || r.MinLatencyInMs > r.AvgLatencyInMs || r.AvgLatencyInMs > r.MaxLatencyInMs {
				t.Errorf("hops or latencies are wrong: %+v", r)
			}
		})
	}
}

func TestConnectivityRequests(t *testing.T) {
	t.Parallel()
	for target, body := range map[string]string{
		"destination.address": `{"destination":{"port":1}}`, "destination.port": `{"destination":{"address":"a","port":0}}`,
		"protocol": `{"destination":{"address":"a","port":1},"protocol":"UDP"}`, "preferredIPVersion": `{"destination":{"address":"a","port":1},"preferredIPVersion":"IPv6"}`,
		"protocolConfiguration.HTTPConfiguration.method": `{"destination":{"address":"a","port":1},"protocolConfiguration":{"HTTPConfiguration":{"method":"PUT"}}}`,
	} {
		_, err := parseConnectivity([]byte(body))
		if e, ok := arm.AsError(err); !ok || e.Target != target {
			t.Errorf("%s: the error is %v, want one about %s", body, err, target)
		}
	}
	for _, address := range []string{"ftp://a", "http://user@a", "http://"} {
		if _, err := parseConnectivity(fmt.Appendf(nil, `{"destination":{"address":%q,"port":1}}`, address)); err == nil || !strings.Contains(err.Error(), "address") {
			t.Errorf("%s is taken: %v", address, err)
		}
	}
}

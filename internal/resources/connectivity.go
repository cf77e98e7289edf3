package resources

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/causeway-apim/causeway/internal/arm"
	"github.com/causeway-apim/causeway/internal/importer"
	"github.com/causeway-apim/causeway/internal/resource"
)

// Limits of a check of a connection.
const (
	probes         = 3
	probeTime      = 3 * time.Second // each
	maxProbeHeader = 50
)

// ConnectivityCheckRequest asks whether the plane reaches a machine.
type ConnectivityCheckRequest struct {
	Source struct {
		Region   string `json:"region"`
		Instance *int64 `json:"instance,omitempty"`
	} `json:"source"`
	Destination struct {
		Address string `json:"address"` // host, IP address or, for HTTP, URL
		Port    int    `json:"port"`
	} `json:"destination"`
	PreferredIPVersion    string `json:"preferredIPVersion,omitempty"`
	Protocol              string `json:"protocol,omitempty"` // TCP, HTTP, HTTPS
	ProtocolConfiguration struct {
		HTTP struct {
			Method           string `json:"method,omitempty"` // GET, POST
			ValidStatusCodes []int  `json:"validStatusCodes,omitempty"`
			Headers          []struct {
				Name  string `json:"name"`
				Value string `json:"value"`
			} `json:"headers,omitempty"`
		} `json:"HTTPConfiguration"`
	} `json:"protocolConfiguration"`
}

// ConnectivityCheckResponse says how the probes went.
type ConnectivityCheckResponse struct {
	ConnectionStatus string            `json:"connectionStatus"` // Connected, Degraded, Disconnected
	AvgLatencyInMs   int64             `json:"avgLatencyInMs"`
	MinLatencyInMs   int64             `json:"minLatencyInMs"`
	MaxLatencyInMs   int64             `json:"maxLatencyInMs"`
	ProbesSent       int               `json:"probesSent"`
	ProbesFailed     int               `json:"probesFailed"`
	Hops             []ConnectivityHop `json:"hops"`
}

// ConnectivityHop is one end of the connection.
type ConnectivityHop struct {
	Type       string              `json:"type"`
	ID         string              `json:"id"`
	Address    string              `json:"address"`
	ResourceID string              `json:"resourceId,omitempty"`
	NextHopIDs []string            `json:"nextHopIds"`
	Issues     []ConnectivityIssue `json:"issues"`
}

// ConnectivityIssue is what went wrong at a hop.
type ConnectivityIssue struct {
	Origin   string              `json:"origin"`
	Severity string              `json:"severity"`
	Type     string              `json:"type"`
	Context  []map[string]string `json:"context"`
}

func connectivityCheck(env Env) resource.Action[Service] {
	return resource.Action[Service]{
		Name: "connectivityCheck", Async: true, Input: ConnectivityCheckRequest{}, Output: ConnectivityCheckResponse{},
		Doc:   "Checks whether the management plane reaches a machine over TCP or HTTP. What links may not lead to is not reached.",
		Valid: func(body json.RawMessage) error { _, err := parseConnectivity(body); return err },
		Read: func(x *resource.Reader, d *resource.Doc[Service], body json.RawMessage) (any, error) {
			check, err := parseConnectivity(body)
			if err != nil {
				return nil, err
			}
			return check.run(x.Context(), env.fetchOptions(0), d.ID), nil
		},
	}
}

// connectivity is a check with its request understood.
type connectivity struct {
	ConnectivityCheckRequest
	url      *url.URL // nil for TCP
	hostPort string
}

func parseConnectivity(body json.RawMessage) (*connectivity, error) {
	c := new(connectivity)
	if err := readInput(body, &c.ConnectivityCheckRequest); err != nil {
		return nil, err
	}
	protocol, http := strings.ToUpper(c.Protocol), &c.ProtocolConfiguration.HTTP
	address, scheme := strings.TrimSpace(c.Destination.Address), "tcp"
	if before, _, is := strings.Cut(address, "://"); is {
		scheme = strings.ToLower(before)
	} else if address != "" {
		if strings.Contains(address, ":") { // IPv6
			address = "[" + strings.Trim(address, "[]") + "]"
		}
		if protocol == "HTTP" || protocol == "HTTPS" {
			scheme = strings.ToLower(protocol)
		}
		address = scheme + "://" + address
	}
	u, err := url.Parse(address)
	switch {
	case address == "":
		return nil, arm.Invalid("destination.address", "destination.address is required.")
	case err != nil || u.Hostname() == "" || u.User != nil || !slices.Contains([]string{"tcp", "http", "https"}, scheme):
		return nil, arm.Invalid("destination.address", "destination.address must be a host name, an IP address or an http or https URL.")
	case c.Destination.Port < 1 || c.Destination.Port > 65535:
		return nil, arm.Invalid("destination.port", "destination.port must be between 1 and 65535.")
	case !slices.Contains([]string{"", "TCP", "HTTP", "HTTPS"}, protocol):
		return nil, arm.Invalid("protocol", "protocol must be TCP, HTTP or HTTPS.")
	case !slices.Contains([]string{"", "IPV4"}, strings.ToUpper(c.PreferredIPVersion)):
		return nil, arm.Invalid("preferredIPVersion", "preferredIPVersion must be IPv4.")
	case !slices.Contains([]string{"", "GET", "POST"}, strings.ToUpper(http.Method)):
		return nil, arm.Invalid("protocolConfiguration.HTTPConfiguration.method", "method must be GET or POST.")
	case len(http.Headers) > maxProbeHeader:
		return nil, arm.Invalid("protocolConfiguration.HTTPConfiguration.headers", "There are more than %d headers.", maxProbeHeader)
	}
	c.hostPort = net.JoinHostPort(u.Hostname(), strconv.Itoa(c.Destination.Port))
	if protocol != "TCP" && scheme != "tcp" {
		u.Host = c.hostPort
		c.url = u
	}
	return c, nil
}

// run sends the probes. It answers even when the context ends.
func (c *connectivity) run(ctx context.Context, o importer.FetchOptions, service arm.ID) *ConnectivityCheckResponse {
	o.Timeout = probeTime
	destination := ConnectivityHop{Type: "Internet", ID: newUUID(), Address: c.Destination.Address, NextHopIDs: []string{}, Issues: []ConnectivityIssue{}}
	source := ConnectivityHop{
		Type: "Source", ID: newUUID(), Address: "127.0.0.1", ResourceID: service.String(), NextHopIDs: []string{destination.ID}, Issues: []ConnectivityIssue{},
	}
	r := &ConnectivityCheckResponse{ConnectionStatus: "Connected"}
	var sum int64
	for range probes {
		var from, to string
		dial := func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := o.Connect(ctx, network, address)
			if err == nil {
				from, to = conn.LocalAddr().(*net.TCPAddr).IP.String(), conn.RemoteAddr().(*net.TCPAddr).IP.String()
			}
			return conn, err
		}
		attempt, cancel := context.WithTimeout(ctx, probeTime)
		begin := time.Now()
		err := c.probe(attempt, dial)
		latency := time.Since(begin).Milliseconds()
		cancel()
		if r.ProbesSent++; to != "" {
			source.Address, destination.Address = from, to
		}
		if err != nil {
			r.ProbesFailed++
			destination.Issues = []ConnectivityIssue{connectivityIssue(err)}
			continue
		}
		if sum += latency; r.ProbesSent == r.ProbesFailed+1 {
			r.MinLatencyInMs = latency
		}
		r.MinLatencyInMs, r.MaxLatencyInMs = min(r.MinLatencyInMs, latency), max(r.MaxLatencyInMs, latency)
	}
	switch ok := r.ProbesSent - r.ProbesFailed; {
	case ok == 0:
		r.ConnectionStatus = "Disconnected"
	case r.ProbesFailed > 0:
		r.ConnectionStatus = "Degraded"
		fallthrough
	default:
		r.AvgLatencyInMs = sum / int64(ok)
	}
	r.Hops = []ConnectivityHop{source, destination}
	return r
}

// probe connects once and, over HTTP, asks once.
func (c *connectivity) probe(ctx context.Context, dial func(ctx context.Context, network, address string) (net.Conn, error)) error {
	if c.url == nil {
		conn, err := dial(ctx, "tcp", c.hostPort)
		if err == nil {
			_ = conn.Close()
		}
		return err
	}
	configuration := c.ProtocolConfiguration.HTTP
	request, err := http.NewRequestWithContext(ctx, strings.ToUpper(first(configuration.Method, http.MethodGet)), c.url.String(), nil)
	if err != nil {
		return err
	}
	for _, h := range configuration.Headers {
		request.Header.Set(h.Name, h.Value)
	}
	transport := &http.Transport{DialContext: dial, DisableKeepAlives: true}
	defer transport.CloseIdleConnections()
	response, err := transport.RoundTrip(request)
	if err != nil {
		return err
	}
	_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, 64<<10))
	_ = response.Body.Close()
	if codes := configuration.ValidStatusCodes; len(codes) > 0 && !slices.Contains(codes, response.StatusCode) {
		return fmt.Errorf("the answer has status %d", response.StatusCode)
	}
	return nil
}

// connectivityIssue names what went wrong as Azure's network watcher does.
func connectivityIssue(err error) ConnectivityIssue {
	issue := ConnectivityIssue{Origin: "Outbound", Severity: "Error", Type: "Unknown", Context: []map[string]string{{"message": err.Error()}}}
	if fe, ok := errors.AsType[*importer.FetchError](err); ok {
		issue.Context[0]["message"] = fe.Message
		if issue.Type = "DnsResolution"; fe.Code == importer.CodeLinkNotAllowed {
			issue.Type, issue.Origin = "NetworkSecurityRule", "Local"
		}
	}
	return issue
}

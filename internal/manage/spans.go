package manage

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/causeway-apim/causeway/internal/arm"
	"github.com/causeway-apim/causeway/internal/telemetry"
)

type spanKey struct{}

// span begins the span of a request: below the caller's, or below that of the request whose work it is, such as a
// deployment. Probes leave none. end takes the status that was answered.
func (s *Server) span(r *http.Request, id string, start time.Time) (with *http.Request, end func(status int)) {
	none := func(int) {}
	if s.c.Spans.Add == nil || s.anonymous(r.URL.Path) != nil {
		return r, none
	}
	var parent [8]byte
	c, within := r.Context().Value(spanKey{}).(telemetry.TraceContext)
	if !within {
		c, within = telemetry.ParseTraceParent(r.Header.Get("traceparent"))
	}
	if within {
		parent, c = c.Span, c.Child()
	} else {
		c = telemetry.BeginTrace(s.c.Spans.Ratio)
	}
	if !c.Sampled {
		return r, none
	}
	return r.WithContext(context.WithValue(r.Context(), spanKey{}, c)), func(status int) {
		s.c.Spans.Add(&telemetry.Span{
			Trace: c.Trace, ID: c.Span, Parent: parent, State: r.Header.Get("tracestate"), Name: spanName(r, status), Server: true,
			Start: start, End: s.c.Now(), Attrs: spanAttributes(r, id, status), Failed: status >= http.StatusInternalServerError,
		})
	}
}

// spanName has few values: the method and the type of the resource, unless callers could make it up.
func spanName(r *http.Request, status int) string {
	method := r.Method
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPut, http.MethodPatch, http.MethodPost, http.MethodDelete:
	default:
		method = "HTTP" // what callers make up
	}
	id, err := arm.ParseURLPath(r.URL.EscapedPath())
	if err != nil || id.Type() == "" || status == http.StatusNotFound || status == http.StatusUnauthorized {
		return method
	}
	return method + " " + id.Type()
}

// spanAttributes are those of OpenTelemetry's conventions for servers of HTTP. The query is left out: it may hold a code or a token.
func spanAttributes(r *http.Request, id string, status int) []slog.Attr {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	all := []slog.Attr{
		slog.String("http.request.method", r.Method), slog.String("url.path", r.URL.Path), slog.Int("http.response.status_code", status),
		slog.String("client.address", host), slog.String("user_agent.original", r.UserAgent()), slog.String("azure.service_request_id", id),
	}
	if version := arm.Param(r.URL.Query(), "api-version"); version != "" {
		all = append(all, slog.String("azure.api_version", version))
	}
	return all
}

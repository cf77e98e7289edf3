package manage_test

import (
	"encoding/hex"
	"net/http"
	"sync"
	"testing"

	"github.com/causeway-apim/causeway/internal/manage"
	"github.com/causeway-apim/causeway/internal/telemetry"
)

// spanBook keeps spans.
type spanBook struct {
	mu  sync.Mutex
	all []*telemetry.Span
}

func (b *spanBook) add(s *telemetry.Span) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.all = append(b.all, s)
}

// take returns the spans since the last call.
func (b *spanBook) take() []*telemetry.Span {
	b.mu.Lock()
	defer b.mu.Unlock()
	all := b.all
	b.all = nil
	return all
}

func attribute(s *telemetry.Span, name string) string {
	for _, a := range s.Attrs {
		if a.Key == name {
			return a.Value.String()
		}
	}
	return ""
}

// TestSpans shows what a request leaves in a distributed trace.
func TestSpans(t *testing.T) {
	t.Parallel()
	book := &spanBook{}
	h := withGroup(t, func(c *manage.Config) { c.Spans = telemetry.SpanOptions{Add: book.add, Ratio: 1} })
	book.take()
	h.must(http.StatusCreated, "PUT", service, `{"location": "westeurope"}`)
	all := book.take()
	if len(all) != 1 {
		t.Fatalf("%d spans", len(all))
	}
	s := all[0]
	if s.Name != "PUT Microsoft.ApiManagement/service" || !s.Server || s.Failed || s.Parent != [8]byte{} || attribute(s, "http.response.status_code") != "201" ||
		attribute(s, "url.path") != service || attribute(s, "azure.service_request_id") == "" || attribute(s, "azure.api_version") != "2024-05-01" {
		t.Errorf("%+v", s)
	}
	if s.ID == [8]byte{} || s.Trace == [16]byte{} || s.End.Before(s.Start) {
		t.Errorf("%+v", s)
	}

	// The caller's trace goes on; what it does not sample is not sampled.
	const trace = "0af7651916cd43dd8448eb211c80319c"
	h.do("GET", service, "", "traceparent", "00-"+trace+"-b7ad6b7169203331-01", "tracestate", "a=b")
	if all := book.take(); len(all) != 1 || hex.EncodeToString(all[0].Trace[:]) != trace || hex.EncodeToString(all[0].Parent[:]) != "b7ad6b7169203331" || all[0].State != "a=b" {
		t.Errorf("%+v", all)
	}
	h.do("GET", service, "", "traceparent", "00-"+trace+"-b7ad6b7169203331-00")
	h.do("GET", "/healthz", "")
	if all := book.take(); len(all) != 0 {
		t.Errorf("%+v", all)
	}
	// What callers make up is in no name.
	h.do("GET", "/subscriptions/00000000-0000-0000-0000-000000000000/providers/Made.Up/things", "")
	if all := book.take(); len(all) != 1 || all[0].Name != "GET" {
		t.Errorf("%+v", all)
	}
	// The writes of a deployment are below it.
	h.deploy("labels", deployable(labels, "Incremental"))
	above := map[[8]byte]*telemetry.Span{}
	all = book.take()
	for _, s := range all {
		above[s.ID] = s
	}
	within := 0
	for _, s := range all {
		if p := above[s.Parent]; s.Name == "PUT Microsoft.ApiManagement/service/tags" && p != nil && p.Name == "PUT Microsoft.Resources/deployments" && p.Trace == s.Trace {
			within++
		}
	}
	if within != 3 {
		t.Errorf("%d of 3 writes are below the deployment", within)
	}
}

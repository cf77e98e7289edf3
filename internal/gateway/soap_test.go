package gateway

import (
	"testing"

	"github.com/causeway-apim/causeway/internal/message"
	"github.com/causeway-apim/causeway/internal/snapshot"
)

// TestSOAPRouting sends requests of a SOAP API to the operation of their action.
func TestSOAPRouting(t *testing.T) {
	t.Parallel()
	e := edit{config: newConfig("managed", "test", 0), stale: map[string]bool{}, fresh: map[*api]bool{}}
	e.putAPI("apis/calc", snapshot.API{ID: "calc", Path: "calc", IsCurrent: true, Type: "soap", Protocols: []string{"http"}})
	for _, name := range []string{"Add", "Sub"} {
		e.putOperation("apis/calc/operations/"+name, snapshot.Operation{API: "calc", Name: name, Method: "POST", URLTemplate: "/?soapAction=urn:o/" + name})
	}
	e.seal()
	for _, c := range []struct{ name, query, header, value, want string }{
		{"query", "soapAction=urn:o/Sub", "", "", "Sub"},
		{"field", "", "SOAPAction", `"urn:o/Sub"`, "Sub"},
		{"field without quotes", "x=1", "SOAPAction", `urn:o/Add`, "Add"},
		{"content type", "", "Content-Type", `application/soap+xml; charset=utf-8; action="urn:o/Add"`, "Add"},
		{"the query counts", "soapAction=urn:o/Add", "SOAPAction", `"urn:o/Sub"`, "Add"},
		{"unknown", "", "SOAPAction", `"urn:o/Mul"`, ""},
		{"none", "", "", "", ""},
	} {
		r := &message.Request{Method: "POST", URL: message.URL{Path: "/calc", RawQuery: c.query}}
		if c.header != "" {
			r.Header.Set(c.header, c.value)
		}
		var m matched
		got := ""
		if e.config.match(r, "http", &m) {
			got = m.op.part.Name
		}
		if got != c.want {
			t.Errorf("%s: operation %q, want %q", c.name, got, c.want)
		}
	}
}

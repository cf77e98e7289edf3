package gateway

import (
	"bytes"
	"net/url"
	"strings"
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

// TestSOAPRoutingByElement finds operations by what the message holds, which goes on to the backend service unchanged.
func TestSOAPRoutingByElement(t *testing.T) {
	t.Parallel()
	e := edit{config: newConfig("managed", "test", 0), stale: map[string]bool{}, fresh: map[*api]bool{}}
	e.putAPI("apis/calc", snapshot.API{ID: "calc", Path: "calc", IsCurrent: true, Type: "soap", Protocols: []string{"http"}})
	for name, action := range map[string]string{"Add": "urn:o/other", "op2": "urn:calc#Sub"} {
		e.putOperation("apis/calc/operations/"+name, snapshot.Operation{API: "calc", Name: name, Method: "POST", URLTemplate: "/?soapAction=" + url.QueryEscape(action)})
	}
	e.seal()
	const soap11, soap12 = "http://schemas.xmlsoap.org/soap/envelope/", "http://www.w3.org/2003/05/soap-envelope"
	envelope := func(space, content string) string {
		return `<?xml version="1.0"?><s:Envelope xmlns:s="` + space + `">` + content + `</s:Envelope>`
	}
	for _, c := range []struct{ name, body, want string }{
		{"SOAP 1.1", envelope(soap11, `<s:Body><Add xmlns="urn:calc"/></s:Body>`), "Add"},
		{"SOAP 1.2 with a header", envelope(soap12, `<s:Header><Sub/></s:Header> <s:Body><!-- --> <c:Add xmlns:c="urn:calc"/></s:Body>`), "Add"},
		{"the last part of the action", envelope(soap11, `<s:Body><Sub/></s:Body>`), "op2"},
		{"Latin-1", strings.Replace(envelope(soap11, "<s:Header>\xe9</s:Header><s:Body><Add/></s:Body>"), "?>", ` encoding="ISO-8859-1"?>`, 1), "Add"},
		{"a code page", strings.Replace(envelope(soap11, "<s:Body><Add>\x80</Add></s:Body>"), "?>", ` encoding="windows-1252"?>`, 1), "Add"},
		{"unknown", envelope(soap11, `<s:Body><Mul/></s:Body>`), ""},
		{"an empty body", envelope(soap11, `<s:Body/>`), ""},
		{"no body", envelope(soap11, `<Add/>`), ""},
		{"another envelope", envelope("urn:x", `<s:Body><Add/></s:Body>`), ""},
		{"no XML", `{"Add": 1}`, ""},
		{"nothing", "", ""},
		{"too long", envelope(soap11, `<s:Body><Add/></s:Body>`) + strings.Repeat(" ", maxSOAPMessage), ""},
	} {
		r := &message.Request{Method: "POST", URL: message.URL{Path: "/calc"}, Body: message.StringBody(c.body), ContentLength: int64(len(c.body))}
		var m matched
		got := ""
		if e.config.match(r, "http", &m) {
			got = m.op.part.Name
			if sent, err := message.ReadAll(r.Body, 1<<20, -1); err != nil || string(sent) != c.body {
				t.Errorf("%s: the body became %q, %v", c.name, sent, err)
			}
		}
		if got != c.want {
			t.Errorf("%s: operation %q, want %q", c.name, got, c.want)
		}
	}
}

// TestSOAPWildcard sends what no operation has as its action to the one for the rest, in both forms of its template.
func TestSOAPWildcard(t *testing.T) {
	t.Parallel()
	for _, template := range []string{"/soapAction={any}", "/?soapAction={any}"} {
		e := edit{config: newConfig("managed", "test", 0), stale: map[string]bool{}, fresh: map[*api]bool{}}
		e.putAPI("apis/calc", snapshot.API{ID: "calc", Path: "calc", IsCurrent: true, Type: "soap", Protocols: []string{"http"}})
		e.putOperation("apis/calc/operations/add", snapshot.Operation{API: "calc", Name: "Add", Method: "POST", URLTemplate: "/?soapAction=urn:o/Add"})
		e.putOperation("apis/calc/operations/rest", snapshot.Operation{API: "calc", Name: "rest", Method: "POST", URLTemplate: template})
		e.seal()
		for action, want := range map[string]string{"urn:o/Add": "Add", "urn:o/Mul": "rest", "http://x.example/a b": "rest", "": "rest"} {
			r := &message.Request{Method: "POST", URL: message.URL{Path: "/calc"}, Header: message.NewHeader("SOAPAction", `"`+action+`"`)}
			var m matched
			if !e.config.match(r, "http", &m) || m.op.part.Name != want {
				t.Errorf("%s: action %q is not taken by %s", template, action, want)
			}
		}
	}
}

func FuzzFirstInBody(f *testing.F) {
	f.Add([]byte(`<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Header/><s:Body><a/></s:Body></s:Envelope>`))
	f.Fuzz(func(t *testing.T, data []byte) {
		if name := firstInBody(data); !bytes.Contains(data, []byte(name)) {
			t.Fatalf("%q is not in %q", name, data)
		}
	})
}

package importer

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
)

// TestOtherFormats compares what the descriptions of testdata become.
func TestOtherFormats(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		golden, file string
		options      Options
	}{
		{"orders-soap", "orders.wsdl", Options{Format: FormatWSDL}},
		{"orders-soap12", "orders.wsdl", Options{Format: FormatWSDL, WSDLService: "OrderService", WSDLEndpoint: "OrdersSoap12"}},
		{"orders-rest", "orders.wsdl", Options{Format: FormatWSDL, SOAPToREST: true}},
		{"library", "library.wadl", Options{Format: FormatWADL}},
		{"people", "people.csdl", Options{Format: FormatOData, SourceURL: "https://people.example/odata/$metadata?x=1"}},
		{"users", "users.graphql", Options{Format: FormatGraphQL}},
		{"greeter", "greeter.proto", Options{Format: FormatGRPC}},
	} {
		t.Run(c.golden, func(t *testing.T) {
			t.Parallel()
			data := readFile(t, c.file)
			c.options.SchemaID = "types"
			r, err := Import(context.Background(), data, c.options)
			if err != nil {
				t.Fatal(err)
			}
			if string(r.Original) != string(data) {
				t.Error("the original bytes are not kept")
			}
			golden := string(describe(t, r))
			for _, op := range r.Operations {
				if op.Policy != "" {
					golden += "\n" + op.ID + "\n" + op.Policy
				}
			}
			checkGolden(t, c.golden+".golden", []byte(golden))
		})
	}
}

// manyMethods are more methods than a description may have.
func manyMethods() string {
	var b strings.Builder
	for i := range maxOperations + 1 {
		fmt.Fprintf(&b, "rpc M%d (M) returns (M);\n", i)
	}
	return b.String()
}

func TestOtherFormatErrors(t *testing.T) {
	t.Parallel()
	const (
		wsdlHead = `<definitions xmlns="http://schemas.xmlsoap.org/wsdl/" xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap/" xmlns:t="urn:t" targetNamespace="urn:t">` + "\n"
		wadlHead = `<application xmlns="http://wadl.dev.java.net/2009/02"><resources base="http://a.example/">` + "\n"
		edmHead  = `<Edmx xmlns="http://docs.oasis-open.org/odata/ns/edmx"><DataServices><Schema xmlns="http://docs.oasis-open.org/odata/ns/edm" Namespace="N">` + "\n"
	)
	orders := string(readFile(t, "orders.wsdl"))
	for _, c := range []struct {
		name, text string
		options    Options
		want       string
	}{
		{"no XML", "x: 1", Options{Format: FormatWSDL}, "1:1 the document holds no XML element"},
		{"broken XML", "<a>\n  <b></a>", Options{Format: FormatWSDL}, "2:10 the document is not valid XML"},
		{"document type", "<!DOCTYPE a [<!ENTITY b \"c\">]>\n<a>&b;</a>", Options{Format: FormatWSDL}, "1:1 the document has a document type declaration"},
		{"deep", strings.Repeat("<a>", 300), Options{Format: FormatWSDL}, "1:601 the document has more than"},
		{"too long", "<a></a>", Options{Format: FormatWSDL, MaxBytes: 3}, "0:0 the document has 7 bytes"},
		{"another root", "<a/>", Options{Format: FormatWSDL}, `1:1 the root element is "a"`},
		{"WSDL 2.0", `<description xmlns="http://www.w3.org/ns/wsdl"/>`, Options{Format: FormatWSDL}, "1:1 the document is WSDL 2.0"},
		{"no binding", wsdlHead + "</definitions>", Options{Format: FormatWSDL}, "1:1 the description has no SOAP binding"},
		{"no endpoint", orders, Options{Format: FormatWSDL, WSDLEndpoint: "X"}, `2:1 the description has no SOAP endpoint "X"`},
		{"link in text", wsdlHead + ` <import location="a.wsdl"/></definitions>`, Options{Format: FormatWSDL}, `2:2 "a.wsdl" leads out of the document`},
		{"no message", strings.Replace(orders, `message="tns:PingIn"`, `message="tns:Gone"`, 1), Options{Format: FormatWSDL}, `there is no message "tns:Gone"`},
		{"encoded", strings.Replace(orders, `<soap:body use="literal" />`, `<soap:body use="encoded" />`, 1), Options{Format: FormatWSDL}, `69:19 the messages of "PlaceOrder" are SOAP-encoded`},
		{
			"recursive", strings.Replace(orders, `<xs:element name="SKU" type="xs:string" />`, `<xs:element name="SKU" type="tns:Line" />`, 1),
			Options{Format: FormatWSDL, SOAPToREST: true}, `43:22 the type "Line" holds itself`,
		},
		{"WADL root", "<a/>", Options{Format: FormatWADL}, `1:1 the root element is "a"`},
		{"WADL brace", wadlHead + `<resource path="{a"/></resources></application>`, Options{Format: FormatWADL}, `2:1 the path "{a" has a "{" without "}"`},
		{"WADL reference", wadlHead + `<resource path="a"><method href="#x"/></resource></resources></application>`, Options{Format: FormatWADL}, `2:20 the reference "#x" leads nowhere`},
		{"WADL twice", wadlHead + `<resource path="{a}"><method name="GET"/></resource><resource path="{b}"><method name="GET"/></resource></resources></application>`, Options{Format: FormatWADL}, "GET /{b} matches the same requests as /{a}"},
		{"OData without container", edmHead + `</Schema></DataServices></Edmx>`, Options{Format: FormatOData}, "1:1 the metadata has no entity container"},
		{"OData type", edmHead + `<EntityContainer Name="C"><EntitySet Name="A" EntityType="N.T"/></EntityContainer></Schema></DataServices></Edmx>`, Options{Format: FormatOData}, `2:27 there is no entity type "N.T"`},
		{"GraphQL", "type Query {\n  a: Gone\n}", Options{Format: FormatGraphQL}, "2:6 Undefined type Gone"},
		{"GraphQL syntax", "type Query {\n  a Gone\n}", Options{Format: FormatGraphQL}, "2:5 "},
		{"introspection", "{\"data\": {}}", Options{Format: FormatGraphQL}, "1:1 the document has no __schema"},
		{"no introspection", "{\n\"errors\": [{\"message\": \"no\"}]}", Options{Format: FormatGraphQL}, "2:12 the service refuses introspection: no"},
		{"no service", "syntax = \"proto3\";", Options{Format: FormatGRPC}, "1:1 the file has no service"},
		{"proto syntax", "syntax = \"proto3\";\nservice A {\n  rpc B (C) return (D);\n}", Options{Format: FormatGRPC}, "3:13 syntax error"},
		{"proto type", "syntax = \"proto3\";\nservice A {\n  rpc B (C) returns (C);\n}", Options{Format: FormatGRPC}, "3:10 "},
		{
			"many operations", "syntax = \"proto3\";\nmessage M {}\nservice A {\n" + manyMethods() + "}",
			Options{Format: FormatGRPC}, "0:0 the description has more than 20000 operations",
		},
		{"proto depth", strings.Repeat("message A {", 300), Options{Format: FormatGRPC}, "1:2211 the document nests deeper than 200"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r, err := Import(context.Background(), []byte(c.text), c.options)
			var e *Error
			if !errors.As(err, &e) || r != nil {
				t.Fatalf("result %v, error %v", r, err)
			}
			if got := fmt.Sprintf("%d:%d %s", e.Line, e.Column, e.Reason); !strings.Contains(got, c.want) {
				t.Errorf("error %q, want %q", got, c.want)
			}
		})
	}
}

// TestExportOtherFormats writes descriptions of what was imported; read again, they have the same operations.
func TestExportOtherFormats(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		file   string
		format Format
		as     Format
	}{
		{"orders.wsdl", FormatWSDL, FormatWSDL},
		{"library.wadl", FormatWADL, FormatWADL},
		{"shelf-3.0.yaml", FormatOpenAPI, FormatWADL},
		{"people.csdl", FormatOData, FormatOData},
		{"users.graphql", FormatGraphQL, FormatGraphQL},
		{"greeter.proto", FormatGRPC, FormatGRPC},
	} {
		t.Run(c.file+" as "+string(c.as), func(t *testing.T) {
			t.Parallel()
			r, err := Import(context.Background(), readFile(t, c.file), Options{Format: c.format})
			if err != nil {
				t.Fatal(err)
			}
			out, err := Export(r, c.as)
			if err != nil {
				t.Fatal(err)
			}
			again, err := Import(context.Background(), out, Options{Format: c.as})
			if err != nil {
				t.Fatalf("the export cannot be imported: %v\n%s", err, out)
			}
			if got, want := operationKeys(again), operationKeys(r); got != want {
				t.Errorf("operations after export and import:\n%s\nwant:\n%s\nfrom\n%s", got, want, out)
			}
			if c.as == c.format && (len(again.Schemas) != len(r.Schemas) || again.ServiceURL != r.ServiceURL && c.format != FormatOData) {
				t.Errorf("%d schemas at %q, want %d at %q", len(again.Schemas), again.ServiceURL, len(r.Schemas), r.ServiceURL)
			}
		})
	}
}

// FuzzOtherFormats looks for documents that crash the importer or give a result that contradicts itself.
func FuzzOtherFormats(f *testing.F) {
	formats := []Format{FormatWSDL, FormatWADL, FormatOData, FormatGraphQL, FormatGRPC}
	for i, name := range []string{"orders.wsdl", "library.wadl", "people.csdl", "users.graphql", "greeter.proto"} {
		f.Add(uint8(i), readFile(f, name))
	}
	f.Add(uint8(3), []byte(`{"__schema": {"types": [{"kind": "OBJECT", "name": "Query", "fields": []}]}}`))
	f.Fuzz(func(t *testing.T, which uint8, data []byte) {
		format := formats[int(which)%len(formats)]
		for _, rest := range []bool{false, true} {
			r, err := Import(context.Background(), data, Options{Format: format, MaxBytes: 1 << 16, SOAPToREST: rest})
			if err != nil {
				var e *Error
				if !errors.As(err, &e) || e.Reason == "" || r != nil {
					t.Fatalf("result %v with error %#v", r, err)
				}
				continue
			}
			checkResult(t, r)
			for _, as := range []Format{format, FormatWADL, FormatOpenAPI} {
				if _, err := Export(r, as); err != nil && !errors.As(err, new(*Error)) {
					t.Fatalf("export as %s: %v", as, err)
				}
			}
		}
	})
}

// TestWADLMethodTwice imports what JAX-RS writes of two methods for different media types.
func TestWADLMethodTwice(t *testing.T) {
	t.Parallel()
	method := func(media, query string) string {
		return `<method name="POST" id="m"><request><param name="` + query + `" style="query"/><representation mediaType="` + media + `"/></request>` +
			`<response status="200"><representation mediaType="` + media + `"/></response></method>`
	}
	text := `<application xmlns="http://wadl.dev.java.net/2009/02"><resources base="http://a.example/"><resource path="a">` + method("application/json", "q") + method("text/xml", "q") + method("text/xml", "r") + `</resource></resources></application>`
	r, err := Import(t.Context(), []byte(text), Options{Format: FormatWADL})
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Operations) != 1 || len(r.Warnings) != 2 {
		t.Fatalf("operations %+v, warnings %v", r.Operations, r.Warnings)
	}
	o := r.Operations[0]
	if len(o.Request.QueryParameters) != 2 || len(o.Request.Representations) != 2 || len(o.Responses) != 1 || len(o.Responses[0].Representations) != 2 {
		t.Errorf("operation %+v", o)
	}
}

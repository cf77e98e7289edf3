package importer

import (
	"fmt"
	"net/url"
	"strings"
)

// restOperation maps an operation of a SOAP service to one that takes and answers JSON: POST /Name, with a policy document of two
// Liquid templates, as API Management makes them.
func (w *wsdl) restOperation(p soapPort, n placed, op soapOperation) *Error {
	if w.types.cut != nil {
		return w.types.cut
	}
	out := Operation{
		ID: w.ids.name(first(normalID(op.name), "operation")), DisplayName: displayName(op.name, "", "", ""), Description: op.description,
		Method: "POST", URLTemplate: "/" + escapeTemplate(op.name), TemplateParameters: []Parameter{},
		Request: Request{QueryParameters: []Parameter{}, Headers: []Header{}, Representations: []Representation{}},
	}
	if w.actions[out.URLTemplate] {
		return n.fail("Rename one of them.", "there are two operations %q", op.name)
	}
	w.actions[out.URLTemplate] = true
	if op.input.body != nil {
		out.Request.Representations = []Representation{w.restBody(op.input.body)}
	}
	success := Response{StatusCode: 200, Headers: []Header{}, Representations: []Representation{}}
	if op.output != nil && op.output.body != nil {
		success.Representations = []Representation{w.restBody(op.output.body)}
	}
	out.Responses = []Response{success}
	out.Policy = w.restPolicy(p, op)
	w.result.Operations = append(w.result.Operations, out)
	return nil
}

// restBody describes the JSON form of a message and keeps its type for the schema document.
func (w *wsdl) restBody(body *shape) Representation {
	root := &shape{name: "root", kind: kindObjectShape, fields: []*shape{body}}
	name := pascal(body.name)
	if w.types.json.get(name) == nil {
		w.types.json.set(name, root.schemaJSON())
	}
	return Representation{
		ContentType: jsonType, TypeName: name,
		Examples: map[string]Example{"default": {Value: appendJSON(nil, root.sampleJSON())}},
	}
}

// restSchemas writes the schema document of the JSON forms, and sets the service URL to what the policies' paths are relative to.
func (w *wsdl) restSchemas(p soapPort) *Error {
	r := w.result
	if u, err := url.Parse(p.address); err == nil && u.Host != "" {
		r.ServiceURL = u.Scheme + "://" + u.Host
	}
	if len(w.types.json.members) == 0 {
		return nil
	}
	document := appendJSON(nil, newObject().set("components", newObject().set("schemas", w.types.json)))
	id := first(w.options.SchemaID, digestID(document))
	r.Schemas = []Schema{{ID: id, ContentType: ContentTypeComponents, Document: document}}
	for i := range r.Operations {
		op := &r.Operations[i]
		for j := range op.Request.Representations {
			op.Request.Representations[j].SchemaID = id
		}
		for j := range op.Responses {
			for k := range op.Responses[j].Representations {
				op.Responses[j].Representations[k].SchemaID = id
			}
		}
	}
	return nil
}

// restPolicy is the policy document of an operation: the envelope is built from the request's JSON, and the answer's JSON from its envelope.
func (w *wsdl) restPolicy(p soapPort, op soapOperation) string {
	target := "/"
	if u, err := url.Parse(p.address); err == nil && u.Host != "" {
		target = strings.NewReplacer("{", "%7B", "}", "%7D").Replace(u.RequestURI())
	}
	var b strings.Builder
	line := func(indent int, format string, args ...any) {
		b.WriteString(strings.Repeat("\t", indent))
		fmt.Fprintf(&b, format, args...)
		b.WriteByte('\n')
	}
	line(0, "<policies>")
	line(1, "<inbound>")
	line(2, "<base />")
	line(2, `<rewrite-uri template="%s" copy-unmatched-params="false" />`, escapeXML(target))
	media := soap11Type + "; charset=utf-8"
	if p.version12() {
		media = soap12Type + `; charset=utf-8; action="` + op.action + `"`
	} else {
		line(2, `<set-header name="SOAPAction" exists-action="override">`)
		line(3, `<value>"%s"</value>`, escapePolicy(op.action))
		line(2, `</set-header>`)
	}
	line(2, `<set-body template="liquid" parse-date="false">%s</set-body>`, requestTemplate(p.envelope(), op.input.body))
	line(2, `<set-header name="Content-Type" exists-action="override">`)
	line(3, `<value>%s</value>`, escapePolicy(media))
	line(2, `</set-header>`)
	line(1, "</inbound>")
	line(1, "<backend>")
	line(2, "<base />")
	line(1, "</backend>")
	line(1, "<outbound>")
	line(2, "<base />")
	line(2, "<choose>")
	line(3, `<when condition="@(context.Response.StatusCode &lt; 400)">`)
	if op.output != nil {
		line(4, `<set-body template="liquid" xsi-nil="null">%s</set-body>`, responseTemplate(op.output.body))
	} else {
		line(4, `<set-body>{}</set-body>`)
	}
	line(3, "</when>")
	faultTemplates(line, p.version12())
	line(2, "</choose>")
	line(2, `<set-header name="Content-Type" exists-action="override">`)
	line(3, `<value>application/json</value>`)
	line(2, `</set-header>`)
	line(1, "</outbound>")
	line(1, "<on-error>")
	line(2, "<base />")
	line(1, "</on-error>")
	line(0, "</policies>")
	return b.String()
}

// escapePolicy writes a text that is no expression and names no named value.
func escapePolicy(s string) string {
	return strings.NewReplacer("&quot;", `"`, "{{", "{&#123;").Replace(escapeXML(s))
}

// faultTemplates turn a SOAP fault into the error form of Microsoft's REST guidelines; anything else is told as text.
func faultTemplates(line func(int, string, ...any), version12 bool) {
	code, message := "fault.faultcode", "fault.faultstring"
	if version12 {
		code, message = "fault.code.value", "fault.reason.text"
	}
	line(3, `<when condition="@(context.Response.Headers.GetValueOrDefault(&quot;Content-Type&quot;, &quot;&quot;).Contains(&quot;xml&quot;))">`)
	line(4, `<set-body template="liquid">{"error": {"code": "{{body.envelope.body.%s%s}}", "message": "{{body.envelope.body.%s%s}}"}}</set-body>`,
		code, jsonFilters, message, jsonFilters)
	line(3, "</when>")
	line(3, "<otherwise>")
	line(4, `<set-body>@{`)
	line(5, `var error = new JObject();`)
	line(5, `error["code"] = "InvalidErrorResponseBody";`)
	line(5, `error["message"] = "The service answered an error that is no SOAP fault: " + context.Response.Body.As&lt;string&gt;(preserveContent: true);`)
	line(5, `return new JObject(new JProperty("error", error)).ToString();`)
	line(4, "}</set-body>")
	line(3, "</otherwise>")
}

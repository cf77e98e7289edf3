package gateway

import (
	"bytes"
	"cmp"
	"encoding/xml"
	"io"
	"net/url"
	"slices"
	"strings"

	"github.com/causeway-apim/causeway/internal/message"
)

// isSOAP says whether the API passes SOAP messages through. The templates of its operations end in ?soapAction=….
func (a *api) isSOAP() bool { return a.kind == soapAPI }

// maxSOAPMessage is how long a message may be whose body says what it is to do.
const maxSOAPMessage = 1 << 20

// soapQuery is the query of a request as the templates of a SOAP API have it: with the action that a header tells, unless the query has one.
// Without either, the operation that the first element of the message's body is called like has its action there; without one, the action is empty.
func (a *api) soapQuery(r *message.Request) string {
	query := r.URL.RawQuery
	if _, ok := actionOf(query); ok {
		return query
	}
	action := soapAction(&r.Header)
	if action == "" {
		action = a.actionNamed(soapElement(r))
	}
	if query != "" {
		query += "&"
	}
	return query + "soapAction=" + url.QueryEscape(action)
}

// actionOf is the parameter soapAction of a query.
func actionOf(query string) (action string, ok bool) {
	values, _ := url.ParseQuery(query)
	for name, list := range values {
		if strings.EqualFold(name, "soapAction") {
			return list[0], true
		}
	}
	return "", false
}

// wildcardAction is the path at which the documentation writes the operation that takes all other actions, /soapAction={any}
// (https://learn.microsoft.com/azure/api-management/import-soap-api, "Wildcard SOAP action").
func wildcardAction(query string) string {
	action, _ := actionOf(query)
	return "/soapAction=" + url.PathEscape(cmp.Or(action, `""`)) // a part of a path is not empty
}

// actionNamed is the action of the operation with a name, which is its own or the last part of its action.
func (a *api) actionNamed(element string) (found string) {
	if element == "" {
		return ""
	}
	a.operations.each(func(_ string, op *operation) bool {
		_, query, _ := strings.Cut(op.part.URLTemplate, "?")
		action, _ := actionOf(query)
		last := action[strings.LastIndexAny(action, "/:#")+1:]
		if action != "" && (strings.EqualFold(op.part.Name, element) || last == element) {
			found = action
		}
		return found == ""
	})
	return found
}

// soapElement is the local name of the first element in the body of a SOAP 1.1 or 1.2 message; empty for what is none. The request keeps its body.
func soapElement(r *message.Request) string {
	if r.Method != "POST" || r.Body == nil || r.ContentLength > maxSOAPMessage {
		return ""
	}
	data, err := message.ReadAll(r.Body, maxSOAPMessage, r.ContentLength)
	if err != nil {
		return "" // no operation is found, so that nobody misses the body
	}
	r.Body = message.BytesBody(data)
	return firstInBody(data)
}

func firstInBody(data []byte) string {
	decoder := xml.NewDecoder(bytes.NewReader(data))
	decoder.CharsetReader = func(_ string, in io.Reader) (io.Reader, error) { return asciiOnly{in}, nil }
	namespaces := []string{"http://schemas.xmlsoap.org/soap/envelope/", "http://www.w3.org/2003/05/soap-envelope"}
	for _, name := range []string{"Envelope", "Body", ""} {
		element, ok := nextElement(decoder)
		for ok && name == "Body" && element.Name.Local != "Body" { // a header stands before it
			if decoder.Skip() != nil {
				return ""
			}
			element, ok = nextElement(decoder)
		}
		if !ok {
			return ""
		}
		if name == "" {
			return element.Name.Local
		}
		if element.Name.Local != name || !slices.Contains(namespaces, element.Name.Space) {
			return ""
		}
	}
	return ""
}

// asciiOnly reads a text in another encoding than UTF-8: the names that matter are ASCII in every one that is in use.
type asciiOnly struct{ io.Reader }

// Read implements [io.Reader].
func (r asciiOnly) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	for i, c := range p[:n] {
		if c >= 0x80 {
			p[i] = '?'
		}
	}
	return n, err
}

// nextElement is the next start of an element, unless the one around it ends first.
func nextElement(decoder *xml.Decoder) (xml.StartElement, bool) {
	for {
		token, err := decoder.Token()
		if err != nil {
			return xml.StartElement{}, false
		}
		switch t := token.(type) {
		case xml.StartElement:
			return t, true
		case xml.EndElement:
			return xml.StartElement{}, false
		}
	}
}

// soapAction is what a request is to do: the field SOAPAction (SOAP 1.1, 6.1.1) or the parameter action of the Content-Type (RFC 3902).
func soapAction(h *message.Header) string {
	if action := strings.Trim(h.Get("SOAPAction"), " \t\""); action != "" {
		return action
	}
	_, parameters, _ := strings.Cut(h.Get("Content-Type"), ";")
	for parameter := range strings.SplitSeq(parameters, ";") {
		if name, value, _ := strings.Cut(parameter, "="); strings.EqualFold(strings.TrimSpace(name), "action") {
			return strings.Trim(value, " \t\"")
		}
	}
	return ""
}

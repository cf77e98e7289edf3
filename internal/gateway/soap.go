package gateway

import (
	"net/url"
	"strings"

	"github.com/causeway-apim/causeway/internal/message"
)

// isSOAP says whether the API passes SOAP messages through. The templates of its operations end in ?soapAction=….
func (a *api) isSOAP() bool { return a.part.Type == "soap" }

// soapQuery is the query of a request as the templates of a SOAP API have it: with the action that a header tells, unless the query has one.
func soapQuery(r *message.Request) string {
	query := r.URL.RawQuery
	for name := range r.URL.Query() {
		if strings.EqualFold(name, "soapAction") {
			return query
		}
	}
	action := soapAction(&r.Header)
	if action == "" {
		return query
	}
	if query != "" {
		query += "&"
	}
	return query + "soapAction=" + url.QueryEscape(action)
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

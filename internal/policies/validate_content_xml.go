package policies

import (
	"errors"
	"fmt"

	"github.com/causeway-apim/causeway/internal/policy"
	"github.com/causeway-apim/causeway/internal/snapshot"
	"github.com/causeway-apim/causeway/internal/xmlx"
	"github.com/causeway-apim/causeway/internal/xmlx/xsd"
)

// The namespaces of SOAP envelopes, 1.1 and 1.2.
const (
	soap11 = "http://schemas.xmlsoap.org/soap/envelope/"
	soap12 = "http://www.w3.org/2003/05/soap-envelope"
)

// payload is an element that is held against a schema, with the elements around it.
type payload struct {
	root   *xmlx.Node
	around []*xmlx.Node
}

// xml holds the body, or what its SOAP envelope holds, against an XML schema.
func (k *contentCheck) xml(rule *contentRule, media string, described *snapshot.Representation) {
	document, err := xmlx.Parse(k.body)
	if err != nil {
		k.add(rule.Action, k.unreadable(media, err))
		return
	}
	payloads := []payload{{root: document.Root}}
	if rule.As == "soap" {
		if payloads, err = k.soapPayloads(document.Root); err != nil {
			k.add(rule.Action, k.unreadable(media, err))
			return
		}
	}
	for _, p := range payloads {
		if !k.xmlPayload(rule, media, described, p) {
			return
		}
	}
}

// soapPayloads are the elements in the body of an envelope. A fault, which no schema of an API describes, is none when it is an answer.
func (k *contentCheck) soapPayloads(envelope *xmlx.Node) ([]payload, error) {
	space := envelope.Name.Space
	if envelope.Name.Local != "Envelope" || space != soap11 && space != soap12 {
		return nil, fmt.Errorf("the element '%s' is not a SOAP envelope", envelope.Name)
	}
	for _, body := range envelope.Elements() {
		if body.Name.Local != "Body" || body.Name.Space != space {
			continue
		}
		elements := body.Elements()
		if len(elements) == 0 {
			return nil, errors.New("the body of the SOAP envelope is empty")
		}
		var list []payload
		for _, n := range elements {
			if n.Name.Local == "Fault" && n.Name.Space == space && isResponseSection(k.x) {
				continue
			}
			list = append(list, payload{n, []*xmlx.Node{body, envelope}})
		}
		return list, nil
	}
	return nil, errors.New("the SOAP envelope has no body")
}

// xmlPayload validates one element and says whether it is valid.
func (k *contentCheck) xmlPayload(rule *contentRule, media string, described *snapshot.Representation, p payload) bool {
	schema, name, err := k.xmlSchema(rule, described, p.root.Name.Space)
	if err != nil {
		details := "API's schema does not exist or it could not be resolved."
		if !errors.Is(err, errNoXMLSchema) {
			details += " " + err.Error() + "."
		}
		k.add(rule.Action, violation{Type: "ApiSchema", Details: details})
		return false
	}
	if err := schema.Validate(p.root, p.around...); err != nil {
		text := fmt.Sprintf("Body of the %s does not conform to the definition %s, which is associated with the content type %s. %s", k.whose, name, media, err)
		k.add(rule.Action, violation{Name: media, Type: k.kind, ValidationRule: "IncorrectMessage", Details: text, public: text})
		return false
	}
	return true
}

var errNoXMLSchema = errors.New("there is no schema")

// xmlSchema is the schema that the rule or the description names, or else the one of the API that has the namespace of the element.
func (k *contentCheck) xmlSchema(rule *contentRule, described *snapshot.Representation, namespace string) (s *xsd.Schema, name string, err error) {
	api := k.x.API.ID
	if name = rule.SchemaID; name != "" {
		if found, ok := k.x.Host.Schema("", name); ok {
			s, err = found.XML(k.x.Host, "")
			return s, name, err
		}
	} else if described != nil {
		name = described.Schema
	}
	if found, ok := k.x.Host.Schema(api, name); ok && name != "" && (rule.SchemaID != "" || found.Defines(namespace)) {
		s, err = found.XML(k.x.Host, api)
		return s, definitionName(rule, described, name), err
	}
	if rule.SchemaID != "" {
		return nil, name, errNoXMLSchema
	}
	var fallback *policy.Schema
	for _, found := range k.x.Host.APISchemas(api) {
		switch {
		case found.Defines(namespace):
			s, err = found.XML(k.x.Host, api)
			return s, definitionName(rule, described, namespace), err
		case fallback == nil && found.IsXML():
			fallback = found
		}
	}
	if fallback == nil {
		return nil, name, errNoXMLSchema
	}
	s, err = fallback.XML(k.x.Host, api)
	return s, definitionName(rule, described, name), err
}

// definitionName is what messages call the definition.
func definitionName(rule *contentRule, described *snapshot.Representation, fallback string) string {
	if rule.SchemaID == "" && described != nil && described.TypeName != "" {
		return described.TypeName
	}
	return fallback
}

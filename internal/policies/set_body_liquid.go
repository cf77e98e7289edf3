package policies

import (
	"errors"
	"mime"
	"strings"

	"github.com/causeway-apim/causeway/internal/liquid"
	"github.com/causeway-apim/causeway/internal/message"
	"github.com/causeway-apim/causeway/internal/policy"
	"github.com/causeway-apim/causeway/internal/xmlx"
)

// liquidBody is the template of a set-body. parsed is nil when the content is an expression, whose result is the template.
type liquidBody struct{ parsed *liquid.Template }

func (p *setBody) compileTemplate(c *policy.Compiler) (*liquidBody, error) {
	c.UsesBody(policy.UsesRequestBody | policy.UsesResponseBody)
	source, ok := p.Content.Constant()
	if !ok {
		return &liquidBody{}, nil
	}
	template, err := liquid.Parse(string(source))
	if err != nil {
		c.Errorf("InvalidLiquid", "%s", err)
		return nil, nil
	}
	for _, w := range template.Warnings() {
		c.Warnf("UnknownLiquidFilter", "%s", w)
	}
	return &liquidBody{template}, nil
}

func (p *setBody) renderTemplate(x *policy.Exec, current bool) ([]byte, error) {
	template := p.template.parsed
	if template == nil {
		source, err := p.Content.Get(x)
		if err != nil {
			return nil, err
		}
		if template, err = liquid.Parse(string(source)); err != nil {
			return nil, liquidError(err)
		}
	}
	globals := map[string]any{"context": liquidContext{x}}
	if current {
		body, err := p.templateBody(x)
		if err != nil {
			return nil, err
		}
		globals["body"] = body
	}
	out, err := template.Render(x.Context(), liquid.Env{Globals: globals, Now: x.Now})
	if err != nil {
		return nil, liquidError(err)
	}
	return []byte(out), nil
}

func liquidError(err error) error {
	if errors.Is(err, liquid.ErrLimit) {
		return &policy.Error{Reason: "LiquidLimitExceeded", Message: "The Liquid template exceeds a limit.", Err: err}
	}
	var syntax *liquid.SyntaxError
	if errors.As(err, &syntax) {
		return &policy.Error{Reason: "InvalidLiquid", Message: "The Liquid template is not valid: " + err.Error() + ".", Err: err}
	}
	return err
}

// templateBody is the variable body: the current message's document by its content type, null for any other type.
func (p *setBody) templateBody(x *policy.Exec) (any, error) {
	header, read := &x.Request.Header, x.ReadRequestBody
	if x.Section&(policy.Outbound|policy.OnError) != 0 {
		header, read = &x.EnsureResponse().Header, x.ReadResponseBody
	}
	kind := bodyKind(header)
	if x.GraphQL != nil && x.Section == policy.Inbound {
		kind = jsonBody // what a resolver begins with, whatever it is going to send
	}
	if kind == otherBody {
		return nil, nil
	}
	data, err := read()
	if err != nil || len(data) == 0 {
		return nil, err
	}
	if kind == jsonBody {
		v, err := liquid.FromJSON(data, p.ParseDate)
		if err != nil {
			return nil, &policy.Error{Reason: "InvalidBody", Message: "The body is not valid JSON: " + err.Error() + ".", Err: err}
		}
		return v, nil
	}
	doc, err := xmlx.Parse(data)
	if err != nil {
		return nil, &policy.Error{Reason: "InvalidBody", Message: "The body is not valid XML: " + err.Error() + ".", Err: err}
	}
	view := &xmlView{nilIsNull: p.XSINil == "null"}
	return &xmlElement{&xmlx.Node{Children: doc.Nodes}, view}, nil
}

// The kinds of bodies by their content type.
const (
	otherBody = iota
	jsonBody
	xmlBody
)

// bodyKind says whether a message has JSON or XML, by RFC 6839's suffixes too.
func bodyKind(h *message.Header) int { return kindOf(mediaType(h.Get("Content-Type"))) }

func kindOf(media string) int {
	switch {
	case media == "application/json", media == "text/json", strings.HasSuffix(media, "+json"):
		return jsonBody
	case media == "application/xml", media == "text/xml", strings.HasSuffix(media, "+xml"):
		return xmlBody
	}
	return otherBody
}

// mediaType is the type of a Content-Type in lower case, without its parameters.
func mediaType(contentType string) string {
	if media, _, err := mime.ParseMediaType(contentType); err == nil {
		return media
	}
	media, _, _ := strings.Cut(contentType, ";")
	return strings.ToLower(strings.TrimSpace(media))
}

// xmlView says how elements appear.
type xmlView struct{ nilIsNull bool }

// xmlElement is an element in a template: its members are child elements, then attributes, by their names without prefix; several of a name
// are a list. Names that differ only in case are found when the exact one is not there, because generated policies write
// body.envelope.body for what SOAP calls Envelope and Body.
type xmlElement struct {
	*xmlx.Node
	view *xmlView
}

// Get implements liquid.Object.
func (e *xmlElement) Get(name string) (any, bool) {
	for _, same := range []func(a, b string) bool{func(a, b string) bool { return a == b }, strings.EqualFold} {
		var found []any
		for _, c := range e.Children {
			if c.Kind == xmlx.Element && same(c.Name.Local, name) {
				found = append(found, e.view.value(c))
			}
		}
		switch len(found) {
		case 0:
		case 1:
			return found[0], true
		default:
			return found, true
		}
		for _, a := range e.Attrs {
			if a.Name.Space != xmlx.XMLNS && same(a.Name.Local, name) {
				return a.Value, true
			}
		}
	}
	return nil, false
}

// value is an element, or null for one with xsi:nil where the policy says so.
func (v *xmlView) value(n *xmlx.Node) any {
	if v.nilIsNull && n.IsNil() {
		return nil
	}
	return &xmlElement{n, v}
}

// Text implements liquid.Texter.
func (e *xmlElement) Text() string { return e.Content() }

// Name implements liquid.Named.
func (e *xmlElement) Name() string { return e.Node.Name.Local }

// Items implements liquid.Lister: the child elements.
func (e *xmlElement) Items() []any {
	var list []any
	for _, c := range e.Elements() {
		list = append(list, e.view.value(c))
	}
	return list
}

package policies

import (
	"bytes"
	"encoding/json"
	"strings"
	"time"

	"github.com/causeway-apim/causeway/internal/liquid"
	"github.com/causeway-apim/causeway/internal/policy"
	"github.com/causeway-apim/causeway/internal/xmlx"
)

// XMLToJSON is the xml-to-json policy.
var XMLToJSON = policy.Define[xmlToJSON](policy.Spec{
	Name:        "xml-to-json",
	NoHandshake: true,
	Sections:    policy.Inbound | policy.Outbound | policy.OnError,
	Flow:        policy.FlowMessage,
	Doc:         "Converts the body from XML to JSON.",
})

type xmlToJSON struct {
	Kind           policy.Value[string] `attr:"kind,required" enum:"javascript-friendly,direct" doc:"Whether names can be written in JavaScript, or follow the document."`
	Apply          policy.Value[string] `attr:"apply,required" enum:"always,content-type-xml" doc:"Whether the body is always taken as XML, or only when the Content-Type says so."`
	ConsiderAccept policy.Value[bool]   `attr:"consider-accept-header" default:"true" doc:"Whether to convert only when the request's Accept header asks for JSON."`
	AlwaysArray    policy.Value[bool]   `attr:"always-array-child-elements" default:"false" doc:"Whether a child element becomes a list even when it is the only one of its name."`
}

func (p *xmlToJSON) Compile(c *policy.Compiler) error {
	usesSectionBody(c)
	return nil
}

func (p *xmlToJSON) Run(x *policy.Exec) error {
	apply, err := conversionApplies(x, p.Apply, p.ConsiderAccept, xmlBody, jsonBody)
	if err != nil || !apply {
		return err
	}
	kind, err := p.Kind.Get(x)
	if err != nil {
		return err
	}
	alwaysArray, err := p.AlwaysArray.Get(x)
	if err != nil {
		return err
	}
	return convertBody(x, "application/json", func(data []byte) ([]byte, error) {
		doc, err := xmlx.Parse(data)
		if err != nil {
			return nil, &policy.Error{Reason: "InvalidBody", Message: "The body is not valid XML: " + err.Error() + ".", Err: err}
		}
		return newJSONWriter(kind == "direct", alwaysArray).document(doc), nil
	})
}

// jsonWriter writes elements as JSON: in the form of Json.NET's XmlNodeConverter, or with names that are identifiers of JavaScript.
type jsonWriter struct {
	out         bytes.Buffer
	text        *json.Encoder
	direct      bool
	alwaysArray bool
}

func newJSONWriter(direct, alwaysArray bool) *jsonWriter {
	w := &jsonWriter{direct: direct, alwaysArray: alwaysArray}
	w.text = json.NewEncoder(&w.out)
	w.text.SetEscapeHTML(false)
	return w
}

func (w *jsonWriter) document(doc *xmlx.Document) []byte {
	w.out.WriteByte('{')
	if w.direct && doc.Declaration != nil {
		w.out.WriteString(`"?xml":{`)
		for i, a := range doc.Declaration {
			w.separate(i)
			w.string("@" + a.Name.Local)
			w.out.WriteByte(':')
			w.string(a.Value)
		}
		w.out.WriteString(`},`)
	}
	w.string(w.elementName(doc.Root.Name))
	w.out.WriteByte(':')
	w.element(doc.Root)
	w.out.WriteByte('}')
	return w.out.Bytes()
}

// string writes a JSON string. A buffer never fails to take it.
func (w *jsonWriter) string(s string) {
	_ = w.text.Encode(s)
	w.out.Truncate(w.out.Len() - 1) // the line end of Encode
}

func (w *jsonWriter) separate(i int) {
	if i > 0 {
		w.out.WriteByte(',')
	}
}

func (w *jsonWriter) elementName(n xmlx.Name) string {
	if w.direct {
		return n.String()
	}
	return strings.ReplaceAll(n.String(), ":", "$")
}

func (w *jsonWriter) attributeName(n xmlx.Name) string {
	if w.direct {
		return "@" + n.String()
	}
	return "$" + strings.ReplaceAll(n.String(), ":", "$")
}

// arrayAttribute is the namespace of Json.NET's attribute Array, which makes a list of one element.
const arrayAttribute = "http://james.newtonking.com/projects/json"

// group is the nodes of a name, in their order.
type group struct {
	name  string
	nodes []*xmlx.Node
	array bool
}

// groups gathers what stands in an element by name. White space between elements, comments and instructions have no place in JSON.
func (w *jsonWriter) groups(n *xmlx.Node) []*group {
	var list []*group
	byName := make(map[string]*group)
	for _, c := range n.Children {
		var name string
		switch c.Kind {
		case xmlx.Element:
			name = w.elementName(c.Name)
		case xmlx.Text:
			if strings.TrimSpace(c.Text) == "" {
				continue
			}
			name = w.textName()
		case xmlx.CData:
			name = w.textName()
			if w.direct {
				name = "#cdata-section"
			}
		default:
			continue
		}
		g := byName[name]
		if g == nil {
			g = &group{name: name}
			byName[name], list = g, append(list, g)
		}
		g.nodes = append(g.nodes, c)
		if v, ok := c.Attr(arrayAttribute, "Array"); ok && v == "true" || w.alwaysArray && c.Kind == xmlx.Element {
			g.array = true
		}
	}
	return list
}

func (w *jsonWriter) textName() string {
	if w.direct {
		return "#text"
	}
	return "$text"
}

// element writes the value of an element: a text when there is nothing else, null when it is <a/>, an object otherwise.
func (w *jsonWriter) element(n *xmlx.Node) {
	attrs := make([]xmlx.Attr, 0, len(n.Attrs))
	for _, a := range n.Attrs {
		if a.Name.Space != arrayAttribute && (a.Name.Space != xmlx.XMLNS || a.Value != arrayAttribute) {
			attrs = append(attrs, a)
		}
	}
	groups := w.groups(n)
	if len(attrs) == 0 {
		switch {
		case len(groups) == 0 && n.Empty:
			w.out.WriteString("null")
			return
		case len(groups) == 0:
			w.string(n.Content())
			return
		case len(groups) == 1 && groups[0].name == w.textName() && len(groups[0].nodes) == 1:
			w.string(groups[0].nodes[0].Text)
			return
		}
	}
	w.out.WriteByte('{')
	for i, a := range attrs {
		w.separate(i)
		w.string(w.attributeName(a.Name))
		w.out.WriteByte(':')
		w.string(a.Value)
	}
	for i, g := range groups {
		w.separate(i + len(attrs))
		w.group(g)
	}
	w.out.WriteByte('}')
}

func (w *jsonWriter) group(g *group) {
	w.string(g.name)
	w.out.WriteByte(':')
	list := g.array || len(g.nodes) > 1
	if list {
		w.out.WriteByte('[')
	}
	for i, n := range g.nodes {
		w.separate(i)
		if n.Kind == xmlx.Element {
			w.element(n)
		} else {
			w.string(n.Text)
		}
	}
	if list {
		w.out.WriteByte(']')
	}
}

// xmlText is a JSON value that is no object or list as it stands in XML: times in the form of XML Schema.
func xmlText(v any) string {
	if t, ok := v.(time.Time); ok {
		return t.Format(time.RFC3339Nano)
	}
	return liquid.Text(v)
}

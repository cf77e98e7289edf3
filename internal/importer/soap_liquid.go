package importer

import (
	"strconv"
	"strings"
)

// jsonFilters write a text as the inside of a JSON string. Replace takes a regular expression.
const jsonFilters = ` | Replace: '\\', '\\' | Replace: '"', '\"' | Replace: '\r', '\r' | Replace: '\n', '\n' | Replace: '\t', '\t'`

// The filters that give a number of XML Schema the form of JSON: no sign in front of a positive one, no leading zeros, digits before the point.
const numberFilters = ` | Strip | Replace: '^\+', '' | Replace: '^(-?)0+(?=[0-9])', '$1' | Replace: '^(-?)(?=[.])', '${1}0' | Replace: '[.]$', ''`

// template writes a Liquid template.
type template struct {
	strings.Builder
	loops int
}

// variable makes a name for the item of a loop.
func (t *template) variable() string {
	t.loops++
	return "item" + strconv.Itoa(t.loops)
}

// member is the path to a member of a value.
func memberPath(path, name string) string {
	for i := range len(name) {
		c := name[i]
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '_' || i == 0 && c >= '0' && c <= '9' {
			return path + `["` + name + `"]`
		}
	}
	return path + "." + name
}

// requestTemplate builds the envelope from the request's JSON.
func requestTemplate(envelope string, body *shape) string {
	t := &template{}
	t.WriteString(`<soap:Envelope xmlns:soap="` + envelope + `"><soap:Body>`)
	if body != nil {
		t.element(body, memberPath("body", lowerFirst(body.name)), "")
	}
	t.WriteString(`</soap:Body></soap:Envelope>`)
	return t.String()
}

// element writes an element of the envelope, whose value in JSON is at path. space is the default namespace around it.
func (t *template) element(s *shape, path, space string) {
	switch {
	case s.list:
		item := t.variable()
		t.WriteString("{% for " + item + " in " + path + " %}")
		t.one(s, item, space)
		t.WriteString("{% endfor %}")
	case s.optional:
		t.WriteString("{% if " + path + " != null %}")
		t.one(s, path, space)
		t.WriteString("{% endif %}")
	default:
		t.one(s, path, space)
	}
}

// one writes one element.
func (t *template) one(s *shape, path, space string) {
	t.WriteString("<" + s.name + namespaceChange(s, space))
	members := s.members()
	for _, m := range members {
		if m.attribute {
			t.WriteString(" " + m.shape.name + `="{{` + memberPath(path, m.key) + ` | Escape}}"`)
		}
	}
	t.WriteString(">")
	switch {
	case s.wraps() != nil:
		t.element(s.wraps(), path, s.space)
	case s.kind == kindObjectShape:
		for _, m := range members {
			if !m.attribute {
				t.element(m.shape, memberPath(path, m.key), s.space)
			}
		}
	default:
		t.WriteString("{{" + path + " | Escape}}")
	}
	t.WriteString("</" + s.name + ">")
}

// responseTemplate builds the answer's JSON from the envelope.
func responseTemplate(body *shape) string {
	if body == nil {
		return "{}"
	}
	t := &template{}
	t.WriteString("{")
	t.string(lowerFirst(body.name))
	t.WriteString(": ")
	t.value(body, memberPath("body.envelope.body", body.name), "body.envelope.body")
	t.WriteString("}")
	return t.String()
}

// string writes a name as a JSON string; names of XML hold nothing that JSON escapes.
func (t *template) string(s string) { t.WriteString(`"` + s + `"`) }

// value writes the JSON of an element. A loop goes over the parent's children of that name: of a path that leads to one element only,
// Liquid would take the children.
func (t *template) value(s *shape, path, parent string) {
	if s.list {
		item := t.variable()
		t.WriteString("[{% JSONArrayFor " + item + " in " + parent + " where '" + s.name + "' -%}")
		t.value(s.single(), item, "")
		t.WriteString("{% endJSONArrayFor -%}]")
		return
	}
	if item := s.wraps(); item != nil {
		t.value(item, memberPath(path, item.name), path)
		return
	}
	switch s.kind {
	case kindObjectShape:
		t.WriteString("{% if " + path + " == null %}null{% else %}{")
		for i, m := range s.members() {
			if i > 0 {
				t.WriteString(", ")
			}
			t.string(m.key)
			t.WriteString(": ")
			t.value(m.shape, memberPath(path, m.shape.name), path)
		}
		t.WriteString("}{% endif %}")
	case kindInteger:
		t.WriteString("{% if " + path + " == null or " + path + " == '' %}null{% else %}{{" + path + numberFilters + "}}{% endif %}")
	case kindDecimal: // INF and NaN have no form in JSON
		t.WriteString("{% if " + path + " == null or " + path + " == '' or " + path + " contains 'N' %}null{% else %}{{" + path + numberFilters + "}}{% endif %}")
	case kindBoolean:
		t.WriteString("{% if " + path + " == null or " + path + " == '' %}null{% elsif " + path + " == 'true' or " + path + " == '1' %}true{% else %}false{% endif %}")
	default:
		t.WriteString("{% if " + path + " == null %}null{% else %}")
		t.WriteString(`"{{` + path + jsonFilters + `}}"{% endif %}`)
	}
}

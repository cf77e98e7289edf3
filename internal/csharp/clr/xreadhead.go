package clr

import (
	"github.com/causeway-apim/causeway/internal/csharp"
)

// declaration reads <?xml …?>.
func (x *xmlReader) declaration() *XDeclaration {
	x.pos += 5
	x.attributesUntil("?")
	d := &XDeclaration{csharp.Null(), csharp.Null(), csharp.Null()}
	for _, a := range x.pending {
		switch a.name {
		case "version":
			d.version = a.value
		case "encoding":
			d.encoding = a.value
		case "standalone":
			d.standalone = a.value
		default:
			x.failAt(a.pos, "Syntax for an XML declaration is invalid.")
		}
	}
	if csharp.IsNull(d.version) || d.version != "1.0" {
		x.fail("Syntax for an XML declaration is invalid.")
	}
	return d
}

// attributesUntil reads the pseudo-attributes of a declaration.
func (x *xmlReader) attributesUntil(end string) {
	body := x.until(end+">", "XmlDeclaration")
	inner := &xmlReader{s: body + ">", alloc: x.alloc}
	inner.attributes()
	x.pending = inner.pending
}

// docType reads a document type; its internal subset is kept as text.
func (x *xmlReader) docType(d *XDocument) {
	if x.cur != XContainer(d) || d.root() != nil {
		x.fail("Unexpected DTD declaration.")
	}
	x.pos += len("<!DOCTYPE")
	x.space()
	t := &XDocumentType{name: x.name(), subset: ""}
	x.space()
	literal := func() string {
		x.space()
		quote := x.here()
		if quote != `"` && quote != "'" {
			x.fail("'" + quote + "' is an unexpected token. The expected token is '\"' or '''.")
		}
		x.pos++
		return x.until(quote, "DOCTYPE")
	}
	switch {
	case x.at("PUBLIC"):
		x.pos += 6
		t.public = literal()
		t.system = literal()
	case x.at("SYSTEM"):
		x.pos += 6
		t.system = literal()
	}
	x.space()
	if x.at("[") {
		x.pos++
		t.subset = x.until("]", "DOCTYPE")
		x.space()
	}
	if !x.at(">") {
		x.fail("'" + x.here() + "' is an unexpected token. The expected token is '>'.")
	}
	x.pos++
	appendNode(d, t)
}

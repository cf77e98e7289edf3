package clr

import (
	"fmt"
	"strings"
	"unicode"

	"github.com/causeway-apim/causeway/internal/csharp"
)

const (
	linqSpace  = "System.Xml.Linq."
	xmlnsSpace = "http://www.w3.org/2000/xmlns/"
	xmlSpace   = "http://www.w3.org/XML/1998/namespace"
)

// An XNamespace is System.Xml.Linq.XNamespace.
type XNamespace struct{ uri string }

// ClrName is System.Xml.Linq.XNamespace.
func (*XNamespace) ClrName() string { return linqSpace + "XNamespace" }

// ToString is the URI.
func (n *XNamespace) ToString() string { return n.uri }

// Equals compares URIs.
func (n *XNamespace) Equals(o any) bool { x, ok := o.(*XNamespace); return ok && x.uri == n.uri }

// HashKey is the URI.
func (n *XNamespace) HashKey() any { return XNamespace{n.uri} }

// An XName is System.Xml.Linq.XName.
type XName struct{ space, local string }

// ClrName is System.Xml.Linq.XName.
func (*XName) ClrName() string { return linqSpace + "XName" }

// ToString is {namespace}local.
func (n *XName) ToString() string {
	if n.space == "" {
		return n.local
	}
	return "{" + n.space + "}" + n.local
}

// Equals compares both parts.
func (n *XName) Equals(o any) bool { x, ok := o.(*XName); return ok && *x == *n }

// HashKey is the name itself.
func (n *XName) HashKey() any { return *n }

// parseName reads an expanded name; null stays nil.
func parseName(s string) *XName {
	if csharp.IsNull(s) {
		return nil
	}
	if s == "" {
		csharp.ThrowArgument("System.ArgumentException", "The value cannot be an empty string.", "expandedName")
	}
	if s[0] == '{' {
		i := strings.LastIndexByte(s, '}')
		if i <= 1 || i == len(s)-1 {
			csharp.Throwf("System.ArgumentException", "'%s' is an invalid expanded name.", s)
		}
		return newName(s[i+1:], s[1:i])
	}
	return newName(s, "")
}

func newName(local, space string) *XName {
	needString(local, "localName")
	checkNCName(local)
	return &XName{notNull(space), local}
}

func xmlError(format string, args ...any) {
	csharp.Throw("System.Xml.XmlException", fmt.Sprintf(format, args...))
}

// checkNCName throws for what is no name without colon (Namespaces in XML 1.0, section 3).
func checkNCName(s string) {
	if s == "" {
		csharp.ThrowArgument("System.ArgumentException", "The value cannot be an empty string.", "name")
	}
	for i, r := range s {
		switch {
		case i == 0 && !nameStart(r):
			xmlError("Name cannot begin with the '%c' character, hexadecimal value 0x%02X.", r, r)
		case !nameChar(r):
			xmlError("The '%c' character, hexadecimal value 0x%02X, cannot be included in a name.", r, r)
		}
	}
}

func nameStart(r rune) bool { return r == '_' || unicode.IsLetter(r) || unicode.Is(unicode.Nl, r) }

func nameChar(r rune) bool {
	return nameStart(r) || r == '-' || r == '.' || r == 0xB7 || unicode.IsDigit(r) || unicode.Is(unicode.Mn, r) || unicode.Is(unicode.Mc, r)
}

func declareXName(b *csharp.Builder) {
	n := b.Type("class "+linqSpace+"XName", csharp.Go[*XName]())
	n.Prop("string LocalName", csharp.F1(func(n *XName) string { return n.local }))
	n.Prop("string NamespaceName", csharp.F1(func(n *XName) string { return n.space }))
	n.Prop("XNamespace Namespace", csharp.F1(func(n *XName) *XNamespace { return &XNamespace{n.space} }))
	n.Static("XName Get(string expandedName)", csharp.F1(func(s string) *XName { needString(s, "expandedName"); return parseName(s) }))
	n.Static("XName Get(string localName, string namespaceName)", csharp.F2(newName))
	n.Conv("implicit operator XName(string expandedName)", csharp.F1(parseName))
	n.Op("bool operator ==(XName left, XName right)", csharp.F2(csharp.Equal))
	n.Op("bool operator !=(XName left, XName right)", csharp.F2(func(a, b any) bool { return !csharp.Equal(a, b) }))
	s := b.Type("class "+linqSpace+"XNamespace", csharp.Go[*XNamespace]())
	for name, uri := range map[string]string{"None": "", "Xml": xmlSpace, "Xmlns": xmlnsSpace} {
		s.StaticProp("XNamespace "+name, csharp.F0(func() *XNamespace { return &XNamespace{uri} }))
	}
	s.Prop("string NamespaceName", csharp.F1(func(n *XNamespace) string { return n.uri }))
	s.Method("XName GetName(string localName)", csharp.F2(func(n *XNamespace, local string) *XName { return newName(local, n.uri) }))
	s.Static("XNamespace Get(string namespaceName)", csharp.F1(func(u string) *XNamespace { needString(u, "namespaceName"); return &XNamespace{u} }))
	s.Conv("implicit operator XNamespace(string namespaceName)", csharp.F1(func(u string) *XNamespace {
		if csharp.IsNull(u) {
			return nil
		}
		return &XNamespace{u}
	}))
	s.Op("XName operator +(XNamespace ns, string localName)", csharp.F2(func(n *XNamespace, local string) *XName {
		if n == nil {
			csharp.ThrowArgumentNull("ns")
		}
		return newName(local, n.uri)
	}))
	s.Op("bool operator ==(XNamespace left, XNamespace right)", csharp.F2(csharp.Equal))
	s.Op("bool operator !=(XNamespace left, XNamespace right)", csharp.F2(func(a, b any) bool { return !csharp.Equal(a, b) }))
}

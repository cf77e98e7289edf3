package clr

import "github.com/causeway-apim/causeway/internal/csharp"

// An xmlNameTable is System.Xml.XmlNameTable: strings need no table here.
type xmlNameTable struct{ _ byte }

// ClrName is System.Xml.NameTable.
func (*xmlNameTable) ClrName() string { return domSpace + "NameTable" }

// An xmlNamespaces is System.Xml.XmlNamespaceManager; a nil one knows nothing.
type xmlNamespaces struct {
	scopes [][]binding
}

// ClrName is System.Xml.XmlNamespaceManager.
func (*xmlNamespaces) ClrName() string { return domSpace + "XmlNamespaceManager" }

// resolver gives the function that finds namespaces, nil without a manager.
func (m *xmlNamespaces) resolver() func(string) (string, bool) {
	if m == nil {
		return nil
	}
	return m.lookup
}

func (m *xmlNamespaces) lookup(prefix string) (string, bool) {
	switch prefix {
	case "xml":
		return xmlSpace, true
	case "xmlns":
		return xmlnsSpace, true
	}
	for i := len(m.scopes) - 1; i >= 0; i-- {
		for _, b := range m.scopes[i] {
			if b.prefix == prefix {
				return b.uri, b.uri != "" || prefix == ""
			}
		}
	}
	return "", prefix == ""
}

func (m *xmlNamespaces) add(r run, prefix, uri string) {
	needString(uri, "uri")
	needString(prefix, "prefix")
	if prefix != "" {
		checkNCName(prefix)
	}
	switch {
	case prefix == "xml" && uri != xmlSpace:
		csharp.ThrowArgument("System.ArgumentException", "Prefix \"xml\" is reserved for use by XML and can be mapped only to namespace name \"http://www.w3.org/XML/1998/namespace\".", "prefix")
	case prefix == "xmlns":
		csharp.ThrowArgument("System.ArgumentException", "Prefix \"xmlns\" is reserved for use by XML.", "prefix")
	}
	r.Alloc(48)
	top := len(m.scopes) - 1
	for i := range m.scopes[top] {
		if m.scopes[top][i].prefix == prefix {
			m.scopes[top][i].uri = uri
			return
		}
	}
	m.scopes[top] = append(m.scopes[top], binding{prefix, uri})
}

func (m *xmlNamespaces) prefix(uri string) string {
	switch uri {
	case xmlSpace:
		return "xml"
	case xmlnsSpace:
		return "xmlns"
	}
	for i := len(m.scopes) - 1; i >= 0; i-- {
		for _, b := range m.scopes[i] {
			if now, _ := m.lookup(b.prefix); b.uri == uri && now == uri {
				return b.prefix
			}
		}
	}
	if uri == "" {
		return ""
	}
	return csharp.Null()
}

func declareNamespaces(b *csharp.Builder) {
	b.Type("abstract class "+domSpace+"XmlNameTable", csharp.Go[*xmlNameTable]()).Outside()
	n := b.Type("class "+domSpace+"NameTable : XmlNameTable", csharp.Go[*xmlNameTable]()).Outside()
	n.New("()", csharp.F0(func() *xmlNameTable { return &xmlNameTable{} }))
	n.Method("string Add(string key)", csharp.F2(func(_ *xmlNameTable, s string) string { needString(s, "key"); return s }))
	i := b.Type("interface "+domSpace+"IXmlNamespaceResolver", csharp.Go[*xmlNamespaces]()).Outside()
	m := b.Type("class "+domSpace+"XmlNamespaceManager : IXmlNamespaceResolver", csharp.Go[*xmlNamespaces]()).Outside()
	m.New("(XmlNameTable nameTable)", csharp.F1(func(t *xmlNameTable) *xmlNamespaces {
		if t == nil {
			csharp.ThrowNullReference()
		}
		return &xmlNamespaces{scopes: make([][]binding, 1)}
	}))
	for _, t := range []*csharp.TypeBuilder{i, m} {
		t.Method("string LookupNamespace(string prefix)", csharp.F2(func(m *xmlNamespaces, p string) string {
			if uri, ok := m.lookup(notNull(p)); ok {
				return uri
			}
			return csharp.Null()
		}))
		t.Method("string LookupPrefix(string uri)", csharp.F2((*xmlNamespaces).prefix))
	}
	m.Prop("string DefaultNamespace", csharp.F1(func(m *xmlNamespaces) string { uri, _ := m.lookup(""); return uri }))
	m.Method("void AddNamespace(string prefix, string uri)", csharp.V4(func(r run, m *xmlNamespaces, p, u string) { m.add(r, p, u) }))
	m.Method("void RemoveNamespace(string prefix, string uri)", csharp.V3(func(m *xmlNamespaces, p, u string) {
		top := len(m.scopes) - 1
		for i, x := range m.scopes[top] {
			if x.prefix == p && x.uri == u {
				m.scopes[top] = append(m.scopes[top][:i:i], m.scopes[top][i+1:]...)
				return
			}
		}
	}))
	m.Method("bool HasNamespace(string prefix)", csharp.F2(func(m *xmlNamespaces, p string) bool {
		for _, x := range m.scopes[len(m.scopes)-1] {
			if x.prefix == p {
				return true
			}
		}
		return false
	}))
	m.Method("void PushScope()", csharp.V2(func(r run, m *xmlNamespaces) { r.Alloc(24); m.scopes = append(m.scopes, nil) }))
	m.Method("bool PopScope()", csharp.F1(func(m *xmlNamespaces) bool {
		if len(m.scopes) == 1 {
			return false
		}
		m.scopes = m.scopes[:len(m.scopes)-1]
		return true
	}))
}

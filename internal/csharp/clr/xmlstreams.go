package clr

import "github.com/causeway-apim/causeway/internal/csharp"

// readAll takes the rest of a text reader.
func (x *StringReader) readAll(r run) string {
	if x == nil {
		csharp.ThrowArgumentNull("textReader")
	}
	return x.take(r, len(x.open().units)-x.pos)
}

// rest is the document that a reader stands on.
func (x *xmlCursor) rest() string {
	if x == nil {
		csharp.ThrowArgumentNull("reader")
	}
	x.load()
	if x.cur != nil && x.kind() == xmlElement {
		s := x.cur.outerXML(x.r)
		x.skip()
		return s
	}
	for x.read() {
	}
	return x.doc.outerXML(x.r)
}

// declareXMLStreams declares Load, Save and WriteTo of XElement and XDocument.
func declareXMLStreams[T XNode](t *csharp.TypeBuilder, class string, take func(*XDocument) T) {
	load := func(r run, s string, options int) T { return take(parseXML(r, s, options)) }
	t.Static(class+" Load(System.IO.TextReader textReader)", csharp.F2(func(r run, in *StringReader) T { return load(r, in.readAll(r), 0) })).Outside()
	t.Static(class+" Load(System.IO.TextReader textReader, LoadOptions options)", csharp.F3(func(r run, in *StringReader, options int) T {
		return load(r, in.readAll(r), options)
	})).Outside()
	t.Static(class+" Load(System.Xml.XmlReader reader)", csharp.F2(func(r run, x *xmlCursor) T { return load(r, x.rest(), 0) })).Outside()
	save := func(r run, n T, out *StringWriter, options int) {
		if out == nil {
			csharp.ThrowArgumentNull("textWriter")
		}
		set := newXMLSettings()
		set.indent = options&saveUnformatted == 0
		w := &xmlOut{r: r, set: set, target: out.sb}
		w.node(n, 0)
		w.Dispose()
	}
	t.Method("void Save(System.IO.TextWriter textWriter)", csharp.V3(func(r run, n T, out *StringWriter) { save(r, n, out, 0) }))
	t.Method("void Save(System.IO.TextWriter textWriter, SaveOptions options)", csharp.V4(save))
	t.Method("void Save(System.Xml.XmlWriter writer)", csharp.V2(func(n T, w *xmlOut) { w.node(n, 0) }))
}

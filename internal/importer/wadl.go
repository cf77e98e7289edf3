package importer

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// wadlNamespaces are those of WADL of August 2009 (W3C member submission) and of the drafts before.
func wadlNamespaces() []string {
	return []string{"http://wadl.dev.java.net/2009/02", "http://research.sun.com/wadl/2006/10", "http://wadl.dev.java.net/2006/10"}
}

// wadl maps one description.
type wadl struct {
	tree     *xmlTree
	space    string
	byID     map[string]*xmlNode
	result   *Result
	options  Options
	ids      unique
	seen     map[string]seenMethod
	grammars string // name of the schema of the grammars, or empty
	budget   int
}

func importWADL(ctx context.Context, data []byte, o Options) (*Result, *Error) {
	t, err := readXML(ctx, data, o)
	if err != nil {
		return nil, err
	}
	if t.root.name.Local != "application" || !slices.Contains(wadlNamespaces(), t.root.name.Space) {
		return nil, t.fail(t.root, "Send a WADL document.", "the root element is %q, not application of WADL", t.root.name.Local)
	}
	w := &wadl{
		tree: t, space: t.root.name.Space, byID: map[string]*xmlNode{}, options: o, ids: unique{}, seen: map[string]seenMethod{},
		budget: freeGrowth + maxGrowth*len(data),
		result: &Result{Kind: FormatWADL, Syntax: SyntaxXML, Original: data},
	}
	w.collect(t.root)
	w.result.Title, w.result.Description = w.doc(t.root)
	w.grammar(t.root.first(w.space, "grammars"))
	lists := t.root.all(w.space, "resources")
	if len(lists) == 0 {
		return nil, t.fail(t.root, "Add resources.", "the document has no resources")
	}
	w.base(lists)
	for _, list := range lists {
		for _, r := range list.all(w.space, "resource") {
			if err := w.resource(ctx, r, "", nil, 0); err != nil {
				return nil, err
			}
		}
	}
	return w.result, nil
}

// collect notes what other parts may refer to.
func (w *wadl) collect(n *xmlNode) {
	if id := n.attr("id"); id != "" && w.byID[n.name.Local+"#"+id] == nil {
		w.byID[n.name.Local+"#"+id] = n
	}
	for _, c := range n.children {
		w.collect(c)
	}
}

// resolve follows the href of an element, one step: what it leads to has no href of its own.
func (w *wadl) resolve(n *xmlNode) (*xmlNode, *Error) {
	href := n.attr("href")
	if href == "" {
		return n, nil
	}
	target := w.byID[n.name.Local+href]
	if target == nil {
		return nil, w.tree.fail(n, "Correct it, or add what it names.", "the reference %q leads nowhere", clip(href))
	}
	return target, nil
}

// doc is the title and the text of an element's documentation.
func (w *wadl) doc(n *xmlNode) (title, text string) {
	for _, d := range n.all(w.space, "doc") {
		title, text = first(title, d.attr("title")), first(text, firstLine(d.content()))
	}
	return title, text
}

// grammar keeps the grammars as a schema of the API.
func (w *wadl) grammar(n *xmlNode) {
	if n == nil || len(n.children) == 0 {
		return
	}
	text := w.tree.standalone(n)
	w.grammars = first(w.options.SchemaID, digestID([]byte(text)))
	w.result.Schemas = []Schema{{ID: w.grammars, ContentType: ContentTypeWADL, Document: valueDocument(text)}}
	for _, include := range n.all(w.space, "include") {
		w.result.Warnings = append(w.result.Warnings, include.warn("the grammar %q is not read", clip(include.attr("href"))))
	}
}

// base takes the service URL from the first list of resources.
func (w *wadl) base(lists []*xmlNode) {
	address := lists[0].attr("base")
	u, err := url.Parse(address)
	if err == nil && !u.IsAbs() {
		if source, err := url.Parse(w.options.SourceURL); err == nil && source.IsAbs() {
			u = source.ResolveReference(u)
		}
	}
	if err == nil && u.Host != "" {
		w.result.ServiceURL, w.result.Path = strings.TrimSuffix(u.String(), "/"), strings.Trim(u.Path, "/")
		w.result.Protocols = []string{strings.ToLower(u.Scheme)}
	}
	for _, other := range lists[1:] {
		if other.attr("base") != address {
			w.result.Warnings = append(w.result.Warnings, other.warn("the base %q is not imported: an API has one service URL", clip(other.attr("base"))))
		}
	}
}

// resource maps a resource and those below it. inherited are the parameters of the resources above.
func (w *wadl) resource(ctx context.Context, n *xmlNode, above string, inherited []*xmlNode, depth int) *Error {
	if ctx.Err() != nil {
		return &Error{Reason: "the import was stopped", Err: ctx.Err()}
	}
	segment, problem := plainTemplate(n.attr("path"))
	path := strings.TrimSuffix(above, "/")
	if segment = strings.TrimPrefix(segment, "/"); segment != "" || path == "" {
		path += "/" + segment
	}
	if problem == "" {
		_, problem = templateNames(path)
	}
	if problem != "" || len(path) > maxTemplate {
		return w.tree.fail(n, `Write each parameter once, as "{name}".`, "the path %q %s", clip(n.attr("path")), first(problem, "is too long"))
	}
	parameters := append(slices.Clone(inherited), n.all(w.space, "param")...)
	for _, name := range strings.Fields(n.attr("type")) {
		kind := w.byID["resource_type"+name]
		if kind == nil {
			return w.tree.fail(n, "Correct it, or add the type.", "the resource type %q leads nowhere", clip(name))
		}
		if err := w.members(ctx, kind, path, append(parameters, kind.all(w.space, "param")...), depth); err != nil {
			return err
		}
	}
	return w.members(ctx, n, path, parameters, depth)
}

func (w *wadl) members(ctx context.Context, n *xmlNode, path string, parameters []*xmlNode, depth int) *Error {
	for _, m := range n.all(w.space, "method") {
		if err := w.method(m, path, parameters); err != nil {
			return err
		}
	}
	for _, r := range n.all(w.space, "resource") {
		if err := w.resource(ctx, r, path, parameters, depth+1); err != nil {
			return err
		}
	}
	return nil
}

// plainTemplate removes the regular expressions that JAX-RS writes into parameters, as in {id: [0-9]+}.
func plainTemplate(path string) (plain, problem string) {
	var b strings.Builder
	for rest := path; ; {
		open := strings.IndexByte(rest, '{')
		if open < 0 {
			return b.String() + rest, ""
		}
		depth, end := 0, -1
		for i := open; i < len(rest) && end < 0; i++ {
			switch rest[i] {
			case '{':
				depth++
			case '}':
				if depth--; depth == 0 {
					end = i
				}
			}
		}
		if end < 0 {
			return "", `has a "{" without "}"`
		}
		name, _, _ := strings.Cut(rest[open+1:end], ":")
		b.WriteString(rest[:open] + "{" + strings.TrimSpace(name) + "}")
		rest = rest[end+1:]
	}
}

// seenMethod is a method that was mapped: its path and its operation.
type seenMethod struct {
	path  string
	index int
}

func (w *wadl) method(reference *xmlNode, path string, inherited []*xmlNode) *Error {
	n, err := w.resolve(reference)
	if err != nil {
		return err
	}
	method := strings.ToUpper(n.attr("name"))
	if method == "" {
		return w.tree.fail(n, `Add "name".`, "a method has no name")
	}
	key := method + " " + templateKey(path)
	twin, again := w.seen[key]
	if again && twin.path != path {
		return w.tree.fail(reference, "Keep one of them.", "%s %s matches the same requests as %s", method, clip(path), clip(twin.path))
	}
	if w.budget -= operationBytes + len(path); w.budget < 0 {
		return tooMuch()
	}
	title, description := w.doc(n)
	out := Operation{
		DisplayName: displayName(title, n.attr("id"), method, path), Description: description, Method: method, URLTemplate: path,
		TemplateParameters: []Parameter{},
		Request:            Request{QueryParameters: []Parameter{}, Headers: []Header{}, Representations: []Representation{}},
		Responses:          []Response{},
	}
	request := n.first(w.space, "request")
	_, out.Request.Description = w.doc(orEmptyNode(request))
	if err := w.parameters(&out, append(slices.Clone(inherited), request.all(w.space, "param")...)); err != nil {
		return err
	}
	if out.Request.Representations, err = w.representations(request); err != nil {
		return err
	}
	for _, r := range n.all(w.space, "response") {
		if err := w.response(&out, r); err != nil {
			return err
		}
	}
	if again {
		w.result.Operations[twin.index].join(&out)
		w.result.Warnings = append(w.result.Warnings, reference.warn("%s %s is there twice: both become one operation", method, clip(path)))
		return nil
	}
	w.seen[key] = seenMethod{path, len(w.result.Operations)}
	out.ID = w.ids.name(first(normalID(n.attr("id")), normalID(method+path), "operation"))
	w.result.Operations = append(w.result.Operations, out)
	if w.options.Progress != nil {
		w.options.Progress(len(w.result.Operations), len(w.result.Operations))
	}
	return nil
}

func orEmptyNode(n *xmlNode) *xmlNode {
	if n == nil {
		return &xmlNode{}
	}
	return n
}

// parameters sorts parameters by their style. Every name of the template gets one.
func (w *wadl) parameters(out *Operation, list []*xmlNode) *Error {
	names, _ := templateNames(out.URLTemplate)
	template := map[string]Parameter{}
	for _, n := range list {
		p, style, err := w.parameter(n)
		if err != nil {
			return err
		}
		switch style {
		case "template":
			p.Required = true
			template[p.Name] = p
		case "header":
			out.Request.Headers = append(out.Request.Headers, p)
		case "", "query":
			out.Request.QueryParameters = append(out.Request.QueryParameters, p)
		default:
			w.result.Warnings = append(w.result.Warnings, n.warn("%s parameters are not imported", style))
		}
	}
	for _, name := range names {
		p, ok := template[name]
		if !ok {
			p = Parameter{Name: name, Type: "string", Required: true, Values: []string{}}
		}
		out.TemplateParameters = append(out.TemplateParameters, p)
	}
	if w.options.RequiredQuery == RequiredQueryAsTemplate {
		requiredToTemplate(out)
	}
	return nil
}

// requiredToTemplate moves the required query parameters into the URL template.
func requiredToTemplate(out *Operation) {
	kept := out.Request.QueryParameters[:0]
	separator := "?"
	for _, p := range out.Request.QueryParameters {
		if !p.Required {
			kept = append(kept, p)
			continue
		}
		out.URLTemplate += separator + p.Name + "={" + p.Name + "}"
		separator = "&"
		out.TemplateParameters = append(out.TemplateParameters, p)
	}
	out.Request.QueryParameters = kept
}

func (w *wadl) parameter(reference *xmlNode) (p Parameter, style string, err *Error) {
	n, err := w.resolve(reference)
	if err != nil {
		return p, "", err
	}
	if n.attr("name") == "" {
		return p, "", w.tree.fail(n, `Add "name".`, "a parameter has no name")
	}
	if w.budget -= partBytes; w.budget < 0 {
		return p, "", tooMuch()
	}
	_, description := w.doc(n)
	p = Parameter{
		Name: n.attr("name"), Description: description, Type: wadlType(n), DefaultValue: first(n.attr("default"), n.attr("fixed")),
		Required: n.attr("required") == "true", Values: []string{},
	}
	for _, o := range n.all(w.space, "option") {
		p.Values = append(p.Values, o.attr("value"))
	}
	return p, n.attr("style"), nil
}

// wadlType is the type of a parameter in JSON's words.
func wadlType(n *xmlNode) string {
	if n.attr("repeating") == "true" {
		return "array"
	}
	switch kind, _ := builtIn(n.qname("type").Local); kind {
	case kindInteger:
		return "integer"
	case kindDecimal:
		return "number"
	case kindBoolean:
		return "boolean"
	}
	return "string"
}

func (w *wadl) representations(of *xmlNode) ([]Representation, *Error) {
	out := []Representation{}
	for _, reference := range of.all(w.space, "representation") {
		n, err := w.resolve(reference)
		if err != nil {
			return nil, err
		}
		r := Representation{ContentType: first(n.attr("mediaType"), "application/xml")}
		if element := n.qname("element").Local; element != "" && w.grammars != "" {
			r.SchemaID, r.TypeName = w.grammars, element
		}
		for _, field := range n.all(w.space, "param") {
			p, _, err := w.parameter(field)
			if err != nil {
				return nil, err
			}
			r.FormParameters = append(r.FormParameters, p)
		}
		out = append(out, r)
	}
	return out, nil
}

// response maps a response, which may stand for several status codes.
func (w *wadl) response(out *Operation, n *xmlNode) *Error {
	_, description := w.doc(n)
	representations, err := w.representations(n)
	if err != nil {
		return err
	}
	headers := []Header{}
	for _, field := range n.all(w.space, "param") {
		p, style, err := w.parameter(field)
		if err != nil {
			return err
		}
		if style == "header" {
			headers = append(headers, p)
		}
	}
	codes := strings.Fields(n.attr("status"))
	if len(codes) == 0 {
		codes = []string{"200"}
	}
	for _, code := range codes {
		status, bad := strconv.Atoi(code)
		if bad != nil || status < 100 || status > 999 {
			return w.tree.fail(n, "Write the number.", "%s", fmt.Sprintf("the status %q is no status code", clip(code)))
		}
		if slices.ContainsFunc(out.Responses, func(r Response) bool { return r.StatusCode == status }) {
			continue
		}
		out.Responses = append(out.Responses, Response{StatusCode: status, Description: description, Headers: headers, Representations: representations})
	}
	return nil
}

package xslt

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/causeway-apim/causeway/internal/xmlx"
	"github.com/causeway-apim/causeway/internal/xmlx/xpath"
)

// The namespaces that mean something in a stylesheet.
const (
	spaceXSL   = "http://www.w3.org/1999/XSL/Transform"
	spaceMSXSL = "urn:schemas-microsoft-com:xslt"
	spaceEXSL  = "http://exslt.org/common"
)

// maxStylesheet is the size in bytes of the largest stylesheet.
const maxStylesheet = 4 << 20

// Stylesheet is a compiled stylesheet. It is immutable and safe for concurrent use.
type Stylesheet struct {
	modes   map[xmlx.Name]*mode
	named   map[xmlx.Name]*template
	globals []*global
	keys    map[xmlx.Name][]keyDefinition
	formats map[xmlx.Name]*decimalFormat
	sets    map[xmlx.Name][]*attributeSet
	strip   []spaceRule
	output  Output
	aliases map[string]binding
}

// global is a variable or parameter of the whole stylesheet.
type global struct {
	name  xmlx.Name
	param bool
	value func(r *run, c *xpath.Context) xpath.Value
}

// code is a compiled instruction.
type code func(r *run, c *xpath.Context)

type sequence []code

func (s sequence) run(r *run, c *xpath.Context) {
	for _, f := range s {
		f(r, c)
	}
}

// Compile compiles a stylesheet: the text of an xsl:stylesheet or xsl:transform element.
func Compile(text []byte) (*Stylesheet, error) {
	if len(text) > maxStylesheet {
		return nil, fmt.Errorf("the stylesheet is larger than %d bytes", maxStylesheet)
	}
	d, err := xmlx.Parse(text)
	if err != nil {
		return nil, err
	}
	root := xpath.FromDocument(d, 0).First
	for root.Kind != xpath.Element {
		root = root.Next
	}
	c := &compiler{sheet: &Stylesheet{
		modes: make(map[xmlx.Name]*mode), named: make(map[xmlx.Name]*template), keys: make(map[xmlx.Name][]keyDefinition),
		formats: make(map[xmlx.Name]*decimalFormat), sets: make(map[xmlx.Name][]*attributeSet), aliases: make(map[string]binding),
	}}
	if err := c.stylesheet(root); err != nil {
		return nil, err
	}
	return c.sheet, nil
}

// compiler compiles one stylesheet.
type compiler struct {
	sheet *Stylesheet
	// later are the parts that need to know all global names first.
	later []func() error
	// scope are the local variables that can be seen; slots is how many the template needs.
	scope   []local
	slots   int
	forward bool // the version is not 1.0: what is unknown fails only when it runs
}

type local struct {
	name xmlx.Name
	slot int
}

func (c *compiler) stylesheet(root *xpath.Node) error {
	if root.Name.Space != spaceXSL || root.Name.Local != "stylesheet" && root.Name.Local != "transform" {
		return fmt.Errorf("the root element <%s> is not xsl:stylesheet", root.Name)
	}
	version, ok := root.Attr("", "version")
	if !ok {
		return errors.New("<xsl:stylesheet> must have the attribute \"version\"")
	}
	c.forward = xpath.ParseNumber(version) != 1
	for n := root.First; n != nil; n = n.Next {
		if n.Kind == xpath.Text && !isSpace(n.Value) {
			return errors.New("<xsl:stylesheet> has no text of its own")
		}
		if n.Kind != xpath.Element {
			continue
		}
		if err := c.topLevel(n); err != nil {
			return fmt.Errorf("<%s>: %w", n.Name, err)
		}
	}
	for _, f := range c.later {
		if err := f(); err != nil {
			return err
		}
	}
	for _, m := range c.sheet.modes {
		m.index()
	}
	return c.checkSets()
}

func isSpace(s string) bool { return strings.Trim(s, " \t\r\n") == "" }

// topLevel takes an element of the top level.
func (c *compiler) topLevel(n *xpath.Node) error {
	if n.Name.Space == spaceMSXSL && n.Name.Local == "script" {
		return errors.New("scripts in stylesheets are not allowed")
	}
	if n.Name.Space != spaceXSL {
		if n.Name.Space == "" {
			return errors.New("elements of the top level must have a namespace")
		}
		return nil // data for nobody
	}
	switch n.Name.Local {
	case "template":
		return c.template(n)
	case "variable", "param":
		return c.global(n)
	case "output":
		return c.output(n)
	case "key":
		return c.key(n)
	case "strip-space", "preserve-space":
		return c.spaceRules(n)
	case "decimal-format":
		return c.decimalFormat(n)
	case "attribute-set":
		return c.attributeSet(n)
	case "namespace-alias":
		return c.alias(n)
	case "import", "include":
		return errors.New("other stylesheets cannot be read from here")
	}
	if c.forward {
		return nil
	}
	return errors.New("the element may not stand at the top level")
}

// allow reports attributes that an XSLT element does not have, and required ones (with ! at the end) that are missing.
func (c *compiler) allow(n *xpath.Node, names ...string) error {
	known := make(map[string]bool, len(names))
	for _, name := range names {
		required := strings.HasSuffix(name, "!")
		name = strings.TrimSuffix(name, "!")
		known[name] = true
		if _, ok := n.Attr("", name); required && !ok {
			return fmt.Errorf("the attribute %q is missing", name)
		}
	}
	for _, a := range n.Attrs {
		if a.Name.Space == "" && !known[a.Name.Local] && !c.forward {
			return fmt.Errorf("there is no attribute %q", a.Name.Local)
		}
		if a.Name.Space == spaceXSL {
			return fmt.Errorf("the attribute %q must not have a prefix", a.Name)
		}
	}
	return nil
}

func yesNo(n *xpath.Node, name string) (value, set bool, err error) {
	switch v, ok := n.Attr("", name); {
	case !ok:
		return false, false, nil
	case v == "yes" || v == "no":
		return v == "yes", true, nil
	default:
		return false, false, fmt.Errorf("the attribute %q must be yes or no", name)
	}
}

// qname resolves a name as variables, templates and modes have: without a prefix it has no namespace.
func qname(n *xpath.Node, s string) (xmlx.Name, error) {
	s = strings.TrimSpace(s)
	prefix, local, ok := strings.Cut(s, ":")
	if !ok {
		prefix, local = "", s
	}
	if !isName(local) || ok && !isName(prefix) {
		return xmlx.Name{}, fmt.Errorf("%q is not a name", s)
	}
	if !ok {
		return xmlx.Name{Local: local}, nil
	}
	uri, found := n.Space(prefix)
	if !found {
		return xmlx.Name{}, fmt.Errorf("the prefix %q is not declared", prefix)
	}
	return xmlx.Name{Local: local, Space: uri}, nil
}

func isName(s string) bool { return s != "" && xmlx.EncodeName(s) == s && !strings.Contains(s, ":") }

func (c *compiler) output(n *xpath.Node) (err error) {
	if err := c.allow(n, "method", "version", "encoding", "omit-xml-declaration", "standalone", "doctype-public", "doctype-system",
		"cdata-section-elements", "indent", "media-type"); err != nil {
		return err
	}
	o := &c.sheet.output
	for name, to := range map[string]*string{
		"method": &o.Method, "version": &o.Version, "encoding": &o.Encoding, "standalone": &o.Standalone, "doctype-public": &o.DoctypePublic,
		"doctype-system": &o.DoctypeSystem, "media-type": &o.MediaType,
	} {
		if v, ok := n.Attr("", name); ok {
			*to = strings.TrimSpace(v)
		}
	}
	switch o.Method {
	case "", "xml", "html", "text":
	default:
		return fmt.Errorf("the method %q is not supported", o.Method)
	}
	if _, _, err := yesNo(n, "standalone"); err != nil {
		return err
	}
	if o.Encoding != "" {
		if err := knownEncoding(o.Encoding); err != nil {
			return err
		}
	}
	if v, ok, err := yesNo(n, "omit-xml-declaration"); err != nil {
		return err
	} else if ok {
		o.OmitDeclaration = v
	}
	if v, ok, err := yesNo(n, "indent"); err != nil {
		return err
	} else if ok {
		o.Indent, o.indentSet = v, true
	}
	list, _ := n.Attr("", "cdata-section-elements")
	for _, s := range strings.Fields(list) {
		name, err := elementName(n, s)
		if err != nil {
			return err
		}
		if o.cdata == nil {
			o.cdata = make(map[xmlx.Name]bool)
		}
		o.cdata[name] = true
	}
	return nil
}

// elementName resolves the name of an element: without a prefix it has the default namespace.
func elementName(n *xpath.Node, s string) (xmlx.Name, error) {
	name, err := qname(n, s)
	if err == nil && !strings.Contains(s, ":") {
		name.Space, _ = n.Space("")
	}
	return name, err
}

// spaceRule says whether white space in elements is stripped.
type spaceRule struct {
	name     xmlx.Name // Local "*" for all of a namespace
	any      bool
	strip    bool
	priority float64
}

func (c *compiler) spaceRules(n *xpath.Node) error {
	if err := c.allow(n, "elements!"); err != nil {
		return err
	}
	list, _ := n.Attr("", "elements")
	for _, s := range strings.Fields(list) {
		r := spaceRule{strip: n.Name.Local == "strip-space"}
		switch prefix, ok := strings.CutSuffix(s, ":*"); {
		case s == "*":
			r.any, r.priority = true, -0.5
		case ok:
			uri, found := n.Space(prefix)
			if !found {
				return fmt.Errorf("the prefix %q is not declared", prefix)
			}
			r.name, r.priority = xmlx.Name{Local: "*", Space: uri}, -0.25
		default:
			name, err := elementName(n, s)
			if err != nil {
				return err
			}
			r.name = name
		}
		c.sheet.strip = append(c.sheet.strip, r)
	}
	return nil
}

// strips says whether white space directly in an element goes.
func (s *Stylesheet) strips(name xmlx.Name) bool {
	strip, best := false, -1.0
	for _, r := range s.strip {
		match := r.any || r.name.Space == name.Space && (r.name.Local == "*" || r.name.Local == name.Local)
		if match && r.priority >= best {
			strip, best = r.strip, r.priority
		}
	}
	return strip
}

func (c *compiler) alias(n *xpath.Node) error {
	if err := c.allow(n, "stylesheet-prefix!", "result-prefix!"); err != nil {
		return err
	}
	space := func(attr string) (string, string, error) {
		prefix, _ := n.Attr("", attr)
		if prefix == "#default" {
			prefix = ""
		}
		uri, ok := n.Space(prefix)
		if !ok {
			return "", "", fmt.Errorf("the prefix %q is not declared", prefix)
		}
		return prefix, uri, nil
	}
	_, from, err := space("stylesheet-prefix")
	if err != nil {
		return err
	}
	prefix, to, err := space("result-prefix")
	if err != nil {
		return err
	}
	c.sheet.aliases[from] = binding{prefix, to}
	return nil
}

// static is what expressions at an element of the stylesheet see.
type static struct {
	c    *compiler
	n    *xpath.Node
	none bool // no variables at all: in match patterns and keys
}

func (s static) Space(prefix string) (string, bool) { return s.n.Space(prefix) }

func (s static) Variable(name xmlx.Name) (func(*xpath.Context) xpath.Value, error) {
	name.Prefix = ""
	if s.none {
		return nil, errors.New("variables cannot be used here")
	}
	for i := len(s.c.scope) - 1; i >= 0; i-- {
		if l := s.c.scope[i]; l.name == name {
			return func(c *xpath.Context) xpath.Value { return c.Locals[l.slot] }, nil
		}
	}
	for i, g := range s.c.sheet.globals {
		if g.name == name {
			return func(c *xpath.Context) xpath.Value { return c.Run.(*run).global(i) }, nil
		}
	}
	return nil, fmt.Errorf("there is no variable or parameter $%s", name.Local)
}

func (c *compiler) expr(n *xpath.Node, text string) (*xpath.Expr, error) {
	return xpath.Compile(text, static{c: c, n: n})
}

// attrExpr compiles the expression in an attribute; fallback is the one without it.
func (c *compiler) attrExpr(n *xpath.Node, name, fallback string) (*xpath.Expr, error) {
	text, ok := n.Attr("", name)
	if !ok {
		text = fallback
	}
	return c.expr(n, text)
}

// priority reads the attribute of a template.
func priority(n *xpath.Node) (value float64, ok bool, err error) {
	text, ok := n.Attr("", "priority")
	if !ok {
		return 0, false, nil
	}
	value, err = strconv.ParseFloat(strings.TrimSpace(text), 64)
	if err != nil {
		return 0, false, fmt.Errorf("the priority %q is not a number", text)
	}
	return value, true, nil
}

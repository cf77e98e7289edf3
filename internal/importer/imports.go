package importer

import (
	"context"
	"maps"
	"net/url"
	"slices"
	"strings"
)

// maxDocuments is how many documents one description may consist of.
const maxDocuments = 50

// documents follows the links between the documents of one description.
type documents struct {
	ctx     context.Context
	options Options
	read    map[string]bool // by URL
	bytes   int64
}

func newDocuments(ctx context.Context, o Options, size int) *documents {
	return &documents{ctx: ctx, options: o, read: map[string]bool{o.SourceURL: true}, bytes: int64(size)}
}

// follow reads what the attribute of an element refers to. It returns nil for a document that was read before.
func (d *documents) follow(t *xmlTree, n *xmlNode, attribute string) (*xmlTree, *Error) {
	if wellKnown(n.attr(attribute)) {
		return nil, nil
	}
	link, err := d.resolve(t, n, attribute)
	if err != nil || d.read[link] {
		return nil, err
	}
	d.read[link] = true
	if len(d.read) > maxDocuments {
		return nil, t.fail(n, "Merge them into fewer ones.", "the description has more than %d documents", maxDocuments)
	}
	data, cause := d.options.Fetch(d.ctx, link)
	if cause != nil {
		e := t.fail(n, "Correct the link, or merge the document into this one.", "%q cannot be read: %v", clip(link), cause)
		e.Err = cause
		return nil, e
	}
	if d.bytes += int64(len(data)); d.bytes > d.options.MaxBytes {
		return nil, tooLarge(int(d.bytes), d.options.MaxBytes)
	}
	read, err := readXML(d.ctx, data, d.options)
	if err != nil {
		err.Reason = "in " + clip(link) + ": " + err.Reason
		return nil, err
	}
	read.url = link
	return read, nil
}

// wellKnown reports whether a link leads to a schema of the standards themselves, which says nothing about a service.
func wellKnown(link string) bool {
	link = strings.TrimPrefix(strings.TrimPrefix(link, "http://"), "https://")
	return strings.HasPrefix(link, "schemas.xmlsoap.org/soap/") || strings.HasPrefix(link, "schemas.xmlsoap.org/wsdl/") || strings.HasPrefix(link, "www.w3.org/")
}

// resolve makes an absolute link of an attribute.
func (d *documents) resolve(t *xmlTree, n *xmlNode, attribute string) (string, *Error) {
	location := n.attr(attribute)
	const advice = "Merge the document into this one, or import by link."
	at := t.url
	if at == "" {
		at = d.options.SourceURL
	}
	u, err := url.Parse(location)
	if err == nil && !u.IsAbs() {
		var base *url.URL
		if base, err = url.Parse(at); err == nil {
			u = base.ResolveReference(u)
		}
	}
	if err != nil || !u.IsAbs() || d.options.Fetch == nil {
		return "", t.fail(n, advice, "%q leads out of the document", clip(location))
	}
	u.Fragment = ""
	return u.String(), nil
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

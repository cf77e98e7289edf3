package snapshot

import (
	"path"
	"strings"
	"unique"
)

// A mark is something that parts can reach: "the API echo", "the named value
// k", "the user 1". A part is visible to a gateway when one of the marks that it
// is under is active; a mark is active when a visible part points at it.
type mark = unique.Handle[markName]

type markName struct {
	class class
	name  string // lower-case; anyName for all of the class
}

type class uint8

const (
	classService class = iota
	classGateway
	classAPI // name without revision
	classProduct
	classVersionSet
	classNamedValue // by display name
	classFragment
	classBackend
	classCertificate
	classThumbprint
	classUser
	classGroup
	classSubscription
	classLogger
	classKeys // subscription keys are read by some policy
	classLocation
	classAuthority // public certificate by name
)

// anyName is the mark of all parts of a class: an expression may name any.
const anyName = "*"

func markOf(c class, name string) mark {
	return unique.Make(markName{c, strings.ToLower(name)})
}

// links are the edges of one part.
type links struct {
	under []mark
	// every: all marks of under must be active, not only one.
	every  bool
	points []mark
}

func (l *links) in(c class, names ...string) {
	for _, n := range names {
		l.under = append(l.under, markOf(c, n))
	}
}

func (l *links) out(c class, names ...string) {
	for _, n := range names {
		if n != "" {
			l.points = append(l.points, markOf(c, n))
		}
	}
}

// workspacePrefix begins the IDs of parts of workspaces, and of workspaces.
const workspacePrefix = "workspaces/"

// linksOf reads the links out of a part. A part that cannot be decoded, and one
// of a kind that is not known here, is under nothing: what cannot be judged
// stays away from self-hosted gateways.
func linksOf(p *Part) links {
	var l links
	if strings.HasPrefix(p.Key.ID, workspacePrefix) { // what is in workspaces cannot be assigned to gateways
		return l
	}
	switch p.Key.Kind {
	case KindService:
		l.in(classService, "")
	case KindGateway:
		linkAs(p, &l, func(g Gateway, l *links) {
			l.in(classGateway, path.Base(p.Key.ID))
			l.out(classLocation, LocationKey(g.Location))
		})
	case KindCache:
		linkAs(p, &l, linkCache)
	case KindHostname:
		linkAs(p, &l, linkHostname)
	case KindGatewayAPI:
		linkAs(p, &l, func(g GatewayAPI, l *links) { l.in(classGateway, g.Gateway); l.out(classAPI, g.API) })
	case KindCertificate:
		linkAs(p, &l, linkCertificate)
	case KindAuthority:
		linkAs(p, &l, func(a Authority, l *links) { l.in(classGateway, a.Gateway); l.out(classAuthority, a.Certificate) })
	case KindPublicCertificate:
		linkAs(p, &l, func(c PublicCertificate, l *links) { l.in(classAuthority, c.Name) })
	case KindNamedValue:
		linkAs(p, &l, linkNamedValue)
	case KindFragment:
		linkAs(p, &l, linkFragment)
	case KindBackend:
		linkAs(p, &l, func(b Backend, l *links) { linkBackend(b, string(p.Data), l) })
	case KindLogger:
		l.in(classLogger, path.Base(p.Key.ID))
		scanNamedValues(strings.ToLower(string(p.Data)), &l)
	case KindDiagnostic:
		linkAs(p, &l, func(d Diagnostic, l *links) {
			if strings.HasPrefix(p.Key.ID, "apis/") {
				l.in(classAPI, baseName(segment(p.Key.ID)))
			} else {
				l.in(classService, "")
			}
			l.out(classLogger, path.Base(d.Logger))
		})
	case KindVersionSet:
		l.in(classVersionSet, path.Base(p.Key.ID))
	case KindAPI:
		linkAs(p, &l, func(a apiLinks, l *links) {
			l.in(classAPI, baseName(segment(p.Key.ID)))
			l.out(classVersionSet, a.VersionSet)
			scanNamedValues(strings.ToLower(a.ServiceURL), l)
		})
	case KindOperation, KindResolver:
		l.in(classAPI, baseName(segment(p.Key.ID)))
	case KindSchema:
		if strings.HasPrefix(p.Key.ID, "apis/") {
			l.in(classAPI, baseName(segment(p.Key.ID)))
		} else {
			l.in(classService, "")
		}
	case KindProduct:
		linkAs(p, &l, func(v groupLinks, l *links) { l.in(classProduct, segment(p.Key.ID)); l.out(classGroup, v.Groups...) })
	case KindProductAPI:
		linkAs(p, &l, func(v ProductAPI, l *links) { l.in(classAPI, baseName(v.API)); l.out(classProduct, v.Product) })
	case KindGroup:
		l.in(classGroup, path.Base(p.Key.ID))
	case KindUser:
		linkAs(p, &l, func(v groupLinks, l *links) { l.in(classUser, path.Base(p.Key.ID)); l.out(classGroup, v.Groups...) })
	case KindSubscription:
		linkAs(p, &l, func(v subscriptionLinks, l *links) { linkScope(v.Scope, l); l.out(classUser, v.User) })
	case KindSubscriptionKeys:
		l.in(classKeys, "")
		l.in(classSubscription, segment(p.Key.ID))
		l.every = true
	case KindPolicy:
		linkAs(p, &l, func(v Policy, l *links) { linkScope(v.Scope, l); scanPolicy(v.Value, l) })
	}
	return l
}

// The fields that make links, of structs that have many others.
type (
	apiLinks          struct{ VersionSet, ServiceURL string }
	groupLinks        struct{ Groups []string }
	subscriptionLinks struct{ Scope, User string }
)

func linkAs[T any](p *Part, l *links, f func(T, *links)) {
	if v, err := Decode[T](*p); err == nil {
		f(v, l)
	}
}

func linkHostname(h Hostname, l *links) {
	l.in(classGateway, h.Gateway)
	l.out(classCertificate, h.Certificate)
}

// linkCache keeps the secrets of caches from gateways of other locations.
func linkCache(c Cache, l *links) {
	if key := LocationKey(c.UseFrom); key != DefaultCache {
		l.in(classLocation, key)
	} else {
		l.in(classService, "")
	}
	scanNamedValues(strings.ToLower(c.Connection), l)
}

// LocationKey is the form in which names of locations compare: "West Europe" is "westeurope".
func LocationKey(name string) string {
	return strings.ToLower(strings.Join(strings.Fields(name), ""))
}

func linkCertificate(c Certificate, l *links) {
	l.in(classCertificate, c.Name, anyName)
	l.in(classThumbprint, c.Thumbprint)
}

// linkNamedValue looks at the value too: it may hold an expression.
func linkNamedValue(v NamedValue, l *links) {
	l.in(classNamedValue, v.Name)
	scanExpressions(strings.ToLower(v.Value), l)
}

func linkFragment(f Fragment, l *links) {
	l.in(classFragment, f.Name, anyName)
	scanPolicy(f.Value, l)
}

func linkBackend(b Backend, data string, l *links) {
	l.in(classBackend, b.Name, anyName)
	for _, m := range b.Pool {
		l.out(classBackend, path.Base(m.Backend))
	}
	if b.Credentials != nil {
		l.out(classThumbprint, b.Credentials.Certificates...)
		for _, id := range b.Credentials.CertificateIDs {
			l.out(classCertificate, path.Base(id))
		}
	}
	scanNamedValues(strings.ToLower(data), l)
}

// linkScope puts a policy or subscription under its scope.
func linkScope(scope string, l *links) {
	kind, rest, _ := strings.Cut(scope, "/")
	name, _, _ := strings.Cut(rest, "/")
	switch {
	case scope == "" || scope == "apis":
		l.in(classService, "")
	case kind == "apis":
		l.in(classAPI, baseName(name))
	case kind == "products":
		l.in(classProduct, name)
	}
}

// segment is the second segment of an ID: "echo" of "apis/echo/operations/get".
func segment(id string) string {
	_, rest, _ := strings.Cut(id, "/")
	name, _, _ := strings.Cut(rest, "/")
	return name
}

// baseName is an API's name without its revision.
func baseName(api string) string {
	name, _, _ := strings.Cut(api, ";rev=")
	return name
}

package snapshot

import "strings"

// The scan of policy text finds what a document may reach without parsing it.
// Where it cannot tell, it says "all of the kind": too much in a view costs
// bytes, too little breaks calls.

// maxReference is the longest name (bytes) that a policy can refer to.
const maxReference = 256

// referenceAttributes are the ends of the names of attributes that name a part.
var referenceAttributes = [...]struct {
	name  string
	class class
}{
	{"fragment-id", classFragment},
	{"backend-id", classBackend},
	{"certificate-id", classCertificate},
	{"thumbprint", classThumbprint},
	{"logger-id", classLogger},
}

// scanPolicy adds what a policy document or fragment reaches.
func scanPolicy(text string, l *links) {
	text = strings.ToLower(text)
	scanNamedValues(text, l)
	scanExpressions(text, l)
	for _, a := range referenceAttributes {
		for rest := text; ; {
			i := strings.Index(rest, a.name)
			if i < 0 {
				break
			}
			rest = rest[i+len(a.name):]
			scanReference(a.class, rest, l)
		}
	}
}

// scanReference reads ="value" at the start of the text.
func scanReference(c class, text string, l *links) {
	text, ok := strings.CutPrefix(strings.TrimLeft(text, " \t\r\n"), "=")
	text = strings.TrimLeft(text, " \t\r\n")
	if !ok || text == "" || (text[0] != '"' && text[0] != '\'') {
		return
	}
	value, _, ended := strings.Cut(text[1:min(len(text), maxReference+2)], text[:1])
	value = strings.TrimSpace(value)
	if ended && !strings.ContainsAny(value, "@{&") {
		l.out(c, value)
		return
	}
	if c == classThumbprint {
		c = classCertificate
	}
	l.out(c, anyName)
}

// scanNamedValues adds each {{name}}; the text is lower-case.
func scanNamedValues(text string, l *links) {
	for {
		_, rest, found := strings.Cut(text, "{{")
		if !found {
			return
		}
		name, _, found := strings.Cut(rest[:min(len(rest), maxReference+2)], "}}")
		if found && !strings.ContainsAny(name, "{\n") {
			l.out(classNamedValue, strings.TrimSpace(name))
		}
		text = rest
	}
}

// scanExpressions adds what C# reaches through the context variable:
// context.Deployment.Certificates and the keys of context.Subscription. The
// text is lower-case.
func scanExpressions(text string, l *links) {
	if strings.Contains(text, "certificates") {
		l.out(classCertificate, anyName)
	}
	if strings.Contains(text, "primarykey") || strings.Contains(text, "secondarykey") {
		l.points = append(l.points, markOf(classKeys, ""))
	}
}

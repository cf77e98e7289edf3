package arm

import (
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Limits of resource IDs.
const (
	MaxIDBytes    = 1024
	MaxIDSegments = 40
	MaxNameBytes  = 256
)

// ID is a resource ID: a path such as
//
//	/subscriptions/S/resourceGroups/G/providers/Microsoft.ApiManagement/service/NAME/apis/echo;rev=2
//
// IDs are compared without regard to case ([ID.Key]) and keep the spelling in which they were made. The zero value
// is no ID.
type ID struct {
	path, key string
}

// ParseID reads an ID that is not URL-escaped, as it stands in bodies. One trailing slash is dropped.
func ParseID(s string) (ID, error) {
	s = strings.TrimSuffix(s, "/")
	switch {
	case s == "" || s[0] != '/':
		return ID{}, Errorf(CodeInvalidID, "A resource ID begins with a slash.").WithTarget(s)
	case len(s) > MaxIDBytes:
		return ID{}, Errorf(CodeInvalidID, "A resource ID has at most %d bytes.", MaxIDBytes)
	case strings.Count(s, "/") > MaxIDSegments:
		return ID{}, Errorf(CodeInvalidID, "A resource ID has at most %d segments.", MaxIDSegments)
	}
	for seg := range strings.SplitSeq(s[1:], "/") {
		if !validSegment(seg) {
			return ID{}, Errorf(CodeInvalidID, "The segment %q of a resource ID is empty, too long or holds characters that are not allowed.", seg)
		}
	}
	id := newID(s)
	if len(id.key) > MaxIDBytes { // lower case may be longer
		return ID{}, Errorf(CodeInvalidID, "A resource ID has at most %d bytes.", MaxIDBytes)
	}
	return id, nil
}

// ParseURLPath reads an ID from a request's escaped path.
func ParseURLPath(escaped string) (ID, error) {
	if strings.Contains(strings.ToLower(escaped), "%2f") {
		return ID{}, Errorf(CodeInvalidID, "A segment of a resource ID cannot hold a slash.")
	}
	s, err := url.PathUnescape(escaped)
	if err != nil {
		return ID{}, Errorf(CodeInvalidID, "The path is not escaped correctly.")
	}
	return ParseID(s)
}

// StoredID returns the ID of a path that [ParseID] has accepted before, with its key: that of a stored document.
func StoredID(path, key string) ID { return ID{path, key} }

func validSegment(s string) bool {
	if s == "" || s == "." || s == ".." || len(s) > MaxNameBytes || !utf8.ValidString(s) {
		return false
	}
	return strings.IndexFunc(s, func(r rune) bool { return unicode.IsControl(r) || r == '\\' || r == utf8.RuneError }) < 0
}

func newID(path string) ID { return ID{path, strings.ToLower(path)} }

// String returns the ID in its original spelling.
func (id ID) String() string { return id.path }

// Key returns the ID in lower case: the form that is compared and stored.
func (id ID) Key() string { return id.key }

// IsZero reports whether there is no ID.
func (id ID) IsZero() bool { return id.path == "" }

// Equal compares without regard to case.
func (id ID) Equal(other ID) bool { return id.key == other.key }

// Segments returns the path's segments in their original spelling.
func (id ID) Segments() []string {
	if id.path == "" {
		return nil
	}
	return strings.Split(id.path[1:], "/")
}

// Name returns the last segment in its original spelling.
func (id ID) Name() string { return id.path[strings.LastIndexByte(id.path, '/')+1:] }

// Child returns the ID of a resource below this one. The segments must not hold slashes.
func (id ID) Child(segment, name string) ID { return newID(id.path + "/" + segment + "/" + name) }

// Parent returns the ID of the resource that this one is nested in: the API of an operation, the resource group of a
// service, the subscription of a resource group; the zero ID above that.
func (id ID) Parent() ID {
	segs := id.Segments()
	cut := len(segs) - 2
	if cut >= 2 && strings.EqualFold(segs[cut-2], "providers") {
		cut -= 2
	}
	if cut <= 0 {
		return ID{}
	}
	return newID("/" + strings.Join(segs[:cut], "/"))
}

// Service returns the ID of the API Management service that the resource is in or is; the zero ID for others.
func (id ID) Service() ID {
	n := id.serviceEnd()
	switch {
	case n == 0:
		return ID{}
	case len(id.path) != len(id.key): // lower case is longer or shorter
		return newID(id.path[:n])
	}
	return ID{id.path[:n], id.key[:n]}
}

// serviceEnd returns the length of the service's part of the path, 0 for none. Everything that is published asks for it.
func (id ID) serviceEnd() int {
	start, end := 0, 0
	for i := range 8 {
		if end == len(id.path) {
			return 0
		}
		start = end + 1
		if n := strings.IndexByte(id.path[start:], '/'); n >= 0 {
			end = start + n
		} else {
			end = len(id.path)
		}
		word := [...]string{4: "providers", 5: Provider, 6: serviceWord, 7: ""}[i]
		if word != "" && !strings.EqualFold(id.path[start:end], word) {
			return 0
		}
	}
	return end
}

const serviceWord = "service"

// Rel returns the path below the service in lower case, without a leading slash: "apis/echo;rev=2". It is "" for the
// service itself and for IDs outside services.
func (id ID) Rel() string {
	n := id.serviceEnd()
	if n > 0 && n < len(id.path) && len(id.path) == len(id.key) {
		return id.key[n+1:]
	}
	return strings.ToLower(id.RelPath())
}

// RelPath is [ID.Rel] in the original spelling.
func (id ID) RelPath() string {
	n := id.serviceEnd()
	if n == 0 || n == len(id.path) {
		return ""
	}
	return id.path[n+1:]
}

// Below returns the ID whose path below service is rel, such as "apis/echo".
func Below(service ID, rel string) ID {
	if rel == "" {
		return service
	}
	return newID(service.path + "/" + rel)
}

// IsBelow reports whether the resource is nested, at any depth, in ancestor.
func (id ID) IsBelow(ancestor ID) bool {
	return len(id.key) > len(ancestor.key) && id.key[len(ancestor.key)] == '/' && strings.HasPrefix(id.key, ancestor.key)
}

// Find returns the name that follows segment, as NAME in …/products/NAME/…; "" when there is none. Only the part below
// the service is searched.
func (id ID) Find(segment string) string {
	segs := strings.Split(id.RelPath(), "/")
	for i := 0; i+1 < len(segs); i += 2 {
		if strings.EqualFold(segs[i], segment) {
			return segs[i+1]
		}
	}
	return ""
}

// Subscription returns the Azure subscription, "" when the ID has none.
func (id ID) Subscription() string { return id.after(0, "subscriptions") }

// ResourceGroup returns the resource group's name, "" when the ID has none.
func (id ID) ResourceGroup() string { return id.after(2, "resourcegroups") }

func (id ID) after(i int, word string) string {
	segs := id.Segments()
	if len(segs) > i+1 && strings.EqualFold(segs[i], word) {
		return segs[i+1]
	}
	return ""
}

// Type returns the ARM type in the ID's spelling: Microsoft.ApiManagement/service/apis/operations.
func (id ID) Type() string {
	segs := id.Segments()
	for i := len(segs) - 2; i >= 0; i-- {
		if !strings.EqualFold(segs[i], "providers") {
			continue
		}
		var b strings.Builder
		b.WriteString(segs[i+1])
		for j := i + 2; j < len(segs); j += 2 {
			b.WriteByte('/')
			b.WriteString(segs[j])
		}
		return b.String()
	}
	switch len(segs) {
	case 4:
		return "Microsoft.Resources/resourceGroups"
	case 2:
		return "Microsoft.Resources/subscriptions"
	}
	return ""
}

// SplitRevision splits the name of an API into its base and its revision: "echo;rev=2" is "echo" and "2". Without a
// revision the second result is "".
func SplitRevision(name string) (base, revision string) {
	i := strings.IndexByte(name, ';')
	if i < 0 || len(name) < i+5 || !strings.EqualFold(name[i:i+5], ";rev=") {
		return name, ""
	}
	return name[:i], name[i+5:]
}

// WithRevision is the inverse of [SplitRevision].
func WithRevision(base, revision string) string {
	if revision == "" {
		return base
	}
	return base + ";rev=" + revision
}

// Path returns the ID of segments that are known to be valid.
func Path(segments ...string) ID {
	if len(segments) == 0 {
		return ID{}
	}
	return newID("/" + strings.Join(segments, "/"))
}

// ChildOf returns the ID of a resource of a provider in the scope id, as a service in a resource group.
func (id ID) ChildOf(provider, segment, name string) ID {
	return newID(id.path + "/providers/" + provider + "/" + segment + "/" + name)
}

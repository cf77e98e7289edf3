package policies

import (
	"bytes"
	"strings"

	"github.com/causeway-apim/causeway/internal/message"
	"github.com/causeway-apim/causeway/internal/policy"
)

// RedirectContentURLs is the redirect-content-urls policy.
var RedirectContentURLs = policy.Define[redirectContentURLs](policy.Spec{
	Name:           "redirect-content-urls",
	Sections:       policy.Inbound | policy.Outbound,
	OncePerSection: true,
	Flow:           policy.FlowMessage,
	Doc:            "Makes links to the backend service in the body of the response links to the gateway, and the other way round in the body of the request.",
})

type redirectContentURLs struct{}

// Compile says which body is read.
func (p *redirectContentURLs) Compile(c *policy.Compiler) error {
	usesBody(c)
	return nil
}

func (p *redirectContentURLs) Run(x *policy.Exec) error {
	if x.API == nil || x.Base.Host == "" {
		return nil
	}
	body, err := readBody(x)
	if err != nil {
		return err
	}
	backend, gateway := linkBase(x.Base, x.Base.Path), linkBase(x.OriginalURL, apiPath(x))
	from, to := backend, gateway
	if x.Section == policy.Inbound {
		from, to = gateway, backend
	}
	if changed := replaceLinks(body, from, to); changed != nil {
		x.SetBody(changed)
	}
	return nil
}

// apiPath is where the API begins at the gateway, with its version where that is part of the path.
func apiPath(x *policy.Exec) string {
	path := "/" + x.API.Path
	versioned := strings.TrimSuffix(path, "/") + "/" + x.API.Version
	if x.API.Version != "" && strings.HasPrefix(x.OriginalURL.Path+"/", versioned+"/") {
		return versioned
	}
	return path
}

// linkBase is the beginning of links: scheme, host and a path without the slash at its end.
func linkBase(u message.URL, path string) []byte {
	text := (&message.URL{Scheme: u.Scheme, Host: u.Host, Port: u.Port, Path: path}).String()
	return bytes.TrimRight([]byte(text), "/")
}

// replaceLinks replaces the beginning of links, also as JSON with \/ has them; nil when there is none.
func replaceLinks(body, from, to []byte) []byte {
	changed := replaceStart(body, from, to)
	slash, escaped := []byte("/"), []byte(`\/`)
	if again := replaceStart(or(changed, body), bytes.ReplaceAll(from, slash, escaped), bytes.ReplaceAll(to, slash, escaped)); again != nil {
		return again
	}
	return changed
}

func or(a, b []byte) []byte {
	if a != nil {
		return a
	}
	return b
}

// replaceStart replaces from where the host or the segment of the path ends with it.
func replaceStart(body, from, to []byte) (changed []byte) {
	rest := body
	for {
		at := bytes.Index(rest, from)
		if at < 0 {
			break
		}
		end := at + len(from)
		replacement := to
		if end < len(rest) && continuesName(rest[end:]) {
			replacement = from
		}
		changed = append(append(changed, rest[:at]...), replacement...)
		rest = rest[end:]
	}
	if changed == nil {
		return nil
	}
	return append(changed, rest...)
}

// continuesName says whether what follows belongs to the same host, port or segment, as in http://host.other or http://host:81.
func continuesName(rest []byte) bool {
	switch c := rest[0]; {
	case 'a' <= c|0x20 && c|0x20 <= 'z', '0' <= c && c <= '9', c == '-', c == '_', c == '~', c == '%', c == '@':
		return true
	case c == '.', c == ':': // a sentence may end with a link
		return len(rest) > 1 && rest[1] != ' ' && rest[1] != '<' && rest[1] != '"' && rest[1] != '\n' && rest[1] != '\r'
	}
	return false
}

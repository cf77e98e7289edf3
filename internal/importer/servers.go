package importer

import (
	"net/url"
	"slices"
	"strings"
)

// servers sets service URL, protocols and path.
func (m *mapper) servers() {
	var addresses []string
	if m.swagger {
		addresses = m.swaggerAddresses()
	} else {
		addresses = m.serverAddresses(m.tree.root.get("servers"))
	}
	r := m.result
	for _, address := range addresses {
		u, err := url.Parse(address)
		if err != nil || u.Host == "" {
			continue
		}
		scheme := strings.ToLower(u.Scheme)
		if !slices.Contains([]string{"http", "https", "ws", "wss"}, scheme) {
			continue
		}
		if !slices.Contains(r.Protocols, scheme) {
			r.Protocols = append(r.Protocols, scheme)
		}
		// API Management prefers the first https server to an earlier http one.
		if r.ServiceURL == "" || scheme == "https" && !strings.HasPrefix(strings.ToLower(r.ServiceURL), "https:") {
			r.ServiceURL = strings.TrimSuffix(address, "/")
			r.Path = strings.Trim(u.Path, "/")
		}
	}
}

// serverAddresses turns a list of server objects into absolute addresses where
// that is possible.
func (m *mapper) serverAddresses(list *node) []string {
	var addresses []string
	for _, server := range list.array() {
		raw := server.get("url")
		address := expandVariables(raw.str(), server.get("variables"))
		if raw == nil || address == "" {
			continue
		}
		if strings.Contains(address, "{") {
			m.warnings.add(raw.place, "the server %q has a variable without a default and is left out", clip(address))
			continue
		}
		u, err := url.Parse(address)
		if err != nil {
			m.warnings.add(raw.place, "the server %q is not a URL and is left out", clip(address))
			continue
		}
		if !u.IsAbs() {
			base, err := url.Parse(m.options.SourceURL)
			if err != nil || !base.IsAbs() {
				m.warnings.add(raw.place, "the server %q is relative; set the service URL of the API", clip(address))
				continue
			}
			address = base.ResolveReference(u).String()
		}
		addresses = append(addresses, address)
	}
	return addresses
}

// expandVariables puts the defaults of server variables into a URL, in one
// pass: what a default holds is not expanded again.
func expandVariables(address string, variables *node) string {
	var b strings.Builder
	for {
		open := strings.IndexByte(address, '{')
		end := strings.IndexByte(address, '}')
		if open < 0 || end < open {
			b.WriteString(address)
			return b.String()
		}
		b.WriteString(address[:open])
		if value := variables.get(address[open+1 : end]).get("default"); value != nil {
			b.WriteString(value.str())
		} else {
			b.WriteString(address[open : end+1])
		}
		address = address[end+1:]
	}
}

// swaggerAddresses puts the addresses of a Swagger 2.0 document together. What
// it does not say, it shares with the place it came from. API Management knows
// an extension here, x-servers, which holds what servers does in OpenAPI 3.x.
func (m *mapper) swaggerAddresses() []string {
	root := m.tree.root
	if list := root.get("x-servers"); len(list.array()) > 0 {
		return m.serverAddresses(list)
	}
	host := root.get("host").str()
	source, err := url.Parse(m.options.SourceURL)
	if err != nil {
		source = &url.URL{}
	}
	if host == "" {
		host = source.Host
	}
	if host == "" {
		return nil
	}
	var addresses []string
	for _, scheme := range words(root.get("schemes")) {
		addresses = append(addresses, scheme+"://"+host+root.get("basePath").str())
	}
	if len(addresses) == 0 {
		scheme := source.Scheme
		if scheme == "" {
			scheme = "https"
		}
		addresses = []string{scheme + "://" + host + root.get("basePath").str()}
	}
	return addresses
}

// words lists the texts of an array of strings.
func words(list *node) []string {
	var words []string
	for _, item := range list.array() {
		if text := item.str(); text != "" {
			words = append(words, text)
		}
	}
	return words
}

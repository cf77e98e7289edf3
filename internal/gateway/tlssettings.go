package gateway

import (
	"cmp"
	"crypto/tls"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// TLSSettings are the versions and cipher suites of TLS that are spoken, to clients or to backend services. The zero value stands for TLS 1.2 and
// 1.3 with the suites that crypto/tls has on by default, all of which have forward secrecy.
type TLSSettings struct {
	TLS10, TLS11, TLS12, TLS13 bool
	// Suites are those up to TLS 1.2; nil means the default ones. Those of TLS 1.3 cannot be chosen.
	Suites []uint16

	chosen bool // versions have been turned on or off: for a moment there may be none
}

// withDefaults replaces settings without any version.
func (t TLSSettings) withDefaults() TLSSettings {
	if !t.TLS10 && !t.TLS11 && !t.TLS12 && !t.TLS13 {
		t.TLS12, t.TLS13 = true, true
	}
	return t
}

// Enable turns a version on or off by its name in API Management's settings: Tls13, Tls12, Tls11, Tls10 or Ssl30. The warning says what cannot be
// done; it is empty otherwise.
func (t *TLSSettings) Enable(version string, on bool) (warning string) {
	if !t.chosen {
		*t = t.withDefaults()
		t.chosen = true
	}
	for name, field := range map[string]*bool{"Tls13": &t.TLS13, "Tls12": &t.TLS12, "Tls11": &t.TLS11, "Tls10": &t.TLS10} {
		if strings.EqualFold(name, version) {
			*field = on
			return ""
		}
	}
	switch {
	case !on:
		return ""
	case strings.EqualFold(version, "Ssl30"):
		return "SSL 3.0 is not spoken by this gateway (RFC 7568)"
	}
	return "the version " + strconv.Quote(version) + " of TLS is not known"
}

// Allow takes a list of names of cipher suites with commas between. Without one of TLS 1.3 in it that version is off, without one of the others
// those are. The warnings name what this gateway does not offer.
func (t *TLSSettings) Allow(list string) (warnings []string, err error) {
	*t = t.withDefaults()
	t.Suites = []uint16{}
	var missing []string
	newest := make(map[string]bool) // of TLS 1.3
	for name := range strings.SplitSeq(list, ",") {
		if name = strings.ToUpper(strings.TrimSpace(name)); name == "" {
			continue
		}
		suite := suiteNamed(name)
		switch {
		case suite == nil:
			missing = append(missing, name)
		case suite.SupportedVersions[0] == tls.VersionTLS13:
			newest[name] = true
		default:
			t.Suites = append(t.Suites, suite.ID)
		}
	}
	if len(missing) > 0 {
		warnings = append(warnings, "these cipher suites are not offered by this gateway: "+strings.Join(missing, ", "))
	}
	if all := newestSuites(); len(newest) > 0 && len(newest) < all {
		warnings = append(warnings, fmt.Sprintf("the %d cipher suites of TLS 1.3 are offered together: single ones cannot be left out", all))
	}
	t.TLS13 = t.TLS13 && len(newest) > 0
	if len(t.Suites) == 0 {
		t.TLS10, t.TLS11, t.TLS12, t.Suites = false, false, false, nil
	}
	if !t.TLS10 && !t.TLS11 && !t.TLS12 && !t.TLS13 {
		return warnings, fmt.Errorf("%q leaves no cipher suite that this gateway offers", list)
	}
	return warnings, nil
}

// suite turns one suite on or off.
func (t *TLSSettings) suite(name string, on bool) (warning string) {
	suite := suiteNamed(name)
	switch {
	case suite == nil && on:
		return "the cipher suite " + name + " is not offered by this gateway"
	case suite == nil:
		return ""
	case suite.SupportedVersions[0] == tls.VersionTLS13:
		if on {
			return ""
		}
		return "the cipher suite " + name + " of TLS 1.3 cannot be left out"
	}
	if t.Suites == nil {
		t.Suites = defaultSuites()
	} else {
		t.Suites = slices.Clone(t.Suites)
	}
	t.Suites = slices.DeleteFunc(t.Suites, func(id uint16) bool { return id == suite.ID })
	if on {
		t.Suites = append(t.Suites, suite.ID)
	}
	return ""
}

// apply writes the settings into a configuration. Versions in between cannot be left out.
func (t TLSSettings) apply(c *tls.Config) {
	t = t.withDefaults()
	c.MinVersion, c.MaxVersion = 0, 0
	for _, v := range [...]struct {
		on      bool
		version uint16
	}{{t.TLS10, tls.VersionTLS10}, {t.TLS11, tls.VersionTLS11}, {t.TLS12, tls.VersionTLS12}, {t.TLS13, tls.VersionTLS13}} {
		if v.on {
			c.MinVersion, c.MaxVersion = cmp.Or(c.MinVersion, v.version), v.version
		}
	}
	c.CipherSuites = t.Suites
}

func suiteNamed(name string) *tls.CipherSuite {
	for _, list := range [...][]*tls.CipherSuite{tls.CipherSuites(), tls.InsecureCipherSuites()} {
		for _, s := range list {
			if strings.EqualFold(s.Name, name) {
				return s
			}
		}
	}
	return nil
}

// newestSuites is the number of suites of TLS 1.3.
func newestSuites() (n int) {
	for _, s := range tls.CipherSuites() {
		if s.SupportedVersions[0] == tls.VersionTLS13 {
			n++
		}
	}
	return n
}

// defaultSuites are those up to TLS 1.2 that are on by default.
func defaultSuites() (ids []uint16) {
	for _, s := range tls.CipherSuites() {
		if s.SupportedVersions[0] != tls.VersionTLS13 {
			ids = append(ids, s.ID)
		}
	}
	return ids
}

// The names of a service's custom properties about protocols ("Manage protocols and ciphers in Azure API Management").
const (
	propertyPrefix          = "microsoft.windowsazure.apimanagement.gateway."
	propertyProtocols       = "security.protocols."
	propertyBackendProtocol = "security.backend.protocols."
	propertyCiphers         = "security.ciphers."
	propertyHTTP2           = "protocols.server.http2"
)

// protocols is what a service's managed gateway speaks.
type protocols struct {
	server, backend TLSSettings
	http1Only       bool
}

// withProperties changes what is spoken by a service's custom properties. The cipher suites are those towards clients.
func (p protocols) withProperties(properties map[string]string) (_ protocols, warnings []string) {
	for name, value := range properties {
		rest, ok := strings.CutPrefix(strings.ToLower(name), propertyPrefix)
		on, err := strconv.ParseBool(strings.ToLower(strings.TrimSpace(value)))
		if !ok || err != nil {
			continue
		}
		var warning string
		if version, ok := strings.CutPrefix(rest, propertyProtocols); ok {
			warning = p.server.Enable(version, on)
		} else if version, ok := strings.CutPrefix(rest, propertyBackendProtocol); ok {
			warning = p.backend.Enable(version, on)
		} else if cipher, ok := strings.CutPrefix(rest, propertyCiphers); ok {
			if cipher == "tripledes168" {
				cipher = "TLS_RSA_WITH_3DES_EDE_CBC_SHA"
			}
			warning = p.server.suite(strings.ToUpper(cipher), on)
		} else if rest == propertyHTTP2 {
			p.http1Only = !on
		}
		if warning != "" {
			warnings = append(warnings, warning)
		}
	}
	slices.Sort(warnings)
	return p, warnings
}

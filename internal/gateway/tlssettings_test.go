package gateway

import (
	"crypto/tls"
	"slices"
	"strings"
	"testing"
)

func TestTLSSettingsAllow(t *testing.T) {
	t.Parallel()
	f := func(list string, minVersion, maxVersion uint16, suites int, warnings ...string) {
		t.Helper()
		var s TLSSettings
		got, err := s.Allow(list)
		if err != nil {
			t.Errorf("%s: %v", list, err)
			return
		}
		var c tls.Config
		s.apply(&c)
		if c.MinVersion != minVersion || c.MaxVersion != maxVersion || len(c.CipherSuites) != suites || len(got) != len(warnings) {
			t.Errorf("%s: versions %x to %x, suites %v, warnings %q", list, c.MinVersion, c.MaxVersion, c.CipherSuites, got)
			return
		}
		for i, w := range warnings {
			if !strings.Contains(got[i], w) {
				t.Errorf("%s: warning %q", list, got[i])
			}
		}
	}
	const all13 = "TLS_AES_256_GCM_SHA384,TLS_CHACHA20_POLY1305_SHA256,TLS_AES_128_GCM_SHA256"
	f(all13+",TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", tls.VersionTLS12, tls.VersionTLS13, 1)
	f(all13, tls.VersionTLS13, tls.VersionTLS13, 0)
	f(" tls_ecdhe_rsa_with_aes_128_gcm_sha256 , TLS_RSA_WITH_AES_128_CBC_SHA,", tls.VersionTLS12, tls.VersionTLS12, 2)
	f(all13+",TLS_DHE_RSA_WITH_AES_256_GCM_SHA384,TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384", tls.VersionTLS13, tls.VersionTLS13, 0,
		"TLS_DHE_RSA_WITH_AES_256_GCM_SHA384, TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384")
	f("TLS_AES_256_GCM_SHA384", tls.VersionTLS13, tls.VersionTLS13, 0, "offered together")
	for _, list := range []string{"", "TLS_DHE_RSA_WITH_AES_256_GCM_SHA384"} {
		if _, err := new(TLSSettings).Allow(list); err == nil {
			t.Errorf("%q is allowed", list)
		}
	}
}

// TestTLSSettingsEnable checks that the order in which versions are turned on and off makes no difference.
func TestTLSSettingsEnable(t *testing.T) {
	t.Parallel()
	for _, order := range [][]string{{"Tls13", "Tls12", "Tls11"}, {"Tls11", "Tls12", "Tls13"}, {"Tls12", "Tls13", "Tls11"}} {
		var s TLSSettings
		for _, version := range order {
			s.Enable(version, version == "Tls11")
		}
		var c tls.Config
		if s.apply(&c); c.MinVersion != tls.VersionTLS11 || c.MaxVersion != tls.VersionTLS11 {
			t.Errorf("%v: versions %x to %x", order, c.MinVersion, c.MaxVersion)
		}
	}
	var none, untouched tls.Config
	var s TLSSettings
	s.apply(&untouched)
	s.Enable("Tls12", false)
	s.Enable("Tls13", false)
	if s.apply(&none); none.MinVersion != untouched.MinVersion || none.MaxVersion != untouched.MaxVersion {
		t.Errorf("without a version: %x to %x", none.MinVersion, none.MaxVersion)
	}
}

func TestProtocolProperties(t *testing.T) {
	t.Parallel()
	const prefix = "Microsoft.WindowsAzure.ApiManagement.Gateway."
	p, warnings := protocols{}.withProperties(map[string]string{
		prefix + "Security.Protocols.Tls11": "True", prefix + "Security.Protocols.Ssl30": "false", prefix + "Security.Backend.Protocols.Tls10": "true",
		prefix + "Security.Backend.Protocols.Ssl30": "true", prefix + "Security.Ciphers.TripleDes168": "true",
		prefix + "Security.Ciphers.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA": "false", prefix + "Security.Ciphers.TLS_AES_128_GCM_SHA256": "false",
		prefix + "Protocols.Server.Http2": "False", "something.else": "true", prefix + "Security.Protocols.Tls10": "perhaps",
	})
	if !p.server.TLS11 || !p.server.TLS12 || !p.server.TLS13 || p.server.TLS10 || !p.backend.TLS10 || p.backend.TLS11 || !p.http1Only {
		t.Errorf("got %+v", p)
	}
	if !slices.Contains(p.server.Suites, tls.TLS_RSA_WITH_3DES_EDE_CBC_SHA) || slices.Contains(p.server.Suites, tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA) ||
		!slices.Contains(p.server.Suites, tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256) || p.backend.Suites != nil {
		t.Errorf("suites %v, %v", p.server.Suites, p.backend.Suites)
	}
	if want := []string{"SSL 3.0 is not spoken by this gateway (RFC 7568)", "the cipher suite TLS_AES_128_GCM_SHA256 of TLS 1.3 cannot be left out"}; !slices.Equal(warnings, want) {
		t.Errorf("warnings %q", warnings)
	}
}

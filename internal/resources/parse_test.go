package resources

import (
	"encoding/asn1"
	"encoding/base64"
	"testing"
	"time"

	"github.com/causeway-apim/causeway/internal/arm"
)

func TestBreakerTime(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Duration{
		"PT10S": 10 * time.Second, "PT1H": time.Hour, "PT1M30S": 90 * time.Second, "P1D": 24 * time.Hour, "PT0.25S": 250 * time.Millisecond,
		"P0DT1H": time.Hour,
	} {
		if got, err := breakerTime(text); got != want || err != nil {
			t.Errorf("%s is %s, %v; want %s", text, got, err, want)
		}
	}
	for _, text := range []string{"", "P", "PT", "PT0S", "P2D", "10", "PT-1S", "P1M", "P1Y", "PT1S ", "pt1s", "00:00:10", "PT9999999S"} {
		if got, err := breakerTime(text); err == nil {
			t.Errorf("%q is taken as %s", text, got)
		}
	}
}

func FuzzBreakerTime(f *testing.F) {
	for _, text := range []string{"PT10S", "P1DT1H1M1.1S", "PT", "P9999D"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if d, err := breakerTime(text); err == nil && (d <= 0 || d > maxBreakerTime) {
			t.Errorf("%q is %s", text, d)
		}
	})
}

// A file that would take hours to open is refused before it is opened, wherever it says so.
func TestDearKeyDerivation(t *testing.T) {
	t.Parallel()
	type parameters struct {
		Salt   []byte
		Rounds int
	}
	encode := func(v any) []byte {
		der, err := asn1.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return der
	}
	for rounds, want := range map[int]bool{2048: false, maxRounds: false, maxRounds + 1: true, 1 << 40: true} {
		p := parameters{[]byte("salt"), rounds}
		mac := encode(struct {
			Version int
			Mac     parameters
		}{3, p})
		inner := encode(struct{ Contents []byte }{encode(p)})
		for _, der := range [][]byte{mac, inner, append(encode(1), mac...)} {
			if got := dearKeyDerivation(der, maxDERDepth); got != want {
				t.Errorf("%d rounds in %x: %v", rounds, der, got)
			}
		}
	}
	c := Certificate{Data: base64.StdEncoding.EncodeToString(encode(parameters{[]byte("salt"), maxRounds + 1}))}
	if ae, known := arm.AsError(c.read()); !known || ae.Target != "data" {
		t.Errorf("refused with %v", ae)
	}
}

// Whatever is uploaded as a certificate is taken with a thumbprint or refused with a property's name.
func FuzzCertificate(f *testing.F) {
	for _, data := range []string{"", "0", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "0\x03\x02\x01\x03"} {
		f.Add([]byte(data), "password")
	}
	f.Fuzz(func(t *testing.T, data []byte, password string) {
		c := Certificate{Data: base64.StdEncoding.EncodeToString(data), Password: password}
		err := c.read()
		switch ae, known := arm.AsError(err); {
		case err == nil:
			if (c.Thumbprint == "") != (len(data) == 0) {
				t.Errorf("taken with the thumbprint %q", c.Thumbprint)
			}
		case !known || ae.Target == "":
			t.Errorf("refused with %v", err)
		}
	})
}

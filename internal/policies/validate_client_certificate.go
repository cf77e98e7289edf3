package policies

import (
	"crypto/sha1" // thumbprints are SHA-1
	"crypto/x509"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/causeway-apim/causeway/internal/auth"
	"github.com/causeway-apim/causeway/internal/policy"
)

// ValidateClientCertificate is the validate-client-certificate policy.
var ValidateClientCertificate = policy.Define[validateClientCertificate](policy.Spec{
	Name:     "validate-client-certificate",
	Sections: policy.Inbound,
	Flow:     policy.FlowStays,
	Calls:    "the revocation lists of the certificate's issuer",
	Doc:      "Lets a request pass only when the client has presented a valid TLS certificate that belongs to one of the identities.",
})

type validateClientCertificate struct {
	Revocation  bool                   `attr:"validate-revocation" default:"true" doc:"Whether the issuers' revocation lists are asked."`
	Trust       bool                   `attr:"validate-trust" default:"true" doc:"Whether the chain must lead to a trusted authority."`
	NotBefore   bool                   `attr:"validate-not-before" default:"true" doc:"Whether the certificate must be valid already."`
	NotAfter    bool                   `attr:"validate-not-after" default:"true" doc:"Whether the certificate must be valid still."`
	IgnoreError bool                   `attr:"ignore-error" default:"false" doc:"Whether the request goes on when the certificate is not valid."`
	Identities  *certificateIdentities `elem:"identities" doc:"Whose certificate it may be; anybody's without."`
}

type certificateIdentities struct {
	List []certificateIdentity `elem:"identity,required" doc:"An identity; all its attributes must agree."`
}

type certificateIdentity struct {
	Thumbprint        policy.Value[string] `attr:"thumbprint,const" doc:"Thumbprint of the certificate."`
	Serial            policy.Value[string] `attr:"serial-number,const" doc:"Serial number in hexadecimal."`
	CommonName        policy.Value[string] `attr:"common-name,const" doc:"Common name of the subject."`
	Subject           policy.Value[string] `attr:"subject,const" doc:"Distinguished name of the subject."`
	DNSName           policy.Value[string] `attr:"dns-name,const" doc:"A DNS name among the subject's alternative names."`
	IssuerSubject     policy.Value[string] `attr:"issuer-subject,const" doc:"Distinguished name of the issuer."`
	IssuerThumbprint  policy.Value[string] `attr:"issuer-thumbprint,const" doc:"Thumbprint of the issuer's certificate."`
	IssuerCertificate policy.Value[string] `attr:"issuer-certificate-id,const" doc:"Certificate of the service that is the issuer's."`
}

// Compile refuses an identity that says nothing or names its issuer twice.
func (i *certificateIdentity) Compile(c *policy.Compiler) error {
	issuer := i.IssuerSubject.IsSet() || i.IssuerThumbprint.IsSet()
	if i.IssuerCertificate.IsSet() && issuer {
		c.Errorf("InvalidIdentity", "issuer-certificate-id cannot stand beside issuer-subject and issuer-thumbprint")
	}
	if !issuer && !i.IssuerCertificate.IsSet() && !i.Thumbprint.IsSet() && !i.Serial.IsSet() && !i.CommonName.IsSet() && !i.Subject.IsSet() && !i.DNSName.IsSet() {
		c.Errorf("InvalidIdentity", "an identity needs at least one attribute")
	}
	if name, ok := i.IssuerCertificate.Constant(); ok {
		c.Certificate(name)
	}
	for _, v := range []policy.Value[string]{i.Subject, i.IssuerSubject} {
		if text, ok := v.Constant(); ok {
			if _, err := parseName(text); err != nil {
				c.Errorf("InvalidIdentity", "%q is not a distinguished name: %s", text, err)
			}
		}
	}
	return nil
}

func (p *validateClientCertificate) Run(x *policy.Exec) error {
	err := p.validate(x)
	if err != nil && p.IgnoreError {
		x.Trace("validate-client-certificate", "The client certificate is not valid; the error is ignored.", "error", err.Error())
		return nil
	}
	return err
}

func invalidCertificate(reason, text string, err error) error {
	return &policy.Error{Reason: reason, Message: text + " Access denied.", Status: 403, Err: err}
}

func (p *validateClientCertificate) validate(x *policy.Exec) error {
	if x.Request.TLS == nil || len(x.Request.TLS.PeerCertificates) == 0 {
		return invalidCertificate("ClientCertificateNotPresent", "Client certificate is not present.", nil)
	}
	presented := x.Request.TLS.PeerCertificates
	leaf, now := presented[0], x.Now()
	switch {
	case p.NotBefore && now.Before(leaf.NotBefore):
		return invalidCertificate("ClientCertificateNotYetValid", "Client certificate is not valid yet.", nil)
	case p.NotAfter && now.After(leaf.NotAfter):
		return invalidCertificate("ClientCertificateExpired", "Client certificate has expired.", nil)
	}
	chain, err := p.chain(x, presented, now)
	if err != nil && p.Trust {
		return invalidCertificate("ClientCertificateNotTrusted", "Client certificate is not trusted.", err)
	}
	if p.Revocation {
		if err := p.revoked(x, chain, leaf); err != nil {
			return err
		}
	}
	if p.Identities == nil {
		return nil
	}
	for i := range p.Identities.List {
		ok, err := p.Identities.List[i].matches(x, presented)
		if ok || err != nil {
			return err
		}
	}
	return invalidCertificate("ClientCertificateIdentityNotMatched", "Client certificate belongs to none of the allowed identities.", nil)
}

// chain is the certificate's way to a trusted authority. Dates that the policy does not look at do not break it.
func (p *validateClientCertificate) chain(x *policy.Exec, presented []*x509.Certificate, now time.Time) ([]*x509.Certificate, error) {
	leaf := presented[0]
	switch {
	case now.Before(leaf.NotBefore):
		now = leaf.NotBefore
	case now.After(leaf.NotAfter):
		now = leaf.NotAfter
	}
	o := x.Host.Trust().VerifyOptions(presented)
	o.CurrentTime, o.KeyUsages = now, []x509.ExtKeyUsage{x509.ExtKeyUsageAny}
	chains, err := leaf.Verify(o)
	if err != nil {
		return nil, err
	}
	return chains[0], nil
}

// revoked checks the chain against revocation lists. What is not known counts as revoked; a certificate that is its own issuer has no list.
func (p *validateClientCertificate) revoked(x *policy.Exec, chain []*x509.Certificate, leaf *x509.Certificate) error {
	if chain == nil {
		if string(leaf.RawIssuer) == string(leaf.RawSubject) && leaf.CheckSignature(leaf.SignatureAlgorithm, leaf.RawTBSCertificate, leaf.Signature) == nil {
			return nil
		}
		return invalidCertificate("ClientCertificateRevocationUnknown", "Revocation of the client certificate cannot be checked without a trusted chain.", nil)
	}
	switch err := x.Host.Trust().Revocations.Check(x.Context(), chain); {
	case errors.Is(err, auth.ErrRevoked):
		return invalidCertificate("ClientCertificateRevoked", "Client certificate has been revoked.", err)
	case err != nil:
		return invalidCertificate("ClientCertificateRevocationUnknown", "Revocation of the client certificate cannot be checked.", err)
	}
	return nil
}

// matches says whether the certificate belongs to the identity: all that it says must agree.
func (i *certificateIdentity) matches(x *policy.Exec, presented []*x509.Certificate) (bool, error) {
	leaf := presented[0]
	for _, rule := range []struct {
		want   policy.Value[string]
		agrees func(want string) bool
	}{
		{i.Thumbprint, func(want string) bool { return equalHex(want, thumbprint(leaf)) }},
		{i.Serial, func(want string) bool { return equalHex(want, leaf.SerialNumber.Text(16)) }},
		{i.CommonName, func(want string) bool { return strings.EqualFold(want, leaf.Subject.CommonName) }},
		{i.Subject, func(want string) bool { return equalName(want, leaf.RawSubject) }},
		{i.DNSName, func(want string) bool {
			return slices.ContainsFunc(leaf.DNSNames, func(n string) bool { return strings.EqualFold(n, want) })
		}},
		{i.IssuerSubject, func(want string) bool { return equalName(want, leaf.RawIssuer) }},
		{i.IssuerThumbprint, func(want string) bool {
			return slices.ContainsFunc(presented, func(c *x509.Certificate) bool { return equalHex(want, thumbprint(c)) && isIssuer(c, leaf) })
		}},
	} {
		if !rule.want.IsSet() {
			continue
		}
		want, err := rule.want.Get(x)
		if err != nil || !rule.agrees(want) {
			return false, err
		}
	}
	if !i.IssuerCertificate.IsSet() {
		return true, nil
	}
	name, err := i.IssuerCertificate.Get(x)
	if err != nil {
		return false, err
	}
	pair, err := x.Host.KeyPair(name)
	if err != nil {
		return false, &policy.Error{Message: "The certificate of an issuer cannot be used: " + err.Error() + ".", Err: err}
	}
	return isIssuer(pair.Leaf, leaf), nil
}

// isIssuer says whether a certificate has signed another one, or itself.
func isIssuer(issuer, c *x509.Certificate) bool {
	return string(issuer.RawSubject) == string(c.RawIssuer) && issuer.CheckSignature(c.SignatureAlgorithm, c.RawTBSCertificate, c.Signature) == nil
}

func thumbprint(c *x509.Certificate) string {
	sum := sha1.Sum(c.Raw)
	return hex.EncodeToString(sum[:])
}

// equalHex compares hexadecimal numbers as people write them: with colons or blanks, in any case, with leading zeros or without.
func equalHex(a, b string) bool { return strings.EqualFold(plainHex(a), plainHex(b)) }

func plainHex(s string) string {
	return strings.TrimLeft(strings.NewReplacer(":", "", " ", "", "\u200e", "").Replace(s), "0")
}

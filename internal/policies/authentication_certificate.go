package policies

import (
	"encoding/base64"
	"strings"

	"github.com/causeway-apim/causeway/internal/policy"
	"github.com/causeway-apim/causeway/internal/snapshot"
)

// AuthenticationCertificate is the authentication-certificate policy.
var AuthenticationCertificate = policy.Define[certificateAuth](policy.Spec{
	Name:     "authentication-certificate",
	Sections: policy.Inbound,
	Flow:     policy.FlowStays,
	Doc:      "Authenticates to the backend service with a client certificate.",
})

type certificateAuth struct {
	Thumbprint  policy.Value[string] `attr:"thumbprint" doc:"Thumbprint of a certificate of the service."`
	Certificate policy.Value[string] `attr:"certificate-id" doc:"Name of a certificate of the service."`
	Body        policy.Value[[]byte] `attr:"body" doc:"The certificate itself: a PFX file as byte[], or in Base64."`
	Password    policy.Value[string] `attr:"password" doc:"Password of the PFX file."`

	fixed []byte // Body when it is constant
}

// Compile refuses a policy that does not name one certificate.
func (p *certificateAuth) Compile(c *policy.Compiler) error {
	named := 0
	for _, set := range []bool{p.Thumbprint.IsSet(), p.Certificate.IsSet(), p.Body.IsSet()} {
		if set {
			named++
		}
	}
	if named != 1 {
		c.Errorf("InvalidCertificate", "authentication-certificate needs exactly one of thumbprint, certificate-id and body")
		return nil
	}
	if p.Password.IsSet() && !p.Body.IsSet() {
		c.Errorf("InvalidCertificate", "authentication-certificate takes a password only with a body")
	}
	for _, v := range []policy.Value[string]{p.Thumbprint, p.Certificate} {
		if name, ok := v.Constant(); ok {
			c.Certificate(name)
		}
	}
	if text, ok := p.Body.Constant(); ok {
		var err error
		if p.fixed, err = base64.StdEncoding.DecodeString(strings.TrimSpace(string(text))); err != nil {
			c.Errorf("InvalidCertificate", "the body of authentication-certificate is not valid Base64")
		}
	}
	return nil
}

func (p *certificateAuth) Run(x *policy.Exec) (err error) {
	x.ClientCertificate, err = p.choose(x)
	return err
}

// choose returns the certificate for this request.
func (p *certificateAuth) choose(x *policy.Exec) (*snapshot.Certificate, error) {
	if p.Body.IsSet() {
		return p.own(x)
	}
	name := p.Certificate
	if p.Thumbprint.IsSet() {
		name = p.Thumbprint
	}
	id, err := name.Get(x)
	if err != nil {
		return nil, err
	}
	c, ok := x.Host.Certificate(strings.TrimSpace(id))
	if !ok {
		return nil, &policy.Error{Reason: "CertificateNotFound", Message: "There is no certificate " + id + "."}
	}
	return c, nil
}

// own makes a certificate that is not one of the service's.
func (p *certificateAuth) own(x *policy.Exec) (*snapshot.Certificate, error) {
	body := p.fixed
	if body == nil {
		var err error
		if body, err = p.Body.Get(x); err != nil {
			return nil, err
		}
	}
	if len(body) == 0 {
		return nil, &policy.Error{Reason: "CertificateNotFound", Message: "The body of authentication-certificate is empty."}
	}
	password, err := p.Password.Get(x)
	if err != nil {
		return nil, err
	}
	return &snapshot.Certificate{PFX: body, Password: password}, nil
}

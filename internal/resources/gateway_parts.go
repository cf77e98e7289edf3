package resources

import (
	"strings"

	"github.com/causeway-apim/causeway/internal/arm"
	"github.com/causeway-apim/causeway/internal/resource"
	"github.com/causeway-apim/causeway/internal/snapshot"
)

// gatewayAPIs assigns APIs to self-hosted gateways.
func gatewayAPIs() *resource.Type {
	return resource.Define(resource.Spec[struct{}]{
		Name: "apis", Title: "API of a gateway", Doc: "An API that the gateway serves.",
		Parents: []string{"gateways"}, Join: "apis", Verbs: resource.JoinVerbs, NameMax: 256, HeadOK: true,
		Alias: withoutRevision,
		Publish: func(p *resource.Pub, d *resource.Doc[struct{}]) error {
			return p.Add(snapshot.KindGatewayAPI, d.ID.Rel(), snapshot.GatewayAPI{
				Gateway: strings.ToLower(d.ID.Parent().Name()), API: strings.ToLower(d.Name()),
			})
		},
	})
}

// GatewayHostname is a host name that a self-hosted gateway serves over TLS.
type GatewayHostname struct {
	Hostname                   string `json:"hostname" rule:"required,max=255,pattern=[A-Za-z0-9*]([A-Za-z0-9.-]*[A-Za-z0-9])?" filter:"yes" doc:"Host name; may begin with *."`
	CertificateID              string `json:"certificateId,omitempty" rule:"ref=certificates" doc:"Certificate that is shown for it."`
	NegotiateClientCertificate bool   `json:"negotiateClientCertificate" doc:"Ask clients for certificates."`
	TLS10Enabled               bool   `json:"tls10Enabled" doc:"Accept TLS 1.0."`
	TLS11Enabled               bool   `json:"tls11Enabled" doc:"Accept TLS 1.1."`
	HTTP2Enabled               bool   `json:"http2Enabled" rule:"default=true" doc:"Offer HTTP/2."`
}

func gatewayHostnames() *resource.Type {
	return resource.Define(resource.Spec[GatewayHostname]{
		Name: "hostnameConfigurations", Title: "Host name of a gateway", Doc: "A host name that the gateway serves over TLS.",
		Parents: []string{"gateways"}, Verbs: resource.CRDL,
		Publish: func(p *resource.Pub, d *resource.Doc[GatewayHostname]) error {
			h := d.Props
			return p.Add(snapshot.KindHostname, d.ID.Rel(), snapshot.Hostname{
				Gateway: d.ID.Parent().Name(), Hostname: strings.ToLower(h.Hostname), Certificate: lastLower(h.CertificateID),
				NegotiateClientCertificate: h.NegotiateClientCertificate, TLS10: h.TLS10Enabled, TLS11: h.TLS11Enabled, HTTP2: h.HTTP2Enabled,
			})
		},
	})
}

// lastLower is the name at the end of an ID in lower case, the form in which parts name each other.
func lastLower(id string) string { return strings.ToLower(id[strings.LastIndexByte(id, '/')+1:]) }

// GatewayCertificateAuthority says whether a gateway trusts a certificate.
type GatewayCertificateAuthority struct {
	IsTrusted bool `json:"isTrusted" doc:"The gateway trusts certificates that this one has signed."`
}

func gatewayCertificateAuthorities() *resource.Type {
	return resource.Define(resource.Spec[GatewayCertificateAuthority]{
		Name: "certificateAuthorities", Title: "Certificate authority of a gateway",
		Doc:     "A certificate of the service, of the same name, as an authority for a gateway: for those of clients and of backend services.",
		Parents: []string{"gateways"}, Verbs: resource.CRDL,
		Check: func(x *resource.Tx, old, d *resource.Doc[GatewayCertificateAuthority]) error {
			if old != nil {
				return nil
			}
			ok, err := x.Exists(x.Service.Child("certificates", d.Name()))
			if err == nil && !ok {
				err = arm.Invalid("name", "There is no certificate %s.", d.Name())
			}
			return err
		},
		Publish: func(p *resource.Pub, d *resource.Doc[GatewayCertificateAuthority]) error {
			return p.Add(snapshot.KindAuthority, d.ID.Rel(), snapshot.Authority{
				Gateway: d.ID.Parent().Name(), Certificate: strings.ToLower(d.Name()), Trusted: d.Props.IsTrusted,
			})
		},
	})
}

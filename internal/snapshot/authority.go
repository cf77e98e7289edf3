package snapshot

// Authority is a certificate authority of a gateway.
type Authority struct {
	Gateway string `json:"gateway"` // gateway name; "managed" for the service's own
	// Certificate is the name of a [PublicCertificate]; or DER is the certificate itself.
	Certificate string `json:"certificate,omitempty"`
	DER         []byte `json:"der,omitempty"`
	// Trusted says that it ends chains; another one is only a link of them.
	Trusted bool `json:"trusted,omitempty"`
}

// PublicCertificate is a certificate of the service without its private key, for gateways that need no more of it.
type PublicCertificate struct {
	Name string `json:"name"`
	DER  []byte `json:"der"`
}

// ServerIdentity is a certificate that a backend service may show.
type ServerIdentity struct {
	Name string `json:"name,omitempty"` // common name or DNS name
	// Issuer is the thumbprint of the authority that has signed it; without one any trusted authority will do.
	Issuer string `json:"issuer,omitempty"`
}

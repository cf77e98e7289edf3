package resources

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/causeway-apim/causeway/internal/resource"
	"github.com/causeway-apim/causeway/internal/snapshot"
)

// keyHashBytes is the length of the key of a service's subscription key hashes.
const keyHashBytes = 32

// Service is an API Management instance.
type Service struct {
	Location   string            `json:"location" rule:"required,max=90" doc:"Azure region."`
	SKU        SKU               `json:"sku" doc:"Pricing tier. Causeway serves every tier alike."`
	Tags       map[string]string `json:"tags,omitempty" doc:"Resource tags."`
	Zones      []string          `json:"zones,omitempty" doc:"Availability zones."`
	Identity   *Identity         `json:"identity,omitempty" doc:"Managed identities; kept, not used."`
	SystemData *SystemData       `json:"systemData,omitempty" rule:"readonly" doc:"Who made and last changed the resource."`
	Properties ServiceProperties `json:"properties" doc:"Settings of the service."`
}

// SKU is a pricing tier.
type SKU struct {
	Name     string `json:"name" rule:"required,enum=Developer|Standard|Premium|Basic|Consumption|Isolated|BasicV2|StandardV2|PremiumV2" doc:"Tier."`
	Capacity *int   `json:"capacity,omitempty" rule:"min=0,max=100" doc:"Number of units."`
}

// Identity is the managed identity of a service.
type Identity struct {
	Type                   string                  `json:"type" rule:"required,pattern=(?i)(SystemAssigned|UserAssigned|SystemAssigned, ?UserAssigned|None)" doc:"Kinds of identity."`
	PrincipalID            string                  `json:"principalId,omitempty" rule:"readonly"`
	TenantID               string                  `json:"tenantId,omitempty" rule:"readonly"`
	UserAssignedIdentities map[string]UserIdentity `json:"userAssignedIdentities,omitempty" doc:"Identities by ID."`
}

// UserIdentity is a user-assigned identity.
type UserIdentity struct {
	PrincipalID string `json:"principalId,omitempty"`
	ClientID    string `json:"clientId,omitempty"`
}

// SystemData says who made and last changed a resource.
type SystemData struct {
	CreatedBy          string    `json:"createdBy,omitempty"`
	CreatedByType      string    `json:"createdByType,omitempty"`
	CreatedAt          time.Time `json:"createdAt"`
	LastModifiedBy     string    `json:"lastModifiedBy,omitempty"`
	LastModifiedByType string    `json:"lastModifiedByType,omitempty"`
	LastModifiedAt     time.Time `json:"lastModifiedAt"`
}

// ServiceProperties are the settings of a service.
type ServiceProperties struct {
	PublisherEmail          string                  `json:"publisherEmail" rule:"required,max=100,email" doc:"E-mail address of the publisher."`
	PublisherName           string                  `json:"publisherName" rule:"required,max=100" doc:"Name of the publisher."`
	NotificationSenderEmail string                  `json:"notificationSenderEmail,omitempty" rule:"max=100" doc:"Sender of the service's mail."`
	ProvisioningState       string                  `json:"provisioningState" rule:"readonly" doc:"Succeeded once the service exists."`
	TargetProvisioningState string                  `json:"targetProvisioningState" rule:"readonly"`
	CreatedAtUTC            *time.Time              `json:"createdAtUtc,omitempty" rule:"readonly" doc:"When the service was made."`
	GatewayURL              string                  `json:"gatewayUrl,omitempty" rule:"readonly" doc:"URL of the managed gateway."`
	GatewayRegionalURL      string                  `json:"gatewayRegionalUrl,omitempty" rule:"readonly"`
	PortalURL               string                  `json:"portalUrl,omitempty" rule:"readonly"`
	DeveloperPortalURL      string                  `json:"developerPortalUrl,omitempty" rule:"readonly" doc:"URL of the developer portal."`
	ManagementAPIURL        string                  `json:"managementApiUrl,omitempty" rule:"readonly" doc:"URL of the management API."`
	SCMURL                  string                  `json:"scmUrl,omitempty" rule:"readonly"`
	HostnameConfigurations  []HostnameConfiguration `json:"hostnameConfigurations,omitempty" rule:"max=50" doc:"Host names of the service's endpoints."`
	PublicIPAddresses       []string                `json:"publicIPAddresses,omitempty" rule:"readonly"`
	PrivateIPAddresses      []string                `json:"privateIPAddresses,omitempty" rule:"readonly"`
	PublicIPAddressID       string                  `json:"publicIpAddressId,omitempty"`
	PublicNetworkAccess     string                  `json:"publicNetworkAccess,omitempty" rule:"enum=Enabled|Disabled,default=Enabled"`
	VirtualNetworkType      string                  `json:"virtualNetworkType,omitempty" rule:"enum=None|External|Internal,default=None"`
	VirtualNetwork          *VirtualNetwork         `json:"virtualNetworkConfiguration,omitempty" doc:"Azure network; kept."`
	AdditionalLocations     []AdditionalLocation    `json:"additionalLocations,omitempty" rule:"max=50" doc:"Further regions. One managed gateway serves them all."`
	OutboundIPAddresses     []string                `json:"outboundPublicIPAddresses,omitempty" rule:"readonly"`
	ConfigurationAPI        *ConfigurationAPI       `json:"configurationApi,omitempty" doc:"Where self-hosted gateways read their configuration."`
	CustomProperties        map[string]string       `json:"customProperties" doc:"TLS and cipher settings by their full names."`
	Certificates            []ServiceCertificate    `json:"certificates,omitempty" rule:"max=10" doc:"Certificate authorities that the gateway trusts."`
	EnableClientCertificate bool                    `json:"enableClientCertificate,omitempty" doc:"Consumption tier: ask clients for certificates."`
	NatGatewayState         string                  `json:"natGatewayState,omitempty" rule:"enum=Enabled|Disabled,default=Disabled"`
	DisableGateway          bool                    `json:"disableGateway" doc:"No managed gateway in this region."`
	APIVersionConstraint    *APIVersionConstraint   `json:"apiVersionConstraint,omitempty"`
	LegacyPortalStatus      string                  `json:"legacyPortalStatus,omitempty" rule:"enum=Enabled|Disabled,default=Disabled"`
	DeveloperPortalStatus   string                  `json:"developerPortalStatus,omitempty" rule:"enum=Enabled|Disabled,default=Enabled"`
	Restore                 bool                    `json:"restore,omitempty" rule:"writeonly" doc:"Bring a deleted service back; everything else in the request is ignored."`
	ReleaseChannel          string                  `json:"releaseChannel,omitempty" rule:"enum=Default|Preview|Stable,default=Default"`
	PlatformVersion         string                  `json:"platformVersion,omitempty" rule:"readonly"`
	StrictExpressions       bool                    `json:"strictExpressions,omitempty" doc:"Ours: refuse expressions that use members outside of the published list."`
	KeyHashKey              []byte                  `json:"keyHashKey,omitempty" rule:"secret,readonly"`
	DebugEpoch              int64                   `json:"debugEpoch,omitempty" rule:"readonly" doc:"How often the debug credentials of the managed gateway were invalidated. Kept, not answered."`
}

// HostnameConfiguration is a host name of one of the service's endpoints.
type HostnameConfiguration struct {
	Type                       string           `json:"type" rule:"required,enum=Proxy|Portal|Management|Scm|DeveloperPortal|ConfigurationApi" doc:"Endpoint."`
	HostName                   string           `json:"hostName" rule:"required,max=255,pattern=[A-Za-z0-9*]([A-Za-z0-9.-]*[A-Za-z0-9])?" doc:"Host name."`
	DefaultSSLBinding          bool             `json:"defaultSslBinding" doc:"Its certificate serves clients that name no host."`
	NegotiateClientCertificate bool             `json:"negotiateClientCertificate" doc:"Ask clients for certificates."`
	KeyVaultID                 string           `json:"keyVaultId,omitempty"`
	IdentityClientID           string           `json:"identityClientId,omitempty"`
	EncodedCertificate         string           `json:"encodedCertificate,omitempty" rule:"secret" doc:"PKCS#12 in base64."`
	CertificatePassword        string           `json:"certificatePassword,omitempty" rule:"secret" doc:"Password of the certificate."`
	CertificateSource          string           `json:"certificateSource,omitempty" rule:"enum=Managed|KeyVault|Custom|BuiltIn"`
	CertificateStatus          string           `json:"certificateStatus,omitempty" rule:"enum=Completed|Failed|InProgress"`
	Certificate                *CertificateInfo `json:"certificate,omitempty"`
}

// CertificateInfo describes a certificate.
type CertificateInfo struct {
	Expiry     time.Time `json:"expiry"`
	Thumbprint string    `json:"thumbprint"`
	Subject    string    `json:"subject"`
}

// ServiceCertificate is a certificate authority of a service.
type ServiceCertificate struct {
	EncodedCertificate  string           `json:"encodedCertificate,omitempty" rule:"secret"`
	CertificatePassword string           `json:"certificatePassword,omitempty" rule:"secret"`
	StoreName           string           `json:"storeName" rule:"required,enum=CertificateAuthority|Root"`
	Certificate         *CertificateInfo `json:"certificate,omitempty"`
}

// APIVersionConstraint keeps old clients away.
type APIVersionConstraint struct {
	MinAPIVersion string `json:"minApiVersion,omitempty"`
}

func services(env Env) *resource.Type {
	return resource.Define(resource.Spec[Service]{
		Name:        "service",
		Title:       "API Management service",
		Doc:         "An API Management instance: the root of everything else.",
		Verbs:       resource.CRUDL &^ resource.Head,
		NamePattern: `[A-Za-z]([A-Za-z0-9-]{0,48}[A-Za-z0-9])?`,
		NameMax:     50,
		TopLevel:    true,
		Default:     completeService,
		Check: func(_ *resource.Tx, _, d *resource.Doc[Service]) error {
			d.Props.Properties.describeCertificates()
			return nil
		},
		After:   furnishService,
		View:    func(_ *resource.Reader, d *resource.Doc[Service]) (any, error) { return viewService(env, d), nil },
		Actions: serviceActions(env),
		Publish: publishService,
	})
}

// noTenant is the directory of identities that no directory knows.
const noTenant = "00000000-0000-0000-0000-000000000000"

// newUUID makes a random UUID (RFC 9562, 5.4).
func newUUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// complete makes up the identifiers that Azure's directory would give out.
func (i *Identity) complete() {
	if i == nil || strings.EqualFold(i.Type, "None") {
		return
	}
	i.TenantID = noTenant
	if i.PrincipalID == "" && strings.Contains(strings.ToLower(i.Type), "systemassigned") {
		i.PrincipalID = newUUID()
	}
	for id, u := range i.UserAssignedIdentities {
		if u.PrincipalID == "" {
			i.UserAssignedIdentities[id] = UserIdentity{PrincipalID: newUUID(), ClientID: first(u.ClientID, newUUID())}
		}
	}
}

func completeService(x *resource.Tx, old, d *resource.Doc[Service]) error {
	s, now := &d.Props, x.Now
	if old == nil {
		s.SystemData = &SystemData{CreatedBy: x.Principal, CreatedByType: "User", CreatedAt: now}
		s.Properties.CreatedAtUTC = &now
		s.Properties.KeyHashKey = make([]byte, keyHashBytes)
		_, _ = rand.Read(s.Properties.KeyHashKey) // never fails
	}
	s.SystemData.LastModifiedBy, s.SystemData.LastModifiedByType, s.SystemData.LastModifiedAt = x.Principal, "User", now
	// What viewService adds comes back when a client writes what it read.
	s.Properties.HostnameConfigurations = slices.DeleteFunc(s.Properties.HostnameConfigurations, func(h HostnameConfiguration) bool {
		return h.CertificateSource == "BuiltIn"
	})
	s.Identity.complete()
	s.Properties.ProvisioningState = succeeded
	s.Properties.PlatformVersion = "stv2"
	if s.Properties.NotificationSenderEmail == "" {
		s.Properties.NotificationSenderEmail = "noreply@" + strings.ToLower(d.Name()) + ".invalid"
	}
	if s.SKU.Capacity == nil {
		units := 1
		s.SKU.Capacity = &units
	}
	return nil
}

// viewService fills in what depends on where the process listens, and hides the secrets.
func viewService(env Env, d *resource.Doc[Service]) Service {
	s, name := d.Props, d.Name()
	p := &s.Properties
	p.KeyHashKey, p.DebugEpoch = nil, 0
	p.GatewayURL, p.GatewayRegionalURL = urlOf(env.GatewayURL, name), urlOf(env.GatewayURL, name)
	p.PortalURL, p.DeveloperPortalURL = urlOf(env.PortalURL, name), urlOf(env.PortalURL, name)
	p.ManagementAPIURL = urlOf(env.ManagementURL, name)
	if env.Git != nil && p.ManagementAPIURL != "" {
		p.SCMURL = p.ManagementAPIURL + GitPath + name
	}
	p.PublicIPAddresses, p.OutboundIPAddresses = []string{"127.0.0.1"}, []string{"127.0.0.1"}
	p.AdditionalLocations = slices.Clone(p.AdditionalLocations)
	for i := range p.AdditionalLocations {
		l := &p.AdditionalLocations[i]
		l.GatewayRegionalURL, l.PlatformVersion, l.PublicIPAddresses = p.GatewayURL, p.PlatformVersion, p.PublicIPAddresses
	}
	if p.CustomProperties == nil {
		p.CustomProperties = map[string]string{}
	}
	builtIn := HostnameConfiguration{Type: "Proxy", HostName: strings.ToLower(name) + ".gateway.localhost", CertificateSource: "BuiltIn"}
	builtIn.DefaultSSLBinding = true
	hosts := []HostnameConfiguration{builtIn}
	for _, h := range p.HostnameConfigurations {
		h.EncodedCertificate, h.CertificatePassword = "", ""
		if strings.EqualFold(h.HostName, builtIn.HostName) {
			continue
		}
		if h.DefaultSSLBinding {
			hosts[0].DefaultSSLBinding = false
		}
		hosts = append(hosts, h)
	}
	p.HostnameConfigurations = hosts
	certificates := make([]ServiceCertificate, len(p.Certificates))
	for i, c := range p.Certificates {
		c.EncodedCertificate, c.CertificatePassword = "", ""
		certificates[i] = c
	}
	p.Certificates = certificates
	return s
}

func urlOf(f func(string) string, service string) string {
	if f == nil {
		return ""
	}
	return f(service)
}

func publishService(p *resource.Pub, d *resource.Doc[Service]) error {
	props := d.Props.Properties
	part := snapshot.Service{
		ID: d.ID.String(), Name: d.Name(), Location: d.Props.Location, KeyHashKey: props.KeyHashKey, StrictExpressions: props.StrictExpressions, DebugEpoch: props.DebugEpoch,
	}
	for name, value := range props.CustomProperties {
		if strings.HasPrefix(strings.ToLower(name), protocolProperties) {
			if part.Protocols == nil {
				part.Protocols = make(map[string]string)
			}
			part.Protocols[name] = value
		}
	}
	for _, h := range props.HostnameConfigurations {
		if h.Type != "Proxy" {
			continue
		}
		part.Hostnames = append(part.Hostnames, strings.ToLower(h.HostName))
		if err := publishHostname(p, h); err != nil {
			return err
		}
	}
	if err := publishAuthorities(p, props.Certificates); err != nil {
		return err
	}
	return p.Add(snapshot.KindService, "", part)
}

// protocolProperties begins the names of the custom properties that gateways act on.
const protocolProperties = "microsoft.windowsazure.apimanagement.gateway."

// publishAuthorities publishes the certificates that the managed gateway trusts. Files with private keys do as well: the key stays behind.
func publishAuthorities(p *resource.Pub, certificates []ServiceCertificate) error {
	for i, c := range certificates {
		leaf, err := readCertificate(c.EncodedCertificate, c.CertificatePassword)
		if err != nil {
			continue // kept, and of no use to a gateway
		}
		id := fmt.Sprintf("authorities/%d", i)
		if err := p.Add(snapshot.KindAuthority, id, snapshot.Authority{Gateway: "managed", DER: leaf.Raw, Trusted: c.StoreName == "Root"}); err != nil {
			return err
		}
	}
	return nil
}

func publishHostname(p *resource.Pub, h HostnameConfiguration) error {
	id := "hostnames/" + strings.ToLower(h.HostName)
	part := snapshot.Hostname{
		Gateway: "managed", Hostname: strings.ToLower(h.HostName), NegotiateClientCertificate: h.NegotiateClientCertificate, HTTP2: true,
		Default: h.DefaultSSLBinding,
	}
	if h.EncodedCertificate == "" {
		return p.Add(snapshot.KindHostname, id, part)
	}
	pfx, err := base64.StdEncoding.DecodeString(h.EncodedCertificate)
	if err != nil {
		return fmt.Errorf("certificate of %s: %w", h.HostName, err)
	}
	cert := snapshot.Certificate{Name: id, PFX: pfx, Password: h.CertificatePassword}
	if err := p.Add(snapshot.KindCertificate, id, cert); err != nil {
		return err
	}
	part.Certificate = id
	return p.Add(snapshot.KindHostname, id, part)
}

package resources

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/causeway-apim/causeway/internal/arm"
	"github.com/causeway-apim/causeway/internal/auth"
	"github.com/causeway-apim/causeway/internal/resource"
	"github.com/causeway-apim/causeway/internal/snapshot"
)

const (
	// managedGateway is how the gateway of the service itself is called where gateways are named.
	managedGateway = "managed"
	// maxGateways is how many self-hosted gateways a service may have.
	maxGateways = 1000
	// serviceIndex with serviceIndexValue finds every service of a store; package resource writes it.
	serviceIndex      = "type"
	serviceIndexValue = "service"
)

// Gateway is a self-hosted gateway: any number of instances that serve the APIs assigned to it.
type Gateway struct {
	LocationData LocationData `json:"locationData" doc:"Where it runs."`
	Description  string       `json:"description,omitempty" rule:"max=1000" filter:"yes" doc:"What it is for."`
	PrimaryKey   string       `json:"primaryKey,omitempty" rule:"secret,readonly"`
	SecondaryKey string       `json:"secondaryKey,omitempty" rule:"secret,readonly"`
	DebugEpoch   int64        `json:"debugEpoch,omitempty" rule:"readonly" doc:"How often debug credentials were invalidated."`
}

// LocationData says where a gateway runs.
type LocationData struct {
	Name            string `json:"name" rule:"required,max=256" filter:"yes" doc:"Name of the place: context.Deployment.Region."`
	City            string `json:"city,omitempty" rule:"max=256" doc:"City."`
	District        string `json:"district,omitempty" rule:"max=256" doc:"District, state or province."`
	CountryOrRegion string `json:"countryOrRegion,omitempty" rule:"max=256" doc:"Country or region."`
}

// GatewayKeysContract is the answer of listKeys.
type GatewayKeysContract struct {
	Primary   string `json:"primary"`
	Secondary string `json:"secondary"`
}

// GatewayKeyRegeneration is the input of regenerateKey.
type GatewayKeyRegeneration struct {
	KeyType string `json:"keyType"` // primary or secondary
}

// GatewayTokenRequest is the input of generateToken.
type GatewayTokenRequest struct {
	KeyType string    `json:"keyType"` // primary or secondary
	Expiry  time.Time `json:"expiry"`  // at most 30 days away
}

// GatewayTokenContract is the answer of generateToken.
type GatewayTokenContract struct {
	Value string `json:"value"`
}

func gateways(env Env) *resource.Type {
	return resource.Define(resource.Spec[Gateway]{
		Name: "gateways", Title: "Gateway", Doc: "A self-hosted gateway.",
		Parents: []string{""}, Verbs: resource.CRUDL,
		Default: func(_ *resource.Tx, old, d *resource.Doc[Gateway]) error {
			if old == nil {
				d.Props.PrimaryKey, d.Props.SecondaryKey = newGatewayKey(), newGatewayKey()
			}
			return nil
		},
		Check: checkGateway,
		Acts:  managedGatewayActs,
		Actions: []resource.Action[Gateway]{
			{
				Name: "listKeys", Doc: "Answers the keys from which tokens are made.", Output: GatewayKeysContract{},
				Read: func(_ *resource.Reader, d *resource.Doc[Gateway], _ json.RawMessage) (any, error) {
					return GatewayKeysContract{d.Props.PrimaryKey, d.Props.SecondaryKey}, nil
				},
			},
			{
				Name: "regenerateKey", Doc: "Makes a new key. Tokens that were made with the old one are void.", Input: GatewayKeyRegeneration{},
				Write: regenerateGatewayKey,
			},
			{
				Name: "generateToken", Doc: "Makes a token with which instances connect.", Input: GatewayTokenRequest{}, Output: GatewayTokenContract{},
				Read: generateGatewayToken,
			},
			{
				Name: "deployment", Doc: "Makes a text with which an instance is started, with a new token in it. Not part of API Management.",
				Input: GatewayDeploymentRequest{}, Output: GatewayDeploymentContract{},
				Read: func(x *resource.Reader, d *resource.Doc[Gateway], body json.RawMessage) (any, error) {
					return deployGateway(env, x, d, body)
				},
			},
			{
				Name: "instances", Method: "GET", Doc: "Lists the instances that were heard of lately. Not part of API Management.",
				Read: func(_ *resource.Reader, d *resource.Doc[Gateway], _ json.RawMessage) (any, error) {
					return listInstances(env, d)
				},
			},
			{
				Name: "listDebugCredentials", Doc: "Makes credentials with which requests to one API are traced, for an hour at most.",
				Input: DebugCredentialsRequest{}, Output: DebugCredentialsContract{}, Read: listDebugCredentials,
			},
			{
				Name: "listTrace", Doc: "Answers the trace of a request; it is kept for an hour.", Input: TraceRequest{}, Output: map[string]any{},
				Read: func(x *resource.Reader, d *resource.Doc[Gateway], body json.RawMessage) (any, error) {
					return listTrace(env, x, d, body)
				},
			},
			{
				Name: "invalidateDebugCredentials", Doc: "Makes the debug credentials that were made so far void.", Write: invalidateDebugCredentials,
			},
		},
		Publish: func(p *resource.Pub, d *resource.Doc[Gateway]) error {
			return p.Add(snapshot.KindGateway, d.ID.Rel(), snapshot.Gateway{
				Name: d.Name(), Location: d.Props.LocationData.Name, KeyID: auth.GatewayKeyID(d.Props.PrimaryKey, d.Props.SecondaryKey),
				DebugEpoch: d.Props.DebugEpoch,
			})
		},
	})
}

func listInstances(env Env, d *resource.Doc[Gateway]) (any, error) {
	none := map[string]any{"value": []any{}}
	if env.Instances == nil {
		return none, nil
	}
	list, err := json.Marshal(env.Instances(d.ID.Service().Key(), d.Name()))
	if err != nil {
		return nil, fmt.Errorf("list the instances of %s: %w", d.ID, err)
	}
	if string(list) == "null" {
		return none, nil
	}
	return map[string]any{"value": json.RawMessage(list)}, nil
}

func checkGateway(x *resource.Tx, old, d *resource.Doc[Gateway]) error {
	if old != nil {
		return nil
	}
	if strings.EqualFold(d.Name(), managedGateway) {
		return arm.Invalid("name", "The name %s belongs to the gateway of the service itself.", managedGateway)
	}
	if strings.ContainsAny(d.Name(), " \t") { // a token could not name it
		return arm.Invalid("name", "The name of a gateway must not hold white space.")
	}
	n := 0
	for _, err := range resource.All[Gateway](&x.Reader, x.Service, "gateways") {
		if err != nil {
			return err
		}
		n++
	}
	if n >= maxGateways {
		return arm.Errorf(arm.CodeConflict, "The service has %d gateways, which is its limit.", n)
	}
	return nil
}

// gatewayKey returns the key of a type that an action's body names.
func gatewayKey(g *Gateway, keyType string) (*string, error) {
	switch strings.ToLower(keyType) {
	case "primary":
		return &g.PrimaryKey, nil
	case "secondary":
		return &g.SecondaryKey, nil
	}
	return nil, arm.Invalid("keyType", "keyType must be primary or secondary.")
}

func regenerateGatewayKey(x *resource.Tx, d *resource.Doc[Gateway], body json.RawMessage) (any, error) {
	var in GatewayKeyRegeneration
	if err := readInput(body, &in); err != nil {
		return nil, err
	}
	key, err := gatewayKey(&d.Props, in.KeyType)
	if err != nil {
		return nil, err
	}
	*key = newGatewayKey()
	return nil, resource.Save(x, d)
}

func generateGatewayToken(x *resource.Reader, d *resource.Doc[Gateway], body json.RawMessage) (any, error) {
	var in GatewayTokenRequest
	if err := readInput(body, &in); err != nil {
		return nil, err
	}
	key, err := gatewayKey(&d.Props, in.KeyType)
	if err != nil {
		return nil, err
	}
	switch life := in.Expiry.Sub(x.Now); {
	case in.Expiry.IsZero():
		return nil, arm.Invalid("expiry", "expiry is required.")
	case life < time.Minute:
		return nil, arm.Invalid("expiry", "expiry must lie at least a minute in the future.")
	case life > auth.MaxGatewayTokenLife:
		return nil, arm.Invalid("expiry", "expiry must lie at most 30 days in the future.")
	}
	token, err := auth.NewGatewayToken(d.Name(), *key, in.Expiry, x.Now)
	if err != nil {
		return nil, err
	}
	return GatewayTokenContract{token}, nil
}

// GatewayKey holds the keys of one gateway.
type GatewayKey struct {
	Service            string // ARM ID in lower case
	Gateway            string // name in the spelling of its creation
	Primary, Secondary string
}

// GatewayKeys returns the keys of the gateways of a name, which is compared without regard to case, over all services.
func GatewayKeys(ctx context.Context, r resource.StoreReader, name string) ([]GatewayKey, error) {
	if name == "" || len(name) > arm.MaxNameBytes || strings.Contains(name, "/") { // it comes from outside
		return nil, nil
	}
	services, err := r.Lookup(ctx, serviceIndex, serviceIndexValue)
	if err != nil {
		return nil, fmt.Errorf("list services: %w", err)
	}
	var keys []GatewayKey
	for _, service := range services {
		id := service + "/gateways/" + strings.ToLower(name)
		secrets, err := r.GetSecrets(ctx, id)
		if err != nil {
			return nil, fmt.Errorf("read the keys of gateway %s: %w", name, err)
		}
		if len(secrets) == 0 { // the service has no such gateway
			continue
		}
		sd, err := r.Get(ctx, id)
		if err != nil {
			return nil, fmt.Errorf("read gateway %s: %w", name, err)
		}
		keys = append(keys, GatewayKey{service, sd.Name, secrets["primaryKey"], secrets["secondaryKey"]})
	}
	return keys, nil
}

package resources

import (
	"strings"

	"github.com/causeway-apim/causeway/internal/arm"
	"github.com/causeway-apim/causeway/internal/resource"
	"github.com/causeway-apim/causeway/internal/snapshot"
)

// Cache is an external cache: a Redis that the gateways of a location use for what policies keep, and for counters.
type Cache struct {
	Description      string `json:"description,omitempty" rule:"max=2000" doc:"What it is."`
	ConnectionString string `json:"connectionString" rule:"required,secret,max=4096" doc:"Connection string of StackExchange.Redis, such as redis.contoso.com:6380,password=…,ssl=True; may hold named values."`
	UseFromLocation  string `json:"useFromLocation" rule:"required,max=256" doc:"Location of the service or of self-hosted gateways that use it; default for all that have none of their own. Of several for one location the first by name counts."`
	ResourceID       string `json:"resourceId,omitempty" rule:"max=2000" doc:"URI of the cache in another system, such as an ARM ID; kept."`
}

func caches(env Env) *resource.Type {
	return resource.Define(resource.Spec[Cache]{
		Name: "caches", Title: "Cache", Doc: "An external cache: a server that speaks the protocol of Redis.",
		Parents: []string{""}, Verbs: resource.CRUDL, NameMax: 80,
		Check: func(_ *resource.Tx, _, d *resource.Doc[Cache]) error {
			return env.checkConnection(d.Props.ConnectionString)
		},
		Publish: func(p *resource.Pub, d *resource.Doc[Cache]) error {
			return p.Add(snapshot.KindCache, d.ID.Rel(), snapshot.Cache{UseFrom: d.Props.UseFromLocation, Connection: d.Props.ConnectionString})
		},
	})
}

// checkConnection refuses a connection string that no gateway could use. Named values are filled in later.
func (e Env) checkConnection(text string) error {
	if e.CheckCache == nil || strings.Contains(text, "{{") {
		return nil
	}
	if err := e.CheckCache(text); err != nil {
		return arm.Invalid("connectionString", "connectionString cannot be used: %s.", err)
	}
	return nil
}

package policies

import (
	"strings"

	"github.com/causeway-apim/causeway/internal/message"
	"github.com/causeway-apim/causeway/internal/policy"
)

// SetBackendService is the set-backend-service policy.
var SetBackendService = policy.Define[setBackendService](policy.Spec{
	Name:     "set-backend-service",
	Sections: policy.Inbound | policy.Backend,
	Flow:     policy.FlowMessage,
	Doc:      "Chooses another backend service than the API's, by URL or by backend entity. Path and query of the operation stay.",
})

type setBackendService struct {
	BaseURL   policy.Value[string] `attr:"base-url" doc:"New base URL."`
	BackendID policy.Value[string] `attr:"backend-id" doc:"Name of a backend entity, which brings URL, credentials and TLS settings."`
	Dapr      daprService
	Fabric    serviceFabric

	base *message.URL // of a constant base-url
}

// serviceFabric are the attributes that address a Service Fabric cluster. They
// are known, so that documents that use them are refused with the reason.
type serviceFabric struct {
	Condition policy.Value[string] `attr:"sf-resolve-condition" doc:"Not offered: Service Fabric."`
	Instance  policy.Value[string] `attr:"sf-service-instance-name" doc:"Not offered: Service Fabric."`
	Partition policy.Value[string] `attr:"sf-partition-key" doc:"Not offered: Service Fabric."`
	Replica   policy.Value[string] `attr:"sf-replica-type" doc:"Not offered: Service Fabric."`
	Listener  policy.Value[string] `attr:"sf-listener-name" doc:"Not offered: Service Fabric."`
}

func (p *setBackendService) Compile(c *policy.Compiler) error {
	f := p.Fabric
	if f.Condition.IsSet() || f.Instance.IsSet() || f.Partition.IsSet() || f.Replica.IsSet() || f.Listener.IsSet() {
		c.Errorf("NotSupported", "set-backend-service cannot address Service Fabric: Causeway does not offer it")
	}
	if p.Dapr.isSet() {
		p.Dapr.check(c, p)
		return nil
	}
	if p.BaseURL.IsSet() == p.BackendID.IsSet() {
		c.Errorf("ConflictingAttributes", "set-backend-service needs either base-url or backend-id")
	}
	if id, ok := p.BackendID.Constant(); ok {
		c.Backend(id)
	}
	if u, ok := p.BaseURL.Constant(); ok {
		base, err := message.ParseURL(message.EscapeURL(strings.TrimSpace(u)))
		if err != nil {
			c.Errorf("InvalidURL", "base-url: %v", err)
		} else {
			p.base = &base
		}
	}
	return nil
}

func (p *setBackendService) Run(x *policy.Exec) error {
	if p.Dapr.isSet() {
		return p.Dapr.choose(x)
	}
	if p.BackendID.IsSet() {
		id, err := p.BackendID.Get(x)
		if err != nil {
			return err
		}
		return useBackend(x, id)
	}
	base, err := p.BaseURL.Get(x)
	if err != nil {
		return err
	}
	if p.base != nil {
		x.Base = *p.base
	} else {
		u, err := message.ParseURL(message.EscapeURL(strings.TrimSpace(base)))
		if err != nil {
			return &policy.Error{Message: "The base URL of set-backend-service is not valid: " + err.Error() + ".", Err: err}
		}
		x.Base = u.Detach()
	}
	x.BackendID = ""
	if x.Tracer != nil {
		x.Trace("set-backend-service", "Backend service URL was changed.", "url", base)
	}
	return nil
}

// useBackend chooses a backend entity. Which member of a pool is called is
// decided when the request is forwarded.
func useBackend(x *policy.Exec, id string) error {
	b, ok := x.Host.Backend(id)
	if !ok {
		return &policy.Error{Message: "Backend " + id + " was not found."}
	}
	x.BackendID = b.Name
	if b.URL != "" && b.Type != "Pool" {
		u, err := message.ParseURL(b.URL)
		if err != nil {
			return &policy.Error{Message: "Backend " + id + ": " + err.Error() + ".", Err: err}
		}
		x.Base = u
	}
	if x.Tracer != nil {
		x.Trace("set-backend-service", "Backend service was changed.", "backend-id", b.Name)
	}
	return nil
}

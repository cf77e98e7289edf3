package policies

import (
	"net/url"

	"github.com/causeway-apim/causeway/internal/policy"
)

// daprBackend is the backend-id that, with the attributes of an application, means the Dapr sidecar.
const daprBackend = "dapr"

// daprService are the attributes of set-backend-service that address an application behind the Dapr sidecar.
type daprService struct {
	App       policy.Value[string] `attr:"dapr-app-id" doc:"ID of the Dapr application; backend-id is dapr then."`
	Method    policy.Value[string] `attr:"dapr-method" doc:"Method of the application, or its path and query."`
	Namespace policy.Value[string] `attr:"dapr-namespace" doc:"Namespace of the application."`
}

func (d *daprService) isSet() bool { return d.App.IsSet() || d.Method.IsSet() || d.Namespace.IsSet() }

// check refuses what does not name one application.
func (d *daprService) check(c *policy.Compiler, p *setBackendService) {
	if id, ok := p.BackendID.Constant(); !ok || id != daprBackend || p.BaseURL.IsSet() {
		c.Errorf("ConflictingAttributes", `set-backend-service takes dapr-app-id, dapr-method and dapr-namespace only with backend-id="dapr"`)
	}
	for name, v := range map[string]policy.Value[string]{"dapr-app-id": d.App, "dapr-method": d.Method} {
		if !v.IsSet() {
			c.Errorf("MissingAttribute", `<set-backend-service> with backend-id="dapr" must have the attribute %q`, name)
		}
	}
	if c.Section()&policy.Inbound == 0 {
		c.Errorf("NotAllowedInSection", "set-backend-service chooses a Dapr application in inbound only")
	}
}

// choose makes the sidecar the backend service: forward-request then calls the method ("Service invocation API reference"). The path of the
// operation is not part of it, its query is.
func (d *daprService) choose(x *policy.Exec) error {
	app, err := d.App.Get(x)
	if err != nil {
		return err
	}
	namespace, err := d.Namespace.Get(x)
	if err != nil {
		return err
	}
	method, err := d.Method.Get(x)
	if err != nil {
		return err
	}
	if namespace != "" {
		app += "." + namespace
	}
	sidecar := x.Host.Dapr()
	x.Base = sidecar.URL("/v1.0/invoke/" + url.PathEscape(app) + "/method/" + escapePath(method))
	x.BackendID, x.Request.URL.Path = "", ""
	sidecar.SignIn(&x.Request.Header)
	return nil
}

package resources

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/causeway-apim/causeway/internal/arm"
	"github.com/causeway-apim/causeway/internal/auth"
	"github.com/causeway-apim/causeway/internal/resource"
)

// purposeTracing is what debug credentials are for.
const purposeTracing = "tracing"

// DebugCredentialsRequest is the input of listDebugCredentials.
type DebugCredentialsRequest struct {
	CredentialsExpireAfter string   `json:"credentialsExpireAfter,omitempty"` // ISO 8601; PT1H at most, and without it
	APIID                  string   `json:"apiId"`                            // ARM ID of the API
	Purposes               []string `json:"purposes"`                         // tracing
}

// DebugCredentialsContract is the answer of listDebugCredentials.
type DebugCredentialsContract struct {
	Token string `json:"token"` // for the header Apim-Debug-Authorization
}

// TraceRequest is the input of listTrace.
type TraceRequest struct {
	TraceID string `json:"traceId"` // from the header Apim-Trace-Id
}

// managedGatewayActs lets the gateway of the service itself have actions, though it is no resource.
func managedGatewayActs(x *resource.Reader, id arm.ID) (*Gateway, error) {
	if !strings.EqualFold(id.Name(), managedGateway) {
		return nil, nil
	}
	service, err := resource.Get[Service](x, x.Service)
	if err != nil {
		return nil, err
	}
	return &Gateway{DebugEpoch: service.Props.Properties.DebugEpoch}, nil
}

func listDebugCredentials(x *resource.Reader, d *resource.Doc[Gateway], body json.RawMessage) (any, error) {
	var in DebugCredentialsRequest
	if err := readInput(body, &in); err != nil {
		return nil, err
	}
	if len(in.Purposes) == 0 || slices.ContainsFunc(in.Purposes, func(p string) bool { return !strings.EqualFold(p, purposeTracing) }) {
		return nil, arm.Invalid("purposes", "purposes must be [\"tracing\"].")
	}
	life := auth.MaxDebugTokenLife
	if in.CredentialsExpireAfter != "" {
		var ok bool
		if life, ok = isoTime(in.CredentialsExpireAfter); !ok || life <= 0 || life > auth.MaxDebugTokenLife {
			return nil, arm.Invalid("credentialsExpireAfter", "credentialsExpireAfter must be a duration of ISO 8601 of at most PT1H.")
		}
	}
	api, err := x.Resolve(in.APIID)
	if err != nil || api.Name() == "" || !strings.EqualFold(api.Parent().Child("apis", api.Name()).String(), api.String()) {
		return nil, arm.Invalid("apiId", "apiId must be the ID of an API, such as /subscriptions/…/apis/echo-api.")
	}
	name, _, _ := strings.Cut(api.Name(), ";rev=")
	if ok, err := x.Exists(api.Parent().Child("apis", name)); err != nil || !ok {
		return nil, orInvalid(err, arm.Invalid("apiId", "There is no API %s.", api.Name()))
	}
	service, err := resource.Get[Service](x, x.Service)
	if err != nil {
		return nil, err
	}
	token := auth.DebugToken{API: api.Name(), Gateway: d.Name(), Expiry: x.Now.Add(life)}
	return DebugCredentialsContract{token.Sign(auth.DebugKey(service.Props.Properties.KeyHashKey, d.Name(), d.Props.DebugEpoch))}, nil
}

func orInvalid(err, invalid error) error {
	if err != nil {
		return err
	}
	return invalid
}

func listTrace(env Env, x *resource.Reader, d *resource.Doc[Gateway], body json.RawMessage) (any, error) {
	var in TraceRequest
	if err := readInput(body, &in); err != nil {
		return nil, err
	}
	if in.TraceID == "" {
		return nil, arm.Invalid("traceId", "traceId is required.")
	}
	if env.Trace != nil {
		document, err := env.Trace(x.Context(), d.ID.Service().Key(), d.Name(), in.TraceID)
		if err != nil {
			return nil, fmt.Errorf("read trace %s: %w", in.TraceID, err)
		}
		if document != nil {
			return json.RawMessage(document), nil
		}
	}
	return nil, arm.Errorf(arm.CodeResourceNotFound, "There is no trace %q of this gateway. Traces are kept for an hour.", in.TraceID).WithTarget("traceId")
}

// TraceFunc returns the trace of a request, waiting a moment for it when it may be on its way; nil when there is none.
type TraceFunc func(ctx context.Context, service, gateway, id string) ([]byte, error)

func invalidateDebugCredentials(x *resource.Tx, d *resource.Doc[Gateway], _ json.RawMessage) (any, error) {
	if !strings.EqualFold(d.Name(), managedGateway) {
		d.Props.DebugEpoch++
		return nil, resource.Save(x, d)
	}
	service, err := resource.Get[Service](&x.Reader, x.Service)
	if err != nil {
		return nil, err
	}
	service.Props.Properties.DebugEpoch++
	return nil, resource.Save(x, service)
}

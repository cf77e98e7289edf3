package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/causeway-apim/causeway/internal/arm"
	"github.com/causeway-apim/causeway/internal/resources"
	"github.com/causeway-apim/causeway/internal/store"
)

// The service that `causeway dev` has from its start.
const (
	devGroup     = "causeway"
	devService   = "dev"
	devGroupID   = "/subscriptions/" + subscriptionID + "/resourceGroups/" + devGroup
	devServiceID = devGroupID + "/providers/Microsoft.ApiManagement/service/" + devService
)

// sample is what the welcome text tells of the sample API.
type sample struct{ key string }

// prepareDev makes the resource group, the service and, unless it is not
// wanted, the sample. What is there already stays as it is.
func (p *plane) prepareDev(ctx context.Context, empty bool, management string) (sample, error) {
	service, err := arm.ParseID(devServiceID)
	if err != nil {
		return sample{}, err
	}
	fresh, err := p.missing(ctx, service)
	if err != nil {
		return sample{}, err
	}
	put := func(rel string, body any) error {
		id := service
		if rel != "" {
			id = arm.Below(service, rel)
		}
		text, err := json.Marshal(body)
		if err != nil {
			return err
		}
		if _, err := p.manage.Engine().Put(ctx, id, text); err != nil {
			return fmt.Errorf("make the sample %s: %w", id.RelPath(), err)
		}
		return nil
	}
	if fresh {
		if err := p.manage.PutResourceGroup(ctx, subscriptionID, devGroup, "westeurope"); err != nil {
			return sample{}, err
		}
		err := put("", map[string]any{
			"location": "westeurope", "sku": map[string]any{"name": "Developer", "capacity": 1},
			"properties": map[string]any{"publisherEmail": "dev@causeway.example", "publisherName": "Causeway"},
		})
		if err != nil {
			return sample{}, err
		}
		if !empty {
			if err := putSample(put); err != nil {
				return sample{}, err
			}
		}
	}
	if err := p.refreshEcho(ctx, service, management); err != nil {
		return sample{}, err
	}
	key, err := p.subscriptionKey(ctx, arm.Below(service, "subscriptions/starter"))
	return sample{key}, err
}

func (p *plane) missing(ctx context.Context, id arm.ID) (bool, error) {
	err := p.store.View(ctx, func(r store.Reader) error {
		_, err := r.Get(ctx, id.Key())
		return err
	})
	if errors.Is(err, store.ErrNotFound) {
		return true, nil
	}
	return false, err
}

// putSample writes the Echo API, two products and a subscription.
func putSample(put func(rel string, body any) error) error {
	props := func(p map[string]any) map[string]any { return map[string]any{"properties": p} }
	operation := func(method, template, name string) map[string]any {
		return props(map[string]any{"displayName": name, "method": method, "urlTemplate": template, "templateParameters": []any{}})
	}
	steps := []struct {
		rel  string
		body any
	}{
		{"apis/echo-api", props(map[string]any{
			"displayName": "Echo API", "path": "echo", "protocols": []string{"http", "https"}, "serviceUrl": "http://127.0.0.1/dev/echo",
			"description": "Answers with what it was sent.",
		})},
		{"apis/echo-api/operations/create-resource", operation("POST", "/resource", "Create resource")},
		{"apis/echo-api/operations/modify-resource", operation("PUT", "/resource", "Modify resource")},
		{"apis/echo-api/operations/remove-resource", operation("DELETE", "/resource", "Remove resource")},
		{"apis/echo-api/operations/retrieve-header-only", operation("HEAD", "/resource", "Retrieve header only")},
		{"apis/echo-api/operations/retrieve-resource", operation("GET", "/resource", "Retrieve resource")},
		{"products/starter", props(map[string]any{
			"displayName": "Starter", "description": "Five calls a minute.", "subscriptionRequired": true, "approvalRequired": false, "state": "published",
		})},
		{"products/unlimited", props(map[string]any{
			"displayName": "Unlimited", "description": "As many calls as you like.", "subscriptionRequired": true, "approvalRequired": true, "state": "published",
		})},
		{"products/starter/apis/echo-api", map[string]any{}},
		{"products/unlimited/apis/echo-api", map[string]any{}},
		{"products/starter/policies/policy", props(map[string]any{"format": "rawxml", "value": starterPolicy})},
		{"subscriptions/starter", props(map[string]any{"displayName": "Starter", "scope": "/products/starter", "state": "active"})},
	}
	for _, s := range steps {
		if err := put(s.rel, s.body); err != nil {
			return err
		}
	}
	return nil
}

const starterPolicy = `<policies>
    <inbound>
        <base />
        <rate-limit calls="5" renewal-period="60" />
    </inbound>
    <backend>
        <base />
    </backend>
    <outbound>
        <base />
    </outbound>
    <on-error>
        <base />
    </on-error>
</policies>
`

// refreshEcho points the Echo API at this process, whose port may have changed
// since the last start.
func (p *plane) refreshEcho(ctx context.Context, service arm.ID, management string) error {
	if management == "" {
		return nil
	}
	return resources.SetServiceURL(ctx, p.manage.Engine(), arm.Below(service, "apis/echo-api"), management+echoPath)
}

func (p *plane) subscriptionKey(ctx context.Context, id arm.ID) (key string, err error) {
	err = p.store.View(ctx, func(r store.Reader) error {
		key, err = resources.SubscriptionKey(ctx, r, id)
		return err
	})
	if errors.Is(err, store.ErrNotFound) {
		return "", nil
	}
	return key, err
}

// echoPath is where the management listener of dev serves the echo backend.
const echoPath = "/dev/echo"

// maxEcho is the largest body that is echoed, in bytes.
const maxEcho = 16 << 20

// serveEcho answers with the body and the headers that it was sent.
func serveEcho(w http.ResponseWriter, r *http.Request) {
	for name, values := range r.Header {
		switch name {
		case "Content-Type", "Accept", "User-Agent":
		default:
			if len(name) < 2 || name[:2] != "X-" {
				continue
			}
		}
		for _, v := range values {
			w.Header().Add(name, v)
		}
	}
	w.Header().Set("Echo-Method", r.Method)
	w.Header().Set("Echo-Url", r.URL.RequestURI())
	if r.Method == http.MethodHead {
		return
	}
	_, _ = io.Copy(w, http.MaxBytesReader(w, r.Body, maxEcho)) // a client that has gone is nobody to tell
}

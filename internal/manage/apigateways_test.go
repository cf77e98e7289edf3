package manage_test

import (
	"strings"
	"testing"
)

func TestGatewaysOfGroups(t *testing.T) {
	t.Parallel()
	h := start(t, nil)
	const gateways = group + "/providers/Microsoft.ApiManagement/gateways"
	const body = `{"location":"West Europe","sku":{"name":"WorkspaceGatewayPremium","capacity":1},"properties":{"virtualNetworkType":"External"}}`
	h.must(404, "PUT", gateways+"/edge", body) // no group
	h.must(201, "PUT", group, `{"location":"westeurope"}`)
	contains(t, h.must(201, "PUT", gateways+"/edge", body), `"provisioningState":"Succeeded"`, `"type":"Microsoft.ApiManagement/gateways"`, `"id":"`+gateways+`/edge"`)
	first := h.must(200, "GET", gateways+"/edge", "")
	contains(t, h.must(200, "PUT", gateways+"/edge", body), `"capacity":1`)
	changed := h.must(200, "PATCH", gateways+"/edge", `{"sku":{"capacity":3},"tags":{"a":"b"}}`)
	contains(t, changed, `"capacity":3`, `"a":"b"`, `"virtualNetworkType":"External"`)
	if before, after := first.Header().Get("ETag"), changed.Header().Get("ETag"); before == "" || before == after {
		t.Errorf("the entity tag went from %q to %q", before, after)
	}
	for _, list := range []string{gateways, subscription + "/providers/Microsoft.ApiManagement/gateways"} {
		contains(t, h.must(200, "GET", list, ""), `"name":"edge"`, `"count":1`)
	}
	contains(t, h.must(200, "GET", gateways+"/edge/skus", ""), `"WorkspaceGatewayPremium"`)
	h.must(404, "GET", gateways+"/none/skus", "")
	h.must(404, "PATCH", gateways+"/none", `{}`)
	h.must(404, "GET", gateways+"/edge/nothing", "")
	for target, wrong := range map[string]string{
		"location": `{"sku":{"name":"Standard"}}`, "sku.name": strings.Replace(body, "WorkspaceGatewayPremium", "Huge", 1),
		"sku.capacity": strings.Replace(body, `"capacity":1`, `"capacity":99`, 1), "properties.virtualNetworkType": strings.Replace(body, "External", "Odd", 1),
	} {
		contains(t, h.must(400, "PUT", gateways+"/other", wrong), `"target":"`+target+`"`)
	}
	contains(t, h.must(400, "PUT", gateways+"/-", body), "gatewayName")
	contains(t, h.must(400, "PUT", gateways+"/edge", strings.Replace(body, "West", "North", 1)), `"target":"location"`)

	const connections = gateways + "/edge/configConnections"
	const source = `{"properties":{"sourceId":"` + service + `/workspaces/team","hostnames":["a.example.com"]}}`
	contains(t, h.must(201, "PUT", connections+"/one", source), `"provisioningState":"Succeeded"`, `"defaultHostname":"contoso.gateway.localhost"`)
	contains(t, h.must(200, "PUT", connections+"/one", source), `"type":"Microsoft.ApiManagement/gateways/configConnections"`)
	contains(t, h.must(200, "GET", connections+"/one", ""), `"hostnames":["a.example.com"]`)
	contains(t, h.must(200, "GET", connections, ""), `"name":"one"`)
	contains(t, h.must(400, "PUT", connections+"/two", `{"properties":{}}`), `"target":"properties.sourceId"`)
	contains(t, h.must(400, "PUT", connections+"/two", `{"properties":{"sourceId":"team"}}`), `"target":"properties.sourceId"`)
	h.must(404, "PUT", gateways+"/none/configConnections/one", source)
	h.must(405, "PATCH", connections+"/one", `{}`)
	h.must(204, "DELETE", connections+"/one", "")
	h.must(204, "DELETE", connections+"/one", "")
	h.must(201, "PUT", connections+"/one", source)
	h.must(204, "DELETE", gateways+"/edge", "")
	h.must(404, "GET", connections+"/one", "")
}

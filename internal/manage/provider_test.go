package manage_test

import "testing"

func TestProvider(t *testing.T) {
	t.Parallel()
	h := start(t, nil)
	const provider = subscription + "/providers/Microsoft.ApiManagement"
	name := func(name string) string {
		return h.must(200, "POST", provider+"/checkNameAvailability", `{"name":"`+name+`"}`).Body.String()
	}
	h.must(201, "PUT", group, `{"location":"westeurope"}`)
	if got := name("contoso"); got != `{"message":"","nameAvailable":true,"reason":"Valid"}`+"\n" && got != `{"message":"","nameAvailable":true,"reason":"Valid"}` {
		t.Errorf("a free name is %s", got)
	}
	contains(t, h.must(200, "POST", provider+"/checkNameAvailability", `{"name":"a*b"}`), `"reason":"Invalid"`)
	contains(t, h.must(400, "POST", provider+"/checkNameAvailability", `{}`), `"target":"name"`)
	h.must(201, "PUT", service, `{"location":"West Europe"}`)
	h.must(201, "PUT", service+"/tags/a", `{"properties":{"displayName":"A"}}`)
	contains(t, h.must(200, "POST", provider+"/checkNameAvailability", `{"name":"Contoso"}`), `"AlreadyExists"`)
	contains(t, h.must(200, "GET", group+"/resources", ""), `"type":"Microsoft.ApiManagement/service"`, `"name":"contoso"`)
	contains(t, h.must(200, "GET", subscription+"/resources", ""), `"name":"contoso"`)
	contains(t, h.must(200, "GET", subscription+"/resources?api-version=2021-04-01&$filter=resourceType%20eq%20'Microsoft.Web/sites'", ""), `"value":[]`)
	contains(t, h.must(200, "GET", provider+"/skus", ""), `"name":"PremiumV2"`)
	contains(t, h.must(200, "POST", provider+"/getDomainOwnershipIdentifier", ""), `"domainOwnershipIdentifier"`)

	const deleted = provider + "/locations/westeurope/deletedservices/contoso"
	h.must(404, "GET", deleted, "")
	h.must(200, "DELETE", service, "")
	contains(t, h.must(200, "GET", deleted, ""), `"serviceId":"`+service+`"`, `"scheduledPurgeDate"`)
	contains(t, h.must(200, "GET", provider+"/deletedservices", ""), `"name":"contoso"`)
	contains(t, h.must(200, "POST", provider+"/checkNameAvailability", `{"name":"contoso"}`), `"AlreadyExists"`)
	h.must(200, "PUT", service, `{"location":"West Europe","properties":{"restore":true}}`)
	h.must(200, "GET", service+"/tags/a", "")
	h.must(200, "DELETE", service, "")
	h.must(200, "DELETE", deleted, "")
	h.must(204, "DELETE", deleted, "")
	h.must(404, "GET", deleted, "")
	h.must(404, "GET", provider+"/nothing", "")
	h.must(405, "PUT", deleted, "{}")
}

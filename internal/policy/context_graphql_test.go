package policy

import "testing"

func TestContextOfResolvers(t *testing.T) {
	t.Parallel()
	c := testCatalogue(t)
	var x Exec
	newContextExec(&x)
	f := func(source, want string) {
		t.Helper()
		if got := evaluateText(t, c, &x, source); got != want {
			t.Errorf("%s: got %s, want %s", source, got, want)
		}
	}
	f(`context.GraphQL == null && context.ParentResult == null`, "True")
	x.SetGraphQL(`{"id": 7}`, "")
	f(`(int)context.GraphQL.Arguments["id"] + 1`, "8")
	f(`context.GraphQL.Parent == null && context.ParentResult == null`, "True")
	x.SetGraphQL(`{}`, `{"user": {"name": "n"}}`)
	f(`context.GraphQL.Parent["user"]["name"] + "|" + context.ParentResult.SelectToken("user.name")`, "n|n")
	f(`context.GraphQL.Arguments["id"] == null`, "True")
}

func TestContextLacksAzuresNetwork(t *testing.T) {
	t.Parallel()
	c := testCatalogue(t)
	var x Exec
	newContextExec(&x)
	for _, member := range []string{"Workspace", "Api.Workspace", "Product.Workspace", "Request.PrivateEndpointConnection", "Request.AzureVnetInfo"} {
		if got := evaluateText(t, c, &x, "context."+member+" == null"); got != "True" {
			t.Errorf("%s: got %s", member, got)
		}
	}
	if got, want := evaluateText(t, c, &x, `context.Request.OriginalUrl.ToUri().Authority`), "gw.test:8443"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

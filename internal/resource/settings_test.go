package resource_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/causeway-apim/causeway/internal/arm"
	"github.com/causeway-apim/causeway/internal/resource"
	"github.com/causeway-apim/causeway/internal/resource/resourcetest"
)

type setting struct {
	Enabled bool   `json:"enabled" filter:"yes"`
	Terms   string `json:"terms,omitempty"`
}

// Settings are there from the start, have fixed names and answer in their own ways.
func settings(t *testing.T) *resourcetest.Server {
	t.Helper()
	c, err := resource.NewCatalogue(
		resource.Define(resource.Spec[root]{Name: "service", Verbs: resource.CRUDL, TopLevel: true}),
		resource.Define(resource.Spec[setting]{
			Name: "portalsettings", Parents: []string{""}, Verbs: resource.Create | resource.Read | resource.Head | resource.Update,
			Names: []string{"signin", "signup"}, PutOK: true, PatchEmpty: true,
			Initial: func(_ *resource.Reader, id arm.ID) (*setting, error) {
				return &setting{Enabled: id.Name() == "signup"}, nil
			},
			Actions: []resource.Action[setting]{{Name: "show", Method: "GET", Read: func(x *resource.Reader, d *resource.Doc[setting], _ json.RawMessage) (any, error) {
				return map[string]any{"enabled": d.Props.Enabled, "base": x.BaseURL, "version": x.APIVersion, "q": x.Param("Q")}, nil
			}}},
		}),
		resource.Define(resource.Spec[setting]{
			Name: "tags", Parents: []string{""}, Verbs: resource.CRUDL,
			KeepParams: []string{"scope"},
			Keep: func(x *resource.Reader, d *resource.Doc[setting]) (bool, error) {
				return x.Param("scope") == "" || x.Param("scope") == d.Props.Terms, nil
			},
			View: func(x *resource.Reader, d *resource.Doc[setting]) (any, error) {
				return map[string]any{"enabled": d.Props.Enabled, "list": x.List}, nil
			},
		}),
		resource.Define(resource.Spec[setting]{Name: "gateways", Parents: []string{""}, Verbs: resource.CRUDL}),
		resource.Define(resource.Spec[struct{}]{Name: "tags", Parents: []string{"gateways"}, Join: "tags", Verbs: resource.JoinVerbs, HeadOK: true}),
		resource.Define(resource.Spec[setting]{Name: "pages", Parents: []string{"portalsettings"}, Verbs: resource.CRUDL}),
	)
	if err != nil {
		t.Fatal(err)
	}
	return resourcetest.NewService(t, c)
}

func TestSettings(t *testing.T) {
	t.Parallel()
	s := settings(t)
	r := s.Must(200, "GET", "portalSettings/SignUp", "")
	want(t, r, `{"name":"signup","properties":{"enabled":true}}`)
	s.Must(200, "HEAD", "portalsettings/signin", "")
	s.Must(404, "GET", "portalsettings/other", "")
	s.Must(201, "PUT", "portalsettings/signin/pages/x", `{"properties":{}}`) // its parent is there, written or not
	r = s.Must(204, "PATCH", "portalsettings/signin", `{"properties":{"enabled":true}}`, "If-Match", r.Header.Get("ETag"))
	if len(r.Body) > 0 {
		t.Errorf("PATCH answers %s", r.Body)
	}
	want(t, s.Must(200, "PUT", "portalsettings/signup", `{"properties":{"enabled":false}}`), `{"properties":{"enabled":false}}`)
	want(t, s.Must(200, "GET", "portalsettings/signin/show?q=x", ""), `{"enabled":true,"base":"http://manage.test","version":"2024-05-01","q":"x"}`)
	if r := s.Must(405, "DELETE", "portalsettings/signin", ""); r.Header.Get("Allow") != "GET, HEAD, PUT, PATCH" {
		t.Errorf("Allow is %q", r.Header.Get("Allow"))
	}
	s.Must(405, "GET", "portalsettings", "")
}

func TestKeepAndView(t *testing.T) {
	t.Parallel()
	s := settings(t)
	for _, name := range []string{"a", "b", "c", "d"} {
		s.Must(201, "PUT", "tags/"+name, `{"properties":{"enabled":`+map[bool]string{true: "true", false: "false"}[name < "c"]+`,"terms":"`+strings.Repeat("x", int(name[0]-'a')%2+1)+`"}}`)
	}
	want(t, s.Must(200, "GET", "tags?scope=x", ""), `{"count":2,"value":[{"name":"a","properties":{"list":true}},{"name":"c"}]}`)
	want(t, s.Must(200, "GET", "tags?scope=x&$filter=enabled", ""), `{"count":1,"value":[{"name":"a"}]}`)
	want(t, s.Must(200, "GET", "tags?$filter=enabled%20eq%20false&$top=1&$skip=1", ""), `{"count":2,"value":[{"name":"d"}],"nextLink":null}`)
	want(t, s.Must(200, "GET", "tags/a", ""), `{"properties":{"list":false,"enabled":true}}`)
	s.Must(201, "PUT", "gateways/g", `{"properties":{}}`)
	s.Must(404, "HEAD", "gateways/g/tags/a", "")
	want(t, s.Must(201, "PUT", "gateways/g/tags/a", ""), `{"properties":{"enabled":true,"list":false}}`)
	s.Must(200, "HEAD", "gateways/g/tags/a", "")
	want(t, s.Must(200, "GET", "gateways/g/tags?$filter=enabled", ""), `{"count":1,"value":[{"name":"a"}]}`)
}

// A resource that the store does not take is the caller's error, not ours.
func TestTooLargeToStore(t *testing.T) {
	t.Parallel()
	s := settings(t)
	deep := "tags/" + strings.Repeat("n", 80)
	s.Must(201, "PUT", deep, `{"properties":{}}`)
	want(t, s.Must(400, "PUT", "tags/"+strings.Repeat("ﬀ", 81), `{"properties":{}}`), `{"error":{"code":"ValidationError","target":"name"}}`)
	want(t, s.Must(400, "PUT", "tags/"+strings.Repeat("n", 300), `{"properties":{}}`), `{"error":{"code":"InvalidResourceId"}}`)
}

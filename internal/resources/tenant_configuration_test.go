package resources_test

import (
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/causeway-apim/causeway/internal/auth"
	"github.com/causeway-apim/causeway/internal/gitrepo"
	"github.com/causeway-apim/causeway/internal/policies"
	"github.com/causeway-apim/causeway/internal/resource/resourcetest"
	"github.com/causeway-apim/causeway/internal/resources"
)

// gitService is a service with a repository.
type gitService struct {
	*resourcetest.Server
	repos *gitrepo.Repositories
	repo  string
}

func newGitService(t *testing.T) *gitService {
	t.Helper()
	known, err := policies.Catalogue()
	if err != nil {
		t.Fatal(err)
	}
	repos := &gitrepo.Repositories{Dir: t.TempDir()}
	c, err := resources.New(resources.Env{Git: repos, Policies: known})
	if err != nil {
		t.Fatal(err)
	}
	s := &gitService{Server: resourcetest.NewService(t, c), repos: repos}
	for _, step := range [][2]string{
		{"groups/partners", `{"properties":{"displayName":"Partners","description":"<b>Friends</b>"}}`},
		{"apiVersionSets/v", `{"properties":{"displayName":"Versions","versioningScheme":"Segment"}}`},
		{"namedValues/key", `{"properties":{"displayName":"key","value":"s3cret-value","secret":true}}`},
		{"backends/b", `{"properties":{"url":"https://b.example.com","protocol":"http","credentials":{"header":{"x-key":["s3cret-header"]}}}}`},
		{"products/starter", `{"properties":{"displayName":"Starter","description":"For a start.","state":"published"}}`},
		{"products/starter/groups/partners", ``},
		{"apis/echo", `{"properties":{"displayName":"Echo","path":"echo","description":"Says it again.","serviceUrl":"https://e.example.com","apiVersion":"v1","apiVersionSetId":"/apiVersionSets/v"}}`},
		{"apis/echo/operations/get", `{"properties":{"displayName":"Get","method":"GET","urlTemplate":"/{id}","description":"Gets.","templateParameters":[{"name":"id","type":"string","required":true}]}}`},
		{"apis/echo/operations/put", `{"properties":{"displayName":"Put","method":"PUT","urlTemplate":"/x"}}`},
		{"apis/echo/policies/policy", `{"properties":{"format":"rawxml","value":"<policies><inbound><base /><set-header name=\"k\"><value>{{key}}</value></set-header></inbound><backend><base /></backend><outbound><base /></outbound><on-error><base /></on-error></policies>"}}`},
		{"apis/echo/operations/get/policies/policy", `{"properties":{"value":"<policies><inbound><base /></inbound></policies>"}}`},
		{"products/starter/policies/policy", `{"properties":{"value":"<policies><inbound><base /></inbound></policies>"}}`},
		{"products/starter/apis/echo", ``},
	} {
		if r := s.Do("PUT", step[0], step[1]); r.Status >= 300 {
			t.Fatalf("PUT %s: %d %s", step[0], r.Status, r.Body)
		}
	}
	return s
}

// run runs an action of tenant/configuration and returns its result.
func (s *gitService) run(action, parameters string) (status string, result map[string]any) {
	s.T.Helper()
	r := s.Must(http.StatusAccepted, "POST", "tenant/configuration/"+action, `{"properties":{"branch":"master"`+parameters+`}}`)
	s.Engine.Wait()
	result = s.Must(http.StatusOK, "GET", strings.TrimPrefix(r.Header.Get("Location"), "http://manage.test"), "").JSON(s.T)["properties"].(map[string]any)
	state := s.Must(http.StatusOK, "GET", strings.TrimPrefix(r.Header.Get("Azure-AsyncOperation"), "http://manage.test"), "").JSON(s.T)
	if state["status"] != result["status"] {
		s.T.Errorf("%s: the operation is %v, its result %v", action, state["status"], result["status"])
	}
	return result["status"].(string), result
}

func (s *gitService) must(action, parameters string) map[string]any {
	s.T.Helper()
	status, result := s.run(action, parameters)
	if status != "Succeeded" {
		s.T.Fatalf("%s: %v", action, result)
	}
	return result
}

func (s *gitService) read() *gitrepo.Tree {
	s.T.Helper()
	if s.repo == "" {
		s.repo = onlyRepository(s.T, s.repos)
	}
	tree, err := s.repos.Read(s.repo, "master")
	if err != nil {
		s.T.Fatal(err)
	}
	return tree
}

// push commits changes of files as a user does; nil removes one.
func (s *gitService) push(change map[string]string, remove ...string) {
	s.T.Helper()
	tree := s.read()
	for file, text := range change {
		tree.Files["api-management/"+file] = []byte(text)
	}
	for _, prefix := range remove {
		maps.DeleteFunc(tree.Files, func(file string, _ []byte) bool { return strings.HasPrefix(file, "api-management/"+prefix) })
	}
	_, err := s.repos.Commit(s.repo, gitrepo.Commit{
		Branch: "master", Parent: tree.Commit, Root: "api-management", Files: tree.Files, Message: "m", Name: "U", Email: "u@example.com", At: time.Unix(1, 0),
	})
	if err != nil {
		s.T.Fatal(err)
	}
}

func (s *gitService) synced() bool {
	s.T.Helper()
	return s.Must(http.StatusOK, "GET", "tenant/configuration/syncState", "").JSON(s.T)["properties"].(map[string]any)["isSynced"].(bool)
}

func TestTenantSave(t *testing.T) {
	t.Parallel()
	s := newGitService(t)
	if s.synced() {
		t.Error("in step before the first save")
	}
	s.must("save", "")
	tree := s.read()
	for file, want := range map[string]string{
		"configuration.json":                                  `"$ref-policy": "api-management/policies/global.xml"`,
		"groups/partners/configuration.json":                  `"$ref-description": "api-management/groups/partners/description.html"`,
		"groups/partners/description.html":                    "<b>Friends</b>",
		"apiVersionSets/v/configuration.json":                 `"versioningScheme": "Segment"`,
		"backends/b/configuration.json":                       `"url": "https://b.example.com"`,
		"products/starter/configuration.json":                 `"/groups/partners"`,
		"products/starter/product.description.html":           "For a start.",
		"apis/echo/configuration.json":                        `"apiVersionSetId": "/apiVersionSets/v"`,
		"apis/echo/api.description.html":                      "Says it again.",
		"apis/echo/operations/get.description.html":           "Gets.",
		"policies/global.xml":                                 "<policies>",
		"policies/apis/echo/echo.xml":                         "{{key}}",
		"policies/apis/echo/get/get.xml":                      "<base />",
		"policies/products/starter.xml":                       "<base />",
		"templates/AccountClosedDeveloper/body.html":          "Your account has been closed",
		"templates/AccountClosedDeveloper/configuration.json": `"subject": "Good-bye`,
	} {
		if got := string(tree.Files["api-management/"+file]); !strings.Contains(got, want) {
			t.Errorf("%s: no %s in %q", file, want, got)
		}
	}
	for file, text := range tree.Files {
		if strings.Contains(string(text), "s3cret") || strings.Contains(file, "administrators") || strings.Contains(string(text), "/subscriptions/") {
			t.Errorf("%s holds what it should not: %s", file, text)
		}
	}
	if !s.synced() {
		t.Error("not in step after a save")
	}
	head := tree.Commit
	s.must("save", "")
	if s.read().Commit != head {
		t.Error("a save of what did not change made a commit")
	}
	s.Must(http.StatusOK, "PATCH", "apis/echo", `{"properties":{"displayName":"Echo 2"}}`)
	if s.synced() {
		t.Error("in step after a change of the service")
	}
	s.push(map[string]string{"groups/partners/description.html": "pushed"})
	if status, result := s.run("save", ""); status != "Failed" || !strings.Contains(fmt.Sprint(result["error"]), "Conflict") {
		t.Errorf("a save over a push: %v", result)
	}
	s.must("save", `,"force":true`)
	if got := string(s.read().Files["api-management/groups/partners/description.html"]); got != "<b>Friends</b>" {
		t.Errorf("after a save by force: %q", got)
	}
}

// TestTenantDeploy brings a service back to what was saved, and from there to what a user has changed in the repository.
func TestTenantDeploy(t *testing.T) {
	t.Parallel()
	s := newGitService(t)
	s.must("save", "")
	saved := s.read()
	s.Must(http.StatusOK, "PATCH", "apis/echo", `{"properties":{"displayName":"Other","description":null,"path":"other"}}`)
	s.Must(http.StatusOK, "DELETE", "apis/echo/operations/put", "")
	s.Must(http.StatusOK, "DELETE", "products/starter", "")
	s.Must(http.StatusCreated, "PUT", "apis/extra", `{"properties":{"displayName":"Extra","path":"echo"}}`)
	s.Must(http.StatusCreated, "PUT", "groups/extra", `{"properties":{"displayName":"Extra"}}`)
	s.must("deploy", "")
	s.must("save", "")
	if got := s.read(); got.Commit != saved.Commit {
		t.Error("what was deployed differs from what was saved")
	}
	if !s.synced() {
		t.Error("not in step after a deployment")
	}
	s.Must(http.StatusNotFound, "GET", "apis/extra", "")
	s.Must(http.StatusNotFound, "GET", "groups/extra", "")
	s.Must(http.StatusOK, "GET", "products/starter/policies/policy", "")

	config := string(saved.Files["api-management/apis/echo/configuration.json"])
	s.push(map[string]string{
		"apis/echo/configuration.json":    strings.Replace(config, `"displayName": "Echo"`, `"displayName": "From Git"`, 1),
		"apis/echo/api.description.html":  "New words.",
		"apis/new/configuration.json":     `{"name":"new","displayName":"New","path":"new","operations":[{"name":"list","displayName":"List","method":"GET","urlTemplate":"/"}]}`,
		"backends/b/configuration.json":   `{"name":"b","url":"https://c.example.com","protocol":"http","credentials":{}}`,
		"policies/apis/echo/get/get.xml":  `<policies><inbound><set-variable name="x" value="@(1 < 2)" /></inbound></policies>`,
		"groups/fresh/configuration.json": `{"name":"fresh","displayName":"Fresh"}`,
	}, "products/", "policies/products/")
	result := s.must("deploy", "")
	for path, want := range map[string]string{
		"apis/echo": `"displayName":"From Git"`, "apis/new/operations/list": `"urlTemplate":"/"`, "backends/b": "s3cret-header", "groups/fresh": "Fresh",
		"apis/echo/operations/get/policies/policy?format=rawxml": "1 \\u003c 2",
	} {
		if r := s.Must(http.StatusOK, "GET", path, ""); !strings.Contains(strings.ReplaceAll(string(r.Body), "<", `\u003c`), want) {
			t.Errorf("%s: no %s in %s", path, want, r.Body)
		}
	}
	if r := s.Must(http.StatusOK, "GET", "apis/echo", ""); !strings.Contains(string(r.Body), "New words.") {
		t.Errorf("the description: %s", r.Body)
	}
	s.Must(http.StatusNotFound, "GET", "products/starter", "")
	var log []string
	for _, e := range result["actionLog"].([]any) {
		entry := e.(map[string]any)
		log = append(log, entry["action"].(string)+" "+entry["objectKey"].(string))
	}
	for _, want := range []string{"Updated /apis/echo", "Created /apis/new", "Created /apis/new/operations/list", "Deleted /products/starter", "Updated /backends/b"} {
		if !slices.Contains(log, want) {
			t.Errorf("no %q in %q", want, log)
		}
	}
	if slices.Contains(log, "Updated /apis/echo/operations/get") || slices.ContainsFunc(log, func(s string) bool { return strings.Contains(s, "templates") || strings.Contains(s, "portalsettings") }) {
		t.Errorf("what is the same was written: %q", log)
	}
}

// TestTenantDeployFails changes nothing when anything is wrong, and says what and where.
func TestTenantDeployFails(t *testing.T) {
	t.Parallel()
	s := newGitService(t)
	if status, result := s.run("deploy", ""); status != "Failed" || !strings.Contains(fmt.Sprint(result["error"]), "no such branch") {
		t.Errorf("an empty repository: %v", result)
	}
	s.must("save", "")
	config := string(s.read().Files["api-management/apis/echo/configuration.json"])
	s.push(map[string]string{
		"groups/partners/configuration.json": `{"name":"partners","displayName":"Good"}`,
		"groups/bad/configuration.json":      `{"name":"bad","displayName":7}`,
		"groups/broken/configuration.json":   `{"name":`,
	})
	check := func(want ...string) {
		t.Helper()
		for _, action := range []string{"validate", "deploy"} {
			status, result := s.run(action, "")
			if status != "Failed" {
				t.Fatalf("%s: %v", action, result)
			}
			var files []string
			for _, d := range result["error"].(map[string]any)["details"].([]any) {
				files = append(files, strings.TrimPrefix(d.(map[string]any)["target"].(string), "api-management/"))
			}
			slices.Sort(files)
			if files = slices.Compact(files); !slices.Equal(files, want) {
				t.Errorf("%s: problems in %q, want %q: %v", action, files, want, result["error"])
			}
		}
		if r := s.Must(http.StatusOK, "GET", "groups/partners", ""); !strings.Contains(string(r.Body), `"displayName":"Partners"`) {
			t.Errorf("half of it was deployed: %s", r.Body)
		}
	}
	check("groups/broken/configuration.json")
	s.push(map[string]string{
		"policies/apis/echo/echo.xml":   "<policies><inbound><no-such-policy /></inbound></policies>",
		"policies/apis/stray.xml":       "<policies />",
		"backends/b/configuration.json": `{"name":"b"}`,
		"apis/echo/configuration.json":  strings.Replace(config, `"$ref-description"`, `"format":"openapi-link","value":"http://127.0.0.1/","$ref-description"`, 1),
	}, "groups/broken")
	check("apis/echo/configuration.json", "policies/apis/stray.xml")
	s.push(map[string]string{"apis/echo/configuration.json": config}, "policies/apis/stray.xml")
	check("backends/b/configuration.json", "groups/bad/configuration.json", "policies/apis/echo/echo.xml")
	if s.synced() {
		t.Error("in step after a deployment that failed")
	}
	s.push(map[string]string{"policies/apis/echo/echo.xml": "<policies><inbound><base /></inbound></policies>"}, "groups/bad", "backends/b", "products/", "policies/products/")
	s.must("validate", "")
	if r := s.Must(http.StatusOK, "GET", "groups/partners", ""); !strings.Contains(string(r.Body), `"displayName":"Partners"`) {
		t.Errorf("a validation has changed something: %s", r.Body)
	}

	// Subscriptions of a product that goes, go by force only.
	s.Must(http.StatusCreated, "PUT", "subscriptions/s", `{"properties":{"displayName":"S","scope":"/products/starter"}}`)
	check("products/starter")
	s.must("deploy", `,"force":true`)
	s.Must(http.StatusNotFound, "GET", "subscriptions/s", "")
	s.Must(http.StatusNotFound, "GET", "backends/b", "")
}

func TestTenantConfigurationIsNoResource(t *testing.T) {
	t.Parallel()
	s := newGitService(t)
	for _, request := range [][2]string{
		{"GET", "tenant/configuration"}, {"PUT", "tenant/configuration"}, {"PATCH", "tenant/configuration"}, {"POST", "tenant/configuration/listSecrets"},
		{"POST", "tenant/configuration/regeneratePrimaryKey"}, {"GET", "tenant/access/syncState"},
	} {
		s.Must(http.StatusNotFound, request[0], request[1], `{"properties":{"enabled":true}}`)
	}
	if r := s.Must(http.StatusOK, "GET", "tenant", ""); strings.Contains(string(r.Body), "configuration") {
		t.Errorf("list: %s", r.Body)
	}
	for _, body := range []string{"", "{}", `{"properties":{"branch":"a..b"}}`, `{"properties":{"branch":7}}`} {
		s.Must(http.StatusBadRequest, "POST", "tenant/configuration/save", body)
	}
	plain := resourcetest.NewService(t, catalogue(t))
	plain.Must(http.StatusNotImplemented, "POST", "tenant/configuration/save", `{"properties":{"branch":"master"}}`)
	plain.Must(http.StatusNotImplemented, "GET", "tenant/configuration/syncState", "")
}

// onlyRepository is the name of the one repository there is.
func onlyRepository(t testing.TB, r *gitrepo.Repositories) string {
	t.Helper()
	entries, err := os.ReadDir(r.Dir)
	if err != nil || len(entries) != 1 {
		t.Fatalf("repositories %v, %v", entries, err)
	}
	return strings.TrimSuffix(entries[0].Name(), ".git")
}

// TestGitServer lets those in who have a key of gitAccess, or a token that was made with one, while it is enabled.
func TestGitServer(t *testing.T) {
	t.Parallel()
	s := newGitService(t)
	s.must("save", "")
	server := resources.NewGitServer(s.Engine, s.repos, func() time.Time { return s.Now })
	keys := s.Must(http.StatusOK, "POST", "tenant/gitAccess/listSecrets", "").JSON(t)
	primary, secondary := keys["primaryKey"].(string), keys["secondaryKey"].(string)
	token := func(user, key string, life time.Duration) string {
		t.Helper()
		text, err := auth.NewUserToken(user, key, s.Now.Add(life), s.Now)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	get := func(service, user, password string) int {
		r := httptest.NewRequest(http.MethodGet, "/git/"+service+"/info/refs?service=git-upload-pack", nil)
		if user != "" {
			r.SetBasicAuth(user, password)
		}
		w := httptest.NewRecorder()
		server.ServeHTTP(w, r)
		if w.Code == http.StatusOK && !strings.Contains(w.Body.String(), "refs/heads/master") {
			t.Errorf("no branch in %q", w.Body)
		}
		return w.Code
	}
	if code := get("contoso", "apim", primary); code != http.StatusUnauthorized {
		t.Errorf("while it is not enabled: %d", code)
	}
	s.Must(http.StatusOK, "PATCH", "tenant/gitAccess", `{"properties":{"enabled":true}}`)
	good := token("git", secondary, time.Hour)
	for name, c := range map[string]struct {
		service, user, password string
		want                    int
	}{
		"key": {"contoso", "apim", primary, 200}, "token": {"Contoso.git", "git", good, 200}, "nobody": {"contoso", "", "", 401},
		"wrong key": {"contoso", "apim", "x" + primary, 401}, "no password": {"contoso", "apim", "", 401}, "other user": {"contoso", "ann", primary, 401},
		"other service": {"fabrikam", "apim", primary, 401}, "token of another": {"contoso", "apim", token("integration", primary, time.Hour), 401},
		"forged token": {"contoso", "apim", token("git", "other key", time.Hour), 401},
	} {
		if code := get(c.service, c.user, c.password); code != c.want {
			t.Errorf("%s: %d, want %d", name, code, c.want)
		}
	}
	s.Now = s.Now.Add(2 * time.Hour)
	if code := get("contoso", "git", good); code != http.StatusUnauthorized {
		t.Errorf("a late token: %d", code)
	}
}

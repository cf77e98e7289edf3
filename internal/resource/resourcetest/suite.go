package resourcetest

import (
	"encoding/json"
	"io/fs"
	"maps"
	"net/http"
	"strings"
	"testing"

	"github.com/causeway-apim/causeway/internal/resource"
)

// Run tests every implemented type of a catalogue with its sample in dir. Types of workspaces are those of the service.
func Run(t *testing.T, c *resource.Catalogue, dir fs.FS) {
	t.Helper()
	for _, info := range c.Types() {
		if info.Reason != "" || strings.HasPrefix(info.Path, "workspaces/") {
			continue
		}
		name := info.Path
		if name == "" {
			name = "service"
		}
		t.Run(strings.ReplaceAll(name, "/", "."), func(t *testing.T) {
			t.Parallel()
			runType(t, c, readSample(t, info, dir))
		})
	}
}

func runType(t *testing.T, c *resource.Catalogue, s *sample) {
	test := func(name string, needs resource.Verbs, fn func(t *testing.T, srv *Server, s *sample)) {
		if s.info.Verbs&needs != needs {
			return
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fn(t, s.start(t, c), s)
		})
	}
	const readWrite = resource.Create | resource.Read
	if s.info.Verbs&resource.Create != 0 {
		test("create", resource.Create, testCreate)
		test("missing", resource.Create, testMissing)
		test("list", resource.Create|resource.List, testList)
		test("delete", resource.Create|resource.Delete, testDelete)
	}
	if s.info.Join == "" {
		test("repeat", readWrite, testRepeat)
		test("conditions", readWrite, testConditions)
		test("patch", readWrite|resource.Update, testPatch)
		test("invalid", readWrite, testInvalid)
	}
	if s.steps != "" {
		t.Run("steps", func(t *testing.T) {
			t.Parallel()
			runSteps(t, s.start(t, c), s)
		})
	}
}

// created is the status of a PUT that makes the sample.
func (s *sample) created() int {
	if s.info.PutOK || s.info.Initial {
		return http.StatusOK
	}
	return http.StatusCreated
}

func (s *sample) put(srv *Server) Response {
	srv.T.Helper()
	return srv.Must(s.created(), "PUT", s.path(), s.body)
}

// joinOnly reports whether the type has neither body nor tag.
func (s *sample) joinOnly() bool {
	return s.info.Verbs&resource.Read == 0
}

func testCreate(t *testing.T, srv *Server, s *sample) {
	r := s.put(srv)
	body := r.JSON(t)
	if name, _ := body["name"].(string); name != s.name {
		t.Errorf("name is %q, want %q", name, s.name)
	}
	if body["type"] != s.info.ARMType {
		t.Errorf("type is %v, want %s", body["type"], s.info.ARMType)
	}
	id, _ := body["id"].(string)
	if want := s.path(); !strings.HasSuffix(id, want) || !strings.HasPrefix(id, Group) {
		t.Errorf("id is %q, want a full one that ends in %q", id, want)
	}
	if s.joinOnly() {
		want := http.StatusNoContent
		if s.info.HeadOK {
			want = http.StatusOK
		}
		srv.Must(want, "HEAD", s.path(), "")
		srv.Must(http.StatusOK, "PUT", s.path(), "")
		return
	}
	etag := r.Header.Get("ETag")
	if len(etag) < 3 || etag[0] != '"' {
		t.Errorf("ETag is %q", etag)
	}
	if s.info.Verbs&resource.Read != 0 {
		got := srv.Must(http.StatusOK, "GET", strings.ToUpper(id), "")
		if string(got.Body) != string(r.Body) {
			t.Errorf("GET under an upper-case ID differs from PUT:\n%s\n%s", got.Body, r.Body)
		}
		if got.Header.Get("ETag") != etag {
			t.Errorf("ETag of GET is %s, of PUT %s", got.Header.Get("ETag"), etag)
		}
		srv.Must(http.StatusNotModified, "GET", s.path(), "", "If-None-Match", etag)
	}
	if s.info.Verbs&resource.Head != 0 {
		if head := srv.Must(http.StatusOK, "HEAD", s.path(), ""); head.Header.Get("ETag") != etag || len(head.Body) > 0 {
			t.Errorf("HEAD: ETag %s, %d bytes of body", head.Header.Get("ETag"), len(head.Body))
		}
	}
	if s.info.Join == "" {
		checkKept(t, s, body)
	}
}

// checkKept compares what was answered with what was sent.
func checkKept(t *testing.T, s *sample, body map[string]any) {
	t.Helper()
	var sent map[string]any
	if err := json.Unmarshal([]byte(s.body), &sent); err != nil {
		t.Fatal(err)
	}
	have, want := body, sent
	if !s.info.TopLevel {
		have, _ = body["properties"].(map[string]any)
		want, _ = sent["properties"].(map[string]any)
	}
	for _, f := range s.info.Fields {
		w, ok := want[f.Name]
		g, answered := have[f.Name]
		switch {
		case (f.Secret || f.WriteOnly) && answered && s.info.Path != "namedValues":
			t.Errorf("%s is answered", f.Name)
		case !ok || f.Secret || f.WriteOnly || f.ReadOnly || f.Refs != nil || f.Type == "object":
		default:
			if d := differs(w, g, f.Name); d != "" {
				t.Error(d)
			}
		}
	}
}

func testMissing(t *testing.T, srv *Server, s *sample) {
	if s.info.Initial {
		return
	}
	if s.info.Verbs&resource.Read != 0 {
		r := srv.Must(http.StatusNotFound, "GET", s.path(), "")
		errorCode(t, r, "ResourceNotFound")
	}
	if s.info.Verbs&resource.Head != 0 {
		srv.Must(http.StatusNotFound, "HEAD", s.path(), "")
	}
	if s.info.Verbs&resource.Update != 0 {
		srv.Must(http.StatusNotFound, "PATCH", s.path(), s.body)
	}
	if s.info.Verbs&resource.Delete != 0 {
		srv.Must(http.StatusNoContent, "DELETE", s.path(), "")
	}
	if s.info.Path != "" && strings.Contains(s.collection(), "/") {
		parent := s.collection()[:strings.LastIndex(s.collection(), "/")]
		orphan := parent + "-none" + strings.TrimPrefix(s.path(), parent)
		r := srv.Must(http.StatusNotFound, "PUT", orphan, s.body)
		errorCode(t, r, "ResourceNotFound")
	}
	if s.info.Join != "" && s.info.Verbs&resource.Create != 0 {
		errorCode(t, srv.Must(http.StatusNotFound, "PUT", s.collection()+"/no-such-resource", s.body), "ResourceNotFound")
	}
	r := srv.Must(http.StatusBadRequest, "PUT", s.path()+"?api-version=1999-01-01", s.body)
	errorCode(t, r, "InvalidApiVersionParameter")
}

func errorCode(t *testing.T, r Response, want string) {
	t.Helper()
	e, _ := r.JSON(t)["error"].(map[string]any)
	if e["code"] != want || e["message"] == "" {
		t.Errorf("error is %v, want code %s", e, want)
	}
}

func testList(t *testing.T, srv *Server, s *sample) {
	collection := s.collection()
	if s.info.Path == "" {
		collection = Service[:strings.LastIndex(Service, "/")]
	}
	before := listed(t, srv, collection)
	s.put(srv)
	want := len(before) + 1
	if s.info.Initial {
		want = len(before)
	}
	if got := listed(t, srv, collection); len(got) != want && !s.info.Initial {
		t.Fatalf("the list has %d items, want %d", len(got), want)
	}
	if len(s.info.Names) > 0 || s.info.Join != "" {
		return
	}
	second, body := s.path()+"2", s.body
	if s.second != "" {
		body = s.second
	}
	srv.Must(s.created(), "PUT", second, body)
	page := srv.Must(http.StatusOK, "GET", collection+"?$top=1", "").JSON(t)
	if n, _ := page["count"].(float64); int(n) != want+1 {
		t.Errorf("count is %v, want %d", page["count"], want+1)
	}
	seen := map[string]bool{}
	for pages := 0; ; pages++ {
		for _, item := range page["value"].([]any) {
			seen[item.(map[string]any)["id"].(string)] = true
		}
		next, _ := page["nextLink"].(string)
		if next == "" || pages > want {
			break
		}
		if !strings.HasPrefix(next, "http://manage.test/") {
			t.Fatalf("nextLink %q is not absolute on the request's host", next)
		}
		page = srv.Must(http.StatusOK, "GET", strings.TrimPrefix(next, "http://manage.test"), "").JSON(t)
	}
	if len(seen) != want+1 {
		t.Errorf("the pages hold %d items, want %d", len(seen), want+1)
	}
	filtered := srv.Must(http.StatusOK, "GET", collection+"?$filter=name%20eq%20'"+s.name+"2'", "").JSON(t)
	if n := len(filtered["value"].([]any)); n != 1 {
		t.Errorf("$filter by name finds %d", n)
	}
	errorCode(t, srv.Must(http.StatusBadRequest, "GET", collection+"?$filter=nothing%20eq%201", ""), "InvalidFilter")
	errorCode(t, srv.Must(http.StatusBadRequest, "GET", collection+"?$top=none", ""), "InvalidParameter")
}

func listed(t *testing.T, srv *Server, collection string) []any {
	t.Helper()
	items, _ := srv.Must(http.StatusOK, "GET", collection, "").JSON(t)["value"].([]any)
	return items
}

func testDelete(t *testing.T, srv *Server, s *sample) {
	s.put(srv)
	if !s.joinOnly() {
		errorCode(t, srv.Must(http.StatusPreconditionFailed, "DELETE", s.path(), "", "If-Match", `"other"`), "PreconditionFailed")
	}
	r := srv.Do("DELETE", s.path(), "", "If-Match", "*")
	if r.Status != http.StatusOK && r.Status != http.StatusNoContent {
		t.Fatalf("DELETE: status %d: %s", r.Status, r.Body)
	}
	if s.info.Verbs&resource.Head != 0 && !s.info.Initial {
		srv.Must(http.StatusNotFound, "HEAD", s.path(), "")
	}
	srv.Must(http.StatusNoContent, "DELETE", s.path(), "")
	if s.info.Path != "" { // a deleted service has to be purged first
		s.put(srv) // the name is free again
	}
}

// testRepeat writes what was read, and the sample again.
func testRepeat(t *testing.T, srv *Server, s *sample) {
	first := s.put(srv)
	again := srv.Must(http.StatusOK, "PUT", s.path(), s.body)
	if s.info.Path != "" && string(first.Body) != string(again.Body) {
		t.Errorf("the second PUT of the same body answers another:\n%s\n%s", first.Body, again.Body)
	}
	if needsHidden(s.info.Fields) {
		return
	}
	got := srv.Must(http.StatusOK, "GET", s.path(), "")
	srv.Must(http.StatusOK, "PUT", s.path(), string(got.Body))
	if after := srv.Must(http.StatusOK, "GET", s.path(), ""); s.info.Path != "" && string(after.Body) != string(got.Body) {
		t.Errorf("PUT of what GET answered changes it:\n%s\n%s", got.Body, after.Body)
	}
}

// needsHidden reports whether a PUT needs properties that a GET does not answer.
func needsHidden(fields []resource.FieldInfo) bool {
	for _, f := range fields {
		if f.Required && (f.Secret || f.WriteOnly) {
			return true
		}
	}
	return false
}

func testConditions(t *testing.T, srv *Server, s *sample) {
	etag := s.put(srv).Header.Get("ETag")
	for _, method := range []string{"PUT", "PATCH"} {
		if method == "PATCH" && s.info.Verbs&resource.Update == 0 {
			continue
		}
		before := srv.Must(http.StatusOK, "GET", s.path(), "").Body
		errorCode(t, srv.Must(http.StatusPreconditionFailed, method, s.path(), s.body, "If-Match", `"other"`), "PreconditionFailed")
		if after := srv.Must(http.StatusOK, "GET", s.path(), "").Body; string(after) != string(before) {
			t.Errorf("%s with a wrong If-Match has changed the resource", method)
		}
	}
	r := srv.Must(http.StatusOK, "PUT", s.path(), s.body, "If-Match", etag)
	if r.Header.Get("ETag") == etag {
		t.Error("a write keeps the ETag")
	}
	srv.Must(http.StatusPreconditionFailed, "PUT", s.path(), s.body, "If-Match", etag)
	srv.Must(http.StatusOK, "PUT", s.path(), s.body, "If-Match", "*")
	srv.Must(http.StatusPreconditionFailed, "PUT", s.path(), s.body, "If-None-Match", "*")
}

func testPatch(t *testing.T, srv *Server, s *sample) {
	if s.update == "" {
		t.Fatal("a type with PATCH needs update.json")
	}
	created := s.put(srv)
	status := s.info.Patch
	srv.Must(status, "PATCH", s.path(), `{"properties":{}}`, "If-Match", "*")
	if got := srv.Must(http.StatusOK, "GET", s.path(), ""); s.info.Path != "" && string(got.Body) != string(created.Body) {
		t.Errorf("an empty PATCH changes the resource:\n%s\n%s", created.Body, got.Body)
	}
	srv.Must(status, "PATCH", s.path(), s.update, "If-Match", "*", "Content-Type", "application/merge-patch+json")
	got := srv.Must(http.StatusOK, "GET", s.path(), "").JSON(t)
	before := created.JSON(t)
	merged := mergePatch(before, decode(t, s.update)).(map[string]any)
	if s.info.Path == "" {
		delete(merged, "etag")
		delete(merged, "systemData")
	}
	hide(s.info, merged)
	if d := differs(merged, got, "resource"); d != "" {
		t.Errorf("after PATCH: %s", d)
	}
}

// hide removes what a GET does not answer, or answers in another form, from an expected body.
func hide(info resource.Info, body map[string]any) {
	props := body
	if !info.TopLevel {
		props, _ = body["properties"].(map[string]any)
	}
	for _, f := range info.Fields {
		if f.Secret || f.WriteOnly || f.Refs != nil {
			delete(props, f.Name)
		}
	}
}

func decode(t *testing.T, s string) map[string]any {
	t.Helper()
	return Response{Body: []byte(s)}.JSON(t)
}

// mergePatch is RFC 7396, written once more so that the engine's is tested against another.
func mergePatch(target, patch any) any {
	p, ok := patch.(map[string]any)
	if !ok {
		return patch
	}
	t, ok := target.(map[string]any)
	if !ok {
		t = map[string]any{}
	}
	t = maps.Clone(t)
	for k, v := range p {
		if v == nil {
			t[k] = nil
		} else {
			t[k] = mergePatch(t[k], v)
		}
	}
	return t
}

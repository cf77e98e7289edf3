package resource_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/causeway-apim/causeway/internal/arm"
	"github.com/causeway-apim/causeway/internal/resource"
	"github.com/causeway-apim/causeway/internal/resource/resourcetest"
	"github.com/causeway-apim/causeway/internal/snapshot"
	"github.com/causeway-apim/causeway/internal/store"
)

// root is the smallest service.
type root struct {
	Location   string          `json:"location"`
	Properties json.RawMessage `json:"properties,omitempty"`
}

// shelf and book are types of a made-up catalogue that uses every feature of the engine.
type shelf struct {
	Title string `json:"title" rule:"required,max=20" filter:"yes"`
	Code  string `json:"code,omitempty" rule:"immutable"`
}

type book struct {
	Title    string            `json:"title" rule:"required" filter:"yes"`
	Key      string            `json:"key,omitempty" rule:"secret"`
	Copies   []secretCopy      `json:"copies,omitempty"`
	Upload   string            `json:"upload,omitempty" rule:"writeonly"`
	Length   int               `json:"length" rule:"readonly"`
	Language string            `json:"language" rule:"enum=en|de,default=en"`
	Shelf    string            `json:"shelf,omitempty" rule:"ref=shelves,clear"`
	Owner    string            `json:"owner,omitempty" rule:"ref=shelves,cascade"`
	Next     string            `json:"next,omitempty" rule:"ref=books"`
	Labels   map[string]string `json:"labels,omitempty"`
	Extra    json.RawMessage   `json:"extra,omitempty"`
}

type secretCopy struct {
	Number int    `json:"number"`
	PIN    string `json:"pin,omitempty" rule:"secret"`
}

type hooks struct {
	prepare func(ctx context.Context, x *resource.Request, old, d *resource.Doc[book]) error
}

func library(t testing.TB, h hooks) *resource.Catalogue {
	t.Helper()
	if h.prepare == nil {
		h.prepare = func(context.Context, *resource.Request, *resource.Doc[book], *resource.Doc[book]) error { return nil }
	}
	c, err := resource.NewCatalogue(
		resource.Define(resource.Spec[root]{Name: "service", Verbs: resource.CRUDL, TopLevel: true, Publish: func(p *resource.Pub, d *resource.Doc[root]) error {
			return p.Add(snapshot.KindService, "", snapshot.Service{Name: d.Name()})
		}}),
		resource.Define(resource.Spec[shelf]{
			Name: "shelves", Parents: []string{""}, Verbs: resource.CRUDL,
			Publish: func(p *resource.Pub, d *resource.Doc[shelf]) error {
				if d.Props.Title == "unpublishable" {
					return errors.New("no")
				}
				books, err := resource.Joined(p.Reader, d.ID, "books")
				if err != nil || d.Props.Title == "hidden" {
					return err
				}
				for _, b := range books {
					if err := p.Add(snapshot.KindProductAPI, d.ID.Rel()+"/"+strings.ToLower(b), snapshot.ProductAPI{API: b}); err != nil {
						return err
					}
				}
				return p.Add(snapshot.KindProduct, d.ID.Rel(), snapshot.Product{Display: d.Props.Title, Groups: books})
			},
		}),
		resource.Define(resource.Spec[book]{
			Name: "books", Parents: []string{""}, Verbs: resource.CRUDL, MaxBody: 4096,
			Prepare: h.prepare,
			Alias: func(_ *resource.Reader, id arm.ID) (arm.ID, error) {
				base, _ := arm.SplitRevision(id.Name())
				return id.Parent().Child("books", base), nil
			},
			Check: func(_ *resource.Tx, _, d *resource.Doc[book]) error {
				d.Props.Length = len(d.Props.Upload)
				return nil
			},
			Indexes: func(d *resource.Doc[book]) []store.Index {
				return []store.Index{{Name: "title", Value: d.Props.Title, Unique: true}}
			},
			Actions: []resource.Action[book]{
				{Name: "listSecrets", Read: func(_ *resource.Reader, d *resource.Doc[book], _ json.RawMessage) (any, error) {
					return map[string]any{"key": d.Props.Key, "copies": len(d.Props.Copies), "pin": d.Props.Copies}, nil
				}},
				{Name: "scan/slowly", Async: true, Read: func(_ *resource.Reader, d *resource.Doc[book], _ json.RawMessage) (any, error) {
					return map[string]any{"title": d.Props.Title}, nil
				}},
				{Name: "burn", Write: func(x *resource.Tx, d *resource.Doc[book], _ json.RawMessage) (any, error) {
					d.Props.Key = "burnt"
					return nil, resource.Save(x, d)
				}},
			},
			Publish: func(p *resource.Pub, d *resource.Doc[book]) error {
				return p.Add(snapshot.KindNamedValue, d.ID.Rel(), snapshot.NamedValue{Name: d.Props.Title, Value: d.Props.Key})
			},
		}),
		resource.Define(resource.Spec[shelf]{Name: "pages", Parents: []string{"books"}, Verbs: resource.CRUDL}),
		resource.Define(resource.Spec[struct{}]{
			Name: "books", Parents: []string{"shelves"}, Join: "books", Verbs: resource.JoinVerbs,
			Affects: func(id arm.ID) []arm.ID { return []arm.ID{id.Parent()} },
		}),
		resource.Define(resource.Spec[struct{}]{
			Name: "shelves", Parents: []string{"books"}, Verbs: resource.List,
			Items: func(x *resource.Reader, id arm.ID) ([]string, error) {
				return resource.JoinedFrom(x, id, "shelves/books")
			},
		}),
		resource.NotImplemented("scrolls", "nobody reads them"),
	)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func serve(t testing.TB, h hooks) *resourcetest.Server {
	t.Helper()
	return resourcetest.NewService(t, library(t, h))
}

// want checks members of a JSON body.
func want(t *testing.T, r resourcetest.Response, expected string) {
	t.Helper()
	var w any
	if err := json.Unmarshal([]byte(expected), &w); err != nil {
		t.Fatal(err)
	}
	if d := resourcetest.Differs(w, r.JSON(t)); d != "" {
		t.Errorf("%s: %s", d, r.Body)
	}
}

func TestSecrets(t *testing.T) {
	t.Parallel()
	s := serve(t, hooks{})
	r := s.Must(201, "PUT", "books/a", `{"properties":{"title":"A","key":"k1","copies":[{"number":1,"pin":"1111"},{"number":2}],"upload":"abc","length":99}}`)
	for _, hidden := range []string{"k1", "1111", "abc", "99"} {
		if strings.Contains(string(r.Body), hidden) {
			t.Errorf("%s is answered: %s", hidden, r.Body)
		}
	}
	want(t, r, `{"properties":{"title":"A","length":3,"language":"en","copies":[{"number":1},{"number":2}]}}`)
	want(t, s.Must(200, "POST", "books/a/listSecrets", ""), `{"key":"k1","pin":[{"number":1,"pin":"1111"},{"number":2}]}`)
	s.Must(200, "PATCH", "books/a", `{"properties":{"title":"B"}}`)
	want(t, s.Must(200, "POST", "books/a/LISTSECRETS", ""), `{"key":"k1","copies":2}`)
	s.Must(204, "POST", "books/a/burn", "")
	want(t, s.Must(200, "POST", "books/a/listSecrets", ""), `{"key":"burnt","copies":2}`)
	s.Must(405, "GET", "books/a/listSecrets", "")
	s.Must(404, "POST", "books/none/burn", "")
	err := s.Store.View(context.Background(), func(x store.Reader) error {
		d, err := x.Get(context.Background(), strings.ToLower(resourcetest.Service)+"/books/a")
		if err == nil && strings.Contains(string(d.Body), "burnt") {
			t.Errorf("a secret is stored in clear: %s", d.Body)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestPatchMerges(t *testing.T) {
	t.Parallel()
	s := serve(t, hooks{})
	s.Must(201, "PUT", "books/a", `{"properties":{"title":"A","language":"DE","labels":{"x":"1","y":"2"},"extra":{"b":1,"a":[1, 2]}}}`)
	r := s.Must(200, "PATCH", "books/a", `{"properties":{"Labels":{"x":null,"z":"3"}}}`)
	want(t, r, `{"properties":{"title":"A","language":"de","labels":{"x":null,"y":"2","z":"3"},"extra":{"b":1,"a":[1,2]}}}`)
	if !strings.Contains(string(r.Body), `{"b":1,"a":[1,2]}`) {
		t.Errorf("raw JSON has lost its order: %s", r.Body)
	}
	s.Must(200, "PATCH", "books/a", `{"properties":{"labels":null}}`)
	want(t, s.Must(200, "GET", "books/a", ""), `{"properties":{"labels":null}}`)
	want(t, s.Must(200, "PATCH", "books/a", `{"properties":{"extra":{"a":null,"c":{"d":2}}}}`), `{"properties":{"extra":{"a":null,"b":1,"c":{"d":2}}}}`)
	want(t, s.Must(400, "PUT", "books/b", `{"properties":{"title":"B","Title":"C"}}`), `{"error":{"target":"title"}}`)
	want(t, s.Must(400, "PUT", "books/b", `{"properties":[]}`), `{"error":{"code":"ValidationError"}}`)
	want(t, s.Must(400, "PUT", "books/b", `[]`), `{"error":{"code":"InvalidRequestContent"}}`)
	want(t, s.Must(413, "PUT", "books/b", `{"properties":{"title":"`+strings.Repeat("x", 5000)+`"}}`), `{"error":{"code":"RequestEntityTooLarge"}}`)
	s.Must(201, "PUT", "shelves/a", `{"properties":{"title":"A","code":"1"}}`)
	want(t, s.Must(400, "PATCH", "shelves/a", `{"properties":{"code":"2"}}`), `{"error":{"target":"code"}}`)
}

func TestReferences(t *testing.T) {
	t.Parallel()
	s := serve(t, hooks{})
	s.Must(201, "PUT", "shelves/One", `{"properties":{"title":"1"}}`)
	r := s.Must(201, "PUT", "books/a", `{"properties":{"title":"A","shelf":"/shelves/ONE"}}`)
	want(t, r, `{"properties":{"shelf":"`+resourcetest.Service+`/shelves/One"}}`)
	s.Must(201, "PUT", "books/b", `{"properties":{"title":"B","owner":"`+resourcetest.Service+`/shelves/one","next":"books/a"}}`)
	want(t, s.Must(400, "PUT", "books/c", `{"properties":{"title":"C","shelf":"/books/a"}}`), `{"error":{"target":"shelf"}}`)
	want(t, s.Must(400, "PUT", "books/c", `{"properties":{"title":"C","shelf":"/subscriptions/x/resourceGroups/y/providers/Microsoft.ApiManagement/service/other/shelves/one"}}`),
		`{"error":{"target":"shelf"}}`)
	want(t, s.Must(409, "DELETE", "books/a", ""), `{"error":{"code":"Conflict"}}`)
	s.Must(200, "DELETE", "shelves/one", "")
	s.Must(404, "GET", "books/b", "") // it cascades
	if body := s.Must(200, "GET", "books/a", "").Body; strings.Contains(string(body), "shelf") {
		t.Errorf("the reference to a deleted shelf stays: %s", body)
	}
	s.Must(200, "DELETE", "books/a", "") // nobody refers to it any more
}

func TestUniqueAndNested(t *testing.T) {
	t.Parallel()
	s := serve(t, hooks{})
	s.Must(201, "PUT", "books/Main", `{"properties":{"title":"A"}}`)
	want(t, s.Must(409, "PUT", "books/b", `{"properties":{"title":"A"}}`), `{"error":{"code":"Conflict","target":"title"}}`)
	s.Must(404, "GET", "books/b", "")
	// The parent's spelling wins, aliases lead to the stored resource, and what is nested goes with it.
	want(t, s.Must(201, "PUT", "BOOKS/main;rev=1/Pages/P1", `{"properties":{"title":"page"}}`), `{"id":"`+resourcetest.Service+`/books/Main/pages/P1"}`)
	want(t, s.Must(200, "GET", "books/main%3Brev=1", ""), `{"name":"Main"}`)
	want(t, s.Must(200, "GET", "books/main;rev=1/pages", ""), `{"count":1}`)
	s.Must(200, "DELETE", "books/main", "")
	s.Must(404, "GET", "books/main/pages/p1", "")
	want(t, s.Must(404, "GET", "books/main/pages", ""), `{"error":{"code":"ResourceNotFound"}}`)
	want(t, s.Must(501, "GET", "scrolls/x", ""), `{"error":{"code":"NotImplemented"}}`)
}

func TestJoins(t *testing.T) {
	t.Parallel()
	s := serve(t, hooks{})
	s.Must(201, "PUT", "shelves/s", `{"properties":{"title":"S"}}`)
	s.Must(404, "PUT", "shelves/s/books/a", "")
	s.Must(201, "PUT", "books/a", `{"properties":{"title":"A","key":"k"}}`)
	want(t, s.Must(201, "PUT", "shelves/s/books/a", ""), `{"id":"`+resourcetest.Service+`/shelves/s/books/a","properties":{"title":"A"}}`)
	s.Must(200, "PUT", "shelves/s/books/a", "")
	s.Must(204, "HEAD", "shelves/s/books/a", "")
	s.Must(405, "GET", "shelves/s/books/a", "")
	want(t, s.Must(200, "GET", "books/a/shelves", ""), `{"count":1,"value":[{"id":"`+resourcetest.Service+`/shelves/s"}]}`)
	want(t, s.Must(200, "GET", "shelves/s/books?$filter=title%20eq%20'b'", ""), `{"count":0,"value":[]}`)
	s.Must(200, "DELETE", "books/a", "")
	s.Must(404, "HEAD", "shelves/s/books/a", "")
}

// A resource that changes between Prepare and the transaction is prepared again, and no update is lost.
func TestPrepareRepeats(t *testing.T) {
	t.Parallel()
	var s *resourcetest.Server
	var once sync.Once
	runs := 0
	s = serve(t, hooks{prepare: func(ctx context.Context, x *resource.Request, old, d *resource.Doc[book]) error {
		if old == nil || d.Props.Title == "other" {
			return nil
		}
		runs++
		once.Do(func() { s.Must(200, "PATCH", "books/a", `{"properties":{"title":"other","language":"de"}}`) })
		return nil
	}})
	s.Must(201, "PUT", "books/a", `{"properties":{"title":"A"}}`)
	want(t, s.Must(200, "PATCH", "books/a", `{"properties":{"title":"B"}}`), `{"properties":{"title":"B","language":"de"}}`)
	if runs != 2 {
		t.Errorf("Prepare ran %d times", runs)
	}
}

func TestConcurrentWritesAllSucceed(t *testing.T) {
	t.Parallel()
	s := serve(t, hooks{})
	s.Must(201, "PUT", "books/a", `{"properties":{"title":"A"}}`)
	const writers, each = 24, 12
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range each {
				body := fmt.Sprintf(`{"properties":{"labels":{"%d-%d":"1"}}}`, w, i)
				if r := s.Do("PATCH", "books/a", body); r.Status != http.StatusOK {
					t.Errorf("status %d: %s", r.Status, r.Body)
				}
			}
		})
	}
	wg.Wait()
	props, _ := s.Must(200, "GET", "books/a", "").JSON(t)["properties"].(map[string]any)
	if labels, _ := props["labels"].(map[string]any); len(labels) != writers*each {
		t.Errorf("%d updates are lost", writers*each-len(labels))
	}
}

func TestDeclarationsRefused(t *testing.T) {
	t.Parallel()
	f := func(name string, declare func()) {
		t.Helper()
		defer func() {
			if recover() == nil {
				t.Errorf("%s is accepted", name)
			}
		}()
		declare()
	}
	f("no verbs", func() { resource.Define(resource.Spec[root]{Name: "x", Parents: []string{""}}) })
	f("unknown rule", func() {
		resource.Define(resource.Spec[struct {
			A string `json:"a" rule:"nothing"`
		}]{Name: "x", Parents: []string{""}, Verbs: resource.CRUDL})
	})
	f("enum of numbers", func() {
		resource.Define(resource.Spec[struct {
			A int `json:"a" rule:"enum=1|2"`
		}]{Name: "x", Parents: []string{""}, Verbs: resource.CRUDL})
	})
	f("wrong default", func() {
		resource.Define(resource.Spec[struct {
			A int `json:"a" rule:"default=x"`
		}]{Name: "x", Parents: []string{""}, Verbs: resource.CRUDL})
	})
	service := resource.Define(resource.Spec[root]{Name: "service", Verbs: resource.CRUDL, TopLevel: true})
	orphan := resource.Define(resource.Spec[root]{Name: "x", Parents: []string{"nowhere"}, Verbs: resource.CRUDL})
	if _, err := resource.NewCatalogue(service, orphan); err == nil {
		t.Error("a type without its parent is accepted")
	}
	if _, err := resource.NewCatalogue(orphan); err == nil {
		t.Error("a catalogue without a service is accepted")
	}
}

func TestAsyncAction(t *testing.T) {
	t.Parallel()
	s := serve(t, hooks{})
	s.Must(201, "PUT", "books/a", `{"properties":{"title":"A"}}`)
	r := s.Must(202, "POST", "books/a/scan/slowly", "")
	gone := s.Must(202, "POST", "books/none/scan/slowly", "")
	s.Engine.Wait()
	poll := func(r resourcetest.Response, header string) string {
		t.Helper()
		path, ok := strings.CutPrefix(r.Header.Get(header), "http://manage.test")
		if !ok || !resource.Supports(strings.Split(path, "?")[0]) {
			t.Fatalf("%s is %q", header, r.Header.Get(header))
		}
		return path
	}
	want(t, s.Must(200, "GET", poll(r, "Azure-AsyncOperation"), ""), `{"status":"Succeeded","properties":{"title":"A"}}`)
	want(t, s.Must(200, "GET", poll(r, "Location"), ""), `{"title":"A"}`)
	want(t, s.Must(200, "GET", poll(gone, "Azure-AsyncOperation"), ""), `{"status":"Failed","error":{"code":"ResourceNotFound"}}`)
	want(t, s.Must(404, "GET", poll(gone, "Location"), ""), `{"error":{"code":"ResourceNotFound"}}`)
}

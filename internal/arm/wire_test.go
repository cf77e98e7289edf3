package arm

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
)

func TestIfMatch(t *testing.T) {
	t.Parallel()
	f := func(match, noneMatch string, exists, ok bool) {
		t.Helper()
		h := http.Header{}
		if match != "" {
			h.Set("If-Match", match)
		}
		if noneMatch != "" {
			h.Set("If-None-Match", noneMatch)
		}
		if err := CheckIfMatch(h, "a1", exists); (err == nil) != ok || err != nil && err.Status != 412 {
			t.Errorf("If-Match %q, If-None-Match %q, exists %v: %v", match, noneMatch, exists, err)
		}
	}
	f("", "", true, true)
	f("", "", false, true)
	f("*", "", true, true)
	f("*", "", false, true)
	f(`"a1"`, "", true, true)
	f(`a1`, "", true, true)
	f(`W/"a1"`, "", true, true)
	f(`"x", "a1"`, "", true, true)
	f(`"x"`, "", true, false)
	f(`"a1"`, "", false, false)
	f("", "*", true, false)
	f("", "*", false, true)
	f("", `"a1"`, true, false)
	f("", `"x"`, true, true)
}

func TestAPIVersion(t *testing.T) {
	t.Parallel()
	f := func(query, want string, code Code) {
		t.Helper()
		q, err := url.ParseQuery(query)
		if err != nil {
			t.Fatal(err)
		}
		v, e := APIVersion(q)
		if v != want || (e == nil) != (code == "") || e != nil && e.Code != code {
			t.Errorf("%s: %q, %v", query, v, e)
		}
	}
	f("api-version=2024-05-01", "2024-05-01", "")
	f("API-Version=2022-08-01", "2022-08-01", "")
	f("api-version=2025-03-01-Preview", "2025-03-01-preview", "")
	f("", "", CodeMissingAPIVersion)
	f("api-version=", "", CodeMissingAPIVersion)
	f("api-version=2020-01-01", "", CodeInvalidAPIVersion)
	f("api-version=latest", "", CodeInvalidAPIVersion)
}

func TestPage(t *testing.T) {
	t.Parallel()
	q := url.Values{"$top": {"2"}, "$SKIP": {"2"}, "$filter": {"name eq 'a b'"}, "api-version": {"2024-05-01"}}
	p, err := ParsePage(q)
	if err != nil || p != (Page{Top: 2, Skip: 2}) {
		t.Fatal(p, err)
	}
	next := p.Next("https://h", "/x", q, 5)
	if want := "https://h/x?$filter=name+eq+%27a+b%27&$skip=4&$top=2&api-version=2024-05-01"; next != want {
		t.Errorf("next is %s, want %s", next, want)
	}
	if next := p.Next("https://h", "/x", q, 4); next != "" {
		t.Errorf("the last page has a next one: %s", next)
	}
	for _, bad := range []string{"$top=0", "$top=x", "$skip=-1", "$skip=99999999999999999999"} {
		q, _ := url.ParseQuery(bad)
		if _, err := ParsePage(q); err == nil {
			t.Errorf("%s is accepted", bad)
		}
	}
}

func TestMergePatch(t *testing.T) {
	t.Parallel()
	f := func(target, patch, want string) {
		t.Helper()
		got, err := MergePatch([]byte(target), []byte(patch))
		if err != nil || string(got) != want {
			t.Errorf("%s + %s = %s, %v; want %s", target, patch, got, err, want)
		}
	}
	f(`{"a":"b"}`, `{"a":"c"}`, `{"a":"c"}`)
	f(`{"a":"b"}`, `{"b":"c"}`, `{"a":"b","b":"c"}`)
	f(`{"a":"b","b":"c"}`, `{"a":null}`, `{"b":"c"}`)
	f(`{"a":["b"]}`, `{"a":"c"}`, `{"a":"c"}`)
	f(`{"a":{"b":"c"}}`, `{"a":{"b":"d","c":null}}`, `{"a":{"b":"d"}}`)
	f(`{"a":[{"b":"c"}]}`, `{"a":[1]}`, `{"a":[1]}`)
	f(`{"e":null}`, `{"a":1}`, `{"a":1,"e":null}`)
	f(`[1]`, `{"a":{"bb":{"ccc":null}}}`, `{"a":{"bb":{}}}`)
	f(``, `{"n":12345678901234567890}`, `{"n":12345678901234567890}`)
}

func TestCheckJSON(t *testing.T) {
	t.Parallel()
	f := func(body, want string) {
		t.Helper()
		err := CheckJSON([]byte(body))
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v, want %q", body, err, want)
		}
	}
	f(`{"a":"[[[\"{"}`, "")
	f(" ", "empty")
	f("{\n\"a\":}", "line 2, column 5")
	f(strings.Repeat("[", 65)+strings.Repeat("]", 65), "more than 64 levels")
	f(strings.Repeat("[", 64)+strings.Repeat("]", 64), "")
	f(strings.Repeat("[", 1<<20), "more than 64 levels")
}

func FuzzMergePatch(f *testing.F) {
	f.Add(`{"a":{"b":1}}`, `{"a":{"b":null,"c":[1]}}`)
	f.Add(`[]`, `3`)
	f.Fuzz(func(t *testing.T, target, patch string) {
		once, err := MergePatch([]byte(target), []byte(patch))
		if err != nil {
			return
		}
		if !json.Valid(once) {
			t.Fatalf("not JSON: %s", once)
		}
		if twice, err := MergePatch(once, []byte(patch)); err != nil || string(twice) != string(once) {
			t.Fatalf("a second time changes it: %s, %s, %v", once, twice, err)
		}
	})
}

func TestErrorBody(t *testing.T) {
	t.Parallel()
	w := httptest.NewRecorder()
	WriteError(w, Invalid("url", "url is required."))
	want := `{"error":{"code":"ValidationError","message":"One or more fields contain incorrect values:","target":"url","details":[{"code":"ValidationError","target":"url","message":"url is required."}]}}`
	if w.Code != 400 || w.Body.String() != want || w.Header().Get("x-ms-error-code") != "ValidationError" {
		t.Errorf("%d %s %v", w.Code, w.Body, w.Header())
	}
	if e, known := AsError(errors.New("password is hunter2")); known || strings.Contains(e.Error(), "hunter2") || e.Status != 500 {
		t.Errorf("an unknown error is told: %v", e)
	}
	if !IsNotFound(NotFound(newID("/a/b"))) || IsNotFound(errors.New("x")) {
		t.Error("IsNotFound is wrong")
	}
}

func TestRequestIDs(t *testing.T) {
	t.Parallel()
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("x-ms-client-request-id", "client-1")
	r.Header.Set("x-ms-correlation-request-id", "bad\nvalue")
	w := httptest.NewRecorder()
	SetRequestIDs(w, r, "own")
	if h := w.Header(); h.Get("x-ms-request-id") != "own" || h.Get("x-ms-client-request-id") != "" || h.Get("x-ms-correlation-request-id") != "own" {
		t.Errorf("%v", h)
	}
	r.Header.Set("x-ms-return-client-request-id", "true")
	w = httptest.NewRecorder()
	SetRequestIDs(w, r, "own")
	if got := w.Header().Get("x-ms-client-request-id"); got != "client-1" {
		t.Errorf("the client's ID is not echoed: %q", got)
	}
	if a, b := NewGUID(), NewGUID(); a == b || len(a) != 36 || a[14] != '4' {
		t.Errorf("GUIDs %s, %s", a, b)
	}
}

func TestOperations(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	ops := NewOperations(func() time.Time { return now })
	a, err := ops.Start("/scope")
	if err != nil || a.Status != StatusInProgress {
		t.Fatal(a, err)
	}
	b, _ := ops.Start("/scope")
	ops.Finish(a.Name, json.RawMessage(`{"x":1}`), nil)
	ops.Finish(b.Name, nil, Errorf(CodeConflict, "no"))
	if got, ok := ops.Get(a.Name); !ok || got.Status != StatusSucceeded || got.Ended == nil || string(got.Result) != `{"x":1}` {
		t.Errorf("%+v", got)
	}
	if got, ok := ops.Get(b.Name); !ok || got.Status != StatusFailed || got.Error.Code != CodeConflict {
		t.Errorf("%+v", got)
	}
	w := httptest.NewRecorder()
	Accept(w, "https://h", "2024-05-01", a, 2*time.Second)
	if h := w.Header(); w.Code != 202 || h.Get("Location") != "https://h/scope/operationResults/"+a.Name+"?api-version=2024-05-01" || h.Get("Retry-After") != "2" {
		t.Errorf("%d %v", w.Code, h)
	}
	c, _ := ops.Start("/scope")
	d, _ := ops.Start("/scope")
	ops.Finish(d.Name, nil, nil)
	poll := func(status int, body string, path string) {
		t.Helper()
		w := httptest.NewRecorder()
		ops.ServeHTTP(w, httptest.NewRequest("GET", path+"?api-version=2024-05-01", nil))
		if w.Code != status || !strings.Contains(w.Body.String(), body) {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
	poll(200, `"status":"Succeeded"`, a.ID)
	poll(200, `{"x":1}`, "/scope/operationResults/"+a.Name)
	poll(200, `"code":"Conflict"`, b.ID)
	poll(409, `"message":"no"`, "/scope/operationResults/"+b.Name)
	poll(200, `"status":"InProgress"`, c.ID)
	poll(202, "", "/scope/operationResults/"+c.Name)
	poll(204, "", "/scope/operationResults/"+d.Name)
	poll(404, "ResourceNotFound", "/scope/operationResults/none")
	now = now.Add(2 * time.Hour)
	if _, err := ops.Start("/scope"); err != nil {
		t.Fatal(err)
	}
	if _, ok := ops.Get(a.Name); ok {
		t.Error("an operation that ended long ago is remembered")
	}
}

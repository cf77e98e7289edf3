//go:build interop

package sdk

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/arm"
	v1 "github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/apimanagement/armapimanagement"
	v2 "github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/apimanagement/armapimanagement/v2"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/apimanagement/armapimanagement/v3"
)

// TestInteropEveryProperty fills every model that the SDKs send and every one that they read, and looks for their
// properties in the management API's own description. testdata/properties.txt lists those that Causeway does not have.
func TestInteropEveryProperty(t *testing.T) {
	t.Parallel()
	s := Start(t)
	described := describedPaths(t, s)
	sent := &recorder{}
	options := &arm.ClientOptions{ClientOptions: s.Options.ClientOptions, DisableRPRegistration: true}
	options.Transport = sent
	newest, err := armapimanagement.NewClientFactory(subscription, s.Credential, options)
	if err != nil {
		t.Fatal(err)
	}
	middle, err := v2.NewClientFactory(subscription, s.Credential, options)
	if err != nil {
		t.Fatal(err)
	}
	oldest, err := v1.NewClientFactory(subscription, s.Credential, options)
	if err != nil {
		t.Fatal(err)
	}
	missing := map[string]bool{}
	for _, f := range []any{newest, middle, oldest} {
		maps.Copy(missing, described.missing(t, f, sent))
	}
	listed := readList(t, "testdata/properties.txt")
	for _, p := range slices.Sorted(maps.Keys(missing)) {
		if !listed[p] {
			t.Errorf("%s is not known", p)
		}
	}
	for p := range listed {
		if !missing[p] {
			t.Errorf("%s is known: remove it from the list", p)
		}
	}
}

// missing lists the properties of an SDK's models that are not described, each with its group of operations.
func (d *description) missing(t *testing.T, factory any, sent *recorder) map[string]bool {
	t.Helper()
	places, drive := map[string]bool{}, newDriver(factory, "models", "")
	for name, m := range operations(factory) {
		body, text := models(m.Type())
		if body != nil {
			text = body
		} else if !strings.HasSuffix(name, ".Get") {
			continue
		}
		sent.take()
		_, _ = drive.call(m, name, slices.Repeat([]string{"models"}, 8), body) // the transport refuses to send it
		method, path := sent.take()
		schema := d.schema(method, path, body == nil)
		if schema == nil {
			continue // whether an operation is there is another test's
		}
		var model any
		if err := json.Unmarshal(text, &model); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for _, p := range unknown(model, schema, "") {
			group, _, _ := strings.Cut(strings.TrimPrefix(name, "Workspace"), ".")
			places[group+" "+p] = true
		}
	}
	return places
}

// recorder is a transport that keeps what the last request was for and sends nothing.
type recorder struct {
	mu           sync.Mutex
	method, path string
}

func (r *recorder) Do(req *http.Request) (*http.Response, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.method, r.path = req.Method, req.URL.Path
	if req.Body != nil {
		_, _ = io.Copy(io.Discard, req.Body)
	}
	return nil, errors.New("not sent")
}

func (r *recorder) take() (method, path string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	method, path, r.method, r.path = r.method, r.path, "", ""
	return method, path
}

// operations lists the methods of all clients of a factory as Group.Method.
func operations(factory any) map[string]reflect.Value {
	all := map[string]reflect.Value{}
	f := reflect.ValueOf(factory)
	for i := range f.NumMethod() {
		group := strings.TrimSuffix(strings.TrimPrefix(f.Type().Method(i).Name, "New"), "Client")
		client := f.Method(i).Call(nil)[0]
		for j := range client.NumMethod() {
			all[group+"."+client.Type().Method(j).Name] = client.Method(j)
		}
	}
	return all
}

// models returns what an operation sends, nil if it sends nothing, and what it answers, with every property set.
func models(m reflect.Type) (body, answer json.RawMessage) {
	for i := range m.NumIn() {
		if m.In(i).Kind() == reflect.Struct {
			body = filled(m.In(i))
		}
	}
	if m.NumOut() == 2 && m.Out(0).Kind() == reflect.Struct && m.Out(0).NumField() > 0 {
		answer = filled(m.Out(0).Field(0).Type)
	}
	return body, answer
}

func filled(t reflect.Type) json.RawMessage {
	v := reflect.New(t).Elem()
	fill(v, nil)
	text, err := json.Marshal(v.Interface())
	if err != nil {
		return nil
	}
	return text
}

// fill sets everything in a model; of one that holds itself only the first.
func fill(v reflect.Value, within []reflect.Type) {
	switch {
	case v.Type() == reflect.TypeFor[time.Time]():
		v.Set(reflect.ValueOf(time.Unix(0, 0)))
	case v.Kind() == reflect.String:
		v.SetString("x")
	case v.Kind() == reflect.Pointer:
		if !slices.Contains(within, v.Type().Elem()) {
			v.Set(reflect.New(v.Type().Elem()))
			fill(v.Elem(), within)
		}
	case v.Kind() == reflect.Slice && v.Type().Elem().Kind() != reflect.Uint8:
		item := reflect.New(v.Type().Elem()).Elem()
		fill(item, within)
		if item.Kind() != reflect.Pointer || !item.IsNil() {
			v.Set(reflect.Append(v, item))
		}
	case v.Kind() == reflect.Map:
		item := reflect.New(v.Type().Elem()).Elem()
		fill(item, within)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(reflect.ValueOf("key").Convert(v.Type().Key()), item)
	case v.Kind() == reflect.Struct:
		within = append(within[:len(within):len(within)], v.Type())
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				fill(v.Field(i), within)
			}
		}
	}
}

// description is the management API's own: schemas by method and path, in lower case, with {} for each name.
type description struct {
	paths      map[string]map[string]map[string]any
	components map[string]any
}

func describedPaths(t *testing.T, s *System) *description {
	t.Helper()
	r, err := s.HTTP.Get(s.URL + "/openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close() //nolint:errcheck // read only
	var doc struct {
		Paths      map[string]map[string]map[string]any `json:"paths"`
		Components struct {
			Schemas map[string]any `json:"schemas"`
		} `json:"components"`
	}
	if err := json.NewDecoder(r.Body).Decode(&doc); err != nil {
		t.Fatal(err)
	}
	d := &description{paths: map[string]map[string]map[string]any{}, components: doc.Components.Schemas}
	for path, methods := range doc.Paths {
		d.paths[placeOf(path)] = methods
	}
	return d
}

// placeOf is a path with {} for each name.
func placeOf(path string) string {
	_, below, ok := strings.Cut(strings.ToLower(path), "/microsoft.apimanagement/service/")
	if !ok {
		return path
	}
	segs := strings.Split(below, "/")
	for i := range segs {
		if strings.HasPrefix(segs[i], "{") || segs[i] == "models" {
			segs[i] = "{}"
		}
	}
	return strings.Join(segs, "/")
}

// schema of what an operation takes or answers, nil if it is not described.
func (d *description) schema(method, path string, answer bool) map[string]any {
	op := d.paths[placeOf(path)][strings.ToLower(method)]
	if op == nil {
		return nil
	}
	where := "requestBody.content.application/json.schema"
	if answer {
		where = "responses.200.content.application/json.schema"
	}
	schema, _ := at(op, where).(map[string]any)
	if ref, ok := schema["$ref"].(string); ok {
		schema, _ = d.components[strings.TrimPrefix(ref, "#/components/schemas/")].(map[string]any)
	}
	return schema
}

// unknown lists the properties of a model that a schema does not have.
func unknown(model any, schema map[string]any, path string) (places []string) {
	switch v := model.(type) {
	case map[string]any:
		props, ok := schema["properties"].(map[string]any)
		if every, ok := schema["additionalProperties"].(map[string]any); ok {
			return unknown(v["key"], every, path+".*")
		}
		if !ok {
			if schema["type"] != nil && schema["type"] != "object" {
				places = append(places, fmt.Sprintf("%s is no object", path))
			}
			return places
		}
		for name, value := range v {
			sub, ok := props[name].(map[string]any)
			if !ok {
				places = append(places, strings.TrimPrefix(path+"."+name, "."))
				continue
			}
			places = append(places, unknown(value, sub, strings.TrimPrefix(path+"."+name, "."))...)
		}
	case []any:
		if items, ok := schema["items"].(map[string]any); ok && len(v) > 0 {
			return unknown(v[0], items, path+"[]")
		}
		if schema["type"] != nil {
			places = append(places, fmt.Sprintf("%s is no array", path))
		}
	}
	return places
}

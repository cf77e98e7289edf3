//go:build interop

package sdk

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
)

// driver calls the clients of one service by the names that the SDK gives them, with bodies written as JSON: so one
// table of steps serves every client of every version.
type driver struct {
	factory   any    // *armapimanagement.ClientFactory of any version
	service   string // name of the service
	workspace string // not empty: the clients are those whose names begin with Workspace
	old       bool   // the SDK is armapimanagement v1

	mu     sync.Mutex
	called map[string]bool // Group.Method
}

func newDriver(factory any, service, workspace string) *driver {
	return &driver{factory: factory, service: service, workspace: workspace, called: map[string]bool{}}
}

// client returns the client of a group of operations, the zero value if there is none.
func (d *driver) client(group string) reflect.Value {
	if d.workspace != "" {
		group = "Workspace" + group
	}
	f := reflect.ValueOf(d.factory).MethodByName("New" + group + "Client")
	if !f.IsValid() {
		return f
	}
	return f.Call(nil)[0]
}

// method returns the first of the methods that a client has, and its name.
func method(client reflect.Value, names ...string) (reflect.Value, string) {
	for _, n := range names {
		if m := client.MethodByName(n); m.IsValid() {
			return m, n
		}
	}
	return reflect.Value{}, ""
}

// answer is what a call gave.
type answer struct {
	Status int
	ETag   string
	Body   any   // as the SDK's model encodes it
	Items  []any // of a list
}

// call calls a method. ids follow the names of resource group and service (and of the workspace); one more string is
// If-Match. Lists are read in pages of one.
func (d *driver) call(m reflect.Value, name string, ids []string, body json.RawMessage) (answer, error) {
	d.mu.Lock()
	d.called[name] = true
	d.mu.Unlock()
	texts := []string{group, d.service}
	if d.workspace != "" {
		texts = append(texts, d.workspace)
	}
	texts = append(append(texts, ids...), "*")
	var raw *http.Response
	ctx := runtime.WithCaptureResponse(context.Background(), &raw)
	args, err := arguments(ctx, m.Type(), texts, body)
	if err != nil {
		return answer{}, err
	}
	out := m.Call(args)
	if len(out) == 1 {
		return readPages(ctx, out[0])
	}
	if err, _ := out[1].Interface().(error); err != nil {
		return answer{}, err
	}
	result := out[0]
	if p := result.MethodByName("PollUntilDone"); p.IsValid() {
		out = p.Call([]reflect.Value{reflect.ValueOf(ctx), reflect.ValueOf(fast())})
		if err, _ := out[1].Interface().(error); err != nil {
			return answer{}, err
		}
		result = out[0]
	}
	a := answer{Status: raw.StatusCode, ETag: raw.Header.Get("Etag")}
	a.Body, err = plain(result.Interface())
	return a, err
}

// arguments makes a call's arguments by their types.
func arguments(ctx context.Context, t reflect.Type, texts []string, body json.RawMessage) (args []reflect.Value, err error) {
	for i := range t.NumIn() {
		in := t.In(i)
		switch {
		case in.Kind() == reflect.Interface:
			args = append(args, reflect.ValueOf(ctx))
		case in.Kind() == reflect.String:
			if len(texts) == 0 {
				return nil, fmt.Errorf("too few identifiers for %s", t)
			}
			args, texts = append(args, reflect.ValueOf(texts[0]).Convert(in)), texts[1:]
		case in.Kind() == reflect.Struct:
			v := reflect.New(in)
			if err := json.Unmarshal(body, v.Interface()); err != nil {
				return nil, fmt.Errorf("%s: %w", in, err)
			}
			args = append(args, v.Elem())
		default:
			v := reflect.Zero(in)
			if in.Kind() == reflect.Pointer {
				v = reflect.New(in.Elem())
				option(v.Elem(), "Top", int32(1))
				option(v.Elem(), "DeleteRevisions", true)
				option(v.Elem(), "DeleteSubscriptions", true)
			}
			args = append(args, v)
		}
	}
	return args, nil
}

// option sets one of the options of a call, if it has it.
func option[T any](options reflect.Value, name string, value T) {
	if f := options.FieldByName(name); f.IsValid() {
		f.Set(reflect.ValueOf(&value))
	}
}

// readPages reads all pages of a pager.
func readPages(ctx context.Context, pager reflect.Value) (a answer, err error) {
	for pager.MethodByName("More").Call(nil)[0].Bool() {
		out := pager.MethodByName("NextPage").Call([]reflect.Value{reflect.ValueOf(ctx)})
		if err, _ := out[1].Interface().(error); err != nil {
			return a, err
		}
		page, err := plain(out[0].Interface())
		if err != nil {
			return a, err
		}
		items, ok := page.(map[string]any)["value"].([]any)
		if !ok && page.(map[string]any)["value"] != nil {
			return a, fmt.Errorf("a page without items: %v", page)
		}
		if a.Items = append(a.Items, items...); len(a.Items) > 2000 {
			return a, fmt.Errorf("the list does not end")
		}
	}
	return a, nil
}

// plain encodes a model and decodes it without its types.
func plain(model any) (v any, err error) {
	text, err := json.Marshal(model)
	if err != nil {
		return nil, err
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	err = d.Decode(&v)
	return v, err
}

// lost lists where want, which was sent, is not in what came back. ARM IDs may have become longer.
func lost(want, got any, at string) (places []string) {
	switch w := want.(type) {
	case map[string]any:
		g, ok := got.(map[string]any)
		if !ok {
			return []string{fmt.Sprintf("%s: %v is missing", at, want)}
		}
		for k, v := range w {
			places = append(places, lost(v, g[k], at+"."+k)...)
		}
	case []any:
		g, ok := got.([]any)
		if !ok || len(g) != len(w) {
			return []string{fmt.Sprintf("%s: %v, want %v", at, got, want)}
		}
		for i, v := range w {
			places = append(places, lost(v, g[i], fmt.Sprintf("%s[%d]", at, i))...)
		}
	case string:
		g, ok := got.(string)
		if !ok || g != w && !(strings.HasPrefix(w, "/") && strings.HasSuffix(strings.ToLower(g), strings.ToLower(w))) {
			return []string{fmt.Sprintf("%s: %v, want %v", at, got, want)}
		}
	default:
		if !reflect.DeepEqual(want, got) {
			return []string{fmt.Sprintf("%s: %v, want %v", at, got, want)}
		}
	}
	slices.Sort(places)
	return places
}

// cut removes what stands at a path such as properties.value.
func cut(v any, path string) {
	m, ok := v.(map[string]any)
	first, rest, deeper := strings.Cut(path, ".")
	switch {
	case !ok:
	case deeper:
		cut(m[first], rest)
	default:
		delete(m, first)
	}
}

// at returns what stands at a path, nil if nothing does.
func at(v any, path string) any {
	for name := range strings.SplitSeq(path, ".") {
		m, _ := v.(map[string]any)
		v = m[name]
	}
	return v
}

// merge is a JSON merge patch.
func merge(target, patch any) any {
	p, ok := patch.(map[string]any)
	if !ok {
		return patch
	}
	t, _ := target.(map[string]any)
	result := map[string]any{}
	for k, v := range t {
		result[k] = v
	}
	for k, v := range p {
		result[k] = merge(result[k], v)
	}
	return result
}

// errorf reports a problem of a step; of a refusal what ARM's error says, not the whole exchange.
func (s *step) errorf(t *testing.T, format string, args ...any) {
	t.Helper()
	for i, a := range args {
		if r, ok := a.(*azcore.ResponseError); ok {
			var body struct {
				Error struct {
					Message, Target string
					Details         []struct{ Message string }
				}
			}
			text, _ := runtime.Payload(r.RawResponse)
			_ = json.Unmarshal(text, &body)
			if len(body.Error.Details) > 0 {
				body.Error.Message = body.Error.Details[0].Message
			}
			args[i] = fmt.Sprintf("%d %s at %q: %s", r.StatusCode, r.ErrorCode, body.Error.Target, body.Error.Message)
		}
	}
	t.Errorf("%s %s: %s", s.Group, strings.Join(s.IDs, "/"), fmt.Sprintf(format, args...))
}

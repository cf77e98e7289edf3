package resourcetest

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/causeway-apim/causeway/internal/resource"
)

// sample is what a type's txtar holds.
type sample struct {
	info                 resource.Info
	name                 string
	body, update, second string
	variants             []string // bodies with what the sample does not have
	setup                []txtar.File
	steps                string
}

// collection is the path of the type's collection below the service.
func (s *sample) collection() string {
	parent := ""
	for _, f := range s.setup {
		p := strings.TrimPrefix(f.Name, "setup/")
		if typePath(p) == path.Dir(s.info.Path) {
			parent = p + "/"
		}
	}
	return parent + path.Base(s.info.Path)
}

// typePath is the type's path of a resource's: products/x/apis/y is products/apis.
func typePath(p string) string {
	segs := strings.Split(p, "/")
	var types []string
	for i := 0; i < len(segs); i += 2 {
		types = append(types, segs[i])
	}
	return strings.Join(types, "/")
}

// path is that of the sample below the service.
func (s *sample) path() string {
	if s.info.Path == "" {
		return Service
	}
	return s.collection() + "/" + s.name
}

// readSample reads and checks a type's file.
func readSample(t *testing.T, info resource.Info, dir fs.FS) *sample {
	t.Helper()
	file := strings.ReplaceAll(info.Path, "/", ".") + ".txtar"
	if info.Path == "" {
		file = "service.txtar"
	}
	data, err := fs.ReadFile(dir, file)
	if err != nil {
		t.Fatalf("every type needs a sample: %v", err)
	}
	s := &sample{info: info, name: "sample", body: "{}"}
	if len(info.Names) > 0 {
		s.name = info.Names[0]
	}
	if info.Path == "" {
		s.name = "contoso"
	}
	for _, f := range txtar.Parse(data).Files {
		text := strings.TrimSpace(string(f.Data))
		switch {
		case f.Name == "name":
			s.name = text
		case f.Name == "sample.json":
			s.body = text
		case f.Name == "update.json":
			s.update = text
		case f.Name == "second.json":
			s.second = text
		case f.Name == "steps":
			s.steps = string(f.Data)
		case strings.HasPrefix(f.Name, "variant/"):
			s.variants = append(s.variants, text)
		case strings.HasPrefix(f.Name, "setup/"):
			s.setup = append(s.setup, f)
		default:
			t.Fatalf("%s: unknown file %s", file, f.Name)
		}
	}
	for _, text := range s.variants {
		if !json.Valid([]byte(text)) {
			t.Fatalf("%s: a variant is not JSON: %s", file, text)
		}
	}
	for what, text := range map[string]string{"sample.json": s.body, "update.json": s.update, "second.json": s.second} {
		if text != "" && !json.Valid([]byte(text)) {
			t.Fatalf("%s: %s is not JSON", file, what)
		}
	}
	return s
}

// start returns a server that has what the sample needs.
func (s *sample) start(t *testing.T, c *resource.Catalogue) *Server {
	t.Helper()
	if s.info.Path == "" {
		return New(t, c)
	}
	srv := NewService(t, c)
	for _, f := range s.setup {
		p := strings.TrimPrefix(f.Name, "setup/")
		if r := srv.Do("PUT", p, strings.TrimSpace(string(f.Data))); r.Status != 200 && r.Status != 201 {
			t.Fatalf("setup %s: status %d: %s", p, r.Status, r.Body)
		}
	}
	return srv
}

// step is one request of a script.
type step struct {
	line               int
	method, path, body string
	headers            []string
	status             int
	want               string
}

// parseSteps reads a script.
func parseSteps(text string) (steps []step, err error) {
	var cur *step
	inWant := false
	for i, line := range strings.Split(text, "\n") {
		trimmed := strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(trimmed, "#"):
		case trimmed == "":
			if cur != nil && inWant {
				steps = append(steps, *cur)
				cur, inWant = nil, false
			}
		case cur == nil:
			method, p, _ := strings.Cut(trimmed, " ")
			cur = &step{line: i + 1, method: method, path: strings.TrimSpace(p)}
		case strings.HasPrefix(trimmed, "=>") && !inWant:
			status, want, _ := strings.Cut(strings.TrimSpace(trimmed[2:]), " ")
			if _, err := fmt.Sscanf(status, "%d", &cur.status); err != nil {
				return nil, fmt.Errorf("line %d: %q is not a status", i+1, status)
			}
			cur.want, inWant = want, true
		case inWant:
			cur.want += line + "\n"
		case cur.body == "" && !strings.HasPrefix(trimmed, "{"):
			name, value, _ := strings.Cut(trimmed, ":")
			cur.headers = append(cur.headers, name, strings.TrimSpace(value))
		default:
			cur.body += line + "\n"
		}
	}
	if cur != nil {
		if !inWant {
			return nil, fmt.Errorf("line %d: a step without =>", cur.line)
		}
		steps = append(steps, *cur)
	}
	return steps, nil
}

// differs says where got does not have what want says, "" when it has. Members that want does not name are free.
func differs(want, got any, at string) string {
	switch w := want.(type) {
	case string:
		if w == "…" && got != nil {
			return ""
		}
	case map[string]any:
		g, ok := got.(map[string]any)
		if !ok {
			return fmt.Sprintf("%s: %v is not an object", at, got)
		}
		for k, v := range w {
			if gv, ok := g[k]; !ok && v != nil {
				return fmt.Sprintf("%s.%s is missing", at, k)
			} else if d := differs(v, gv, at+"."+k); d != "" {
				return d
			}
		}
		return ""
	case []any:
		g, ok := got.([]any)
		if !ok || len(g) != len(w) {
			return fmt.Sprintf("%s: have %v, want %v", at, got, want)
		}
		for i := range w {
			if d := differs(w[i], g[i], fmt.Sprintf("%s[%d]", at, i)); d != "" {
				return d
			}
		}
		return ""
	}
	if want != got {
		return fmt.Sprintf("%s: have %v, want %v", at, got, want)
	}
	return ""
}

// Differs says where got does not have what want, decoded JSON, says; "" when it has. Members that want does not name
// are free, and null stands for a member that may be missing.
func Differs(want, got any) string { return differs(want, got, "body") }

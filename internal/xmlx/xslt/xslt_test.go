package xslt_test

import (
	"context"
	"regexp"
	"strings"
	"testing"
	"time"

	"golang.org/x/tools/txtar"

	"github.com/causeway-apim/causeway/internal/xmlx"
	"github.com/causeway-apim/causeway/internal/xmlx/xslt"
)

// transform compiles and runs a stylesheet.
func transform(t testing.TB, sheet, source string, o xslt.Options) (xslt.Result, error) {
	t.Helper()
	s, err := xslt.Compile([]byte(sheet))
	if err != nil {
		return xslt.Result{}, err
	}
	d, err := xmlx.Parse([]byte(source))
	if err != nil {
		return xslt.Result{}, err
	}
	return s.Transform(t.Context(), d, o)
}

// cases are the parts of testdata/transform.txtar by case and part.
func cases(t testing.TB) (names []string, parts map[string]map[string]string) {
	t.Helper()
	archive, err := txtar.ParseFile("testdata/transform.txtar")
	if err != nil {
		t.Fatal(err)
	}
	parts = make(map[string]map[string]string)
	for _, f := range archive.Files {
		name, part, _ := strings.Cut(f.Name, "/")
		if parts[name] == nil {
			names, parts[name] = append(names, name), make(map[string]string)
		}
		parts[name][part] = strings.TrimSuffix(string(f.Data), "\n")
	}
	return names, parts
}

func TestTransform(t *testing.T) {
	t.Parallel()
	names, parts := cases(t)
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := parts[name]
			o := xslt.Options{Parameters: make(map[string]any)}
			if key, value, ok := strings.Cut(p["parameter"], "="); ok {
				o.Parameters[key] = value
			}
			if pattern, ok := strings.CutPrefix(p["error"], "!"); ok {
				_, err := xslt.Compile([]byte(p["sheet"]))
				expectError(t, err, pattern)
				return
			}
			if _, err := xslt.Compile([]byte(p["sheet"])); err != nil {
				t.Fatal(err)
			}
			got, err := transform(t, p["sheet"], p["source"], o)
			if p["error"] != "" {
				expectError(t, err, p["error"])
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if string(got.Body) != p["result"] {
				t.Errorf("got\n%s\nwant\n%s", got.Body, p["result"])
			}
		})
	}
}

func expectError(t *testing.T, err error, pattern string) {
	t.Helper()
	if err == nil || !regexp.MustCompile(pattern).MatchString(err.Error()) {
		t.Errorf("the error is %v, not one that matches %q", err, pattern)
	}
}

// items is a document of about 11 KB.
func items() string {
	return "<a>" + strings.Repeat(`<item id="1"><name>Name &amp; such</name><v>1</v></item>`, 200) + "</a>"
}

func BenchmarkCopy(b *testing.B) {
	_, parts := cases(b)
	s, err := xslt.Compile([]byte(parts["copy with a parameter"]["sheet"]))
	if err != nil {
		b.Fatal(err)
	}
	source := []byte(items())
	b.ReportAllocs()
	b.SetBytes(int64(len(source)))
	for b.Loop() {
		d, err := xmlx.Parse(source)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := s.Transform(b.Context(), d, xslt.Options{}); err != nil {
			b.Fatal(err)
		}
	}
}

// FuzzTransform looks for stylesheets and documents that make the processor fall over, or that it does not finish with.
func FuzzTransform(f *testing.F) {
	names, parts := cases(f)
	for _, name := range names {
		f.Add(parts[name]["sheet"], parts[name]["source"])
	}
	f.Fuzz(func(t *testing.T, sheet, source string) {
		s, err := xslt.Compile([]byte(sheet))
		if err != nil {
			return
		}
		d, err := xmlx.Parse([]byte(source))
		if err != nil {
			return
		}
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		if r, err := s.Transform(ctx, d, xslt.Options{MaxOutput: 1 << 20}); err == nil && len(r.Body) > 4<<20 {
			t.Errorf("a result of %d bytes", len(r.Body))
		}
	})
}

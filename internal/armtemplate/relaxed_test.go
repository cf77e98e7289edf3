package armtemplate_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/causeway-apim/causeway/internal/armtemplate"
)

func TestRelax(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		`{"a": 1}`: `{"a": 1}`,
		`{"properties": {"mode": "Incremental", template:{"$schema": "x"}}}`: `{"properties": {"mode": "Incremental", "template":{"$schema": "x"}}}`,
		"{ // all\n\"a\": /* b */ 1 }":                                       "{       \n\"a\":         1 }",
		`{a : [1, 2, /* no more */ ], $b: {c: true,},}`:                      `{"a" : [1, 2                ], "$b": {"c": true } }`,
		"{\"a\": \"one\n\ttwo\", \"b\": \"//\"}":                             "{\"a\": \"one\\n\\ttwo\"\n, \"b\": \"//\"}",
		"\xef\xbb\xbf[true, null,]":                                          `[true, null ]`,
		`{"a\"b": 1, /* open`:                                                `{"a\"b": 1, /* open`,
		`{"a": [,], "b": {,}}`:                                               `{"a": [,], "b": {,}}`,
		`[nothing, else]`:                                                    `[nothing, else]`,
		`{"a": "open`:                                                        `{"a": "open`,
	} {
		if got := string(armtemplate.Relax([]byte(in))); got != want {
			t.Errorf("%s becomes\n%q, want\n%q", in, got, want)
		}
	}
}

// FuzzRelax: strict JSON stays what it is, and no line is lost.
func FuzzRelax(f *testing.F) {
	for _, seed := range []string{`{a: [1,], "b": "c" /* d */}`, "{\"a\": \"b\nc\", // d\n}", `{"a": "\\", b`, "/*", `"`, `,]`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		out := armtemplate.Relax(in)
		if json.Valid(in) && !bytes.Equal(in, out) {
			t.Errorf("%q becomes %q", in, out)
		}
		if again := armtemplate.Relax(out); json.Valid(out) && !bytes.Equal(again, out) {
			t.Errorf("%q becomes %q and then %q", in, out, again)
		}
	})
}

package policy_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/causeway-apim/causeway/internal/policy"
)

func TestSample(t *testing.T) {
	t.Parallel()
	f := func(schema, want string) {
		t.Helper()
		document := `{"components":{"schemas":{"T":` + schema + `,"Name":{"type":"string","example":"Ann"},
			"Tree":{"type":"object","properties":{"n":{"type":"integer"},"next":{"$ref":"#/components/schemas/Tree"},"all":{"type":"array","items":{"$ref":"#/components/schemas/Tree"}}}}}}}`
		s := schemaOf(t, document)
		v, ok := s.Sample("T", nil)
		got, err := json.Marshal(v)
		if err != nil || !ok {
			t.Fatalf("%s: %v %v", schema, ok, err)
		}
		if string(got) != want {
			t.Errorf("%s: got %s, want %s", schema, got, want)
		}
		if typ, err := s.Type("T"); err != nil {
			t.Error(err)
		} else if v, err := policy.DecodeJSON(got); err != nil || typ.Validate(v) != nil {
			t.Errorf("%s: %s is not valid: %v %v", schema, got, err, typ.Validate(v))
		}
	}
	f(`{"type":"object","properties":{"id":{"type":"integer"},"name":{"$ref":"#/components/schemas/Name"},"tags":{"type":"array","items":{"type":"string"}},"ok":{"type":"boolean"}}}`,
		`{"id":0,"name":"Ann","ok":true,"tags":["string"]}`)
	f(`{"type":"integer","minimum":3}`, `3`)
	f(`{"type":"integer","minimum":3,"exclusiveMinimum":true}`, `4`)
	f(`{"type":"number","exclusiveMaximum":0}`, `-1`)
	f(`{"type":"number","minimum":0.25}`, `0.25`)
	f(`{"type":"string","enum":["b","a"]}`, `"b"`)
	f(`{"type":"string","default":"d"}`, `"d"`)
	f(`{"type":["null","string"],"minLength":8}`, `"stringst"`)
	f(`{"type":"string","maxLength":3}`, `"str"`)
	f(`{"type":"string","format":"date-time"}`, `"2000-01-23T04:56:07Z"`)
	f(`{"type":"string","format":"uuid"}`, `"00000000-0000-0000-0000-000000000000"`)
	f(`{"type":"array","items":{"type":"integer"},"minItems":2}`, `[0,0]`)
	f(`{"allOf":[{"type":"object","properties":{"a":{"type":"integer"}}},{"type":"object","properties":{"b":{"type":"string"}}}]}`, `{"a":0,"b":"string"}`)
	f(`{"oneOf":[{"type":"null"},{"$ref":"#/components/schemas/Name"}]}`, `"Ann"`)
	f(`{"type":"object","properties":{"tree":{"$ref":"#/components/schemas/Tree"}}}`, `{"tree":{"all":[],"n":0}}`)
	f(`{"type":"object","properties":{"a":{"type":"integer"}},"example":{"a":7}}`, `{"a":7}`)
	f(`{"type":"object","additionalProperties":{"type":"string"}}`, `{}`)
	f(`{}`, `{}`)
}

// A document that refers to itself many times must not make an endless sample.
func TestSampleIsLimited(t *testing.T) {
	t.Parallel()
	document := `{"definitions":{"T":{"type":"array","minItems":100000000,"items":{"type":"integer"}},"U":` +
		strings.Repeat(`{"type":"object","properties":{"a":`, 60) + `{}` + strings.Repeat(`}}`, 60) + `}}`
	s := schemaOf(t, document)
	v, ok := s.Sample("T", nil)
	if list, _ := v.([]any); !ok || len(list) > 10_000 {
		t.Errorf("got %d values", len(list))
	}
	if _, ok := s.Sample("U", nil); !ok {
		t.Error("no sample of a deep type")
	}
	for _, name := range []string{"V", ""} {
		if v, ok := s.Sample(name, nil); ok && name != "" {
			t.Errorf("%q: got %v", name, v)
		}
	}
}

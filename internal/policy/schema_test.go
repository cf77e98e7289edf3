package policy_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/causeway-apim/causeway/internal/policy"
	"github.com/causeway-apim/causeway/internal/snapshot"
)

func schemaOf(t testing.TB, document string) *policy.Schema {
	t.Helper()
	part, err := snapshot.Encode(snapshot.KindSchema, "apis/a/schemas/s", snapshot.Schema{Document: json.RawMessage(document)})
	if err != nil {
		t.Fatal(err)
	}
	return policy.NewSchema(part)
}

// fault holds a value against a type and returns what is wrong.
func fault(t testing.TB, typ *policy.SchemaType, value string) string {
	t.Helper()
	v, err := policy.DecodeJSON([]byte(value))
	if err != nil {
		t.Fatal(err)
	}
	if err := typ.Validate(v); err != nil {
		return err.Error()
	}
	return ""
}

const openAPI30 = `{"components":{"schemas":{
	"N":{"type":"number","minimum":1,"exclusiveMinimum":true,"maximum":5,"exclusiveMaximum":false},
	"Nullable":{"type":"string","nullable":true,"enum":["a"]},
	"Ref":{"$ref":"#/components/schemas/N","nullable":true},
	"Tree":{"type":"object","required":["Value"],"properties":{"Value":{"type":"string"},"Kids":{"type":"array","items":{"$ref":"#/components/schemas/Tree"}}}},
	"Closed":{"type":"object","properties":{"a":{"type":"string"}},"additionalProperties":false},
	"Ahead":{"type":"string","pattern":"^(?!x)"},
	"Mail":{"type":"string","format":"email"},
	"a/b~c d":{"type":"string"},
	"Outside":{"$ref":"file:///etc/passwd"}}}}`

func TestSchemaTypes(t *testing.T) {
	t.Parallel()
	s := schemaOf(t, openAPI30)
	for _, c := range []struct {
		name, value, want string // want is a part of the fault; empty: none
		options           policy.SchemaOptions
	}{
		{"N", "1.5", "", policy.SchemaOptions{}},
		{"N", "1", "exclusiveMinimum", policy.SchemaOptions{}},
		{"N", "5", "", policy.SchemaOptions{}},
		{"Nullable", "null", "", policy.SchemaOptions{}},
		{"Nullable", `"b"`, "value must be", policy.SchemaOptions{}},
		{"Ref", "null", "", policy.SchemaOptions{}},
		{"Tree", `{"Value":"a","Kids":[{"Value":1}]}`, "at '/Kids/0/Value'", policy.SchemaOptions{}},
		{"Tree", `{"value":"a","KIDS":[{"VALUE":"b"}]}`, "", policy.SchemaOptions{FoldNames: true}},
		{"Tree", `{"value":"a"}`, "missing property", policy.SchemaOptions{}},
		{"Tree", `{"Value":"a","x":1}`, "", policy.SchemaOptions{}},
		{"Tree", `{"Value":"a","x":1}`, "x", policy.SchemaOptions{AdditionalProperties: "false"}},
		{"Closed", `{"x":1}`, "x", policy.SchemaOptions{}},
		{"Closed", `{"x":1}`, "", policy.SchemaOptions{AdditionalProperties: "true"}},
		{"Ahead", `"xa"`, "pattern", policy.SchemaOptions{}},
		{"Ahead", `"ax"`, "", policy.SchemaOptions{}},
		{"Mail", `"nobody"`, "email", policy.SchemaOptions{}},
		{"a/b~c d", `"x"`, "", policy.SchemaOptions{}},
	} {
		typ, err := s.Type(c.name, c.options)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if got := fault(t, typ, c.value); (c.want == "") != (got == "") || !strings.Contains(got, c.want) {
			t.Errorf("%s of %s with %v: got %q, want %q", c.name, c.value, c.options, got, c.want)
		}
	}
}

func TestSchemaWithoutType(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		document, name string
		want           error
	}{
		{openAPI30, "Missing", policy.ErrNoDefinition}, {openAPI30, "Outside", policy.ErrNoDefinition}, {`{}`, "N", policy.ErrNoDefinitions},
		{`{"definitions":{"N":{"type":7}}}`, "N", policy.ErrNoDefinition},
	} {
		if _, err := schemaOf(t, c.document).Type(c.name); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", c.name, err, c.want)
		}
	}
	broken := policy.NewSchema(snapshot.Part{Data: []byte("x")})
	if _, err := broken.Type("N"); !errors.Is(err, policy.ErrSchemaUnreadable) {
		t.Errorf("got %v", err)
	}
}

// FuzzSchema: whatever a document says, asking for its types and validating ends without a panic.
func FuzzSchema(f *testing.F) {
	f.Add(openAPI30, `{"Value":"a"}`)
	f.Add(`{"definitions":{"N":{"$ref":"#/definitions/N"}}}`, `1`)
	f.Add(`{"$defs":{"N":{"allOf":[{"$ref":"#"}],"pattern":"(a"}}}`, `[]`)
	f.Fuzz(func(t *testing.T, document, value string) {
		if !json.Valid([]byte(document)) {
			return
		}
		s := schemaOf(t, document)
		v, err := policy.DecodeJSON([]byte(value))
		if err != nil {
			return
		}
		for _, o := range []policy.SchemaOptions{{}, {AdditionalProperties: "false", FoldNames: true}} {
			for _, pointer := range []string{"", "#/definitions/N", "#/$defs/N", "#/components/schemas/Tree"} {
				if typ, err := s.At(pointer, o); err == nil {
					if err := typ.Validate(v); err != nil && err.Error() == "" {
						t.Error("an error has no text")
					}
				}
			}
		}
	})
}

// serviceSchemas are the schemas of a service by name.
type serviceSchemas map[string]*policy.Schema

func (s serviceSchemas) Schema(api, name string) (*policy.Schema, bool) {
	found, ok := s[name]
	return found, ok && api == ""
}

func (s serviceSchemas) APISchemas(string) []*policy.Schema { return nil }

func TestSchemaReferences(t *testing.T) {
	t.Parallel()
	schema := schemaOf(t, `{"type":"object","properties":{"home":{"$ref":"/schemas/address"},"zip":{"$ref":"/schemas/address#/$defs/zip"}}}`)
	all := serviceSchemas{"address": schemaOf(t, `{"type":"object","$defs":{"zip":{"type":"string","minLength":5}},
		"properties":{"zip":{"$ref":"#/$defs/zip"},"of":{"$ref":"/schemas/person"}}}`)}
	check := func(value, want string) {
		t.Helper()
		typ, err := schema.At("", policy.SchemaOptions{Schemas: all})
		if want == "none" {
			if !errors.Is(err, policy.ErrNoDefinition) {
				t.Errorf("%s: error %v", value, err)
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		if got := fault(t, typ, value); !strings.Contains(got, want) || (want == "") != (got == "") {
			t.Errorf("%s: got %q, want %q", value, got, want)
		}
	}
	check(`{}`, "none") // there is no person yet
	all["person"] = schemaOf(t, `{"required":["name"],"properties":{"home":{"$ref":"/schemas/address"}}}`)
	check(`{"home":{"zip":"12345"},"zip":"12345"}`, "")
	check(`{"home":{"zip":"1"}}`, "minLength")
	check(`{"zip":"1"}`, "minLength")
	check(`{"home":{"of":{}}}`, "name")
	check(`{"home":{"of":{"name":"A","home":{"zip":"1"}}}}`, "minLength")
	// A change of a schema counts for those that refer to it.
	all["address"] = schemaOf(t, `{"$defs":{"zip":{"maxLength":1}}}`)
	check(`{"zip":"12"}`, "maxLength")
	check(`{"zip":"1"}`, "")
	if _, err := schema.At(""); !errors.Is(err, policy.ErrNoDefinition) {
		t.Errorf("without schemas: %v", err)
	}
	if _, err := schemaOf(t, `{"$ref":"file:///etc/passwd"}`).At("", policy.SchemaOptions{Schemas: all}); err == nil || !strings.Contains(err.Error(), "not followed") {
		t.Errorf("a file: %v", err)
	}
}

package resource

import (
	"encoding/json"
	"reflect"
	"testing"
)

type fuzzed struct {
	Name   string            `json:"name" rule:"required,max=5"`
	Secret *string           `json:"secret,omitempty" rule:"secret"`
	Number *int              `json:"number,omitempty" rule:"min=1,max=9"`
	Kind   string            `json:"kind" rule:"enum=a|B,default=a"`
	Kinds  []string          `json:"kinds,omitempty" rule:"enum=a|B,max=3"`
	Tree   *fuzzed           `json:"tree,omitempty"`
	Trees  []fuzzed          `json:"trees,omitempty"`
	Map    map[string]fuzzed `json:"map,omitempty"`
	Labels map[string]string `json:"labels,omitempty"`
	Any    json.RawMessage   `json:"any,omitempty"`
}

// FuzzDecode reads whatever comes. What is valid survives being stored, and a merge of it with itself changes nothing.
func FuzzDecode(f *testing.F) {
	f.Add(`{"name":"x","secret":"s","tree":{"NAME":"y","secret":"t"},"trees":[{"name":"z","secret":"u"}],"map":{"k":{"name":"m","secret":"v"}}}`)
	f.Add(`{"name":"x","kinds":["A","b"],"labels":{"a":"1"},"any":[1,{"b":null}],"number":3}`)
	f.Add(`{"name":1,"number":"x","tree":[],"trees":{},"map":[],"labels":1}`)
	s, err := (schemaBuilder{}).of(reflect.TypeFor[fuzzed]())
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if !json.Valid([]byte(text)) {
			return
		}
		v := reflect.New(s.typ).Elem()
		d := decoder{}
		d.object(s, v, []byte(text), "")
		s.validate(v, &d.problems)
		if d.problems != nil {
			return
		}
		body, secrets, err := s.encode(v)
		if err != nil {
			t.Fatal(err)
		}
		stored := reflect.New(s.typ).Elem()
		if err := json.Unmarshal(body, stored.Addr().Interface()); err != nil {
			t.Fatalf("%v: %s", err, body)
		}
		if err := s.reveal(stored, secrets); err != nil {
			t.Fatal(err)
		}
		again, secretsAgain, err := s.encode(stored)
		if err != nil || string(again) != string(body) || !reflect.DeepEqual(secrets, secretsAgain) {
			t.Fatalf("stored as %s %v, read as %s %v, %v", body, secrets, again, secretsAgain, err)
		}
		m := decoder{merge: true}
		m.object(s, stored, body, "")
		if merged, _, err := s.encode(stored); err != nil || m.problems != nil || string(merged) != string(body) {
			t.Fatalf("merged with itself %s is %s, %v, %v", body, merged, m.problems, err)
		}
	})
}

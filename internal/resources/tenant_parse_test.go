package resources

import "testing"

func FuzzTree(f *testing.F) {
	f.Add("api-management/groups/g/configuration.json", []byte(`{"name":"g","$ref-description":"api-management/x"}`), "api-management/x", []byte("text"))
	f.Add("api-management/apis/a/configuration.json", []byte(`{"name":"a","operations":[{"name":"o"},7],"$x":1}`), "api-management/policies/p.xml", []byte("<policies/>"))
	f.Add("api-management/configuration.json", []byte(`{"settings":{"DelegationUrl":7},"$ref-policy":"../x"}`), "x", []byte(nil))
	f.Fuzz(func(t *testing.T, file string, data []byte, other string, text []byte) {
		tree, problems := parseTree(map[string][]byte{file: data, other: text})
		if _, err := tree.files(); err != nil {
			t.Fatal(err)
		}
		for _, p := range problems {
			if p.Target == "" || p.Message == "" {
				t.Errorf("a problem without a place or words: %+v", p)
			}
		}
	})
}

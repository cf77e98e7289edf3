package arm

import (
	"strings"
	"testing"
)

const testService = "/subscriptions/0/resourceGroups/G/providers/Microsoft.ApiManagement/service/Contoso"

func mustID(t *testing.T, s string) ID {
	t.Helper()
	id, err := ParseID(s)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func TestIDParts(t *testing.T) {
	t.Parallel()
	id := mustID(t, testService+"/apis/Echo;rev=2/operations/Get/")
	for what, pair := range map[string][2]string{
		"String":        {id.String(), testService + "/apis/Echo;rev=2/operations/Get"},
		"Key":           {id.Key(), strings.ToLower(testService) + "/apis/echo;rev=2/operations/get"},
		"Name":          {id.Name(), "Get"},
		"Parent":        {id.Parent().String(), testService + "/apis/Echo;rev=2"},
		"Service":       {id.Parent().Parent().String(), testService},
		"group":         {id.Service().Parent().String(), "/subscriptions/0/resourceGroups/G"},
		"subscription":  {id.Service().Parent().Parent().String(), "/subscriptions/0"},
		"above":         {id.Service().Parent().Parent().Parent().String(), ""},
		"Rel":           {id.Rel(), "apis/echo;rev=2/operations/get"},
		"RelPath":       {id.RelPath(), "apis/Echo;rev=2/operations/Get"},
		"Find":          {id.Find("APIS"), "Echo;rev=2"},
		"Find nothing":  {id.Find("products"), ""},
		"Type":          {id.Type(), "Microsoft.ApiManagement/service/apis/operations"},
		"group type":    {id.Service().Parent().Type(), "Microsoft.Resources/resourceGroups"},
		"Subscription":  {id.Subscription(), "0"},
		"ResourceGroup": {id.ResourceGroup(), "G"},
		"Child":         {id.Service().Child("tags", "T").String(), testService + "/tags/T"},
		"Below":         {Below(id.Service(), "tags/T").String(), testService + "/tags/T"},
		"service Rel":   {id.Service().Rel(), ""},
	} {
		if pair[0] != pair[1] {
			t.Errorf("%s is %q, want %q", what, pair[0], pair[1])
		}
	}
	if !id.Equal(mustID(t, strings.ToUpper(id.String()))) {
		t.Error("IDs that differ in case are not equal")
	}
	if !id.IsBelow(id.Service()) || id.IsBelow(id) || mustID(t, testService+"2/tags/x").IsBelow(id.Service()) {
		t.Error("IsBelow is wrong")
	}
}

func TestRevision(t *testing.T) {
	t.Parallel()
	f := func(name, base, revision string) {
		t.Helper()
		if b, r := SplitRevision(name); b != base || r != revision {
			t.Errorf("SplitRevision(%q) = %q, %q", name, b, r)
		}
	}
	f("echo", "echo", "")
	f("echo;rev=12", "echo", "12")
	f("echo;REV=1", "echo", "1")
	f("echo;v=1", "echo;v=1", "")
	if got := WithRevision("echo", "3"); got != "echo;rev=3" {
		t.Error(got)
	}
}

func TestIDRefused(t *testing.T) {
	t.Parallel()
	for _, s := range []string{
		"", "/", "x", "//", "/a//b", "/a/../b", "/a/\x00", "/a\\b", "/\xff", "/" + strings.Repeat("a", MaxNameBytes+1),
		strings.Repeat("/a", MaxIDSegments+1), "/" + strings.Repeat("a/", 600),
	} {
		if id, err := ParseID(s); err == nil {
			t.Errorf("ParseID(%q) = %q", s, id)
		}
	}
	for _, s := range []string{"/a%2Fb", "/a%2fb", "/a%", "/%00"} {
		if id, err := ParseURLPath(s); err == nil {
			t.Errorf("ParseURLPath(%q) = %q", s, id)
		}
	}
	if id, err := ParseURLPath("/apis/echo%3Brev=2"); err != nil || id.Name() != "echo;rev=2" {
		t.Errorf("an escaped semicolon: %v, %v", id, err)
	}
}

func FuzzParseID(f *testing.F) {
	f.Add(testService + "/apis/echo;rev=2")
	f.Add("/subscriptions/0/resourceGroups/G")
	f.Add("/İ/ß")
	f.Fuzz(func(t *testing.T, s string) {
		id, err := ParseID(s)
		if err != nil {
			return
		}
		again, err := ParseID(id.String())
		if err != nil || again != id {
			t.Fatalf("%q does not survive: %v, %v", s, again, err)
		}
		for p := id; !p.IsZero(); p = p.Parent() {
			_, _, _ = p.Type(), p.Service(), p.Rel()
			if len(p.Parent().String()) >= len(p.String()) {
				t.Fatalf("the parent of %q is %q", p, p.Parent())
			}
		}
	})
}

// The parts of an ID are those of its segments, in whatever spelling.
func TestServicePart(t *testing.T) {
	t.Parallel()
	const group = "/subscriptions/S/resourceGroups/G"
	for path, want := range map[string][2]string{ // service and path below it
		"":                 {},
		"/subscriptions/S": {},
		group:              {},
		group + "/providers/Microsoft.ApiManagement/service":                   {},
		group + "/providers/Microsoft.ApiManagement/service/A":                 {group + "/providers/Microsoft.ApiManagement/service/A", ""},
		group + "/Providers/microsoft.apimanagement/SERVICE/A/apis/Echo;rev=2": {group + "/Providers/microsoft.apimanagement/SERVICE/A", "apis/Echo;rev=2"},
		group + "/providers/Microsoft.ApiManagement/service/A/tags/İx":         {group + "/providers/Microsoft.ApiManagement/service/A", "tags/İx"},
		group + "/providers/Microsoft.Storage/service/A/tags/x":                {},
		group + "/providers/Microsoft.ApiManagement/services/A/tags/x":         {},
	} {
		id := ID{}
		if path != "" {
			var err error
			if id, err = ParseID(path); err != nil {
				t.Fatal(err)
			}
		}
		if got := id.Service(); got.String() != want[0] || got.Key() != strings.ToLower(want[0]) {
			t.Errorf("the service of %q is %q", path, got)
		}
		if id.RelPath() != want[1] || id.Rel() != strings.ToLower(want[1]) {
			t.Errorf("below the service %q is %q, %q", path, id.RelPath(), id.Rel())
		}
	}
}

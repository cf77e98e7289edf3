package sqlsource

import (
	"slices"
	"strings"
	"testing"

	"github.com/causeway-apim/causeway/internal/policy"
)

func TestSplitStatements(t *testing.T) {
	t.Parallel()
	for in, want := range map[string][]string{
		"":                                       nil,
		" ; -- nothing\n; /* a ; /* b */ ; */ ;": nil,
		"SELECT @a; SELECT @b, @a":               {"SELECT $1 (a)", " SELECT $1, $2 (b a)"},
		"SELECT @A, @a":                          {"SELECT $1, $1 (a)"},
		"SELECT @other, @@a, '@a', \"@a;\", x@a": {"SELECT @other, @@a, '@a', \"@a;\", x$1 (a)"},
		"id<@a":                                  {"id<$1 (a)"},
		"SELECT 'it''s ; @a', E'\\'@a', @ab":     {"SELECT 'it''s ; @a', E'\\'@a', @ab ()"},
		"SELECT E'a''@a', nameE'@a'":             {"SELECT E'a''@a', nameE'@a' ()"},
		"DO $x$ @a; $y$ $x$; SELECT $1, a$b, $$": {"DO $x$ @a; $y$ $x$ ()", " SELECT $1, a$b, $$ ()"},
		"CREATE RULE r DO (a; b); c":             {"CREATE RULE r DO (a; b) ()", " c ()"},
		"SELECT 'open @a":                        {"SELECT 'open @a ()"},
	} {
		var got []string
		for _, s := range splitStatements(in, []policy.SQLParameter{{Name: "a"}, {Name: "b"}}) {
			names := make([]string, len(s.args))
			for i, a := range s.args {
				names[i] = a.Name
			}
			got = append(got, s.text+" ("+strings.Join(names, " ")+")")
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

// Without parameters all that is left out is what stands between statements.
func FuzzSplitStatements(f *testing.F) {
	f.Add("SELECT 'a;b', E'\\';', $x$;$x$ -- ;\n; SELECT @a")
	f.Add("/* /* */ ; \"")
	f.Fuzz(func(t *testing.T, text string) {
		n := 0
		for _, s := range splitStatements(text, nil) {
			if !strings.Contains(text[n:], s.text) {
				t.Fatalf("%q is no part of %q", s.text, text[n:])
			}
			n += len(s.text)
		}
		splitStatements(text, []policy.SQLParameter{{Name: "a"}})
	})
}

func FuzzKeyWords(f *testing.F) {
	f.Add(`Server=tcp:a,1;Password="x""y";User ID = u;`)
	f.Add("host=a user='b c'")
	f.Fuzz(func(t *testing.T, text string) {
		pairs, err := parseKeyWords(text)
		if err != nil {
			return
		}
		for name, value := range pairs {
			if len(name)+len(value) > len(text) {
				t.Fatalf("%q=%q is longer than the text", name, value)
			}
		}
	})
}

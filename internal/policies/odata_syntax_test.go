package policies

import "testing"

// FuzzODataQuery looks for options that the parsers fall over.
func FuzzODataQuery(f *testing.F) {
	for _, s := range []string{
		"$filter=(a add 1) gt 5.5 and not contains(b,'O''x') and c/any(t:t eq 'x') and d in (1,2)", "$expand=A($filter=b eq 1;$expand=C($levels=max))",
		"$orderby=a desc,length(b)&$select=*,N.*", "$filter=a eq [1,{\"b\":\"]\"}]", "$filter=((((((", "$expand=((((",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, p := range odataQuery(s, 4.01) {
			if p.err.Error() == "" {
				t.Error("a problem without words")
			}
		}
		if err := odataPath(s); err != nil && err.Error() == "" {
			t.Error("a problem without words")
		}
	})
}

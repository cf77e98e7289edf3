package csharp_test

import (
	"fmt"
	"strings"

	"github.com/causeway-apim/causeway/internal/csharp"
	"github.com/causeway-apim/causeway/internal/csharp/clr"
)

// shop is the context of the example, headers its dictionary.
type shop struct {
	name string
	tags headers
}

type headers map[string]string

func (h headers) Count() int { return len(h) }
func (h headers) Lookup(key any) (any, bool) {
	v, ok := h[strings.ToLower(key.(string))]
	return v, ok
}
func (h headers) EachEntry(yield func(key, value any) bool) {
	for k, v := range h {
		if !yield(k, v) {
			return
		}
	}
}

// shopLibrary declares a context with a property, a method with an optional argument, an indexer, a generic method and an
// extension method.
func shopLibrary() *csharp.Library {
	b := clr.Library().Extend()
	t := b.Type("interface IShop", csharp.Go[*shop]())
	t.Prop("string Name", csharp.F1(func(s *shop) string { return s.name }))
	t.Prop("IReadOnlyDictionary<string, string> Tags", csharp.F1(func(s *shop) headers { return s.tags }))
	t.Method("string Greet(string who, string mark = \"!\")", csharp.F3(func(s *shop, who, mark string) string {
		return s.name + " greets " + who + mark
	}))
	t.Index("string this[string tag]", csharp.F2(func(s *shop, tag string) string {
		if v, ok := s.tags[tag]; ok {
			return v
		}
		return csharp.Null()
	}))
	t.Method("T Parse<T>(string tag)", csharp.F3(func(types csharp.TypeArgs, s *shop, tag string) any {
		if types[0].FullName() == "System.Int32" {
			return int32(len(s.tags[tag]))
		}
		return s.tags[tag]
	}))
	x := b.Type("static class ShopExtensions", csharp.NoGo())
	x.Ext("string Shout(this IShop shop)", csharp.F1(func(s *shop) string { return strings.ToUpper(s.name) }))
	lib, err := b.Build()
	if err != nil {
		panic(err)
	}
	return lib
}

func ExampleLibrary() {
	lib := shopLibrary()
	host := &shop{name: "Ann's", tags: headers{"city": "Oslo"}}
	for _, src := range []string{
		`@(context.Name.Length)`,
		`@(context.Greet("Bob") + context.Greet(who: "Eve", mark: "?"))`,
		`@(context["city"] ?? "nowhere")`,
		`@(context["zip"] ?? "nowhere")`,
		`@(context.Parse<int>("city") + 1)`,
		`@(context.Shout())`,
		`@(context.Tags.GetValueOrDefault("City", "-") + context.Tags.GetValueOrDefault("x", "-"))`,
		`@(context.Nmae)`,
	} {
		p, diags := lib.Compile(src, csharp.Options{Globals: []csharp.Global{{Name: "context", Type: lib.MustType("IShop")}}})
		if p == nil {
			fmt.Println(diags[0])
			continue
		}
		s, _, err := p.RunString(host, nil)
		fmt.Println(s, err)
	}
	// Output:
	// 5 <nil>
	// Ann's greets Bob!Ann's greets Eve? <nil>
	// Oslo <nil>
	// nowhere <nil>
	// 5 <nil>
	// ANN'S <nil>
	// Oslo- <nil>
	// 1:11: CS1061: 'IShop' does not contain a definition for 'Nmae'. Did you mean 'Name'?
}

package policy

import (
	"fmt"

	"github.com/causeway-apim/causeway/internal/csharp"
)

// JSONValue makes the C# value, a JToken, of a JSON text, for variables that expressions read.
type JSONValue func(x *Exec, text string) (any, error)

// JSONValue returns the function for a policy that makes such values.
func (c *Compiler) JSONValue() (JSONValue, error) {
	lib := c.k.catalogue.library
	program, diagnostics := lib.Compile("Newtonsoft.Json.Linq.JToken.Parse(text)",
		csharp.Options{Globals: []csharp.Global{{Name: "text", Type: lib.MustType("string")}}})
	if program == nil {
		return nil, fmt.Errorf("the library cannot read JSON: %v", diagnostics)
	}
	return func(x *Exec, text string) (any, error) { return program.Run(text, x.runLimits()) }, nil
}

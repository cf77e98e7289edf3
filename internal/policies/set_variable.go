package policies

import (
	"strings"

	"github.com/causeway-apim/causeway/internal/policy"
)

// SetVariable is the set-variable policy.
var SetVariable = policy.Define[setVariable](policy.Spec{
	Name: "set-variable",
	Flow: policy.FlowVariable,
	Doc:  "Gives a variable of the request, context.Variables, a value. An expression's value keeps its type; a literal is a string.",
})

type setVariable struct {
	Name  string            `attr:"name,required" doc:"Name of the variable."`
	Value policy.Value[any] `attr:"value,required,empty" doc:"Value of the variable."`
}

// Compile refuses a name that cannot be looked up.
func (p *setVariable) Compile(c *policy.Compiler) error {
	if strings.TrimSpace(p.Name) == "" {
		c.Errorf("InvalidValue", "the name of a variable cannot be empty")
	}
	return nil
}

func (p *setVariable) Run(x *policy.Exec) error {
	value, err := p.Value.Get(x)
	if err != nil {
		return err
	}
	x.SetVariable(p.Name, value)
	return nil
}

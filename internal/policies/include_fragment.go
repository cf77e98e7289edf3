package policies

import "github.com/causeway-apim/causeway/internal/policy"

// IncludeFragment is the include-fragment policy.
var IncludeFragment = policy.Define[includeFragment](policy.Spec{
	Name: "include-fragment",
	Flow: policy.FlowStays,
	Doc:  "Stands for the policies of a policy fragment.",
})

type includeFragment struct {
	ID    string `attr:"fragment-id,required" doc:"Name of the fragment."`
	steps policy.Block
}

func (p *includeFragment) Compile(c *policy.Compiler) error {
	p.steps = c.Fragment(p.ID)
	return nil
}

func (p *includeFragment) Run(x *policy.Exec) error { return x.Run(p.steps) }

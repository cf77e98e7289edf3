package policies

import "github.com/causeway-apim/causeway/internal/policy"

// Choose is the choose policy.
var Choose = policy.Define[choose](policy.Spec{
	Name: "choose",
	Flow: policy.FlowStays,
	Doc:  "Runs the policies of the first <when> whose condition is true, or those of <otherwise>.",
})

type choose struct {
	Whens     []when     `elem:"when,required" doc:"Policies and the condition under which they run."`
	Otherwise *otherwise `elem:"otherwise" doc:"Policies that run when no condition is true."`
}

type when struct {
	Condition policy.Value[bool] `attr:"condition,required" doc:"Whether the policies run."`
	Steps     policy.Block
}

type otherwise struct {
	Steps policy.Block
}

func (p *choose) Run(x *policy.Exec) error {
	for i := range p.Whens {
		w := &p.Whens[i]
		yes, err := w.Condition.Get(x)
		if err != nil {
			return err
		}
		if yes {
			return x.Run(w.Steps)
		}
	}
	if p.Otherwise == nil {
		return nil
	}
	return x.Run(p.Otherwise.Steps)
}

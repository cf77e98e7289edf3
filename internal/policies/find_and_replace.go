package policies

import (
	"bytes"

	"github.com/causeway-apim/causeway/internal/policy"
)

// FindAndReplace is the find-and-replace policy.
var FindAndReplace = policy.Define[findAndReplace](policy.Spec{
	Name: "find-and-replace",
	Flow: policy.FlowMessage,
	Doc:  "Replaces a text wherever it stands in the body of the request (inbound, backend) or of the response (outbound, on-error).",
})

type findAndReplace struct {
	From policy.Value[string] `attr:"from,required" doc:"Text to look for, in its case; no pattern."`
	To   policy.Value[string] `attr:"to,required,empty" doc:"Text in its place; may be empty."`
}

// Compile says which body is read.
func (p *findAndReplace) Compile(c *policy.Compiler) error {
	if from, ok := p.From.Constant(); ok && from == "" {
		c.Errorf("InvalidValue", `attribute "from" of <find-and-replace> cannot be empty`)
	}
	usesBody(c)
	return nil
}

func (p *findAndReplace) Run(x *policy.Exec) error {
	from, err := p.From.Get(x)
	if err != nil {
		return err
	}
	to, err := p.To.Get(x)
	if err != nil {
		return err
	}
	body, err := readBody(x)
	if err != nil || from == "" || !bytes.Contains(body, []byte(from)) {
		return err
	}
	x.SetBody(bytes.ReplaceAll(body, []byte(from), []byte(to)))
	return nil
}

// usesBody notes that the body that belongs to the section is read as a whole.
func usesBody(c *policy.Compiler) {
	if c.Section()&(policy.Inbound|policy.Backend) != 0 {
		c.UsesBody(policy.UsesRequestBody)
	}
	if c.Section()&(policy.Outbound|policy.OnError) != 0 {
		c.UsesBody(policy.UsesResponseBody)
	}
}

// readBody reads the body that belongs to the section.
func readBody(x *policy.Exec) ([]byte, error) {
	if x.Section&(policy.Outbound|policy.OnError) != 0 {
		return x.ReadResponseBody()
	}
	return x.ReadRequestBody()
}

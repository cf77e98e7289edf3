package policies

import (
	"context"
	"errors"
	"fmt"

	"github.com/causeway-apim/causeway/internal/policy"
)

// LLMEmitTokenMetric is the llm-emit-token-metric policy.
var LLMEmitTokenMetric = policy.Define[llmEmitTokenMetric](policy.Spec{
	Name:     "llm-emit-token-metric",
	Sections: policy.Inbound,
	Body:     policy.UsesRequestBody,
	Doc:      "Reports how many tokens a call of a language model has cost, as the metrics Total Tokens, Prompt Tokens and Completion Tokens.",
})

// AzureOpenAIEmitTokenMetric is the azure-openai-emit-token-metric policy.
var AzureOpenAIEmitTokenMetric = policy.Define[llmEmitTokenMetric](policy.Spec{
	Name:     "azure-openai-emit-token-metric",
	Sections: policy.Inbound,
	Body:     policy.UsesRequestBody,
	Doc:      "The same as llm-emit-token-metric.",
})

type llmEmitTokenMetric struct {
	Namespace  string           `attr:"namespace" default:"API Management" doc:"Namespace of the metrics."`
	Dimensions []tokenDimension `elem:"dimension,required" doc:"A name and a value by which measurements are told apart."`
}

type tokenDimension struct {
	Name  policy.Value[string] `attr:"name,required" doc:"Name; API ID, Operation ID, Product ID, User ID, Subscription ID, Location, Gateway ID and Backend ID need no value."`
	Value policy.Value[string] `attr:"value" doc:"Value."`
}

// backendDimension is the dimension whose value is known when the call has been made.
const backendDimension = "Backend ID"

// Compile checks the number of dimensions of the user's own.
func (p *llmEmitTokenMetric) Compile(*policy.Compiler) error {
	const most = 5
	own := 0
	for i := range p.Dimensions {
		if p.Dimensions[i].Value.IsSet() {
			own++
		}
	}
	if own > most {
		return fmt.Errorf("a metric of tokens has at most %d dimensions with values of their own, not %d", most, own)
	}
	return nil
}

// Compile wants a value where the name does not stand for one.
func (d *tokenDimension) Compile(*policy.Compiler) error {
	if name, ok := d.Name.Constant(); ok && !d.Value.IsSet() && name != backendDimension && !isKnownDimension(name) {
		return errors.New("a dimension needs a value, unless its name is one of those that the gateway knows")
	}
	return nil
}

func (p *llmEmitTokenMetric) Run(x *policy.Exec) error {
	call, err := callOf(x)
	if err != nil {
		return err
	}
	dimensions, backend := make([]policy.Dimension, len(p.Dimensions)), -1
	for i := range p.Dimensions {
		if dimensions[i], err = p.Dimensions[i].get(x); err != nil {
			return err
		}
		if dimensions[i].Name == backendDimension && !p.Dimensions[i].Value.IsSet() {
			backend = i
		}
	}
	host := x.Host
	call.count(x, func(_ *policy.Exec, u llmUsage) {
		if u == (llmUsage{}) {
			return
		}
		if backend >= 0 {
			dimensions[backend].Value = call.backend
		}
		for _, m := range [...]struct {
			name  string
			value int64
		}{{"Total Tokens", u.total}, {"Prompt Tokens", u.prompt}, {"Completion Tokens", u.completion}} {
			host.Metric(context.Background(), policy.Metric{Namespace: p.Namespace, Name: m.name, Value: float64(m.value), Dimensions: dimensions})
		}
	})
	return nil
}

func (d *tokenDimension) get(x *policy.Exec) (out policy.Dimension, err error) {
	if out.Name, err = d.Name.Get(x); err != nil {
		return out, err
	}
	switch {
	case d.Value.IsSet():
		out.Value, err = d.Value.Get(x)
	case out.Name == backendDimension:
	case isKnownDimension(out.Name):
		out.Value = knownDimension(x, out.Name)
	default:
		err = &policy.Error{Message: fmt.Sprintf("Dimension %s has no value.", out.Name)}
	}
	return out, err
}

package policies

import "github.com/causeway-apim/causeway/internal/policy"

// AzureOpenAITokenLimit is the azure-openai-token-limit policy.
var AzureOpenAITokenLimit = policy.Define[azureOpenAITokenLimit](policy.Spec{
	Name:     azureOpenAITokenLimitName,
	Sections: policy.Inbound,
	Body:     policy.UsesRequestBody,
	Doc:      "The same as llm-token-limit, with counters of its own.",
})

type azureOpenAITokenLimit struct{ Limit tokenLimit }

// Compile checks what tags cannot say.
func (p *azureOpenAITokenLimit) Compile(*policy.Compiler) error { return p.Limit.check() }

func (p *azureOpenAITokenLimit) Run(x *policy.Exec) error {
	return p.Limit.run(x, azureOpenAITokenLimitName)
}

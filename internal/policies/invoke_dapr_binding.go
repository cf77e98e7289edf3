package policies

import (
	"encoding/json"
	"fmt"
	"net/url"

	"github.com/causeway-apim/causeway/internal/policy"
)

// InvokeDaprBinding is the invoke-dapr-binding policy.
var InvokeDaprBinding = policy.Define[invokeDaprBinding](policy.Spec{
	Name:     "invoke-dapr-binding",
	Sections: policy.Inbound | policy.Outbound | policy.OnError,
	Flow:     policy.FlowSent,
	Calls:    "the Dapr sidecar",
	NotOn:    policy.GatewayManaged | policy.GatewayWorkspace,
	Doc:      "Triggers an output binding of the Dapr sidecar.",
})

type invokeDaprBinding struct {
	Name      policy.Value[string] `attr:"name,required" doc:"Name of the binding."`
	Operation string               `attr:"operation" doc:"Operation of the binding."`
	Call      daprCall
	Metadata  *daprMetadata        `elem:"metadata" doc:"What the binding needs to know besides."`
	Data      policy.Value[[]byte] `elem:"data" doc:"The content: JSON, or a text."`

	body *setBody
}

type daprMetadata struct {
	Items []daprItem `elem:"item" doc:"A key and its value."`
}

type daprItem struct {
	Key   policy.Value[string] `attr:"key,required" doc:"Name of the item."`
	Value policy.Value[string] `text:"" doc:"Value of the item."`
}

// Compile reads the template.
func (p *invokeDaprBinding) Compile(c *policy.Compiler) (err error) {
	if p.Data.IsSet() {
		p.body, err = p.Call.content(c, p.Data)
	}
	return err
}

func (p *invokeDaprBinding) Run(x *policy.Exec) error {
	name, err := p.Name.Get(x)
	if err != nil {
		return err
	}
	// The request of the API reference, "Bindings API reference".
	var request struct {
		Operation string            `json:"operation,omitempty"`
		Metadata  map[string]string `json:"metadata,omitempty"`
		Data      json.RawMessage   `json:"data,omitempty"`
	}
	request.Operation = p.Operation
	if request.Metadata, err = p.metadata(x); err != nil {
		return err
	}
	if p.body != nil {
		content, err := p.body.content(x, true)
		if err != nil {
			return err
		}
		if request.Data, err = jsonOrText(content); err != nil {
			return err
		}
	}
	body, err := json.Marshal(request)
	if err != nil {
		return fmt.Errorf("encode the request of the binding: %w", err)
	}
	return p.Call.post(x, "/v1.0/bindings/"+url.PathEscape(name), body)
}

func (p *invokeDaprBinding) metadata(x *policy.Exec) (map[string]string, error) {
	if p.Metadata == nil {
		return nil, nil
	}
	items := make(map[string]string, len(p.Metadata.Items))
	for _, item := range p.Metadata.Items {
		key, err := item.Key.Get(x)
		if err != nil {
			return nil, err
		}
		if items[key], err = item.Value.Get(x); err != nil {
			return nil, err
		}
	}
	return items, nil
}

// jsonOrText is content that is JSON as it is, and another one as a JSON string.
func jsonOrText(content []byte) (json.RawMessage, error) {
	if json.Valid(content) {
		return content, nil
	}
	return json.Marshal(string(content))
}

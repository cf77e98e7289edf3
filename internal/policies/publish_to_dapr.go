package policies

import (
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/causeway-apim/causeway/internal/message"
	"github.com/causeway-apim/causeway/internal/policy"
)

// daprCall are the settings that the policies share that call the Dapr sidecar of the gateway.
type daprCall struct {
	IgnoreError bool                `attr:"ignore-error" default:"false" doc:"Whether the request goes on when the sidecar reports an error."`
	Variable    string              `attr:"response-variable-name" doc:"Variable for the sidecar's answer, errors included."`
	Timeout     policy.Value[int64] `attr:"timeout" default:"5" min:"1" max:"240" doc:"Seconds to wait for the sidecar."`
	Template    string              `attr:"template" enum:"liquid" doc:"Template language of the content."`
	ContentType string              `attr:"content-type" enum:"application/json" doc:"Type of the content."`
}

// content is the text of an element, which may be a template.
func (p *daprCall) content(c *policy.Compiler, text policy.Value[[]byte]) (*setBody, error) {
	body := &setBody{Template: p.Template, XSINil: "blank", ParseDate: true, Content: text}
	return body, body.Compile(c)
}

// post sends a body to a path of the sidecar's HTTP API (docs.dapr.io, "Dapr API reference").
func (p *daprCall) post(x *policy.Exec, path string, body []byte) error {
	seconds, err := p.Timeout.Get(x)
	if err != nil {
		return err
	}
	sidecar := x.Host.Dapr()
	r := &message.Request{
		Method: "POST", Proto: "HTTP/1.1", URL: sidecar.URL(path), Header: message.NewHeader("Content-Type", "application/json"),
		Body: message.BytesBody(body), ContentLength: int64(len(body)),
	}
	sidecar.SignIn(&r.Header)
	resp, err := x.Host.Send(x.Context(), r, policy.SendOptions{Timeout: time.Duration(seconds) * time.Second})
	if err != nil {
		if failed := policy.WrapError(err); !p.IgnoreError || failed.Reason == policy.ReasonClientConnection {
			return failed
		}
		if p.Variable != "" {
			x.SetVariable(p.Variable, nil)
		}
		return nil
	}
	status := resp.Status
	answer := policy.NewResponseValue(x, resp) // closed with the request
	if p.Variable != "" {
		x.SetVariable(p.Variable, answer)
	}
	if status/100 != 2 && !p.IgnoreError {
		return &policy.Error{Reason: "DaprError", Message: fmt.Sprintf("The Dapr sidecar answered %d.", status)}
	}
	return nil
}

// PublishToDapr is the publish-to-dapr policy.
var PublishToDapr = policy.Define[publishToDapr](policy.Spec{
	Name:     "publish-to-dapr",
	Sections: policy.Inbound | policy.Outbound | policy.OnError,
	Flow:     policy.FlowSent,
	Calls:    "the Dapr sidecar",
	NotOn:    policy.GatewayManaged | policy.GatewayWorkspace,
	Doc:      "Publishes a message to a topic of the Dapr sidecar.",
})

type publishToDapr struct {
	PubSub  policy.Value[string] `attr:"pubsub-name" doc:"Name of the publish/subscribe component; without it the topic is COMPONENT/TOPIC."`
	Topic   policy.Value[string] `attr:"topic,required" doc:"Name of the topic."`
	Call    daprCall
	Content policy.Value[[]byte] `text:"exact" doc:"The message."`

	body *setBody
}

// Compile reads the template and refuses a topic without a component.
func (p *publishToDapr) Compile(c *policy.Compiler) (err error) {
	if topic, ok := p.Topic.Constant(); ok && !p.PubSub.IsSet() {
		if _, _, ok := cutName(topic); !ok {
			c.Errorf("InvalidValue", "publish-to-dapr without pubsub-name needs a topic of the form COMPONENT/TOPIC")
		}
	}
	p.body, err = p.Call.content(c, p.Content)
	return err
}

func (p *publishToDapr) Run(x *policy.Exec) error {
	topic, err := p.Topic.Get(x)
	if err != nil {
		return err
	}
	component, err := p.PubSub.Get(x)
	if err != nil {
		return err
	}
	if !p.PubSub.IsSet() {
		var ok bool
		if component, topic, ok = cutName(topic); !ok {
			return &policy.Error{Reason: "DaprTopicInvalid", Message: "The topic names no publish/subscribe component."}
		}
	}
	body, err := p.body.content(x, true)
	if err != nil {
		return err
	}
	return p.Call.post(x, "/v1.0/publish/"+url.PathEscape(component)+"/"+escapePath(topic), body)
}

// cutName splits COMPONENT/TOPIC.
func cutName(name string) (component, topic string, ok bool) {
	component, topic, ok = strings.Cut(name, "/")
	return component, topic, ok && component != "" && topic != ""
}

// escapePath escapes what may have slashes of its own, such as the topic or the method of an application.
func escapePath(path string) string {
	parts := strings.Split(path, "/")
	for i, p := range parts {
		parts[i] = url.PathEscape(p)
	}
	return strings.Join(parts, "/")
}

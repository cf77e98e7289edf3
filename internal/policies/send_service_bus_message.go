package policies

import (
	"bytes"
	"strings"

	"github.com/causeway-apim/causeway/internal/policy"
)

// SendServiceBusMessage is the send-service-bus-message policy.
var SendServiceBusMessage = policy.Define[serviceBusMessage](policy.Spec{
	Name:     "send-service-bus-message",
	Sections: policy.Inbound | policy.Outbound | policy.OnError,
	Flow:     policy.FlowSent,
	Calls:    "the queue or topic",
	NotOn:    policy.GatewayWorkspace,
	Doc:      "Sends a message to a queue or topic of Azure Service Bus and waits until that has it.",
})

type serviceBusMessage struct {
	Queue      policy.Value[string] `attr:"queue-name" doc:"Name of the queue."`
	Topic      policy.Value[string] `attr:"topic-name" doc:"Name of the topic; instead of a queue."`
	Namespace  policy.Value[string] `attr:"namespace,required" doc:"Host name of the namespace, or a connection string, which a named value should hold."`
	Client     policy.Value[string] `attr:"client-id" doc:"Client ID of an identity that a user assigned; the gateway's own one otherwise."`
	Properties *busProperties       `elem:"message-properties" doc:"Application properties of the message."`
	Payload    policy.Value[[]byte] `elem:"payload,required" doc:"The message."`
}

type busProperties struct {
	List []busProperty `elem:"message-property" doc:"A property."`
}

type busProperty struct {
	Name  policy.Value[string] `attr:"name,required" doc:"Name of the property."`
	Value policy.Value[string] `text:"" doc:"Value of the property."`
}

// Compile refuses a message that goes nowhere or to two places.
func (p *serviceBusMessage) Compile(c *policy.Compiler) error {
	if p.Queue.IsSet() == p.Topic.IsSet() {
		c.Errorf("ConflictingAttributes", "send-service-bus-message needs either queue-name or topic-name")
	}
	return nil
}

func (p *serviceBusMessage) Run(x *policy.Exec) error {
	m, err := p.message(x)
	if err != nil {
		return err
	}
	if err := x.Host.SendMessage(x.Context(), m); err != nil {
		if x.Context().Err() != nil {
			return err
		}
		return &policy.Error{Reason: "ServiceBusFailure", Message: "The message cannot be sent: " + err.Error() + ".", Err: err}
	}
	x.Trace("send-service-bus-message", "A message was sent.", "entity", m.Entity, "bytes", len(m.Body))
	return nil
}

func (p *serviceBusMessage) message(x *policy.Exec) (m policy.BusMessage, err error) {
	entity := p.Queue
	if p.Topic.IsSet() {
		entity = p.Topic
	}
	for _, v := range []struct {
		from policy.Value[string]
		to   *string
	}{{p.Namespace, &m.Namespace}, {entity, &m.Entity}, {p.Client, &m.ClientID}} {
		text, err := v.from.Get(x)
		if err != nil {
			return m, err
		}
		*v.to = strings.TrimSpace(text)
	}
	if p.Properties != nil {
		m.Properties = make(map[string]string, len(p.Properties.List))
		for _, property := range p.Properties.List {
			name, err := property.Name.Get(x)
			if err != nil {
				return m, err
			}
			if m.Properties[name], err = property.Value.Get(x); err != nil {
				return m, err
			}
		}
	}
	body, err := p.Payload.Get(x)
	m.Body = bytes.Clone(body)
	return m, err
}

package policies

import (
	"bytes"

	"github.com/causeway-apim/causeway/internal/policy"
)

// PublishEvent is the publish-event policy.
var PublishEvent = policy.Define[publishEvent](policy.Spec{
	Name: "publish-event", Sections: policy.Outbound, Scopes: policy.ScopeResolver,
	Doc: "Publishes the value of the field to subscriptions of the GraphQL API.",
})

type publishEvent struct {
	Targets eventTargets `elem:"targets,required" doc:"To whom the event goes."`
}

type eventTargets struct {
	Subscriptions []eventTarget `elem:"graphql-subscription,required" doc:"A subscription."`
}

type eventTarget struct {
	ID string `attr:"id,required" doc:"Field of the subscription type."`
}

// Compile notes the subscriptions.
func (p *publishEvent) Compile(c *policy.Compiler) error {
	for _, t := range p.Targets.Subscriptions {
		c.Publishes(t.ID)
	}
	return nil
}

func (p *publishEvent) Run(x *policy.Exec) error {
	body, err := x.ReadResponseBody()
	if err != nil {
		return err
	}
	if x.GraphQL == nil || x.GraphQL.Publish == nil {
		return nil
	}
	event := bytes.Clone(body)
	for _, t := range p.Targets.Subscriptions {
		x.GraphQL.Publish(t.ID, event)
	}
	return nil
}

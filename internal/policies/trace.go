package policies

import "github.com/causeway-apim/causeway/internal/policy"

// Trace is the trace policy.
var Trace = policy.Define[trace](policy.Spec{
	Name: "trace",
	Flow: policy.FlowLog,
	Doc:  "Writes a message into the request's debug trace and the gateway's log.",
})

type trace struct {
	Source   string               `attr:"source,required" doc:"Where the message comes from, in the author's words."`
	Severity string               `attr:"severity" default:"verbose" enum:"verbose,information,error" doc:"Weight of the message."`
	Message  policy.Value[string] `elem:"message" doc:"The message."`
	Text     policy.Value[string] `text:"" doc:"The message, as older documents have it."`
	Metadata []traceMetadata      `elem:"metadata" doc:"A name and a value beside the message."`
	level    policy.LogLevel
}

type traceMetadata struct {
	Name  string               `attr:"name,required" doc:"Name."`
	Value policy.Value[string] `attr:"value,required,empty" doc:"Value."`
}

func (p *trace) Compile(c *policy.Compiler) error {
	switch {
	case p.Message.IsSet():
	case p.Text.IsSet():
		p.Message = p.Text
	default:
		c.Errorf("MissingElement", "trace needs a message element")
	}
	switch p.Severity {
	case "information":
		p.level = policy.LogInformation
	case "error":
		p.level = policy.LogError
	default:
		p.level = policy.LogVerbose
	}
	return nil
}

func (p *trace) Run(x *policy.Exec) error {
	message, err := p.Message.Get(x)
	if err != nil {
		return err
	}
	attributes := make([]any, 0, 2+2*len(p.Metadata))
	attributes = append(attributes, "source", p.Source)
	for _, m := range p.Metadata {
		value, err := m.Value.Get(x)
		if err != nil {
			return err
		}
		attributes = append(attributes, m.Name, value)
	}
	x.Trace(p.Source, message, attributes[2:]...)
	x.Host.Log(x.Context(), p.level, message, attributes...)
	return nil
}

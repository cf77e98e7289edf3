package policies

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"github.com/causeway-apim/causeway/internal/policy"
)

// maxEvent is how many bytes of an event are sent; the rest is cut off ("log-to-eventhub", usage notes: 200 KB).
const maxEvent = 200 << 10

// LogToEventHub is the log-to-eventhub policy.
var LogToEventHub = policy.Define[logToEventHub](policy.Spec{
	Name:  "log-to-eventhub",
	Flow:  policy.FlowLog,
	Calls: "the event hub of the logger, later",
	NotOn: policy.GatewayWorkspace,
	Doc:   "Sends a message to an event hub, or to a topic of Kafka, through a logger. The request does not wait for it.",
})

type logToEventHub struct {
	Logger       string               `attr:"logger-id,required" doc:"Name of the logger."`
	PartitionID  policy.Value[string] `attr:"partition-id,const" doc:"Partition that the message goes to."`
	PartitionKey policy.Value[string] `attr:"partition-key" doc:"Text whose hash chooses the partition."`
	Message      policy.Value[[]byte] `text:"" doc:"The message; what is over 200 KB is cut off."`
}

// Compile refuses two ways to choose a partition.
func (p *logToEventHub) Compile(c *policy.Compiler) error {
	if p.PartitionID.IsSet() && p.PartitionKey.IsSet() {
		c.Errorf("ConflictingAttributes", "log-to-eventhub takes either partition-id or partition-key")
	}
	if strings.TrimSpace(p.Logger) == "" {
		c.Errorf("InvalidValue", "the name of a logger cannot be empty")
	}
	return nil
}

func (p *logToEventHub) Run(x *policy.Exec) error {
	body, err := p.Message.Get(x)
	if err != nil {
		return err
	}
	key, err := p.PartitionKey.Get(x)
	if err != nil {
		return err
	}
	id, _ := p.PartitionID.Constant()
	e := policy.Event{Body: bytes.Clone(cutEvent(body)), PartitionID: id, PartitionKey: strings.Clone(key)}
	if err := x.Host.LogEvent(p.Logger, e); err != nil {
		// A log must not stop traffic.
		x.Host.Log(x.Context(), policy.LogError, "A message cannot be logged.", "logger", p.Logger, "error", err)
		return nil
	}
	x.Trace("log-to-eventhub", "A message was handed to the logger.", "logger", p.Logger, "bytes", len(e.Body))
	return nil
}

// cutEvent cuts a message off, between characters if it is a text.
func cutEvent(body []byte) []byte {
	if len(body) <= maxEvent {
		return body
	}
	end := maxEvent
	for end > maxEvent-utf8.UTFMax && !utf8.RuneStart(body[end]) {
		end--
	}
	return body[:end]
}

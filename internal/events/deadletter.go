package events

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/causeway-apim/causeway/internal/arm"
)

// gridLetter and cloudLetter are dead letters: envelopes with the reason.
type gridLetter struct {
	gridEvent
	Reason      string `json:"deadLetterReason"`
	Attempts    int    `json:"deliveryAttempts"`
	Outcome     string `json:"lastDeliveryOutcome"`
	Published   string `json:"publishTime"`
	LastAttempt string `json:"lastDeliveryAttemptTime,omitempty"`
}

type cloudLetter struct {
	cloudEvent
	Reason      string `json:"deadletterreason"`
	Attempts    int    `json:"deliveryattempts"`
	Outcome     string `json:"lastdeliveryoutcome"`
	Published   string `json:"publishtime"`
	LastAttempt string `json:"lastdeliveryattempttime,omitempty"`
}

// bury writes the dead letter of a delivery that is over, if its subscription wants any: a file CONTAINER/TOPIC/SUBSCRIPTION/
// YEAR/MONTH/DAY/HOUR/EVENT.json below the folder of dead letters, as Event Grid names its blobs.
func (b *Broker) bury(o *outcome) error {
	s, d := o.batch.target, o.d
	if s.DeadLetter == nil || b.c.DeadLetters == "" {
		return nil
	}
	last := ""
	if !d.LastAttempt.IsZero() {
		last = eventTime(d.LastAttempt)
	}
	var letter any = gridLetter{d.Event.envelope(schemaEventGrid).(gridEvent), o.verdict.final, d.Attempts, d.LastOutcome, eventTime(d.Published), last}
	if s.Schema == schemaCloudEvent {
		letter = cloudLetter{d.Event.envelope(schemaCloudEvent).(cloudEvent), o.verdict.final, d.Attempts, d.LastOutcome, eventTime(d.Published), last}
	}
	text, err := json.MarshalIndent([]any{letter}, "", "  ")
	if err != nil {
		return err
	}
	topic, err := arm.ParseID(d.Event.Topic)
	if err != nil {
		return err
	}
	// The hour is that of the event, so that a letter that is written again has the same name.
	at := d.Event.Time.UTC()
	name := filepath.Join(s.DeadLetter.Props.Container, fileName(topic.Name()), fileName(s.Name), strconv.Itoa(at.Year()), strconv.Itoa(int(at.Month())),
		strconv.Itoa(at.Day()), strconv.Itoa(at.Hour()), d.Event.ID+".json")
	if err := os.MkdirAll(b.c.DeadLetters, 0o700); err != nil {
		return err
	}
	root, err := os.OpenRoot(b.c.DeadLetters)
	if err != nil {
		return err
	}
	defer func() { _ = root.Close() }() // nothing is written through it any more
	if err := root.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return err
	}
	if err := root.WriteFile(name, text, 0o600); err != nil {
		return fmt.Errorf("write dead letter: %w", err)
	}
	return nil
}

// fileName is a name as that of a folder, in capitals as in Event Grid.
func fileName(name string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune(`/\:*?"<>|`, r) || r < ' ' {
			return '_'
		}
		return r
	}, strings.ToUpper(strings.TrimLeft(name, ".")))
}

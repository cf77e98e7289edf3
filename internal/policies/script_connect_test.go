package policies_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/causeway-apim/causeway/internal/policy"
)

// calledProxy compares the forward proxy of the last request that went out: called-proxy [URL [USER PASSWORD]]
func (s *session) calledProxy(_ *testscript.TestScript, args []string) {
	need(args, 0, 3)
	p := s.lastCall().proxy
	if p == nil || len(args) == 0 {
		if p != nil || len(args) > 0 {
			failf("the proxy of the last request was %+v", p)
		}
		return
	}
	if got := strings.TrimRight(strings.Join([]string{p.URL, p.Username, p.Password}, " "), " "); got != strings.Join(args, " ") {
		failf("the proxy of the last request was %s", got)
	}
}

// integrations are the systems beside backend services in the world of a script.
type integrations struct {
	dapr     policy.Dapr
	events   []policy.Event
	messages []policy.BusMessage
	accesses map[policy.AuthorizationRequest]*policy.Authorization
}

func (i *integrations) Dapr() policy.Dapr { return i.dapr }

func (i *integrations) LogEvent(logger string, e policy.Event) error {
	if logger != "hub" {
		return fmt.Errorf("there is no logger %s", logger)
	}
	i.events = append(i.events, e)
	return nil
}

func (i *integrations) SendMessage(_ context.Context, m policy.BusMessage) error {
	if m.Namespace == "away.test" {
		return errors.New("away.test is away")
	}
	i.messages = append(i.messages, m)
	return nil
}

func (i *integrations) Authorization(_ context.Context, r policy.AuthorizationRequest) (*policy.Authorization, error) {
	if a, ok := i.accesses[r]; ok {
		return a, nil
	}
	return nil, fmt.Errorf("%s/%s is not for you", r.Provider, r.Authorization)
}

// access sets what the credential manager has: access PROVIDER/AUTHORIZATION[/JWT] TOKEN [CLAIMS]
func (s *session) access(_ *testscript.TestScript, args []string) {
	need(args, 2, 3)
	names := append(strings.SplitN(args[0], "/", 3), "")
	claims := append(args, "")[2]
	a, err := policy.NewAuthorization(args[1], []byte(claims))
	if err != nil {
		failf("%v", err)
	}
	if s.host.accesses == nil {
		s.host.accesses = make(map[policy.AuthorizationRequest]*policy.Authorization)
	}
	s.host.accesses[policy.AuthorizationRequest{Provider: names[0], Authorization: names[1], Token: names[2]}] = a
}

// event compares the last event: event LOGGER PARTITION-ID PARTITION-KEY BODY
func (s *session) event(_ *testscript.TestScript, args []string) {
	need(args, 3, 3)
	if len(s.host.events) == 0 {
		failf("there was no event")
	}
	e := s.host.events[len(s.host.events)-1]
	if got := []string{e.PartitionID, e.PartitionKey, string(e.Body)}; !slices.Equal(got, args) {
		failf("the last event was %q", got)
	}
}

// eventCount compares how many events there were, and the length of the last one: events N [BYTES]
func (s *session) eventCount(_ *testscript.TestScript, args []string) {
	need(args, 1, 2)
	if n := len(s.host.events); n != number(args[0]) || len(args) == 2 && len(s.host.events[n-1].Body) != number(args[1]) {
		failf("there were %d events", n)
	}
}

// busMessage compares the last message to Service Bus: bus NAMESPACE ENTITY CLIENT PROPERTIES BODY
func (s *session) busMessage(_ *testscript.TestScript, args []string) {
	need(args, 5, 5)
	if len(s.host.messages) == 0 {
		failf("there was no message")
	}
	m := s.host.messages[len(s.host.messages)-1]
	if got := []string{m.Namespace, m.Entity, m.ClientID, fmt.Sprint(m.Properties), string(m.Body)}; !slices.Equal(got, args) {
		failf("the last message was %q", got)
	}
}

// daprSettings sets where the Dapr sidecar is: dapr NAME=VALUE...
func (s *session) daprSettings(_ *testscript.TestScript, args []string) {
	settings := make(map[string]string)
	for _, arg := range args {
		name, value, _ := strings.Cut(arg, "=")
		settings[name] = value
	}
	var err error
	if s.host.dapr, err = policy.NewDapr(func(name string) string { return settings[name] }); err != nil {
		failf("%v", err)
	}
}

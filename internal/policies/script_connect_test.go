package policies_test

import (
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
type integrations struct{ dapr policy.Dapr }

func (i *integrations) Dapr() policy.Dapr { return i.dapr }

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

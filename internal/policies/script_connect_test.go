package policies_test

import (
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
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

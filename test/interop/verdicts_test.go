//go:build interop

package interop

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/url"
	"os"
	"path"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/causeway-apim/causeway/internal/causewaytest"
	"github.com/causeway-apim/causeway/internal/message/messagetest"
)

// TestInteropVerdicts sends known and generated messages to our gateway and to nginx, alone and one behind the other. What arrives at the backend
// service is compared: whatever each refuses, nobody may see another request than the one next to it sent.
// CAUSEWAY_VERDICTS says for how long messages are generated: a minute.
func TestInteropVerdicts(t *testing.T) {
	length := time.Minute
	if text := os.Getenv("CAUSEWAY_VERDICTS"); text != "" {
		var err error
		if length, err = time.ParseDuration(text); err != nil {
			t.Fatal(err)
		}
	}
	system := causewaytest.NewSystem(t)
	ours, theirs, oursFirst, theirsFirst := newLane(t, "gateway"), newLane(t, "nginx"), newLane(t, "gateway, nginx"), newLane(t, "nginx, gateway")
	ours.front = startAll(t, system, "alone", ours.backend.Addr())
	theirs.front = startNginx(t, theirs.backend.Addr())
	oursFirst.front = startAll(t, system, "front", startNginx(t, oursFirst.backend.Addr()))
	theirsFirst.front = startNginx(t, startAll(t, system, "behind", theirsFirst.backend.Addr()))
	v := &verdicts{t: t, lanes: []*lane{ours, theirs, oursFirst, theirsFirst}}
	for _, text := range messagetest.Messages() {
		v.check(text)
	}
	seed := uint64(time.Now().UnixNano())
	r := rand.New(rand.NewPCG(seed, 0))
	for end := time.Now().Add(length); time.Now().Before(end) && v.failures < 20; {
		v.check(messagetest.Generate(r))
	}
	t.Logf("seed %d: %d messages; requests that came through: %v", seed, v.messages, v.passed)
}

// startAll starts a gateway that passes everything on.
func startAll(t *testing.T, system *causewaytest.System, name, to string) (address string) {
	t.Helper()
	plane := system.Start(name, "dev", "--empty")
	system.ARM(plane, "PUT", "apis/all", fmt.Sprintf(`{"properties":{"displayName":"all","path":"","protocols":["http"],"subscriptionRequired":false,"serviceUrl":"http://%s"}}`, to))
	for i, method := range methods() {
		system.ARM(plane, "PUT", fmt.Sprint("apis/all/operations/o", i), fmt.Sprintf(`{"properties":{"displayName":"%s","method":"%s","urlTemplate":"/*"}}`, method, method))
	}
	u, err := url.Parse(plane.Listen["gateway"])
	if err != nil {
		t.Fatal(err)
	}
	return u.Host
}

// methods are those of the operations: the gateway answers others by itself.
func methods() []string { return []string{"GET", "POST", "PUT", "HEAD", "OPTIONS", "DELETE"} }

// seen is a request as the backend service saw it.
type seen struct{ method, target, body string }

// lane is a way to a backend service of its own.
type lane struct {
	name, front string
	backend     *causewaytest.Backend // which takes everything: what it refused would hide what follows
}

func newLane(t *testing.T, name string) *lane {
	return &lane{name: name, backend: causewaytest.NewBackend(t)}
}

// send sends a message and returns what the backend service saw of it, when the connection has ended or been silent for a while.
func (l *lane) send(text string, silence time.Duration) ([]seen, error) {
	l.backend.Reset()
	conn, err := net.Dial("tcp", l.front)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	go func() { _, _ = io.WriteString(conn, text) }() // those that have refused it read no further
	answers := bufio.NewReader(conn)
	for err == nil {
		_ = conn.SetReadDeadline(time.Now().Add(silence))
		_, err = answers.Discard(1 + answers.Buffered())
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		_ = conn.Close()
		time.Sleep(silence / 10) // a request that was cut off is not to be taken for one of the next message
	}
	var requests []seen
	for _, r := range l.backend.Requests() {
		if !r.Cut {
			requests = append(requests, seen{r.Method, r.Target, string(r.Body)})
		}
	}
	return requests, nil
}

// verdicts compares what the lanes make of messages.
type verdicts struct {
	t        *testing.T
	lanes    []*lane // ours, nginx's, ours in front of nginx, ours behind it
	messages int
	failures int
	passed   [4]int
}

// check sends a message on all lanes. What looks wrong is looked at again with more patience: machines have their moments.
func (v *verdicts) check(text string) {
	v.messages++
	previous := ""
	for _, silence := range []time.Duration{200 * time.Millisecond, 3 * time.Second} {
		results := v.sendAll(text, silence)
		wrong := compare(results)
		if wrong == "" {
			return
		}
		previous = fmt.Sprintf("%q: %s:\n%s", text, wrong, v.describe(results))
	}
	v.failures++
	v.t.Error(previous)
}

func (v *verdicts) sendAll(text string, silence time.Duration) (results [4][]seen) {
	var group sync.WaitGroup
	for i, l := range v.lanes {
		group.Go(func() {
			requests, err := l.send(text, silence)
			if err != nil {
				v.t.Errorf("%s: %v", l.name, err)
			}
			results[i] = requests
			v.passed[i] += len(requests)
		})
	}
	group.Wait()
	return results
}

func (v *verdicts) describe(results [4][]seen) string {
	var b strings.Builder
	for i, l := range v.lanes {
		fmt.Fprintf(&b, "  behind %s: %.300q\n", l.name, results[i])
	}
	return b.String()
}

// compare says what is wrong.
func compare(results [4][]seen) string {
	ours, theirs, oursFirst, theirsFirst := results[0], results[1], results[2], results[3]
	served := slices.DeleteFunc(slices.Clone(theirs), func(r seen) bool { return !slices.Contains(methods(), r.method) })
	switch {
	case !within(oursFirst, ours, same):
		return "nginx sees another request than we have sent it"
	case !within(theirsFirst, theirs, alike):
		return "we see another request than nginx has sent us"
	case !within(ours, theirs, alike) && !within(served, ours, alike):
		return "we and nginx read different requests"
	}
	return ""
}

// within says whether some requests are others in their order, of which some may be missing: they were refused.
func within(some, all []seen, equal func(a, b seen) bool) bool {
	for _, request := range some {
		i := slices.IndexFunc(all, func(other seen) bool { return equal(request, other) })
		if i < 0 {
			return false
		}
		all = all[i+1:]
	}
	return true
}

func same(a, b seen) bool { return a == b }

// alike compares requests on whose way paths are written in different ways.
func alike(a, b seen) bool {
	return a.method == b.method && a.body == b.body && cleaned(a.target) == cleaned(b.target)
}

// cleaned is a path without dots, doubled slashes and escapes.
func cleaned(target string) string {
	p, query, _ := strings.Cut(target, "?")
	if unescaped, err := url.PathUnescape(p); err == nil {
		p = unescaped
	}
	return path.Clean("/"+p) + "?" + query
}

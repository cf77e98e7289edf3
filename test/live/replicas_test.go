package live

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/causeway-apim/causeway/internal/causewaytest"
	"github.com/causeway-apim/causeway/internal/store/pgtest"
)

const (
	writersPerReplica = 2
	writesBeforeKill  = 60 // acknowledged by both replicas together
	writesAfterKill   = 40 // by the one that is left
)

// replicas are two management planes on one database and those who write to them.
type replicas struct {
	t        *testing.T
	system   *causewaytest.System
	database string
	key      string

	mu      sync.Mutex
	written []string // acknowledged tags
	changed chan struct{}
	stop    chan struct{}
}

func (r *replicas) start(name string) *causewaytest.Process {
	r.t.Helper()
	return r.system.Start(name, "server", "--database", r.database, "--master-key", r.key)
}

// write creates tags at a replica until it is told to stop or one is not acknowledged, which it returns.
func (r *replicas) write(plane *causewaytest.Process, writer int) error {
	for i := 0; ; i++ {
		select {
		case <-r.stop:
			return nil
		default:
		}
		name := fmt.Sprintf("%s-%d-%d", plane.Name, writer, i)
		status, answer, err := r.system.TryARM(plane, http.MethodPut, "tags/"+name, `{"properties":{"displayName":"`+name+`"}}`)
		if err != nil {
			return err
		}
		if status != http.StatusCreated {
			return fmt.Errorf("PUT of tag %s answers %d: %s", name, status, answer)
		}
		r.mu.Lock()
		r.written = append(r.written, name)
		r.mu.Unlock()
		select {
		case r.changed <- struct{}{}:
		default:
		}
	}
}

// wait returns when so many writes have been acknowledged, or a writer has ended.
func (r *replicas) wait(n int, ended <-chan error) error {
	for {
		r.mu.Lock()
		have := len(r.written)
		r.mu.Unlock()
		if have >= n {
			return nil
		}
		select {
		case <-r.changed:
		case err := <-ended:
			return fmt.Errorf("a writer ended after %d writes: %w", have, err)
		}
	}
}

// check compares what a replica has with what was acknowledged.
func (r *replicas) check(plane *causewaytest.Process) {
	r.t.Helper()
	for _, name := range r.written {
		if answer := r.system.ARM(plane, http.MethodGet, "tags/"+name, ""); !strings.Contains(answer, `"displayName":"`+name+`"`) {
			r.t.Errorf("replica %s answers for tag %s: %s", plane.Name, name, answer)
		}
	}
}

// twoReplicas starts two planes on an empty PostgreSQL and makes the service.
func twoReplicas(t *testing.T) (r *replicas, one, two *causewaytest.Process) {
	t.Helper()
	key := filepath.Join(t.TempDir(), "master.key")
	if err := os.WriteFile(key, []byte(strings.Repeat("5a", 32)), 0o600); err != nil {
		t.Fatal(err)
	}
	r = &replicas{t: t, system: causewaytest.NewSystem(t), database: pgtest.Database(t), key: key, changed: make(chan struct{}, 1), stop: make(chan struct{})}
	one, two = r.start("one"), r.start("two")
	group, _, _ := strings.Cut(causewaytest.DevService, "/providers/")
	r.system.ARM(one, http.MethodPut, group+"?api-version=2021-04-01", `{"location":"westeurope"}`)
	r.system.ARM(two, http.MethodPut, causewaytest.DevService,
		`{"location":"westeurope","sku":{"name":"Developer","capacity":1},"properties":{"publisherEmail":"a@example.com","publisherName":"A"}}`)
	return r, one, two
}

// Everybody writes the same policy document through both replicas, which compile it outside of the transaction: no
// write is refused, and both replicas answer the last one.
func TestReplicasWriteTheSameResource(t *testing.T) {
	t.Parallel()
	r, one, two := twoReplicas(t)
	const writes = 12 // of each writer
	put := func(plane *causewaytest.Process, value string) error {
		status, answer, err := r.system.TryARM(plane, http.MethodPut, "policies/policy",
			`{"properties":{"format":"rawxml","value":"<policies><inbound><set-header name=\"X\"><value>`+value+
				`</value></set-header></inbound><backend><forward-request /></backend><outbound /><on-error /></policies>"}}`)
		if err == nil && status >= http.StatusBadRequest {
			err = fmt.Errorf("%s answers %d: %s", plane.Name, status, answer)
		}
		return err
	}
	var all sync.WaitGroup
	for _, plane := range []*causewaytest.Process{one, two} {
		for writer := range writersPerReplica {
			all.Go(func() {
				for i := range writes {
					if err := put(plane, fmt.Sprintf("%s-%d-%d", plane.Name, writer, i)); err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
	}
	all.Wait()
	if err := put(one, "last"); err != nil {
		t.Error(err)
	}
	for _, plane := range []*causewaytest.Process{one, two} {
		if answer := r.system.ARM(plane, http.MethodGet, "policies/policy?format=rawxml", ""); !strings.Contains(answer, "<value>last</value>") {
			t.Errorf("%s answers %s", plane.Name, answer)
		}
	}
}

// Two replicas on one PostgreSQL, one of them killed under writes: nothing that either acknowledged is lost, the other
// goes on without a failure, and the killed one comes back.
func TestReplicaKilledUnderWrites(t *testing.T) {
	t.Parallel()
	r, one, two := twoReplicas(t)
	var toOne, toTwo sync.WaitGroup
	lost, failed := make(chan error, writersPerReplica), make(chan error, writersPerReplica)
	for i := range writersPerReplica {
		toOne.Go(func() { lost <- r.write(one, i) })
		toTwo.Go(func() {
			if err := r.write(two, i); err != nil {
				failed <- err
			}
		})
	}
	if err := r.wait(writesBeforeKill, failed); err != nil {
		t.Fatal(err)
	}
	one.Kill()
	toOne.Wait()
	for range writersPerReplica {
		if err := <-lost; err == nil {
			t.Error("a writer of the killed replica was told to stop")
		}
	}
	if err := r.wait(len(r.writtenNow())+writesAfterKill, failed); err != nil {
		t.Fatal(err)
	}
	close(r.stop)
	toTwo.Wait()
	close(failed)
	for err := range failed {
		t.Error(err)
	}
	r.check(two)

	one = r.start("one")
	r.check(one)
	r.system.ARM(one, http.MethodPut, "tags/back", `{"properties":{"displayName":"back"}}`)
	r.system.ARM(two, http.MethodGet, "tags/back", "")
}

func (r *replicas) writtenNow() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.written
}

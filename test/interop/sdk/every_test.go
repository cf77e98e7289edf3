//go:build interop

package sdk

import (
	"bufio"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"

	v1 "github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/apimanagement/armapimanagement"
	v2 "github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/apimanagement/armapimanagement/v2"
)

// coverage counts the operations that were called.
type coverage struct {
	mu     sync.Mutex
	called map[string]bool
}

func (c *coverage) add(called map[string]bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	maps.Copy(c.called, called)
}

// TestInteropEveryOperation does all files of steps with v3, in the service and in a workspace, and then looks whether any
// operation of the SDK was forgotten: testdata/elsewhere.txt lists those that other tests call, or nothing here can do.
func TestInteropEveryOperation(t *testing.T) {
	t.Parallel()
	covered := &coverage{called: map[string]bool{}}
	s := Start(t)
	t.Run("steps", func(t *testing.T) {
		for _, file := range files(t) {
			area := strings.TrimSuffix(filepath.Base(file), ".json")
			t.Run(area, func(t *testing.T) {
				t.Parallel()
				f := s.Service(t, "every-"+area)
				d := newDriver(f, "every-"+area, "")
				d.run(t, readSteps(t, file, ""))
				covered.add(d.called)
				d.makeWorkspace(t)
				w := newDriver(f, "every-"+area, "team")
				w.run(t, readSteps(t, file, "team"))
				covered.add(w.called)
			})
		}
	})
	elsewhere := readList(t, "testdata/elsewhere.txt")
	factory := reflect.ValueOf(s.Clients(t))
	for i := range factory.NumMethod() {
		name := strings.TrimSuffix(strings.TrimPrefix(factory.Type().Method(i).Name, "New"), "Client")
		client := factory.Method(i).Call(nil)[0]
		for j := range client.NumMethod() {
			op := name + "." + client.Type().Method(j).Name
			switch {
			case covered.called[op] && elsewhere[op]:
				t.Errorf("%s is covered: remove it from the list", op)
			case !covered.called[op] && !elsewhere[op]:
				t.Errorf("%s is not covered", op)
			}
		}
	}
}

// TestInteropEveryOldOperation does the same with the older SDKs, which send the api-versions 2021-08-01 and 2022-08-01.
func TestInteropEveryOldOperation(t *testing.T) {
	t.Parallel()
	s := Start(t)
	oldest, err := v1.NewClientFactory(subscription, s.Credential, s.Options)
	if err != nil {
		t.Fatal(err)
	}
	middle, err := v2.NewClientFactory(subscription, s.Credential, s.Options)
	if err != nil {
		t.Fatal(err)
	}
	for version, factory := range map[string]any{"v1": oldest, "v2": middle} {
		for _, file := range files(t) {
			area := strings.TrimSuffix(filepath.Base(file), ".json")
			t.Run(version+"/"+area, func(t *testing.T) {
				t.Parallel()
				name := "old-" + version + "-" + area
				s.Service(t, name)
				d := newDriver(factory, name, "")
				d.old = true
				d.run(t, readSteps(t, file, ""))
			})
		}
	}
}

// makeWorkspace makes the workspace of the tests.
func (d *driver) makeWorkspace(t *testing.T) {
	t.Helper()
	s := &step{Group: "Workspace", IDs: []string{"team"}}
	m, n := method(d.client("Workspace"), "CreateOrUpdate")
	if _, err := d.call(m, d.name(s, n), s.IDs, []byte(`{"properties":{"displayName":"Team"}}`)); err != nil {
		t.Fatal(err)
	}
}

// readList reads the lines of a file that are not comments.
func readList(t *testing.T, file string) map[string]bool {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close() //nolint:errcheck // read only
	lines := map[string]bool{}
	for in := bufio.NewScanner(f); in.Scan(); {
		if line := strings.TrimSpace(in.Text()); line != "" && !strings.HasPrefix(line, "#") {
			lines[line] = true
		}
	}
	return lines
}

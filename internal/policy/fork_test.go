package policy

import (
	"sync"
	"testing"
)

func TestForkedVariables(t *testing.T) {
	t.Parallel()
	var x Exec
	newExec(&x)
	x.SetVariable("shared", 0)
	branches := []*Exec{x.Fork(), x.Fork()}
	var wg sync.WaitGroup
	for i, b := range branches {
		wg.Go(func() {
			for range 100 {
				if v, _ := b.Variable("shared"); v == nil {
					t.Error("a branch lost a variable")
				}
				b.SetVariable("shared", i+1)
				b.SetVariable([]string{"one", "two"}[i], true)
			}
			b.AtEnd(func(x *Exec) { x.SetVariable("ended", i) })
		})
	}
	wg.Wait()
	if v, _ := x.Variable("shared"); v != 0 {
		t.Errorf("a branch changed the variables before it was joined: %v", v)
	}
	x.Join(branches[1])
	x.Join(branches[0])
	for name, want := range map[string]any{"shared": 1, "one": true, "two": true} {
		if v, _ := x.Variable(name); v != want {
			t.Errorf("%s is %v, want %v", name, v, want)
		}
	}
	x.finish()
	if v, _ := x.Variable("ended"); v != 0 {
		t.Errorf("the functions for the end did not run in order: %v", v)
	}
}

package store_test

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"testing"

	"github.com/causeway-apim/causeway/internal/store"
)

// crashURL is set in the process that is to be killed.
const crashURL = "CAUSEWAY_STORE_CRASH_URL"

// TestKillUnderWrites kills a process that writes, several times at random moments, and looks after each death for
// every write that it had been told of.
func TestKillUnderWrites(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		acknowledged := map[string]bool{}
		for range 5 {
			for _, id := range killAfter(t, url, 1+rand.IntN(40)) {
				acknowledged[id] = true
			}
			checkAfterCrash(t, url, acknowledged)
		}
	})
}

// killAfter starts a writer, kills it when it has acknowledged n writes, and returns all that it acknowledged.
func killAfter(t *testing.T, url string, n int) (ids []string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), crashURL+"="+url)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if ids = append(ids, lines.Text()); len(ids) == n {
			_ = cmd.Process.Kill() // what is in the pipe by then counts, too
		}
	}
	if err := cmd.Wait(); err == nil || len(ids) < n {
		t.Fatalf("the writer ended by itself after %d writes: %v", len(ids), err)
	}
	return ids
}

// checkAfterCrash also checks that the log and the documents tell the same, gap-free story.
func checkAfterCrash(t *testing.T, url string, acknowledged map[string]bool) {
	t.Helper()
	ctx := t.Context()
	s, err := store.Open(ctx, url, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	for id := range acknowledged {
		get(t, s, id)
	}
	changes, err := s.Changes(ctx, dev, 0, 1e6)
	if err != nil {
		t.Fatal(err)
	}
	for i, c := range changes {
		if c.Seq != int64(i+1) {
			t.Fatalf("entry %d of the log has number %d", i+1, c.Seq)
		}
		if d := get(t, s, c.ID); d.Seq != c.Seq {
			t.Fatalf("%s has number %d, the log says %d", c.ID, d.Seq, c.Seq)
		}
	}
	view(t, s, func(r store.Reader) error {
		n, err := r.Count(ctx, store.Query{Service: dev})
		wantEqual(t, "documents", n, int64(len(changes)))
		seq, _ := r.LastSeq(ctx, dev)
		wantEqual(t, "last number", seq, int64(len(changes)))
		ids, _ := r.Lookup(ctx, "all", "1")
		wantEqual(t, "index rows", len(ids), len(changes))
		return err
	})
}

// writeUntilKilled writes pairs of documents, each pair in one transaction, and prints their IDs when told that they
// are written.
func writeUntilKilled(url string) int {
	ctx := context.Background()
	s, err := store.Open(ctx, url, store.Options{})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	for i := 0; ; i++ {
		a, b := doc(dev, "apis", fmt.Sprintf("%d-%d-a", os.Getpid(), i)), doc(dev, "apis", fmt.Sprintf("%d-%d-b", os.Getpid(), i))
		_, err := s.Update(ctx, dev, func(tx store.Tx) error {
			index := []store.Index{{Name: "all", Value: "1"}}
			return tx.PutAll(ctx, []store.Item{{Document: a, Indexes: index}, {Document: b, Indexes: index}})
		})
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		fmt.Printf("%s\n%s\n", a.ID, b.ID)
	}
}

package gitrepo_test

import (
	"errors"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	git "github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/config"
	"github.com/go-git/go-git/v5/plumbing/object"

	"github.com/causeway-apim/causeway/internal/gitrepo"
)

var at = time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)

func commit(t *testing.T, r *gitrepo.Repositories, branch, parent string, files map[string]string) string {
	t.Helper()
	c := gitrepo.Commit{Branch: branch, Parent: parent, Message: "m", Name: "A", Email: "a@example.com", At: at, Root: "conf", Files: map[string][]byte{}}
	for path, text := range files {
		c.Files["conf/"+path] = []byte(text)
	}
	hash, err := r.Commit("shop", c)
	if err != nil {
		t.Fatal(err)
	}
	return hash
}

func TestCommitAndRead(t *testing.T) {
	t.Parallel()
	r := &gitrepo.Repositories{Dir: t.TempDir()}
	if _, err := r.Read("shop", "master"); !errors.Is(err, gitrepo.ErrNoBranch) {
		t.Errorf("a branch before the first commit: %v", err)
	}
	first := commit(t, r, "master", "", map[string]string{"a.txt": "1", "a/b.txt": "2", "a-b/c/d.txt": "3"})
	tree, err := r.Read("shop", "master")
	if err != nil || tree.Commit != first {
		t.Fatalf("tree %+v, %v", tree, err)
	}
	want := map[string]string{"conf/a.txt": "1", "conf/a/b.txt": "2", "conf/a-b/c/d.txt": "3"}
	got := map[string]string{}
	for path, data := range tree.Files {
		got[path] = string(data)
	}
	if !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if same := commit(t, r, "master", first, map[string]string{"a.txt": "1", "a/b.txt": "2", "a-b/c/d.txt": "3"}); same != first {
		t.Errorf("a commit without changes made %s", same)
	}
	second := commit(t, r, "master", first, map[string]string{"a.txt": "4"})
	if tree, err = r.Read("shop", "master"); err != nil || len(tree.Files) != 1 || tree.Commit != second {
		t.Errorf("after the second commit: %+v, %v", tree, err)
	}
	if _, err := r.Commit("shop", gitrepo.Commit{Branch: "master", Parent: first, Root: "conf"}); !errors.Is(err, gitrepo.ErrMoved) {
		t.Errorf("a commit onto an old one: %v", err)
	}
	for _, name := range []string{"", "a b", "../x", "a..b", "/a", "a/", "x.lock", "-a", "a~1", strings.Repeat("a", 300)} {
		if err := gitrepo.CheckBranch(name); !errors.Is(err, gitrepo.ErrBranch) {
			t.Errorf("branch %q: %v", name, err)
		}
	}
}

// TestClient clones, pushes and pulls as users do.
func TestClient(t *testing.T) {
	t.Parallel()
	r := &gitrepo.Repositories{Dir: t.TempDir()}
	first := commit(t, r, "master", "", map[string]string{"a.txt": "1", "b.txt": strings.Repeat("text ", 10000)})
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		r.Serve(w, q, "shop", strings.TrimPrefix(q.URL.Path, "/git/shop"))
	}))
	t.Cleanup(s.Close)
	dir := t.TempDir()
	clone, err := git.PlainCloneContext(t.Context(), dir, false, &git.CloneOptions{URL: s.URL + "/git/shop"})
	if err != nil {
		t.Fatal(err)
	}
	work, err := clone.Worktree()
	if err != nil {
		t.Fatal(err)
	}
	who := &object.Signature{Name: "B", Email: "b@example.com", When: at}
	push := func(text string, specs ...config.RefSpec) error {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, "conf", "a.txt"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := work.Add("conf/a.txt"); err != nil {
			t.Fatal(err)
		}
		if _, err := work.Commit("change", &git.CommitOptions{Author: who}); err != nil {
			t.Fatal(err)
		}
		return clone.PushContext(t.Context(), &git.PushOptions{RefSpecs: specs})
	}
	if err := push("2"); err != nil {
		t.Fatal(err)
	}
	tree, err := r.Read("shop", "master")
	if err != nil || string(tree.Files["conf/a.txt"]) != "2" || tree.Commit == first {
		t.Fatalf("after the push: %+v, %v", tree.Commit, err)
	}
	if err := push("3", "refs/heads/master:refs/heads/next"); err != nil {
		t.Fatal(err)
	}
	if tree, err := r.Read("shop", "next"); err != nil || string(tree.Files["conf/a.txt"]) != "3" {
		t.Errorf("a new branch: %v", err)
	}
	if err := clone.PushContext(t.Context(), &git.PushOptions{RefSpecs: []config.RefSpec{":refs/heads/next"}}); err != nil {
		t.Errorf("remove a branch: %v", err)
	}
	if head, err := r.Head("shop", "next"); head != "" || err != nil {
		t.Errorf("a removed branch: %q, %v", head, err)
	}
	if err := clone.PushContext(t.Context(), &git.PushOptions{RefSpecs: []config.RefSpec{"refs/heads/master:refs/other/x"}}); err == nil {
		t.Error("something that is no branch was pushed")
	}
	commit(t, r, "master", tree.Commit, map[string]string{"a.txt": "9"})
	fresh, err := git.PlainOpen(dir)
	if err == nil {
		err = fresh.FetchContext(t.Context(), &git.FetchOptions{})
	}
	if err != nil {
		t.Errorf("fetch: %v", err)
	}
	offer, err := http.Get(s.URL + "/git/shop/info/refs?service=git-receive-pack")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = offer.Body.Close() }()
	if text, err := io.ReadAll(offer.Body); err != nil || !strings.Contains(string(text), "no-thin") {
		t.Errorf("git itself would push deltas against what it knows us to have: %q, %v", text, err)
	}
	for _, path := range []string{"/git/shop/info/refs", "/git/shop/HEAD", "/git/shop/git-upload-pack"} {
		answer, err := http.Get(s.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		_ = answer.Body.Close()
		if answer.StatusCode != http.StatusNotFound {
			t.Errorf("GET %s: %d", path, answer.StatusCode)
		}
	}
}

func FuzzServe(f *testing.F) {
	r := &gitrepo.Repositories{Dir: f.TempDir()}
	f.Add("git-upload-pack", []byte("0032want 0123456789012345678901234567890123456789\n00000009done\n"))
	f.Add("git-receive-pack", []byte("0000"))
	f.Add("git-receive-pack", []byte("00670000000000000000000000000000000000000000 0123456789012345678901234567890123456789 refs/heads/x\x00\n0000PACK"))
	f.Fuzz(func(t *testing.T, service string, body []byte) {
		q := httptest.NewRequest(http.MethodPost, "/x", strings.NewReader(string(body)))
		r.Serve(httptest.NewRecorder(), q, "fuzz", "/"+service)
		if _, err := r.Head("fuzz", "master"); err != nil {
			t.Fatal(err)
		}
	})
}

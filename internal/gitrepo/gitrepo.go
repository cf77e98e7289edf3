// Package gitrepo keeps Git repositories in a folder, reads and writes whole trees of files in them, and serves them to
// Git clients over HTTP.
package gitrepo

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-git/go-billy/v5/osfs"
	git "github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/cache"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/object"
	"github.com/go-git/go-git/v5/storage/filesystem"
)

// DefaultBranch is what a clone has first.
const DefaultBranch = "master"

// Limits on the tree of a branch.
const (
	maxFiles     = 300_000
	maxTreeBytes = 512 << 20
	maxFileBytes = 16 << 20
	maxDepth     = 32
)

// Errors of branches.
var (
	ErrNoBranch = errors.New("there is no such branch")
	ErrBranch   = errors.New("not the name of a branch")
	ErrTooLarge = errors.New("the tree is too large")
)

// Repositories is a folder of repositories, each named after what it belongs to. One process works on it at a time. It is
// safe for concurrent use.
type Repositories struct {
	Dir string

	mu    sync.Mutex
	locks map[string]*sync.RWMutex
}

// repositoryName is what a repository may be called: it becomes a folder.
var repositoryName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9-]{0,99}$`)

// branchName is what a branch may be called: less than Git allows, and nothing that needs quoting.
var branchName = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_-]*([./][A-Za-z0-9_-]+)*$`)

// CheckBranch refuses what cannot be the name of a branch.
func CheckBranch(name string) error {
	if len(name) > 200 || !branchName.MatchString(name) || strings.HasSuffix(name, ".lock") {
		return fmt.Errorf("%q is %w", name, ErrBranch)
	}
	return nil
}

// Path is the folder of a repository.
func (r *Repositories) Path(name string) string {
	return filepath.Join(r.Dir, strings.ToLower(name)+".git")
}

// lock is one repository's: readers share it with readers.
func (r *Repositories) lock(name string) *sync.RWMutex {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.locks == nil {
		r.locks = make(map[string]*sync.RWMutex)
	}
	name = strings.ToLower(name)
	if r.locks[name] == nil {
		r.locks[name] = new(sync.RWMutex)
	}
	return r.locks[name]
}

// open opens a repository and makes it when it is missing.
func (r *Repositories) open(name string) (*git.Repository, error) {
	if !repositoryName.MatchString(name) {
		return nil, fmt.Errorf("%q cannot be the name of a repository", name)
	}
	dir := r.Path(name)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the repository %s: %w", name, err)
	}
	storage := filesystem.NewStorage(osfs.New(dir, osfs.WithBoundOS()), cache.NewObjectLRUDefault())
	repo, err := git.Open(storage, nil)
	if errors.Is(err, git.ErrRepositoryNotExists) {
		repo, err = git.InitWithOptions(storage, nil, git.InitOptions{DefaultBranch: plumbing.NewBranchReferenceName(DefaultBranch)})
	}
	if err != nil {
		return nil, fmt.Errorf("open the repository %s: %w", name, err)
	}
	return repo, nil
}

// Tree is the state of a branch.
type Tree struct {
	Commit string            // hash of the commit
	Files  map[string][]byte // by path, with slashes
}

// Read returns the files of a branch. ErrNoBranch and ErrTooLarge tell why it cannot.
func (r *Repositories) Read(name, branch string) (*Tree, error) {
	lock := r.lock(name)
	lock.RLock()
	defer lock.RUnlock()
	repo, err := r.open(name)
	if err != nil {
		return nil, err
	}
	commit, err := head(repo, branch)
	if err != nil {
		return nil, err
	}
	tree, err := commit.Tree()
	if err != nil {
		return nil, fmt.Errorf("read branch %s: %w", branch, err)
	}
	out := &Tree{Commit: commit.Hash.String(), Files: make(map[string][]byte)}
	total := 0
	err = tree.Files().ForEach(func(f *object.File) error {
		if f.Mode == filemode.Symlink {
			return fmt.Errorf("%s is a symbolic link, which a configuration cannot hold", f.Name)
		}
		total += int(min(f.Size, maxTreeBytes))
		if f.Size > maxFileBytes || total > maxTreeBytes || len(out.Files) >= maxFiles || strings.Count(f.Name, "/") > maxDepth {
			return fmt.Errorf("%w at %s", ErrTooLarge, f.Name)
		}
		in, err := f.Reader()
		if err != nil {
			return err
		}
		defer func() { _ = in.Close() }()
		if out.Files[f.Name], err = io.ReadAll(io.LimitReader(in, maxFileBytes)); err != nil {
			return err
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read branch %s: %w", branch, err)
	}
	return out, nil
}

// Head returns the hash of a branch's commit, empty when there is none.
func (r *Repositories) Head(name, branch string) (string, error) {
	lock := r.lock(name)
	lock.RLock()
	defer lock.RUnlock()
	repo, err := r.open(name)
	if err != nil {
		return "", err
	}
	commit, err := head(repo, branch)
	if errors.Is(err, ErrNoBranch) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	return commit.Hash.String(), nil
}

func head(repo *git.Repository, branch string) (*object.Commit, error) {
	if err := CheckBranch(branch); err != nil {
		return nil, err
	}
	ref, err := repo.Reference(plumbing.NewBranchReferenceName(branch), true)
	if errors.Is(err, plumbing.ErrReferenceNotFound) {
		return nil, fmt.Errorf("%w: %s", ErrNoBranch, branch)
	}
	if err != nil {
		return nil, err
	}
	return repo.CommitObject(ref.Hash())
}

// Commit describes one.
type Commit struct {
	Branch, Message string
	Name, Email     string // of its author
	At              time.Time
	// Parent is what the branch's commit has to be, as Head returns it; the branch may have none.
	Parent string
	// Root is the folder that Files replace; what lies beside it stays.
	Root  string
	Files map[string][]byte // by path; all of them are in Root
}

// ErrMoved says that a branch is not where a commit was to go.
var ErrMoved = errors.New("the branch has changed meanwhile")

// Commit puts files onto a branch, which it makes when it is missing, and returns the commit's hash: that of the parent
// when nothing differs.
func (r *Repositories) Commit(name string, c Commit) (string, error) {
	lock := r.lock(name)
	lock.Lock()
	defer lock.Unlock()
	repo, err := r.open(name)
	if err != nil {
		return "", err
	}
	parent, err := head(repo, c.Branch)
	if err != nil && !errors.Is(err, ErrNoBranch) {
		return "", err
	}
	w := treeWriter{repo: repo}
	var entries []object.TreeEntry
	var parents []plumbing.Hash
	was := ""
	if parent != nil {
		was, parents = parent.Hash.String(), []plumbing.Hash{parent.Hash}
		old, err := parent.Tree()
		if err != nil {
			return "", fmt.Errorf("commit to %s: %w", c.Branch, err)
		}
		entries = slices.DeleteFunc(slices.Clone(old.Entries), func(e object.TreeEntry) bool { return e.Name == c.Root })
	}
	if was != c.Parent {
		return "", fmt.Errorf("commit to %s: %w", c.Branch, ErrMoved)
	}
	root, err := w.tree(entries, c.Files)
	if err != nil {
		return "", fmt.Errorf("commit to %s: %w", c.Branch, err)
	}
	if parent != nil && parent.TreeHash == root {
		return was, nil
	}
	who := object.Signature{Name: c.Name, Email: c.Email, When: c.At}
	hash, err := w.put(&object.Commit{Author: who, Committer: who, Message: c.Message, TreeHash: root, ParentHashes: parents})
	if err == nil {
		err = repo.Storer.SetReference(plumbing.NewHashReference(plumbing.NewBranchReferenceName(c.Branch), hash))
	}
	if err != nil {
		return "", fmt.Errorf("commit to %s: %w", c.Branch, err)
	}
	return hash.String(), nil
}

// treeWriter writes objects of a repository.
type treeWriter struct{ repo *git.Repository }

// tree writes the tree of entries and files; the paths of files are relative to it.
func (w treeWriter) tree(entries []object.TreeEntry, files map[string][]byte) (plumbing.Hash, error) {
	folders := make(map[string]map[string][]byte)
	for path, data := range files {
		name, rest, nested := strings.Cut(path, "/")
		if nested {
			if folders[name] == nil {
				folders[name] = make(map[string][]byte)
			}
			folders[name][rest] = data
			continue
		}
		hash, err := w.blob(data)
		if err != nil {
			return hash, err
		}
		entries = append(entries, object.TreeEntry{Name: name, Mode: filemode.Regular, Hash: hash})
	}
	for name, files := range folders {
		hash, err := w.tree(nil, files)
		if err != nil {
			return hash, err
		}
		entries = append(entries, object.TreeEntry{Name: name, Mode: filemode.Dir, Hash: hash})
	}
	slices.SortFunc(entries, func(a, b object.TreeEntry) int { return strings.Compare(treeOrder(a), treeOrder(b)) })
	return w.put(&object.Tree{Entries: entries})
}

// treeOrder is what Git sorts entries by: a folder counts as if its name ended with a slash.
func treeOrder(e object.TreeEntry) string {
	if e.Mode == filemode.Dir {
		return e.Name + "/"
	}
	return e.Name
}

func (w treeWriter) blob(data []byte) (plumbing.Hash, error) {
	o := w.repo.Storer.NewEncodedObject()
	o.SetType(plumbing.BlobObject)
	out, err := o.Writer()
	if err == nil {
		_, err = out.Write(data)
	}
	if err == nil {
		err = out.Close()
	}
	if err != nil {
		return plumbing.ZeroHash, err
	}
	return w.store(o)
}

func (w treeWriter) put(o interface {
	Encode(plumbing.EncodedObject) error
}) (plumbing.Hash, error) {
	e := w.repo.Storer.NewEncodedObject()
	if err := o.Encode(e); err != nil {
		return plumbing.ZeroHash, err
	}
	return w.store(e)
}

// store writes an object unless the repository has it.
func (w treeWriter) store(o plumbing.EncodedObject) (plumbing.Hash, error) {
	if w.repo.Storer.HasEncodedObject(o.Hash()) == nil {
		return o.Hash(), nil
	}
	return w.repo.Storer.SetEncodedObject(o)
}

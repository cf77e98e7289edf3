package gitrepo

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/format/pktline"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/capability"
	"github.com/go-git/go-git/v5/plumbing/storer"
	"github.com/go-git/go-git/v5/plumbing/transport"
	"github.com/go-git/go-git/v5/plumbing/transport/server"
)

const (
	// maxPushBytes bounds a push.
	maxPushBytes = 128 << 20
	// maxHaves bounds what a client that fetches says it has.
	maxHaves = 10_000
)

// The services of Git's smart protocol over HTTP. Source: git-scm.com/docs/http-protocol.
const (
	uploadPack  = "git-upload-pack"  // clone, fetch
	receivePack = "git-receive-pack" // push
)

// noThin asks clients for packs that hold everything that they refer to. Source: git-scm.com/docs/protocol-capabilities.
const noThin = capability.Capability("no-thin")

// Serve answers a Git client that wants something of a repository; path is what follows the repository in the URL. Who
// the client is has been checked.
func (r *Repositories) Serve(w http.ResponseWriter, q *http.Request, name, path string) {
	repo, err := r.open(name)
	if err != nil {
		http.Error(w, "The repository cannot be opened.", http.StatusInternalServerError)
		return
	}
	service := strings.TrimPrefix(path, "/")
	advertise := service == "info/refs" && q.Method == http.MethodGet
	if advertise {
		service = q.URL.Query().Get("service")
	} else if q.Method != http.MethodPost {
		service = ""
	}
	if service != uploadPack && service != receivePack {
		http.Error(w, "Only Git clients with the smart protocol are served.", http.StatusNotFound)
		return
	}
	lock := r.lock(name)
	if service == receivePack {
		lock.Lock()
		defer lock.Unlock()
	} else {
		lock.RLock()
		defer lock.RUnlock()
	}
	w.Header().Set("Cache-Control", "no-cache")
	c := conversation{w: w, q: q, storer: repo.Storer, transport: server.NewServer(loader{repo.Storer})}
	switch {
	case advertise:
		err = c.advertise(service)
	case service == uploadPack:
		err = c.upload()
	default:
		err = c.receive()
	}
	if err != nil && !c.begun {
		http.Error(w, "The request could not be answered: "+err.Error(), http.StatusBadRequest)
	}
}

// loader gives the server the one repository that it is about.
type loader struct{ storer storer.Storer }

// Load implements server.Loader.
func (l loader) Load(*transport.Endpoint) (storer.Storer, error) { return l.storer, nil }

// conversation is one request of a Git client.
type conversation struct {
	w         http.ResponseWriter
	q         *http.Request
	storer    storer.Storer
	transport transport.Transport
	begun     bool // the answer has begun
}

func (c *conversation) begin(contentType string) {
	c.begun = true
	c.w.Header().Set("Content-Type", contentType)
	c.w.WriteHeader(http.StatusOK)
}

// advertise lists the branches.
func (c *conversation) advertise(service string) error {
	var session transport.Session
	var err error
	if service == uploadPack {
		session, err = c.transport.NewUploadPackSession(nil, nil)
	} else {
		session, err = c.transport.NewReceivePackSession(nil, nil)
	}
	if err != nil {
		return err
	}
	refs, err := session.AdvertisedReferencesContext(c.q.Context())
	if err != nil {
		return err
	}
	if service == receivePack { // the library takes no deltas against what the pack lacks
		if err := refs.Capabilities.Set(noThin); err != nil {
			return err
		}
	}
	refs.Prefix = [][]byte{[]byte("# service=" + service), pktline.Flush}
	var answer bytes.Buffer
	if err := refs.Encode(&answer); err != nil {
		return err
	}
	c.begin("application/x-" + service + "-advertisement")
	_, err = c.w.Write(answer.Bytes())
	return err
}

// body is the request's body; clients compress long ones.
func (c *conversation) body() (io.Reader, error) {
	body := io.Reader(http.MaxBytesReader(c.w, c.q.Body, maxPushBytes))
	if c.q.Header.Get("Content-Encoding") != "gzip" {
		return body, nil
	}
	plain, err := gzip.NewReader(body)
	if err != nil {
		return nil, err
	}
	return io.LimitReader(plain, maxPushBytes), nil
}

func (c *conversation) upload() error {
	body, err := c.body()
	if err != nil {
		return err
	}
	session, err := c.transport.NewUploadPackSession(nil, nil)
	if err != nil {
		return err
	}
	request := packp.NewUploadPackRequest()
	text, err := io.ReadAll(body)
	if err != nil {
		return err
	}
	// The library reads what is wanted; what the client has follows in lines of their own.
	if err := request.Decode(bytes.NewReader(text)); err != nil {
		return err
	}
	haves, done := readHaves(text)
	if !done { // the client asks what is common before it says that it is done; it need not be told
		c.begin("application/x-git-upload-pack-result")
		return pktline.NewEncoder(c.w).EncodeString("NAK\n")
	}
	for _, hash := range haves {
		if c.storer.HasEncodedObject(hash) == nil {
			request.Haves = append(request.Haves, hash)
		}
	}
	response, err := session.UploadPack(c.q.Context(), request)
	if errors.Is(err, transport.ErrEmptyUploadPackRequest) {
		err = errors.New("nothing is wanted")
	}
	if err != nil {
		return err
	}
	defer func() { _ = response.Close() }()
	c.begin("application/x-git-upload-pack-result")
	return response.Encode(c.w)
}

// readHaves reads what follows the wants of a request: the objects that the client has, and whether it is done.
func readHaves(text []byte) (haves []plumbing.Hash, done bool) {
	lines := pktline.NewScanner(bytes.NewReader(text))
	for lines.Scan() {
		line := strings.TrimSpace(string(lines.Bytes()))
		if hash, ok := strings.CutPrefix(line, "have "); ok && len(haves) < maxHaves {
			haves = append(haves, plumbing.NewHash(hash))
		}
		done = done || line == "done"
	}
	return haves, done
}

func (c *conversation) receive() error {
	body, err := c.body()
	if err != nil {
		return err
	}
	session, err := c.transport.NewReceivePackSession(nil, nil)
	if err != nil {
		return err
	}
	request := packp.NewReferenceUpdateRequest()
	if err := request.Decode(body); err != nil {
		return err
	}
	removes := true
	for _, cmd := range request.Commands {
		removes = removes && cmd.Action() == packp.Delete
		was := plumbing.ZeroHash
		if ref, err := c.storer.Reference(cmd.Name); err == nil {
			was = ref.Hash()
		}
		if was != cmd.Old {
			return fmt.Errorf("%s: %w", cmd.Name, ErrMoved)
		}
		branch, ok := strings.CutPrefix(cmd.Name.String(), "refs/heads/")
		if !ok || CheckBranch(branch) != nil {
			return fmt.Errorf("%s: only branches can be pushed, whose names have letters, digits and -_./", cmd.Name)
		}
	}
	if removes { // no objects follow
		request.Packfile = nil
	}
	status, err := session.ReceivePack(c.q.Context(), request)
	if status == nil {
		if err != nil {
			return err
		}
		c.begin("application/x-git-receive-pack-result")
		return nil
	}
	c.begin("application/x-git-receive-pack-result") // its error is in the status
	return status.Encode(c.w)
}

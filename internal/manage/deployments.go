package manage

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/causeway-apim/causeway/internal/arm"
	"github.com/causeway-apim/causeway/internal/armtemplate"
	"github.com/causeway-apim/causeway/internal/store"
)

// deploymentType is the type of deployments, and under which they are stored.
const deploymentType = "Microsoft.Resources/deployments"

// Limits of deployments.
const (
	maxDeploymentBody = 10 << 20
	maxRunning        = 32              // deployments that one process runs at once
	deploymentStale   = 3 * time.Minute // a running deployment whose mark is older has died with its process
	deploymentBeat    = 2 * time.Second // how often the mark of a running deployment is renewed
)

// The states of a deployment.
const (
	stateAccepted  = "Accepted"
	stateRunning   = "Running"
	stateSucceeded = "Succeeded"
	stateFailed    = "Failed"
	stateCanceled  = "Canceled"
)

// deployments are the deployments that run in this process.
type deployments struct {
	mu      sync.Mutex
	running map[string]context.CancelFunc // by the key of the deployment's ID
	wait    sync.WaitGroup
}

// begin notes a running deployment; it reports false when there are too many.
func (d *deployments) begin(key string, cancel context.CancelFunc) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.running) >= maxRunning {
		return false
	}
	if d.running == nil {
		d.running = map[string]context.CancelFunc{}
	}
	d.running[key] = cancel
	return true
}

func (d *deployments) end(key string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.running, key)
}

func (d *deployments) cancel(key string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if stop := d.running[key]; stop != nil {
		stop()
	}
}

// stop ends all that run and waits for them: their state is stored as canceled.
func (d *deployments) stop() {
	d.mu.Lock()
	for _, cancel := range d.running {
		cancel()
	}
	d.mu.Unlock()
	d.wait.Wait()
}

// deploymentPath splits the path of a deployment, of what is below one, or of the collection.
type deploymentPath struct {
	scope arm.ID // subscription or resource group; the zero ID for the tenant
	name  string // "" for the collection
	rest  []string
}

// id is the ID of the deployment.
func (p deploymentPath) id() arm.ID {
	return p.scope.ChildOf("Microsoft.Resources", "deployments", p.name)
}

// parseDeployment reports whether a path is one of deployments.
func parseDeployment(escaped string) (p deploymentPath, ok bool) {
	id, err := arm.ParseURLPath(escaped)
	if err != nil {
		return p, false
	}
	segs := id.Segments()
	if len(segs) > 5 && strings.EqualFold(segs[2], "resourceGroups") && strings.EqualFold(segs[4], "deployments") { // so its operations are asked for
		segs = slices.Insert(segs, 4, "providers", "Microsoft.Resources")
	}
	n := slices.IndexFunc(segs, func(s string) bool { return strings.EqualFold(s, "providers") })
	if n != 0 && n != 2 && n != 4 || len(segs) < n+3 || n > 0 && !strings.EqualFold(segs[0], "subscriptions") ||
		!strings.EqualFold(segs[n+1], "Microsoft.Resources") || !strings.EqualFold(segs[n+2], "deployments") {
		return p, false
	}
	if n > 0 {
		p.scope = arm.Path("subscriptions", segs[1])
	}
	if n == 4 {
		if !strings.EqualFold(segs[2], "resourceGroups") {
			return p, false
		}
		p.scope = arm.Path("subscriptions", segs[1], "resourceGroups", segs[3])
	}
	if len(segs) > n+3 {
		p.name, p.rest = segs[n+3], segs[n+4:]
	}
	return p, true
}

// serveDeployments serves Microsoft.Resources/deployments ("Deployments" of the REST API of Azure Resource Manager).
func (s *Server) serveDeployments(w http.ResponseWriter, r *http.Request, p deploymentPath) {
	a, err := s.deployment(w, r, p)
	switch {
	case err != nil:
		s.failDeployment(w, r, err)
	case a.body == nil:
		w.WriteHeader(a.status)
	default:
		arm.WriteJSON(w, a.status, a.body)
	}
}

// failDeployment renders an error of the template language as ARM does, others as everywhere.
func (s *Server) failDeployment(w http.ResponseWriter, r *http.Request, err error) {
	e, ok := errors.AsType[*armtemplate.Error](err)
	if !ok {
		s.fail(w, r, err)
		return
	}
	w.Header().Set("x-ms-error-code", e.Code)
	arm.WriteJSON(w, http.StatusBadRequest, map[string]any{"error": templateError(e)})
}

func templateError(e *armtemplate.Error) *deploymentError {
	d := &deploymentError{Code: e.Code, Message: e.Error(), Target: e.Path}
	if e.Line > 0 || e.Path != "" {
		d.AdditionalInfo = []any{map[string]any{
			"type": "TemplateViolation", "info": map[string]any{"lineNumber": e.Line, "linePosition": e.Column, "path": e.Path},
		}}
	}
	return d
}

func (s *Server) deployment(w http.ResponseWriter, r *http.Request, p deploymentPath) (answer, error) {
	if _, err := arm.AnyAPIVersion(r.URL.Query()); err != nil {
		return answer{}, err
	}
	if !p.scope.IsZero() && !validSubscription(p.scope.Subscription()) {
		return answer{}, arm.Errorf(arm.CodeSubscriptionNotFound, "The subscription '%s' could not be found.", p.scope.Subscription())
	}
	if p.name != "" && !regexp.MustCompile(`^[-\w._()]{1,64}$`).MatchString(p.name) {
		return answer{}, arm.Errorf("InvalidDeploymentName", "The deployment name '%.80s' is not valid: it has at most 64 letters, digits, periods, underscores, hyphens and parentheses.", p.name)
	}
	action, run := s.deploymentVerb(w, r, p)
	if run == nil {
		return answer{}, arm.Errorf(arm.CodeMethodNotAllowed, "The method %s is not allowed here.", r.Method)
	}
	at := p.scope
	if p.name != "" {
		at = p.id()
	}
	if err := s.authorize(r.Context(), deploymentType+action, at); err != nil {
		return answer{}, err
	}
	if err := s.groupExists(r.Context(), p.scope); err != nil {
		return answer{}, err
	}
	return run()
}

// deploymentVerb returns the action of a request and who runs it, nil for none.
func (s *Server) deploymentVerb(w http.ResponseWriter, r *http.Request, p deploymentPath) (action string, run func() (answer, error)) {
	verb := r.Method
	for _, part := range p.rest {
		verb += " " + strings.ToLower(part)
		if len(p.rest) > 1 { // what follows is a name
			break
		}
	}
	if len(p.rest) > 2 || len(p.rest) == 2 && !strings.HasPrefix(strings.ToLower(p.rest[0]), "operation") {
		return "", nil
	}
	if p.name == "" {
		return "/read", map[string]func() (answer, error){http.MethodGet: func() (answer, error) { return s.listDeployments(r, p) }}[r.Method]
	}
	switch verb {
	case "GET", "HEAD":
		return "/read", func() (answer, error) { return s.readDeployment(r, p) }
	case "PUT":
		return "/write", func() (answer, error) { return s.putDeployment(w, r, p) }
	case "DELETE":
		return "/delete", func() (answer, error) { return s.deleteDeployment(r, p) }
	case "POST validate":
		return "/validate/action", func() (answer, error) { return s.validateDeployment(w, r, p) }
	case "POST whatif":
		return "/whatIf/action", func() (answer, error) { return s.whatIf(w, r, p) }
	case "POST cancel":
		return "/cancel/action", func() (answer, error) { return s.cancelDeployment(r, p) }
	case "POST exporttemplate":
		return "/exportTemplate/action", func() (answer, error) { return s.exportDeployment(r, p) }
	case "GET operations":
		return "/operations/read", func() (answer, error) { return s.deploymentOperations(w, r, p) }
	case "GET operationstatuses":
		return "/operationstatuses/read", func() (answer, error) { return s.deploymentStatus(w, r, p) }
	}
	return "", nil
}

// groupExists refuses a resource group that is not there.
func (s *Server) groupExists(ctx context.Context, scope arm.ID) error {
	if scope.ResourceGroup() == "" {
		return nil
	}
	err := s.c.Store.View(ctx, func(x store.Reader) error {
		_, err := x.Get(ctx, scope.Key())
		return err
	})
	if errors.Is(err, store.ErrNotFound) {
		return groupNotFound(scope)
	}
	return err
}

// loadDeployment reads a deployment. One that its process has left is shown as failed.
func (s *Server) loadDeployment(ctx context.Context, id arm.ID) (*deploymentRecord, error) {
	var d *deploymentRecord
	err := s.c.Store.View(ctx, func(x store.Reader) error {
		sd, err := x.Get(ctx, id.Key())
		if err == nil {
			d, err = s.decodeDeployment(sd)
		}
		return err
	})
	if errors.Is(err, store.ErrNotFound) {
		return nil, coded(http.StatusNotFound, "DeploymentNotFound", "Deployment '%s' could not be found.", id.Name()).WithTarget(id.String())
	}
	return d, err
}

func (s *Server) decodeDeployment(sd *store.Document) (*deploymentRecord, error) {
	d := &deploymentRecord{}
	if err := json.Unmarshal(sd.Body, d); err != nil {
		return nil, err
	}
	d.ID, d.Name, d.Type = sd.Path, sd.Name, deploymentType
	if d.active() && s.c.Now().Sub(d.Beat) > deploymentStale {
		d.Properties.State = stateFailed
		d.Properties.Error = &deploymentError{
			Code: "DeploymentInterrupted", Target: sd.Path,
			Message: "The process that ran the deployment has ended. What it had deployed stays; deploy again to complete it.",
		}
	}
	return d, nil
}

func (s *Server) readDeployment(r *http.Request, p deploymentPath) (answer, error) {
	d, err := s.loadDeployment(r.Context(), p.id())
	if err != nil || r.Method == http.MethodHead {
		return answer{status: http.StatusNoContent}, err
	}
	return ok(d.shown())
}

func (s *Server) listDeployments(r *http.Request, p deploymentPath) (answer, error) {
	page, perr := arm.ParsePage(r.URL.Query())
	if perr != nil {
		return answer{}, perr
	}
	var values []any
	state := regexp.MustCompile(`(?i)^provisioningState eq '(\w+)'$`).FindStringSubmatch(arm.Param(r.URL.Query(), "$filter"))
	err := s.c.Store.View(r.Context(), func(x store.Reader) error {
		docs, err := x.List(r.Context(), store.Query{Parent: cmp.Or(p.scope.Key(), "/"), Type: deploymentType})
		if err != nil {
			return err
		}
		for sd, err := range docs {
			if err != nil {
				return err
			}
			d, err := s.decodeDeployment(sd)
			if err != nil {
				return err
			}
			if len(state) == 0 || strings.EqualFold(state[1], d.Properties.State) {
				values = append(values, d.shown())
			}
		}
		return nil
	})
	if err != nil {
		return answer{}, err
	}
	total := int64(len(values))
	values = values[min(page.Skip, total):min(page.Skip+int64(page.Top), total)]
	body := list(values)
	if next := page.Next(arm.BaseURL(r), r.URL.EscapedPath(), r.URL.Query(), total); next != "" {
		body["nextLink"] = next
	}
	return ok(body)
}

func (s *Server) deleteDeployment(r *http.Request, p deploymentPath) (answer, error) {
	d, err := s.loadDeployment(r.Context(), p.id())
	if arm.IsNotFound(err) {
		return answer{status: http.StatusNoContent}, nil
	}
	if err == nil && d.active() {
		err = activeDeployment(p)
	}
	if err == nil {
		_, err = s.c.Store.Update(r.Context(), "", func(tx store.Tx) error { return tx.Delete(r.Context(), p.id().Key()) })
	}
	if errors.Is(err, store.ErrNotFound) {
		err = nil // another request was faster
	}
	return answer{status: http.StatusNoContent}, err
}

func activeDeployment(p deploymentPath) error {
	return coded(http.StatusConflict, "DeploymentActive", "The deployment '%s' is running. Wait until it has ended, or cancel it.", p.id())
}

// coded is an error with a code of deployments.
func coded(status int, code arm.Code, format string, args ...any) *arm.Error {
	e := arm.Errorf(code, format, args...)
	e.Status = status
	return e
}

func (s *Server) cancelDeployment(r *http.Request, p deploymentPath) (answer, error) {
	d, err := s.loadDeployment(r.Context(), p.id())
	if err != nil {
		return answer{}, err
	}
	if !d.active() {
		return answer{}, coded(http.StatusConflict, "DeploymentCannotBeCancelled", "The deployment '%s' has ended with the state '%s'.", p.id(), d.Properties.State)
	}
	_, err = s.c.Store.Update(r.Context(), "", func(tx store.Tx) error { // for the replica that runs it
		sd, err := tx.Get(r.Context(), p.id().Key())
		if err != nil {
			return err
		}
		d, err := s.decodeDeployment(sd)
		if err == nil && d.active() {
			d.Cancel = true
			err = d.put(r.Context(), tx)
		}
		return err
	})
	s.deployments.cancel(p.id().Key())
	return answer{status: http.StatusNoContent}, err
}

// deploymentStatus is what Azure-AsyncOperation of a deployment points to.
func (s *Server) deploymentStatus(w http.ResponseWriter, r *http.Request, p deploymentPath) (answer, error) {
	d, err := s.loadDeployment(r.Context(), p.id())
	if err != nil {
		return answer{}, err
	}
	body := map[string]any{"status": d.Properties.State}
	if d.active() {
		w.Header().Set("Retry-After", "1")
	}
	if d.Properties.Error != nil {
		body["error"] = d.Properties.Error
	}
	return ok(body)
}

func (s *Server) deploymentOperations(_ http.ResponseWriter, r *http.Request, p deploymentPath) (answer, error) {
	d, err := s.loadDeployment(r.Context(), p.id())
	if err != nil {
		return answer{}, err
	}
	values := []any{}
	for _, op := range d.Operations {
		op.ID = d.ID + "/operations/" + op.OperationID
		if len(p.rest) == 2 && strings.EqualFold(p.rest[1], op.OperationID) {
			return ok(op)
		}
		values = append(values, op)
	}
	if len(p.rest) == 2 {
		return answer{}, arm.NotFound(p.id().Child("operations", p.rest[1]))
	}
	return ok(list(values))
}

package manage

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/causeway-apim/causeway/internal/arm"
	"github.com/causeway-apim/causeway/internal/armtemplate"
	"github.com/causeway-apim/causeway/internal/store"
)

// maxNesting bounds deployments within deployments.
const maxNesting = 10

// putDeployment checks a deployment and begins it. The answer is that of an asynchronous operation.
func (s *Server) putDeployment(w http.ResponseWriter, r *http.Request, p deploymentPath) (answer, error) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(r.Context()))
	o, err := s.open(ctx, w, r, p)
	if err == nil {
		err = s.mayDeploy(ctx, o)
	}
	if err != nil {
		cancel()
		return answer{}, err
	}
	if !s.deployments.begin(p.id().Key(), cancel) {
		cancel()
		busy := arm.Errorf(arm.CodeTooManyRequests, "%d deployments are running already.", maxRunning)
		busy.RetryAfter = 5
		return answer{}, busy
	}
	run := s.newRun(o, nil)
	made, err := run.first(ctx)
	if err != nil {
		s.deployments.end(p.id().Key())
		cancel()
		return answer{}, err
	}
	first := run.record.shown()
	s.deployments.wait.Go(func() {
		defer cancel()
		defer s.deployments.end(p.id().Key())
		run.cancel = cancel
		run.deploy(ctx)
	})
	status := arm.BaseURL(r) + p.id().String() + "/operationStatuses/" + run.operation + "?api-version=" + arm.Param(r.URL.Query(), "api-version")
	w.Header().Set("Azure-AsyncOperation", status)
	w.Header().Set("Retry-After", "1")
	if made {
		return answer{http.StatusCreated, first}, nil
	}
	return answer{http.StatusOK, first}, nil
}

// mayDeploy refuses a deployment of resources that nobody here serves or that the caller may not write, before any of them is.
func (s *Server) mayDeploy(ctx context.Context, o *opened) error {
	if err := s.serves(o); err != nil {
		return err
	}
	var refused *arm.Error
	for _, r := range o.list {
		if r.Skipped || r.Existing {
			continue
		}
		id, err := arm.ParseID(r.ID)
		if err != nil {
			return err
		}
		err = s.authorize(ctx, writeAction(r), id)
		e, known := arm.AsError(err)
		switch {
		case err == nil:
		case !known || e.Status != http.StatusForbidden:
			return err
		case refused == nil:
			refused = e
		default:
			refused.Details = append(refused.Details, arm.Detail{Code: e.Code, Target: r.ID, Message: e.Message})
		}
	}
	if refused != nil {
		return refused
	}
	return nil
}

// writeAction is the action of writing a resource.
func writeAction(r *armtemplate.Resource) string {
	if strings.EqualFold(r.Type, "Microsoft.Resources/resourceGroups") {
		return "Microsoft.Resources/subscriptions/resourceGroups/write"
	}
	return r.Type + "/write"
}

// run is a deployment in progress.
type run struct {
	s         *Server
	o         *opened
	record    *deploymentRecord
	operation string
	start     time.Time
	saved     time.Time
	outer     *run // the deployment that nests this one
	cancel    context.CancelFunc
	failed    map[*armtemplate.Resource]bool // or not deployed because of one that has
	errors    []*deploymentError
	resources []resourceReference
}

func (s *Server) newRun(o *opened, outer *run) *run {
	now := s.c.Now().UTC()
	run := &run{s: s, o: o, outer: outer, operation: arm.NewGUID(), start: now, failed: map[*armtemplate.Resource]bool{}}
	run.record = &deploymentRecord{
		ID: o.id.String(), Name: o.id.Name(), Type: deploymentType, Location: o.location, Tags: o.tags, Beat: now,
		Properties: deploymentProperties{
			TemplateHash: o.template.Hash(), TemplateLink: o.link, Parameters: o.Parameters(), Mode: o.mode, State: stateAccepted, Timestamp: now,
			Duration: isoDuration(0), Correlation: o.world.correlation,
		},
	}
	if source := o.template.Source(); source != nil && json.Valid(source) {
		run.record.Template = source
	} else if b, err := o.template.Root().MarshalJSON(); err == nil {
		run.record.Template = b
	}
	run.record.Properties.describe(o.list)
	return run
}

// first stores the deployment as accepted, unless one of its name is running.
func (d *run) first(ctx context.Context) (made bool, err error) {
	_, err = d.s.c.Store.Update(ctx, "", func(tx store.Tx) error {
		sd, err := tx.Get(ctx, d.o.id.Key())
		made = errors.Is(err, store.ErrNotFound)
		if err != nil && !made {
			return err
		}
		if !made {
			before, err := d.s.decodeDeployment(sd)
			if err != nil {
				return err
			}
			if before.active() {
				p, _ := parseDeployment(d.o.id.String())
				return activeDeployment(p)
			}
		}
		return d.record.put(ctx, tx)
	})
	d.saved = d.s.c.Now()
	return made, err
}

// beat renews the mark of the deployment and of those around it, now and then.
func (d *run) beat(ctx context.Context) {
	for r := d; r != nil; r = r.outer {
		if r.s.c.Now().Sub(r.saved) >= deploymentBeat {
			r.save(ctx)
		}
	}
}

// save stores the deployment as it is. It is cancelled when it was asked to be, or has been deleted with its group.
func (d *run) save(ctx context.Context) {
	now := d.s.c.Now().UTC()
	d.saved, d.record.Beat = now, now
	d.record.Properties.Timestamp, d.record.Properties.Duration = now, isoDuration(now.Sub(d.start))
	// The state is the process's own record: the audit log has the request and every resource.
	ctx = context.WithValue(context.WithoutCancel(ctx), callKey{}, (*Call)(nil))
	stop := false
	_, err := d.s.c.Store.Update(ctx, "", func(tx store.Tx) error {
		sd, err := tx.Get(ctx, d.o.id.Key())
		if errors.Is(err, store.ErrNotFound) {
			stop = true
			return nil
		}
		if err != nil {
			return err
		}
		var stored deploymentRecord
		if err := json.Unmarshal(sd.Body, &stored); err != nil {
			return err
		}
		stop = stored.Cancel
		d.record.Cancel = stored.Cancel
		return d.record.put(ctx, tx)
	})
	if err != nil {
		d.s.c.Log.ErrorContext(ctx, "the state of a deployment could not be stored", "deployment", d.record.ID, "error", err)
	}
	for r := d; stop && r != nil; r = r.outer {
		if r.cancel != nil {
			r.cancel()
		}
	}
}

// deploy runs the deployment to its end and stores what became of it.
func (d *run) deploy(ctx context.Context) {
	d.record.Properties.State = stateRunning
	d.save(ctx)
	for _, r := range d.o.list {
		if r.Existing || r.Skipped || ctx.Err() != nil {
			continue
		}
		if slices.ContainsFunc(r.DependsOn, func(o *armtemplate.Resource) bool { return d.failed[o] }) {
			d.failed[r] = true
			continue
		}
		d.resource(ctx, r)
		d.beat(ctx)
	}
	if len(d.errors) == 0 && ctx.Err() == nil && d.o.mode == "Complete" {
		d.prune(ctx)
	}
	p := &d.record.Properties
	if len(d.errors) == 0 && ctx.Err() == nil {
		shown, secret, err := d.o.Outputs(ctx)
		if err != nil {
			d.errors = append(d.errors, deploymentErrorOf(err, d.o.id.String()))
		} else if p.Outputs = shown; secret.Len() > 0 {
			d.o.world.secrets[d.o.id.Key()] = secret
		}
	}
	switch {
	case ctx.Err() != nil:
		p.State = stateCanceled
		p.Error = &deploymentError{Code: "DeploymentCanceled", Message: "The deployment was canceled. What it had deployed stays.", Target: d.record.ID}
	case len(d.errors) > 0:
		p.State = stateFailed
		p.Error = &deploymentError{
			Code: "DeploymentFailed", Target: d.record.ID, Details: d.errors,
			Message: "At least one resource deployment operation failed. Please list deployment operations for details. Please see https://aka.ms/arm-deployment-operations for usage details.",
		}
	default:
		p.State, p.OutputResources = stateSucceeded, d.resources
	}
	d.save(ctx)
}

// resource deploys one resource and notes what became of it.
func (d *run) resource(ctx context.Context, r *armtemplate.Resource) {
	began := d.s.c.Now().UTC()
	var made []resourceReference
	var status int
	var err error
	if strings.EqualFold(r.Type, deploymentType) {
		status, made, err = d.nested(ctx, r)
	} else {
		made = []resourceReference{{r.ID}}
		status, err = d.write(ctx, r)
	}
	target := targetOf(r)
	op := operationProperties{
		Operation: "Create", State: stateSucceeded, Timestamp: d.s.c.Now().UTC(), Duration: isoDuration(d.s.c.Now().Sub(began)),
		Tracking: arm.NewGUID(), StatusCode: statusName(status), Target: &target,
	}
	if err != nil {
		e := deploymentErrorOf(err, r.ID)
		d.failed[r] = true
		d.errors = append(d.errors, e)
		op.State, op.Message = stateFailed, map[string]any{"error": e}
	} else {
		d.resources = append(d.resources, made...)
	}
	d.record.Operations = append(d.record.Operations, deploymentOperation{OperationID: strings.ToUpper(arm.NewGUID()[:8]) + strconv.Itoa(len(d.record.Operations)), Properties: op})
}

func statusName(status int) string {
	return strings.NewReplacer(" ", "", "-", "").Replace(http.StatusText(status))
}

// write sends one resource.
func (d *run) write(ctx context.Context, r *armtemplate.Resource) (int, error) {
	body, err := r.Body(ctx)
	if err != nil {
		return http.StatusBadRequest, err
	}
	b, err := json.Marshal(body)
	if err != nil {
		return http.StatusBadRequest, err
	}
	a, err := d.o.world.send(ctx, http.MethodPut, r.ID, r.APIVersion, b)
	if err != nil {
		return http.StatusServiceUnavailable, err
	}
	if a.status >= http.StatusMultipleChoices {
		return a.status, a.failure(r.ID)
	}
	return a.status, nil
}

// nested runs a deployment within this one.
func (d *run) nested(ctx context.Context, r *armtemplate.Resource) (int, []resourceReference, error) {
	depth := 0
	for outer := d; outer != nil; outer = outer.outer {
		if depth++; strings.EqualFold(outer.o.id.String(), r.ID) {
			return http.StatusBadRequest, nil, arm.Errorf("InvalidNestedDeployment", "The deployment '%s' nests itself.", r.Name)
		}
	}
	if depth > maxNesting {
		return http.StatusBadRequest, nil, arm.Errorf("InvalidNestedDeployment", "Deployments are nested deeper than %d levels.", maxNesting)
	}
	id, err := arm.ParseID(r.ID)
	if err == nil {
		err = d.s.authorize(ctx, deploymentType+"/write", id)
	}
	if err != nil {
		return http.StatusForbidden, nil, err
	}
	o, err := d.s.nested(ctx, d.o, r)
	if err == nil {
		err = d.s.mayDeploy(ctx, o)
	}
	if err != nil {
		return http.StatusBadRequest, nil, err
	}
	inner := d.s.newRun(o, d)
	if _, err := inner.first(ctx); err != nil {
		return http.StatusConflict, nil, err
	}
	if inner.deploy(ctx); inner.record.Properties.Error != nil {
		return http.StatusConflict, nil, inner.record.Properties.Error
	}
	return http.StatusOK, inner.resources, nil
}

// deploymentErrorOf renders an error for the answer. What callers may not see is in the log already.
func deploymentErrorOf(err error, target string) *deploymentError {
	if e, ok := errors.AsType[*deploymentError](err); ok {
		return e
	}
	if e, ok := errors.AsType[*armtemplate.Error](err); ok {
		out := templateError(e)
		out.Target = target
		return out
	}
	e, _ := arm.AsError(err)
	out := &deploymentError{Code: string(e.Code), Message: e.Message, Target: target}
	for _, d := range e.Details {
		out.Details = append(out.Details, &deploymentError{Code: string(d.Code), Message: d.Message, Target: d.Target})
	}
	return out
}

// prune removes the services of the resource group that the template does not name: mode Complete. What is in a service
// that it does name stays ("Deployment deletion mode": of API Management, services only are deleted).
func (d *run) prune(ctx context.Context) {
	for _, id := range d.s.unnamed(ctx, d.o) {
		began := d.s.c.Now()
		a, err := d.o.world.send(ctx, http.MethodDelete, id.String(), readVersion, nil)
		target := targetResource{ID: id.String(), Type: serviceType, Name: id.Name()}
		op := operationProperties{
			Operation: "Delete", State: stateSucceeded, Timestamp: d.s.c.Now().UTC(), Duration: isoDuration(d.s.c.Now().Sub(began)),
			Tracking: arm.NewGUID(), Target: &target,
		}
		if a != nil {
			op.StatusCode = statusName(a.status)
			if err == nil && a.status >= http.StatusMultipleChoices {
				err = a.failure(id.String())
			}
		}
		if err != nil {
			e := deploymentErrorOf(err, id.String())
			d.errors = append(d.errors, e)
			op.State, op.Message = stateFailed, map[string]any{"error": e}
		}
		d.record.Operations = append(d.record.Operations, deploymentOperation{OperationID: strings.ToUpper(arm.NewGUID()[:8]) + strconv.Itoa(len(d.record.Operations)), Properties: op})
	}
}

// unnamed lists the services of a resource group that a deployment does not name, or whose condition is false.
func (s *Server) unnamed(ctx context.Context, o *opened) (out []arm.ID) {
	named := map[string]bool{}
	for _, r := range o.list {
		if !r.Skipped {
			if id, err := arm.ParseID(r.ID); err == nil && !id.Service().IsZero() {
				named[id.Service().Key()] = true
			}
		}
	}
	err := s.c.Store.View(ctx, func(x store.Reader) error {
		docs, err := x.List(ctx, store.Query{Index: "type", Value: "service", Under: o.scope.Key()})
		if err != nil {
			return err
		}
		for sd, err := range docs {
			if err != nil {
				return err
			}
			if id, err := arm.ParseID(sd.Path); err == nil && !named[id.Key()] {
				out = append(out, id)
			}
		}
		return nil
	})
	if err != nil {
		s.c.Log.ErrorContext(ctx, "the services of a resource group could not be listed", "group", o.scope.String(), "error", err)
	}
	return out
}

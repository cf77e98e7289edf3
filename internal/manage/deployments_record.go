package manage

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/causeway-apim/causeway/internal/arm"
	"github.com/causeway-apim/causeway/internal/armtemplate"
	"github.com/causeway-apim/causeway/internal/store"
)

// deploymentRecord is a deployment as it is stored and answered.
type deploymentRecord struct {
	ID         string               `json:"id"`
	Name       string               `json:"name"`
	Type       string               `json:"type"`
	Location   string               `json:"location,omitempty"`
	Tags       map[string]string    `json:"tags,omitempty"`
	Properties deploymentProperties `json:"properties"`

	// What follows is stored only.

	Template   json.RawMessage       `json:"template,omitempty"`
	Operations []deploymentOperation `json:"operations,omitempty"`
	Beat       time.Time             `json:"beat,omitzero"` // when the process that runs it was alive
	Cancel     bool                  `json:"cancel,omitempty"`
}

type deploymentProperties struct {
	TemplateHash       string                 `json:"templateHash,omitempty"`
	TemplateLink       *armtemplate.Object    `json:"templateLink,omitempty"`
	Parameters         *armtemplate.Object    `json:"parameters,omitempty"`
	Mode               string                 `json:"mode"`
	State              string                 `json:"provisioningState"`
	Timestamp          time.Time              `json:"timestamp"`
	Duration           string                 `json:"duration"`
	Correlation        string                 `json:"correlationId"`
	Providers          []any                  `json:"providers"`
	Dependencies       []deploymentDependency `json:"dependencies"`
	Outputs            *armtemplate.Object    `json:"outputs,omitempty"`
	OutputResources    []resourceReference    `json:"outputResources,omitempty"`
	ValidatedResources []resourceReference    `json:"validatedResources,omitempty"`
	Error              *deploymentError       `json:"error,omitempty"`
}

type resourceReference struct {
	ID string `json:"id"`
}

type targetResource struct {
	ID   string `json:"id"`
	Type string `json:"resourceType"`
	Name string `json:"resourceName"`
}

type deploymentDependency struct {
	DependsOn []targetResource `json:"dependsOn"`
	targetResource
}

// deploymentOperation is what became of one resource of a deployment.
type deploymentOperation struct {
	ID          string              `json:"id"`
	OperationID string              `json:"operationId"`
	Properties  operationProperties `json:"properties"`
}

type operationProperties struct {
	Operation  string          `json:"provisioningOperation"`
	State      string          `json:"provisioningState"`
	Timestamp  time.Time       `json:"timestamp"`
	Duration   string          `json:"duration"`
	Tracking   string          `json:"trackingId"`
	StatusCode string          `json:"statusCode,omitempty"`
	Message    any             `json:"statusMessage,omitempty"`
	Target     *targetResource `json:"targetResource,omitempty"`
}

// deploymentError is an error with the errors that it comes from.
type deploymentError struct {
	Code           string             `json:"code"`
	Message        string             `json:"message"`
	Target         string             `json:"target,omitempty"`
	Details        []*deploymentError `json:"details,omitempty"`
	AdditionalInfo []any              `json:"additionalInfo,omitempty"`
}

// Error implements error.
func (e *deploymentError) Error() string { return e.Code + ": " + e.Message }

// text is the message with those of the details.
func (e *deploymentError) text() string {
	s := e.Message
	for _, d := range e.Details {
		s += " " + d.text()
	}
	return s
}

// shown is the deployment without what is stored only.
func (d *deploymentRecord) shown() *deploymentRecord {
	c := *d
	c.Template, c.Operations, c.Beat, c.Cancel = nil, nil, time.Time{}, false
	return &c
}

func (d *deploymentRecord) active() bool {
	return d.Properties.State == stateAccepted || d.Properties.State == stateRunning
}

// put stores the deployment.
func (d *deploymentRecord) put(ctx context.Context, tx store.Tx) error {
	id, err := arm.ParseID(d.ID)
	if err != nil {
		return err
	}
	body, err := json.Marshal(d)
	if err != nil {
		return fmt.Errorf("deployment %s: %w", d.ID, err)
	}
	return tx.Put(ctx, &store.Document{
		ID: id.Key(), Path: id.String(), Type: deploymentType, Name: d.Name, Body: body,
		Parent: cmp.Or(strings.TrimSuffix(id.Key(), "/providers/microsoft.resources/deployments/"+strings.ToLower(d.Name)), "/"),
	}, nil)
}

// isoDuration renders a duration as ARM does: PT1.25S.
func isoDuration(d time.Duration) string {
	d = max(d, 0).Round(time.Millisecond)
	s := "PT"
	if m := int(d / time.Minute); m > 0 {
		s += fmt.Sprintf("%dM", m)
	}
	return s + fmt.Sprintf("%gS", (d%time.Minute).Seconds())
}

func targetOf(r *armtemplate.Resource) targetResource {
	return targetResource{ID: r.ID, Type: r.Type, Name: r.Name}
}

// describe fills in what is known of a deployment from its plan.
func (p *deploymentProperties) describe(list []*armtemplate.Resource) {
	p.Providers, p.Dependencies = []any{}, []deploymentDependency{}
	types := map[string][]any{}
	var order []string
	seen := map[string]bool{}
	for _, r := range list {
		if r.Skipped || r.Existing {
			continue
		}
		space, kind, _ := strings.Cut(r.Type, "/")
		if types[space] == nil {
			order = append(order, space)
		}
		if !seen[strings.ToLower(r.Type)] {
			seen[strings.ToLower(r.Type)] = true
			types[space] = append(types[space], map[string]any{"resourceType": kind, "locations": []any{nil}})
		}
		var on []targetResource
		for _, o := range r.DependsOn {
			if !o.Skipped && !o.Existing {
				on = append(on, targetOf(o))
			}
		}
		if len(on) > 0 {
			p.Dependencies = append(p.Dependencies, deploymentDependency{on, targetOf(r)})
		}
	}
	for _, space := range order {
		p.Providers = append(p.Providers, map[string]any{"namespace": space, "resourceTypes": types[space]})
	}
}

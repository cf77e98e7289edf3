package resources

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/causeway-apim/causeway/internal/arm"
	"github.com/causeway-apim/causeway/internal/gitrepo"
	"github.com/causeway-apim/causeway/internal/resource"
)

// tenantConfiguration names the resource whose actions move the configuration between service and Git repository.
const tenantConfiguration = "configuration"

// syncBlob is where a service keeps its syncRecord.
const syncBlob = "gitSync"

// DeployConfigurationParameters is the input of deploy, validate and save.
type DeployConfigurationParameters struct {
	Properties struct {
		Branch string `json:"branch"`
		// Force lets deploy delete the subscriptions of products that go, and save go over commits that were not deployed.
		Force bool `json:"force,omitempty"`
	} `json:"properties"`
}

// OperationResultContract is the answer of deploy, validate and save.
type OperationResultContract struct {
	ID         string                    `json:"id"`
	Type       string                    `json:"type"`
	Name       string                    `json:"name"`
	Properties OperationResultProperties `json:"properties"`
}

// OperationResultProperties say what came of an operation.
type OperationResultProperties struct {
	ID         string              `json:"id"`
	Status     string              `json:"status"` // Succeeded or Failed
	Started    time.Time           `json:"started"`
	Updated    time.Time           `json:"updated"`
	ResultInfo string              `json:"resultInfo,omitempty"`
	Error      *arm.OperationError `json:"error,omitempty"`
	ActionLog  []actionLogEntry    `json:"actionLog"`
}

// TenantConfigurationSyncState is the answer of syncState.
type TenantConfigurationSyncState struct {
	ID         string `json:"id"`
	Type       string `json:"type"`
	Name       string `json:"name"`
	Properties struct {
		Branch            string     `json:"branch,omitempty"`
		CommitID          string     `json:"commitId,omitempty"`
		IsExport          bool       `json:"isExport"`
		IsSynced          bool       `json:"isSynced"`
		IsGitEnabled      bool       `json:"isGitEnabled"`
		SyncDate          *time.Time `json:"syncDate,omitempty"`
		ConfigurationDate *time.Time `json:"configurationChangeDate,omitempty"`
		LastOperationID   string     `json:"lastOperationId,omitempty"`
	} `json:"properties"`
}

// syncRecord is what a service remembers of its repository.
type syncRecord struct {
	Branch    string            `json:"branch"` // of the last save or deployment
	Commit    string            `json:"commit"`
	Export    bool              `json:"export"` // it was a save
	At        time.Time         `json:"at"`
	Operation string            `json:"operation"`
	Digest    []byte            `json:"digest"` // of the configuration then
	Known     map[string]string `json:"known"`  // by branch: the commit that was saved or deployed last
}

// configurationActions are the actions of tenant/configuration.
func configurationActions(env Env) []resource.Action[TenantAccess] {
	action := func(name, doc string, run func(o *gitOperation) error) resource.Action[TenantAccess] {
		return resource.Action[TenantAccess]{
			Name: name, Doc: doc, Async: true, Input: DeployConfigurationParameters{}, Output: OperationResultContract{},
			Valid: func(body json.RawMessage) error { _, err := parseDeploy(env, body); return err },
			Write: func(x *resource.Tx, d *resource.Doc[TenantAccess], body json.RawMessage) (any, error) {
				return runGit(env, x, d, body, run)
			},
		}
	}
	return []resource.Action[TenantAccess]{
		action("save", "Writes the configuration into a branch of the service's Git repository.", (*gitOperation).save),
		action("deploy", "Makes the configuration of the service equal to that of a branch of its Git repository, all or nothing.", func(o *gitOperation) error { return o.deploy(true) }),
		action("validate", "Does what deploy does and takes it back: the answer says what is wrong.", func(o *gitOperation) error { return o.deploy(false) }),
		{
			Name: "syncState", Method: "GET", Doc: "Answers when configuration and repository were made equal last.", Output: TenantConfigurationSyncState{},
			Read: func(x *resource.Reader, d *resource.Doc[TenantAccess], _ json.RawMessage) (any, error) {
				return syncState(env, x, d)
			},
		},
	}
}

// parseDeploy reads the input of an action.
func parseDeploy(env Env, body json.RawMessage) (p DeployConfigurationParameters, err error) {
	if env.Git == nil {
		return p, arm.Errorf(arm.CodeNotImplemented, "This management plane keeps no Git repositories.")
	}
	if err := readInput(body, &p); err != nil {
		return p, err
	}
	if err := gitrepo.CheckBranch(p.Properties.Branch); err != nil {
		return p, arm.Invalid("properties.branch", "branch: %v.", err)
	}
	return p, nil
}

// gitOperation is a save, a deployment or a validation that runs.
type gitOperation struct {
	env    Env
	x      *resource.Tx
	repo   string
	branch string
	force  bool
	record syncRecord
	log    []actionLogEntry
	info   string
	cause  *arm.Error // why it failed
	undo   bool       // nothing of it is to stay
}

func runGit(env Env, x *resource.Tx, d *resource.Doc[TenantAccess], body json.RawMessage, run func(o *gitOperation) error) (any, error) {
	if d.Name() != tenantConfiguration {
		return nil, arm.NotFound(d.ID)
	}
	p, err := parseDeploy(env, body)
	if err != nil {
		return nil, err
	}
	o := &gitOperation{env: env, x: x, branch: p.Properties.Branch, force: p.Properties.Force, log: []actionLogEntry{}}
	if o.repo, o.record, err = repository(&x.Reader); err != nil {
		return nil, err
	}
	if err := run(o); err != nil {
		return nil, err
	}
	id := arm.NewGUID()
	result := OperationResultContract{
		ID: d.ID.String() + "/operationResults/" + id, Type: arm.ServiceType + "/tenant/operationResults", Name: id,
		Properties: OperationResultProperties{
			ID: id, Status: arm.StatusSucceeded, Started: x.Now, Updated: x.Now, ResultInfo: o.info, ActionLog: o.log,
		},
	}
	if o.cause != nil {
		result.Properties.Status = arm.StatusFailed
		result.Properties.Error = &arm.OperationError{Code: o.cause.Code, Message: o.cause.Message, Details: o.cause.Details}
		return nil, &resource.Undo{Answer: result, Cause: o.cause}
	}
	if o.undo {
		return nil, &resource.Undo{Answer: result}
	}
	o.record.Operation = id
	blob, err := json.Marshal(o.record)
	if err != nil {
		return nil, err
	}
	return result, x.PutBlob(x.Service, syncBlob, blob)
}

// repository returns the name of a service's repository and what the service remembers of it. A service that is made anew
// under an old name has another repository.
func repository(x *resource.Reader) (name string, record syncRecord, err error) {
	service, err := resource.Get[Service](x, x.Service)
	if err != nil {
		return "", record, err
	}
	made := ""
	if at := service.Props.Properties.CreatedAtUTC; at != nil {
		made = at.UTC().Format(time.RFC3339Nano)
	}
	sum := sha256.Sum256([]byte(service.ID.Key() + "\n" + made))
	record.Known = make(map[string]string)
	blob, err := x.Blob(x.Service, syncBlob)
	if err == nil && blob != nil {
		err = json.Unmarshal(blob, &record)
	}
	return strings.ToLower(service.Name()) + "-" + hex.EncodeToString(sum[:6]), record, err
}

// save commits the configuration.
func (o *gitOperation) save() error {
	head, err := o.env.Git.Head(o.repo, o.branch)
	if err != nil {
		return err
	}
	if head != "" && head != o.record.Known[o.branch] && !o.force {
		o.cause = arm.Errorf(arm.CodeConflict, "The branch %s has commits that were not deployed. Deploy them first, or save over them with force.", o.branch)
		return nil
	}
	t, err := readTree(&o.x.Reader, treeKinds()...)
	if err != nil {
		return err
	}
	files, err := t.files()
	if err != nil {
		return err
	}
	service, err := resource.Get[Service](&o.x.Reader, o.x.Service)
	if err != nil {
		return err
	}
	commit, err := o.env.Git.Commit(o.repo, gitrepo.Commit{
		Branch: o.branch, Parent: head, Root: treeRoot, Files: files, At: o.x.Now,
		Message: "Configuration of " + service.Name() + "\n", Name: first(o.x.Principal, "Causeway"), Email: service.Props.Properties.NotificationSenderEmail,
	})
	if errors.Is(err, gitrepo.ErrMoved) {
		o.cause = arm.Errorf(arm.CodeConflict, "Somebody has pushed to the branch %s meanwhile. Save again.", o.branch)
		return nil
	}
	if err != nil {
		return err
	}
	o.info = fmt.Sprintf("The configuration is commit %s of the branch %s.", commit, o.branch)
	o.synced(commit, true, files)
	return nil
}

// synced remembers that a commit and the configuration, as these files, are the same.
func (o *gitOperation) synced(commit string, export bool, files treeFiles) {
	known := maps.Clone(o.record.Known)
	known[o.branch] = commit
	o.record = syncRecord{Branch: o.branch, Commit: commit, Export: export, At: o.x.Now, Known: known, Digest: files.digest()}
}

// deploy writes the configuration of the branch; without keep it is taken back.
func (o *gitOperation) deploy(keep bool) error {
	files, err := o.env.Git.Read(o.repo, o.branch)
	if errors.Is(err, gitrepo.ErrNoBranch) || errors.Is(err, gitrepo.ErrTooLarge) {
		o.cause = arm.Errorf(arm.CodeValidation, "The branch cannot be read: %v.", err)
		return nil
	}
	if err != nil {
		return err
	}
	want, problems := parseTree(files.Files)
	d := &treeDeployer{x: o.x, want: want, force: o.force}
	if len(problems) == 0 {
		if err := d.run(); err != nil {
			return err
		}
		problems = d.problems
	}
	if n := len(problems); n > 0 {
		o.cause = arm.Errorf(arm.CodeValidation, "The configuration at commit %s of the branch %s cannot be deployed: %d things are wrong.", files.Commit, o.branch, n)
		o.cause.Details = problems
		return nil
	}
	o.log, o.undo = append(o.log, d.log...), !keep
	o.info = fmt.Sprintf("The configuration at commit %s of the branch %s is valid.", files.Commit, o.branch)
	if !keep {
		return nil
	}
	o.info = fmt.Sprintf("The configuration at commit %s of the branch %s is deployed.", files.Commit, o.branch)
	now, err := readTree(&o.x.Reader, treeKinds()...)
	if err != nil {
		return err
	}
	written, err := now.files()
	o.synced(files.Commit, false, written)
	return err
}

// syncState compares the configuration with the branch that was saved or deployed last.
func syncState(env Env, x *resource.Reader, d *resource.Doc[TenantAccess]) (any, error) {
	if d.Name() != tenantConfiguration {
		return nil, arm.NotFound(d.ID)
	}
	if env.Git == nil {
		_, err := parseDeploy(env, nil)
		return nil, err
	}
	repo, record, err := repository(x)
	if err != nil {
		return nil, err
	}
	access, err := resource.Get[TenantAccess](x, x.Service.Child("tenant", gitAccess))
	if err != nil {
		return nil, err
	}
	t, err := readTree(x, treeKinds()...)
	if err != nil {
		return nil, err
	}
	s := TenantConfigurationSyncState{ID: d.ID.String() + "/syncState", Type: arm.ServiceType + "/tenant/syncState", Name: "syncState"}
	p := &s.Properties
	p.Branch, p.CommitID, p.IsExport, p.LastOperationID = record.Branch, record.Commit, record.Export, record.Operation
	p.IsGitEnabled = access.Props.Enabled
	if !t.changed.IsZero() {
		p.ConfigurationDate = &t.changed
	}
	if record.Branch == "" {
		return s, nil
	}
	p.SyncDate = &record.At
	head, err := env.Git.Head(repo, record.Branch)
	if err != nil {
		return nil, err
	}
	files, err := t.files()
	p.IsSynced = head == record.Commit && bytes.Equal(files.digest(), record.Digest)
	return s, err
}

// Package armtemplate is the language of Azure Resource Manager templates: it reads a template, binds its parameters,
// expands loops and conditions to a list of resources in an order, and evaluates expressions. It deploys nothing: what
// an expression has to know of the world (the state of a resource, its secrets, the time) it asks a [World].
//
// The language is that of the documentation "Understand the structure and syntax of ARM templates" and its pages on
// functions, copy loops, nested templates and languageVersion 2.0, which Bicep compiles to.
package armtemplate

import (
	"context"
	"fmt"
	"time"
)

// Limits of templates ("Template limits" of Azure Resource Manager's best practices), and our own on work.
const (
	MaxBytes           = 4 << 20 // of a template
	MaxResources       = 800     // of a deployment, loops expanded
	MaxParameters      = 256
	MaxVariables       = 512
	MaxOutputs         = 64 * 4
	MaxExpressionBytes = 24_576
	MaxCopies          = 800

	maxDepth  = 64         // of nested values, expressions, and calls of one another
	maxSteps  = 1_000_000  // nodes evaluated for one deployment
	maxValues = 10 << 20   // bytes of one string
	maxRange  = 10_000     // numbers of range()
	maxRetain = 1_000_000  // elements that one evaluation may put into new arrays and objects
	maxUnits  = 64_000_000 // bytes that one evaluation may put into new strings
)

// The codes of errors.
const (
	CodeInvalidTemplate   = "InvalidTemplate"
	CodeInvalidParameter  = "InvalidTemplateDeployment"
	CodeMissingParameter  = "MissingTemplateParameter"
	CodeNotSupported      = "NotSupported"
	CodeDeploymentQuota   = "DeploymentQuotaExceeded"
	CodeTemplateOutput    = "DeploymentOutputEvaluationFailed"
	CodeTemplateTooLarge  = "TemplateTooLarge"
	CodeCircularReference = "CircularDependency"
)

// Error says what is wrong with a template or its parameters.
type Error struct {
	Code    string
	Message string
	Path    string // of the element: resources[0].properties.url
	Line    int    // of the template's text, 0 when it is not known
	Column  int
}

// Error implements error.
func (e *Error) Error() string {
	s := e.Message
	switch {
	case e.Path != "" && e.Line > 0:
		s = fmt.Sprintf("%s (at '%s', line %d, position %d)", s, e.Path, e.Line, e.Column)
	case e.Path != "":
		s = fmt.Sprintf("%s (at '%s')", s, e.Path)
	case e.Line > 0:
		s = fmt.Sprintf("%s (at line %d, position %d)", s, e.Line, e.Column)
	}
	return s
}

func invalid(format string, args ...any) *Error {
	return &Error{Code: CodeInvalidTemplate, Message: fmt.Sprintf(format, args...)}
}

// Scope says where a deployment runs.
type Scope struct {
	Subscription  string // GUID; "" for a deployment of the tenant
	ResourceGroup string // "" for a deployment of a subscription or the tenant
	Tenant        string // GUID
	Name          string // of the deployment
	Location      string // of the deployment; "" at a resource group
	Deployer      string // object ID of who deploys
	DeployerName  string // user principal name
	// Group and Account are what resourceGroup() and subscription() answer; Environment what environment() does.
	Group, Account, Environment *Object
}

// ID returns the resource ID of the scope.
func (s Scope) ID() string {
	switch {
	case s.Subscription == "":
		return ""
	case s.ResourceGroup == "":
		return "/subscriptions/" + s.Subscription
	}
	return "/subscriptions/" + s.Subscription + "/resourceGroups/" + s.ResourceGroup
}

// World answers what expressions ask of the state of resources. An error that is an [*Error] stays what it is.
type World interface {
	// Reference returns the whole resource with an ID. version may be "".
	Reference(ctx context.Context, id, version string) (*Object, error)
	// List runs a list* function such as listKeys on a resource. args is nil when there were none.
	List(ctx context.Context, function, id, version string, args Value) (Value, error)
	// Providers returns what providers() answers for a namespace.
	Providers(ctx context.Context, namespace string) (*Object, error)
	Now() time.Time
	NewGUID() string
}

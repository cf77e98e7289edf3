package resources

import (
	"context"
	"slices"
	"strings"

	"github.com/causeway-apim/causeway/internal/arm"
	"github.com/causeway-apim/causeway/internal/policy"
	"github.com/causeway-apim/causeway/internal/resource"
	"github.com/causeway-apim/causeway/internal/snapshot"
)

// policyName is the only name of a policy document.
const policyName = "policy"

// The formats of policy documents.
const (
	formatXML    = "xml"
	formatRawXML = "rawxml"
	linkSuffix   = "-link"
)

// policyBytesMax bounds a policy document that is fetched from a link.
const policyBytesMax = 1 << 20

// Policy is a policy document at one scope: its exact text in the format in which it was written.
type Policy struct {
	Format string `json:"format" rule:"enum=rawxml|rawxml-link|xml|xml-link,default=xml" doc:"xml: expressions are escaped as XML demands; rawxml: they are raw C#. With -link, value is where the document is."`
	Value  string `json:"value" rule:"required" doc:"The document, or its URL."`
	// Uses are the keys of usesIndex: what the document refers to.
	Uses []string `json:"uses,omitempty" rule:"readonly" doc:"What the document refers to. Kept, not answered."`
}

// PolicyView is what is answered for a policy document.
type PolicyView struct {
	Format string `json:"format"`
	Value  string `json:"value"`
}

// policies declares the policy documents of one scope: below the service, products, APIs or operations.
func policies(env Env, parent string, scope policy.Scope) *resource.Type {
	title := "Policy of the service"
	if parent != "" {
		title = "Policy of " + parent
	}
	var initial func(*resource.Reader, arm.ID) (*Policy, error)
	if parent == "" { // a service is never without a policy, a workspace may be
		initial = func(_ *resource.Reader, id arm.ID) (*Policy, error) {
			if id.Find("workspaces") != "" {
				return nil, nil
			}
			return defaultPolicy(), nil
		}
	}
	return resource.Define(resource.Spec[Policy]{
		Name: "policies", Title: title, Doc: "The policy document that applies to its parent and to what is in it.",
		Parents: []string{parent}, Workspaces: scope != policy.ScopeResolver, Verbs: resource.CRDL, Names: []string{policyName},
		Initial: initial,
		Prepare: func(ctx context.Context, _ *resource.Request, _, d *resource.Doc[Policy]) (err error) {
			d.Props.Format, d.Props.Value, err = env.followDocument(ctx, d.Props.Format, d.Props.Value)
			return err
		},
		Check: func(x *resource.Tx, _, d *resource.Doc[Policy]) (err error) {
			d.Props.Uses, err = env.compilePolicy(&x.Reader, d, scope)
			return err
		},
		View: func(x *resource.Reader, d *resource.Doc[Policy]) (any, error) {
			format, err := answerFormat(x)
			if err == nil && strings.EqualFold(x.Param("effective"), "true") && !x.List && env.Policies != nil {
				return env.effectivePolicy(x, d, scope, format)
			}
			return PolicyView{format, convertPolicy(d.Props.Value, d.Props.Format, format)}, err
		},
		Indexes: func(d *resource.Doc[Policy]) []resource.Index {
			rows := append(usesIndexes(d.Props.Uses), contentIndexes(d.ID)...)
			return append(rows, resource.Index{Name: documentIndex, Value: documentIndexValue})
		},
		Publish: func(p *resource.Pub, d *resource.Doc[Policy]) error {
			return p.Add(snapshot.KindPolicy, d.ID.Rel(), snapshot.Policy{
				Scope: policyScope(d.ID), Format: d.Props.Format, Value: d.Props.Value,
			})
		},
	})
}

// policyScope is the lower-case path of what a policy document applies to, "" for the service.
func policyScope(id arm.ID) string { return id.Parent().Rel() }

// followDocument fetches a document that is given by its link.
func (e Env) followDocument(ctx context.Context, format, value string) (string, string, error) {
	name := strings.ToLower(format)
	plain, isLink := strings.CutSuffix(name, linkSuffix)
	if !isLink || plain != formatXML && plain != formatRawXML || value == "" {
		return format, value, nil
	}
	data, err := e.fetch(ctx, value, policyBytesMax)
	if err != nil {
		return format, value, err
	}
	return plain, string(data), nil
}

// answerFormat is the format in which the caller wants documents.
func answerFormat(x *resource.Reader) (string, error) {
	switch format := strings.ToLower(x.Param("format")); format {
	case "":
		return formatXML, nil
	case formatXML, formatRawXML:
		return format, nil
	default:
		return "", arm.Errorf(arm.CodeInvalidQuery, "format must be xml or rawxml.").WithTarget("format")
	}
}

// compilePolicy compiles a policy document against the configuration of its service and returns what it uses.
func (e Env) compilePolicy(x *resource.Reader, d *resource.Doc[Policy], scope policy.Scope) ([]string, error) {
	o := policy.Options{Kind: kindOfDocument(scope), Scope: scope, Format: d.Props.Format}
	if scope == policy.ScopeOperation && isHandshake(d.ID.Parent()) {
		var err error
		if o.Handshake, err = ofWebSocket(x, d.ID.Parent()); err != nil {
			return nil, err
		}
	}
	return e.compile(x, d.ID, d.Props.Value, o)
}

// compile compiles a document of any kind at id. Its errors are one [arm.Error] with a detail each.
func (e Env) compile(x *resource.Reader, id arm.ID, text string, o policy.Options) ([]string, error) {
	if e.Policies == nil {
		return nil, nil
	}
	service, err := resource.Get[Service](x, x.Service)
	if err != nil {
		return nil, err
	}
	look := &configuration{x: x, base: ownerOf(id)}
	o.Strict, o.Lookup = service.Props.Properties.StrictExpressions, look
	report := e.Policies.Check(text, o)
	if look.err != nil {
		return nil, look.err
	}
	if report.OK() {
		return usesOf(report.References), nil
	}
	causes := make([]arm.Detail, 0, len(report.Errors))
	for _, f := range report.Errors {
		causes = append(causes, arm.Detail{Code: arm.Code(f.Code), Message: placed(f)})
	}
	return nil, invalidDocument("value", "", causes...)
}

// savePolicy writes the policy document of a resource, as XML.
func (e Env) savePolicy(x *resource.Tx, of arm.ID, scope policy.Scope, text string) error {
	id := of.Child("policies", policyName)
	d, err := resource.Get[Policy](&x.Reader, id)
	if arm.IsNotFound(err) {
		d, err = &resource.Doc[Policy]{}, nil
		d.ID = id
	}
	if err != nil {
		return err
	}
	d.Props.Format, d.Props.Value = formatXML, text
	if d.Props.Uses, err = e.compilePolicy(&x.Reader, d, scope); err != nil {
		return err
	}
	return resource.Save(x, d)
}

// saveDefaultPolicy gives a new service the policy document that it begins with.
func saveDefaultPolicy(x *resource.Tx, service arm.ID) error {
	d := &resource.Doc[Policy]{Props: *defaultPolicy()}
	d.ID = service.Child("policies", policyName)
	return resource.Save(x, d)
}

// defaultPolicy forwards requests and does nothing else.
func defaultPolicy() *Policy { return &Policy{Format: formatXML, Value: policy.DefaultServicePolicy} }

// scopeOfDocument returns where a policy document stands.
func scopeOfDocument(id arm.ID) policy.Scope {
	segments := strings.Split(strings.TrimPrefix(policyScope(id), ownerOf(id).Rel()+"/"), "/")
	switch {
	case slices.Contains(segments, "operations"):
		return policy.ScopeOperation
	case slices.Contains(segments, "resolvers"):
		return policy.ScopeResolver
	case segments[0] == "apis":
		return policy.ScopeAPI
	case segments[0] == "products":
		return policy.ScopeProduct
	}
	return policy.ScopeService
}

package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/causeway-apim/causeway/internal/arm"
	"github.com/causeway-apim/causeway/internal/auth/rbac"
	"github.com/causeway-apim/causeway/internal/manage"
	"github.com/causeway-apim/causeway/internal/manage/access"
	"github.com/causeway-apim/causeway/internal/manage/audit"
	"github.com/causeway-apim/causeway/internal/manage/directory"
	"github.com/causeway-apim/causeway/internal/manage/metrics"
	"github.com/causeway-apim/causeway/internal/manage/signin"
	"github.com/causeway-apim/causeway/internal/store"
)

// identityTimeout bounds a question to another issuer.
const identityTimeout = 15 * time.Second

// identityOptions say who may use a plane.
type identityOptions struct {
	// secret is that of the first principal; empty for one that is kept or made. One that was made is shown on out, once.
	secret string
	out    io.Writer
	// external is a provider that people sign in with; nil for none.
	external *signin.External
	// auditLife is how long the audit log goes back; 0 for ever.
	auditLife time.Duration
	// rateLimit bounds the requests of each principal.
	rateLimit manage.RateLimit
}

// identity is who may use a plane, and what.
type identity struct {
	directory *directory.Directory
	signIn    *signin.Service
	control   *access.Control
	log       *audit.Log
	store     audit.Store
	auditLife time.Duration
}

// openIdentity makes the first principal and the token service.
func openIdentity(ctx context.Context, o planeOptions, st store.Store) (*identity, error) {
	audited := audit.Store{Store: st}
	d := directory.New(audited, time.Now, adminID)
	made, err := d.KeepRoot(ctx, o.identity.secret)
	if err != nil {
		return nil, fmt.Errorf("keep the administrator's secret: %w", err)
	}
	if made != "" {
		fmt.Fprintf(o.identity.out, "The secret of the service principal %s, shown once: %s\n", adminID, made)
	}
	client := &http.Client{Timeout: identityTimeout, CheckRedirect: func(r *http.Request, _ []*http.Request) error {
		return fmt.Errorf("%s redirects, which an issuer must not", r.URL.Host)
	}}
	control := access.New(d, time.Now)
	return &identity{
		directory: d, control: control, store: audited, log: &audit.Log{Store: st, Authorizer: control}, auditLife: o.identity.auditLife,
		signIn: signin.New(signin.Config{
			Directory: d, Store: st, Now: time.Now, Log: o.log, TenantID: tenantID, Client: client, External: o.identity.external,
		}),
	}, nil
}

// configure puts the parts into the configuration of a management server.
func (i *identity) configure(c *manage.Config, o identityOptions) {
	c.Store, c.OnRefusal = i.store, i.store.Refused
	c.Authenticator, c.Authorizer, c.OnDelete, c.RateLimit = i.signIn, i.control, i.control.Deleted, o.rateLimit
	c.Endpoints = append(c.Endpoints, i.signIn)
	c.Extensions = map[string]manage.Extension{
		"microsoft.authorization": access.Authorization{Control: i.control},
		"microsoft.causeway":      ours{accounts: access.Accounts{Control: i.control}, log: i.log},
		"microsoft.insights":      &metrics.Metrics{Store: i.store, Authorizer: i.control, Now: time.Now, Next: i.log},
	}
}

// run forgets old entries of the audit log until ctx ends.
func (i *identity) run(ctx context.Context) error {
	if i.auditLife <= 0 {
		return nil
	}
	return i.store.Forget(ctx, time.Now, i.auditLife)
}

// ours are the parts of our own provider.
type ours struct {
	accounts access.Accounts
	log      *audit.Log
}

// ServeExtension implements manage.Extension.
func (o ours) ServeExtension(w http.ResponseWriter, r *http.Request, scope arm.ID, rest []string) {
	if strings.EqualFold(rest[0], "audit") {
		o.log.ServeExtension(w, r, scope, rest)
		return
	}
	o.accounts.ServeExtension(w, r, scope, rest)
}

// externalProvider reads the options of the provider that people sign in with, nil when there is none.
func externalProvider(c serverConfig) (*signin.External, error) {
	if c.text("oidc-issuer") == "" {
		return nil, nil
	}
	if c.text("oidc-client-id") == "" || !strings.HasPrefix(c.text("oidc-issuer"), "https://") && !strings.HasPrefix(c.text("oidc-issuer"), "http://") {
		return nil, usageError("--oidc-issuer must be a URL and needs --oidc-client-id")
	}
	e := &signin.External{
		Name: c.text("oidc-name"), Issuer: c.text("oidc-issuer"), ClientID: c.text("oidc-client-id"), ClientSecret: c.text("oidc-client-secret"),
		Scopes: strings.Fields(c.text("oidc-scopes")), Audiences: strings.Fields(c.text("oidc-audiences")), RoleClaim: c.text("oidc-role-claim"), Roles: map[string][]directory.Grant{},
	}
	for text := range strings.SplitSeq(c.text("oidc-roles"), ";") {
		if text = strings.TrimSpace(text); text == "" {
			continue
		}
		value, role, ok := strings.Cut(text, "=")
		name, scope, at := strings.Cut(role, "@")
		id := roleIDOf(strings.TrimSpace(name))
		if !ok || !at || id == "" || !strings.HasPrefix(scope, "/") {
			return nil, usageError("--oidc-roles has %q; it must be VALUE=ROLE@SCOPE;… with the name or ID of a built-in role", text)
		}
		value = strings.TrimSpace(value)
		e.Roles[value] = append(e.Roles[value], directory.Grant{RoleID: id, Scope: strings.TrimSpace(scope)})
	}
	return e, nil
}

// roleIDOf returns the ID of a built-in role by its name or ID, "" when there is none.
func roleIDOf(name string) string {
	roles := rbac.BuiltIn()
	i := slices.IndexFunc(roles, func(r rbac.Role) bool { return strings.EqualFold(r.Name, name) || strings.EqualFold(r.ID, name) })
	if i < 0 {
		return ""
	}
	return roles[i].ID
}

// devAuditLife is how far the audit log of dev goes back.
const devAuditLife = 30 * 24 * time.Hour

// burstSeconds is how long a principal may send at once what it may send in that time.
const burstSeconds = 10

func defaultRateLimit() manage.RateLimit {
	return manage.RateLimit{PerSecond: 2000, Burst: 2000 * burstSeconds}
}

// serverIdentity reads who may use the plane of `causeway server`.
func serverIdentity(cmd *cobra.Command, c serverConfig) (o identityOptions, err error) {
	rate, err := strconv.ParseFloat(c.text("management-rate-limit"), 64)
	if err != nil || rate < 0 {
		return o, usageError("--management-rate-limit is %q; it must be a number of requests a second, or 0", c.text("management-rate-limit"))
	}
	days, err := strconv.Atoi(c.text("audit-retention-days"))
	if err != nil || days < 0 || days > 36500 {
		return o, usageError("--audit-retention-days is %q; it must be a number of days, or 0 for ever", c.text("audit-retention-days"))
	}
	o = identityOptions{
		auditLife: time.Duration(days) * 24 * time.Hour,
		secret:    os.Getenv("CAUSEWAY_ADMIN_SECRET"), out: cmd.OutOrStdout(),
		rateLimit: manage.RateLimit{PerSecond: rate, Burst: int(rate * burstSeconds)},
	}
	o.external, err = externalProvider(c)
	return o, err
}

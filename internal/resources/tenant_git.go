package resources

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/causeway-apim/causeway/internal/arm"
	"github.com/causeway-apim/causeway/internal/auth"
	"github.com/causeway-apim/causeway/internal/gitrepo"
	"github.com/causeway-apim/causeway/internal/resource"
)

// GitPath is where [NewGitServer] has to be mounted on the management listeners; the name of a service follows.
const GitPath = "/git/"

// NewGitServer serves the Git repositories of services to Git clients. Users sign in as apim or git. The password is a token that is signed with a
// key of tenant/gitAccess, {git}&{expiry}&{signature}, or such a key itself; gitAccess has to be enabled.
func NewGitServer(engine *resource.Engine, repos *gitrepo.Repositories, now func() time.Time) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name, path, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, GitPath), "/")
		repo, err := openGit(r.Context(), engine, strings.TrimSuffix(name, ".git"), r, now())
		if err != nil {
			ae, known := arm.AsError(err)
			if known && ae.Status == http.StatusUnauthorized {
				w.Header().Set("WWW-Authenticate", `Basic realm="Git"`)
			}
			http.Error(w, ae.Message, ae.Status)
			return
		}
		repos.Serve(w, r, repo, path)
	})
}

// openGit checks who asks and returns the name of the repository of a service. Whether there is such a service is told to
// those only who may use its repository.
func openGit(ctx context.Context, engine *resource.Engine, service string, r *http.Request, now time.Time) (repo string, err error) {
	refused := arm.Errorf(arm.CodeAuthentication, "Sign in as apim with a token or a key of tenant/gitAccess, which has to be enabled.")
	user, password, ok := r.BasicAuth()
	if !ok || !strings.EqualFold(user, "apim") && !strings.EqualFold(user, accessPrincipal(gitAccess)) {
		return "", refused
	}
	id, err := engine.ServiceNamed(ctx, service)
	if arm.IsNotFound(err) {
		return "", refused
	}
	if err != nil {
		return "", err
	}
	err = engine.ReadFunc(ctx, id, func(x *resource.Reader) error {
		access, err := resource.Get[TenantAccess](x, id.Child("tenant", gitAccess))
		if err != nil {
			return err
		}
		if !access.Props.Enabled || !access.Props.opens(password, now) {
			return refused
		}
		repo, _, err = repository(x)
		return err
	})
	return repo, err
}

// opens reports whether a password is one of the keys or was made with one.
func (p *TenantAccess) opens(password string, now time.Time) bool {
	if p.PrimaryKey == "" || password == "" {
		return false
	}
	if auth.EqualSecret(password, p.PrimaryKey) || auth.EqualSecret(password, p.SecondaryKey) {
		return true
	}
	token, err := auth.ParseGatewayToken(password) // the tokens of users have its form, see auth.NewUserToken
	if err != nil || !strings.EqualFold(token.Gateway, p.PrincipalID) {
		return false
	}
	_, err = token.Verify(now, p.PrimaryKey, p.SecondaryKey)
	return err == nil
}

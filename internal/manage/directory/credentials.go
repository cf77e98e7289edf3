package directory

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/causeway-apim/causeway/internal/arm"
	"github.com/causeway-apim/causeway/internal/auth"
	"github.com/causeway-apim/causeway/internal/store"
)

// RootUser is the name under which the first principal signs in on a page, with its secret as the password.
const RootUser = "admin"

// KeepRoot makes the first principal, whose secret is given or, when there is none yet and none is given, made and
// returned this once.
func (d *Directory) KeepRoot(ctx context.Context, given string) (made string, err error) {
	err = d.update(ctx, func(tx store.Tx) error {
		made = ""
		stored, err := tx.GetSecrets(ctx, key(principals, d.root))
		if err != nil {
			return err
		}
		known := stored[secretBootstrap]
		want := known
		switch {
		case given != "":
			want = hash(given)
		case known == "":
			made = RandomText()
			want = hash(made)
		}
		p, err := get[Principal](ctx, tx, principals, d.root)
		if errors.Is(err, ErrNotFound) {
			p, err = &Principal{}, nil
		}
		if err != nil || want == known && p.AppID != "" {
			return err
		}
		p.ID, p.AppID, p.Kind = d.root, d.root, ServicePrincipal
		if p.DisplayName == "" {
			p.DisplayName, p.Created = RootUser, d.now().UTC()
		}
		if want != known {
			p.SessionsAfter = d.now().UTC()
		}
		secrets := maps.Clone(stored)
		if secrets == nil {
			secrets = map[string]string{}
		}
		secrets[secretBootstrap] = want
		return put(ctx, tx, principals, p.ID, p, secrets, p.indexes()...)
	})
	return made, err
}

// Root returns the first principal when secret is its secret, nil otherwise.
func (d *Directory) Root(ctx context.Context, secret string) (*Principal, error) {
	s, err := d.State(ctx)
	if err != nil || !auth.EqualSecret(hash(secret), s.rootHash) {
		return nil, err
	}
	if p := s.Principal(d.root); p != nil && !p.Disabled {
		return p, nil
	}
	return nil, nil
}

// checkSecret returns a principal that is enabled and whose secrets pass a check, nil for others.
func (d *Directory) checkSecret(ctx context.Context, id string, right func(p *Principal, secrets map[string]string) bool) (*Principal, error) {
	s, err := d.State(ctx)
	if err != nil {
		return nil, err
	}
	p := s.Principal(id)
	if p == nil {
		return nil, nil
	}
	var secrets map[string]string
	err = d.store.View(ctx, func(x store.Reader) (err error) {
		secrets, err = x.GetSecrets(ctx, key(principals, id))
		return err
	})
	if err != nil || !right(p, secrets) || p.Disabled {
		return nil, err
	}
	return p, nil
}

// Client returns the service principal with an application ID when secret is one of its valid client secrets, nil
// otherwise.
func (d *Directory) Client(ctx context.Context, appID, secret string) (*Principal, error) {
	s, err := d.State(ctx)
	if err != nil {
		return nil, err
	}
	app := s.App(appID)
	if app == nil {
		return nil, nil
	}
	now := d.now()
	return d.checkSecret(ctx, app.ID, func(p *Principal, secrets map[string]string) bool {
		valid := auth.EqualSecret(hash(secret), secrets[secretBootstrap])
		for _, i := range p.Passwords {
			if auth.EqualSecret(hash(secret), secrets[secretPrefix+i.KeyID]) && !now.Before(i.Start) && now.Before(i.End) {
				valid = true
			}
		}
		return valid
	})
}

// SignIn returns the account with a user name when password is right, nil otherwise. It takes its time either way.
func (d *Directory) SignIn(ctx context.Context, userName, password string) (*Principal, error) {
	s, err := d.State(ctx)
	if err != nil {
		return nil, err
	}
	id := ""
	for _, p := range s.principals {
		if p.Kind == User && strings.EqualFold(p.UserName, userName) {
			id = p.ID
		}
	}
	if id == "" {
		auth.PasswordMatches("", password)
		if strings.EqualFold(userName, RootUser) {
			return d.Root(ctx, password)
		}
		return nil, nil
	}
	return d.checkSecret(ctx, id, func(_ *Principal, secrets map[string]string) bool {
		return auth.PasswordMatches(secrets[secretPassword], password)
	})
}

// SignInExternal returns the user that another issuer knows as e, and makes it when there is none. name and userName
// are what the issuer says; grants are the roles that follow from its claims.
func (d *Directory) SignInExternal(ctx context.Context, e External, userName, name string, grants []Grant) (*Principal, error) {
	s, err := d.State(ctx)
	if err != nil {
		return nil, err
	}
	id := arm.NewGUID()
	if p := s.externals[e]; p != nil {
		if id = p.ID; p.Disabled || slices.Equal(p.SignInRoles, grants) {
			return p, nil
		}
	}
	p, err := d.PutPrincipal(ctx, id, func(p *Principal, isNew bool) error {
		if isNew {
			p.Kind, p.External, p.UserName, p.DisplayName = User, &e, userName, name
		}
		p.SignInRoles = grants
		return nil
	})
	unique := e.Subject + "@" + strings.TrimPrefix(e.Issuer, "https://")
	if errors.Is(err, ErrTaken) && userName != unique { // a local account has this name
		return d.SignInExternal(ctx, e, unique, name, grants)
	}
	return p, err
}

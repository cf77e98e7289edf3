package directory

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/causeway-apim/causeway/internal/arm"
	"github.com/causeway-apim/causeway/internal/auth"
	"github.com/causeway-apim/causeway/internal/store"
)

// Kinds of principals, as role assignments name them.
const (
	User             = "User"
	ServicePrincipal = "ServicePrincipal"
)

// Limits of one principal.
const (
	MaxCredentials = 20
	maxText        = 256
)

// Principal is a person or a program that uses the management API.
type Principal struct {
	ID          string `json:"id"` // object ID
	Kind        string `json:"kind"`
	DisplayName string `json:"displayName"`
	Disabled    bool   `json:"disabled,omitempty"`

	// Of users.
	UserName    string    `json:"userName,omitempty"` // signs in with it; compared without case
	HasPassword bool      `json:"hasPassword,omitempty"`
	External    *External `json:"external,omitempty"`
	// SignInRoles come from the claims of the latest external sign-in.
	SignInRoles []Grant `json:"signInRoles,omitempty"`

	// Of service principals.
	AppID        string         `json:"appId,omitempty"`
	RedirectURIs []string       `json:"redirectUris,omitempty"`
	Passwords    []PasswordInfo `json:"passwordCredentials,omitempty"`
	Keys         []PublicKey    `json:"keyCredentials,omitempty"`
	Federated    []Federated    `json:"federatedIdentityCredentials,omitempty"`

	// SessionsAfter voids sessions and refresh tokens that began before: set when a password changes.
	SessionsAfter time.Time `json:"sessionsAfter,omitzero"`
	Created       time.Time `json:"createdDateTime"`
}

// External is who a user is at an OpenID Connect provider.
type External struct {
	Issuer  string `json:"issuer"`
	Subject string `json:"subject"`
}

// Grant is a role at a scope.
type Grant struct {
	RoleID string `json:"roleDefinitionId"`
	Scope  string `json:"scope"`
}

// PasswordInfo describes a client secret; the secret is known as a hash only.
type PasswordInfo struct {
	KeyID       string    `json:"keyId"`
	DisplayName string    `json:"displayName,omitempty"`
	Hint        string    `json:"hint,omitempty"` // its first characters
	Start       time.Time `json:"startDateTime"`
	End         time.Time `json:"endDateTime"`
}

// PublicKey is a key with whose private half the program signs assertions (RFC 7523).
type PublicKey struct {
	KeyID       string    `json:"keyId"`
	DisplayName string    `json:"displayName,omitempty"`
	PEM         string    `json:"key"` // a certificate or a public key
	End         time.Time `json:"endDateTime,omitzero"`
}

// Federated trusts the tokens that another issuer makes for a subject: workload identities.
type Federated struct {
	Name      string   `json:"name"`
	Issuer    string   `json:"issuer"`
	Subject   string   `json:"subject"`
	Audiences []string `json:"audiences"`
}

// Trusts reports whether the credential is for a token's issuer and subject.
func (f *Federated) Trusts(issuer, subject string) bool {
	return f.Issuer == issuer && f.Subject == subject
}

// Names of secrets in the store.
const (
	secretPassword  = "password"    // argon2id
	secretBootstrap = "tokenSha256" // of the first principal, SHA-256
	secretPrefix    = "client:"     // then the key ID; SHA-256
)

func (p *Principal) indexes() (rows []store.Index) {
	add := func(name, value string) {
		rows = append(rows, store.Index{Name: name, Value: strings.ToLower(value), Unique: true})
	}
	if p.UserName != "" {
		add("principal-user", p.UserName)
	}
	if p.AppID != "" {
		add("principal-app", p.AppID)
	}
	if p.External != nil {
		add("principal-external", p.External.Issuer+"\n"+p.External.Subject)
	}
	return rows
}

// check says what is wrong with a principal.
func (p *Principal) check() error {
	switch {
	case p.DisplayName == "" || len(p.DisplayName) > maxText:
		return errors.New("displayName must have 1 to 256 characters")
	case p.Kind == User && (p.UserName == "" || len(p.UserName) > maxText || strings.ContainsAny(p.UserName, " \t\r\n")):
		return errors.New("userName must have 1 to 256 characters without spaces")
	case p.Kind != User && p.Kind != ServicePrincipal:
		return errors.New("kind must be User or ServicePrincipal")
	case len(p.Passwords) > MaxCredentials || len(p.Keys) > MaxCredentials || len(p.Federated) > MaxCredentials || len(p.RedirectURIs) > MaxCredentials:
		return fmt.Errorf("a principal has at most %d of each kind of credentials and redirect URIs", MaxCredentials)
	}
	for _, k := range p.Keys {
		if _, err := auth.ParsePublicKey(k.PEM); err != nil {
			return fmt.Errorf("keyCredentials: %w", err)
		}
	}
	for _, f := range p.Federated {
		if !isIssuer(f.Issuer) || f.Subject == "" || len(f.Audiences) == 0 {
			return errors.New("federatedIdentityCredentials need an https issuer, a subject and audiences")
		}
	}
	return nil
}

// isIssuer reports whether keys may be read from an issuer: over TLS, or from this machine.
func isIssuer(issuer string) bool {
	u, err := url.Parse(issuer)
	if err != nil || u.Host == "" {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return u.Scheme == "https" || u.Scheme == "http" && (u.Hostname() == "localhost" || ip != nil && ip.IsLoopback())
}

// InvalidError says what is wrong with what a caller sent.
type InvalidError struct{ Err error }

func (e *InvalidError) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *InvalidError) Unwrap() error { return e.Err }

// PutPrincipal creates or changes a principal by fn, which gets the stored one or a new one without a name.
func (d *Directory) PutPrincipal(ctx context.Context, id string, fn func(p *Principal, isNew bool) error) (*Principal, error) {
	var p *Principal
	err := d.update(ctx, func(tx store.Tx) (err error) {
		p, err = get[Principal](ctx, tx, principals, id)
		isNew := errors.Is(err, ErrNotFound)
		if isNew {
			p, err = &Principal{ID: strings.ToLower(id), Created: d.now().UTC()}, nil
		}
		if err == nil {
			err = fn(p, isNew)
		}
		if err != nil {
			return err
		}
		if err := p.check(); err != nil {
			return &InvalidError{err}
		}
		return put(ctx, tx, principals, p.ID, p, nil, p.indexes()...)
	})
	return p, err
}

// RemovePrincipal deletes a principal with its assignments and tokens. It reports whether there was one.
func (d *Directory) RemovePrincipal(ctx context.Context, id string) (found bool, err error) {
	if strings.EqualFold(id, d.root) {
		return false, &InvalidError{errors.New("the first principal cannot be deleted")}
	}
	err = d.update(ctx, func(tx store.Tx) error {
		err := tx.Delete(ctx, key(principals, id))
		if errors.Is(err, store.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		found = true
		var gone []string
		err = errors.Join(
			each(ctx, tx, assignments, func(k string, a *RoleAssignment) {
				if strings.EqualFold(a.PrincipalID, id) {
					gone = append(gone, k)
				}
			}),
			each(ctx, tx, tokens, func(k string, t *APIToken) {
				if strings.EqualFold(t.PrincipalID, id) {
					gone = append(gone, k)
				}
			}))
		for _, k := range gone {
			err = errors.Join(err, tx.Delete(ctx, k))
		}
		return err
	})
	return found, err
}

// secrets changes the secrets of a principal together with the principal.
func (d *Directory) secrets(ctx context.Context, id string, fn func(p *Principal, secrets map[string]string) error) error {
	return d.update(ctx, func(tx store.Tx) error {
		p, err := get[Principal](ctx, tx, principals, id)
		if err != nil {
			return err
		}
		stored, err := tx.GetSecrets(ctx, key(principals, id))
		if err != nil {
			return err
		}
		if err := fn(p, stored); err != nil {
			return err
		}
		if err := p.check(); err != nil {
			return &InvalidError{err}
		}
		return put(ctx, tx, principals, p.ID, p, stored, p.indexes()...)
	})
}

// SetPassword gives a user a password and ends the sessions that it had.
func (d *Directory) SetPassword(ctx context.Context, id, password string) error {
	if err := auth.CheckNewPassword(password); err != nil {
		return &InvalidError{err}
	}
	hash := auth.HashPassword(password)
	return d.secrets(ctx, id, func(p *Principal, secrets map[string]string) error {
		if p.Kind != User {
			return &InvalidError{errors.New("only users have passwords")}
		}
		secrets[secretPassword], p.HasPassword, p.SessionsAfter = hash, true, d.now().UTC()
		return nil
	})
}

// AddSecret makes a client secret of a service principal, which is returned this once.
func (d *Directory) AddSecret(ctx context.Context, id, name string, end time.Time) (secret string, info PasswordInfo, err error) {
	secret = RandomText()
	now := d.now().UTC()
	info = PasswordInfo{KeyID: arm.NewGUID(), DisplayName: name, Hint: secret[:3], Start: now, End: end}
	if !end.After(now) || len(name) > maxText {
		return "", info, &InvalidError{errors.New("endDateTime must be in the future and displayName have at most 256 characters")}
	}
	err = d.secrets(ctx, id, func(p *Principal, secrets map[string]string) error {
		if p.Kind != ServicePrincipal {
			return &InvalidError{errors.New("only service principals have client secrets")}
		}
		p.Passwords = append(p.Passwords, info)
		secrets[secretPrefix+info.KeyID] = hash(secret)
		return nil
	})
	return secret, info, err
}

// RemoveSecret takes a client secret away.
func (d *Directory) RemoveSecret(ctx context.Context, id, keyID string) error {
	return d.secrets(ctx, id, func(p *Principal, secrets map[string]string) error {
		n := len(p.Passwords)
		p.Passwords = slices.DeleteFunc(p.Passwords, func(i PasswordInfo) bool { return strings.EqualFold(i.KeyID, keyID) })
		if len(p.Passwords) == n {
			return ErrNotFound
		}
		delete(secrets, secretPrefix+strings.ToLower(keyID))
		return nil
	})
}

// RandomText returns 192 random bits as URL-safe text.
func RandomText() string {
	var b [24]byte
	_, _ = rand.Read(b[:]) // never fails
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// hash is how random secrets are kept: they cannot be guessed, so a plain hash does.
func hash(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

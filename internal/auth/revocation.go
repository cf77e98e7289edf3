package auth

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"
)

// Limits of revocation lists.
const (
	revocationLifetime  = time.Hour
	revocationRetry     = time.Minute // after a failure
	revocationTimeout   = 10 * time.Second
	revocationSize      = 16 << 20
	revocationMaxCached = 200
)

// ErrRevoked says that an issuer has revoked a certificate.
var ErrRevoked = errors.New("the certificate has been revoked")

// Revocations reads certificate revocation lists (RFC 5280, section 5) and keeps them for an hour at most. It is safe for concurrent use.
type Revocations struct {
	doer Doer
	now  func() time.Time

	mu    sync.Mutex
	lists map[string]*revocationList
}

type revocationList struct {
	mu      sync.Mutex
	list    *x509.RevocationList
	fetched time.Time
	tried   time.Time
	err     error // of the last attempt
}

// NewRevocations returns an empty cache.
func NewRevocations(doer Doer, now func() time.Time) *Revocations {
	return &Revocations{doer: doer, now: now, lists: make(map[string]*revocationList)}
}

// Check asks the issuers of a verified chain, leaf first, about all certificates but the root. The error is [ErrRevoked], or says why nothing is
// known, which is not an approval. Lists of chains that nobody vouches for must not be asked for: their addresses may be anything.
func (r *Revocations) Check(ctx context.Context, chain []*x509.Certificate) error {
	for i, c := range chain[:len(chain)-1] {
		if err := r.check(ctx, c, chain[i+1]); err != nil {
			return fmt.Errorf("check revocation of %q: %w", c.Subject.CommonName, err)
		}
	}
	return nil
}

func (r *Revocations) check(ctx context.Context, c, issuer *x509.Certificate) error {
	err := errors.New("it names no revocation list")
	for _, address := range c.CRLDistributionPoints {
		if !strings.HasPrefix(address, "http://") && !strings.HasPrefix(address, "https://") {
			continue
		}
		var list *x509.RevocationList
		if list, err = r.list(ctx, address, issuer); err != nil {
			continue
		}
		for _, entry := range list.RevokedCertificateEntries {
			if entry.SerialNumber.Cmp(c.SerialNumber) == 0 {
				return ErrRevoked
			}
		}
		return nil
	}
	return err
}

// list gives a list that an issuer has signed and that is not out of date.
func (r *Revocations) list(ctx context.Context, address string, issuer *x509.Certificate) (*x509.RevocationList, error) {
	e := r.entry(address)
	e.mu.Lock()
	defer e.mu.Unlock()
	now := r.now()
	if e.due(now) {
		e.tried = now
		list, err := r.fetch(ctx, address)
		if e.err = err; err == nil {
			e.list, e.fetched = list, now
		}
	}
	if e.list == nil {
		return nil, e.err
	}
	if err := e.list.CheckSignatureFrom(issuer); err != nil {
		return nil, fmt.Errorf("verify revocation list: %w", err)
	}
	if e.outdated(now) {
		return nil, errors.New("the revocation list is out of date")
	}
	return e.list, nil
}

func (e *revocationList) outdated(now time.Time) bool {
	return !e.list.NextUpdate.IsZero() && !now.Before(e.list.NextUpdate)
}

func (e *revocationList) due(now time.Time) bool {
	if e.err != nil {
		return now.Sub(e.tried) >= revocationRetry
	}
	return e.list == nil || now.Sub(e.fetched) >= revocationLifetime || e.outdated(now)
}

func (r *Revocations) fetch(ctx context.Context, address string) (*x509.RevocationList, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), revocationTimeout)
	defer cancel()
	raw, err := get(ctx, r.doer, address, revocationSize)
	if err != nil {
		return nil, err
	}
	list, err := x509.ParseRevocationList(raw)
	if err != nil {
		return nil, fmt.Errorf("read revocation list: %w", err)
	}
	return list, nil
}

func (r *Revocations) entry(address string) *revocationList {
	r.mu.Lock()
	defer r.mu.Unlock()
	e, ok := r.lists[address]
	if !ok {
		if len(r.lists) >= revocationMaxCached {
			clear(r.lists)
		}
		e = &revocationList{}
		r.lists[address] = e
	}
	return e
}

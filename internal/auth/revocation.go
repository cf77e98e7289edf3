package auth

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/ocsp"
)

// Limits of revocation lists.
const (
	revocationLifetime  = time.Hour
	revocationRetry     = time.Minute // after a failure
	revocationTimeout   = 10 * time.Second
	revocationSize      = 16 << 20 // bytes of one
	revocationBytes     = 64 << 20 // bytes of all that are kept
	revocationMaxCached = 200
)

// ErrRevoked says that an issuer has revoked a certificate.
var ErrRevoked = errors.New("the certificate has been revoked")

// Revocations reads certificate revocation lists (RFC 5280, section 5) and keeps them. One that is older than an hour is read anew while it goes
// on being used, to the end that it names itself. It is safe for concurrent use.
type Revocations struct {
	doer Doer
	now  func() time.Time

	mu    sync.Mutex
	lists map[revocationKey]*revocationEntry
	bytes int
}

// revocationKey is an address and the issuer whose list is there.
type revocationKey struct {
	address string
	issuer  [sha256.Size]byte // digest of its key
}

// revocationList is a list whose signature is right.
type revocationList struct {
	revoked map[string]struct{} // serial numbers
	end     time.Time           // zero for a list without one
}

type revocationEntry struct {
	fetching chan struct{} // a mutex: it is held while the list is fetched

	mu      sync.Mutex
	list    *revocationList
	size    int // of the list, in bytes
	fetched time.Time
	tried   time.Time
	err     error // of the last attempt
}

// NewRevocations returns an empty cache.
func NewRevocations(doer Doer, now func() time.Time) *Revocations {
	return &Revocations{doer: doer, now: now, lists: make(map[revocationKey]*revocationEntry)}
}

// Check asks the issuers of a verified chain, leaf first, about all certificates but the root. The error is [ErrRevoked], or says why nothing is
// known, which is not an approval. Lists of chains that nobody vouches for must not be asked for: their addresses may be anything.
func (r *Revocations) Check(ctx context.Context, chain []*x509.Certificate) error {
	return r.CheckStapled(ctx, chain, nil)
}

// CheckStapled is Check with the answer of the issuer's OCSP service (RFC 6960) that a peer has brought for its own certificate; nil for none. A
// valid one takes the place of the list.
func (r *Revocations) CheckStapled(ctx context.Context, chain []*x509.Certificate, staple []byte) error {
	for i, c := range chain[:len(chain)-1] {
		known, err := false, error(nil)
		if i == 0 && len(staple) > 0 {
			known, err = checkStaple(staple, c, chain[i+1], r.now())
		}
		if !known && err == nil {
			err = r.check(ctx, c, chain[i+1])
		}
		if err != nil {
			return fmt.Errorf("check revocation of %q: %w", c.Subject.CommonName, err)
		}
	}
	return nil
}

// checkStaple reads an answer of an OCSP service; one that cannot be used is as good as none.
func checkStaple(staple []byte, c, issuer *x509.Certificate, now time.Time) (known bool, err error) {
	answer, err := ocsp.ParseResponseForCert(staple, c, issuer)
	if err != nil || now.Before(answer.ThisUpdate) || answer.NextUpdate.IsZero() || !now.Before(answer.NextUpdate) {
		return false, nil
	}
	switch answer.Status {
	case ocsp.Good:
		return true, nil
	case ocsp.Revoked:
		return true, ErrRevoked
	}
	return false, nil
}

func (r *Revocations) check(ctx context.Context, c, issuer *x509.Certificate) error {
	err := errors.New("it names no revocation list")
	for _, address := range c.CRLDistributionPoints {
		if !strings.HasPrefix(address, "http://") && !strings.HasPrefix(address, "https://") {
			continue
		}
		var list *revocationList
		if list, err = r.list(ctx, address, issuer); err != nil {
			continue
		}
		if _, revoked := list.revoked[string(c.SerialNumber.Bytes())]; revoked {
			return ErrRevoked
		}
		return nil
	}
	return err
}

// list gives a list that an issuer has signed and that is not out of date. It waits for one only when there is none.
func (r *Revocations) list(ctx context.Context, address string, issuer *x509.Certificate) (*revocationList, error) {
	e := r.entry(revocationKey{address, sha256.Sum256(issuer.RawSubjectPublicKeyInfo)})
	list, due, err := e.state(r.now())
	if !due {
		return list, err
	}
	if list != nil {
		select {
		case e.fetching <- struct{}{}:
			go func() {
				defer func() { <-e.fetching }()
				r.refresh(ctx, e, address, issuer)
			}()
		default: // somebody is at it
		}
		return list, nil
	}
	select {
	case e.fetching <- struct{}{}:
		defer func() { <-e.fetching }()
	case <-ctx.Done():
		return nil, fmt.Errorf("wait for revocation list: %w", context.Cause(ctx))
	}
	r.refresh(ctx, e, address, issuer)
	list, _, err = e.state(r.now())
	return list, err
}

// state returns the list that can be used, nil with the reason for none, and whether it should be fetched.
func (e *revocationEntry) state(now time.Time) (list *revocationList, due bool, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	switch list, err = e.list, e.err; {
	case list == nil:
	case !list.end.IsZero() && !now.Before(list.end):
		list = nil
		if err == nil {
			err = errors.New("the revocation list is out of date")
		}
	default:
		err = nil
	}
	switch {
	case e.tried.IsZero():
		due = true
	case list == nil || e.err != nil:
		due = now.Sub(e.tried) >= revocationRetry
	default:
		due = now.Sub(e.fetched) >= revocationLifetime
	}
	return list, due, err
}

// refresh fetches the list, unless another call has just done so.
func (r *Revocations) refresh(ctx context.Context, e *revocationEntry, address string, issuer *x509.Certificate) {
	if _, due, _ := e.state(r.now()); !due {
		return
	}
	list, size, err := r.fetch(ctx, address, issuer)
	e.mu.Lock()
	defer e.mu.Unlock()
	e.tried, e.err = r.now(), err
	if err == nil {
		r.count(size - e.size)
		e.list, e.fetched, e.size = list, e.tried, size
	}
}

// count bounds the memory: what is kept is let go of when it is too much, and is fetched again by those who use it. more is by how many bytes a
// list has grown.
func (r *Revocations) count(more int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.bytes += more; r.bytes > revocationBytes {
		clear(r.lists)
		r.bytes = 0
	}
}

func (r *Revocations) fetch(ctx context.Context, address string, issuer *x509.Certificate) (*revocationList, int, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), revocationTimeout)
	defer cancel()
	raw, err := get(ctx, r.doer, address, revocationSize)
	if err != nil {
		return nil, 0, err
	}
	parsed, err := x509.ParseRevocationList(raw)
	if err != nil {
		return nil, 0, fmt.Errorf("read revocation list: %w", err)
	}
	if err := parsed.CheckSignatureFrom(issuer); err != nil {
		return nil, 0, fmt.Errorf("verify revocation list: %w", err)
	}
	list := &revocationList{revoked: make(map[string]struct{}, len(parsed.RevokedCertificateEntries)), end: parsed.NextUpdate}
	for _, entry := range parsed.RevokedCertificateEntries {
		list.revoked[string(entry.SerialNumber.Bytes())] = struct{}{}
	}
	return list, len(raw), nil
}

func (r *Revocations) entry(key revocationKey) *revocationEntry {
	r.mu.Lock()
	defer r.mu.Unlock()
	e, ok := r.lists[key]
	if !ok {
		if len(r.lists) >= revocationMaxCached {
			clear(r.lists)
			r.bytes = 0
		}
		e = &revocationEntry{fetching: make(chan struct{}, 1)}
		r.lists[key] = e
	}
	return e
}

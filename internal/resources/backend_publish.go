package resources

import (
	"fmt"
	"regexp"
	"strconv"
	"time"

	"github.com/causeway-apim/causeway/internal/arm"
	"github.com/causeway-apim/causeway/internal/resource"
	"github.com/causeway-apim/causeway/internal/snapshot"
)

// maxBreakerTime bounds the times of circuit breakers.
const maxBreakerTime = 24 * time.Hour

// check checks what the tags of a rule cannot express.
func (r CircuitBreakerRule) check(i int) error {
	at := fmt.Sprintf("circuitBreaker.rules[%d].", i)
	f := r.FailureCondition
	if (f.Count > 0) == (f.Percentage > 0) {
		return arm.Invalid(at+"failureCondition", "One of count and percentage is needed.")
	}
	if _, err := breakerTime(f.Interval); err != nil {
		return arm.Invalid(at+"failureCondition.interval", "interval %s.", err)
	}
	if _, err := breakerTime(r.TripDuration); err != nil {
		return arm.Invalid(at+"tripDuration", "tripDuration %s.", err)
	}
	for j, s := range f.StatusCodeRanges {
		if s.Min > s.Max {
			return arm.Invalid(fmt.Sprintf("%sfailureCondition.statusCodeRanges[%d]", at, j), "min is more than max.")
		}
	}
	return nil
}

var isoDuration = regexp.MustCompile(`^P(?:(\d{1,4})D)?(?:T(?:(\d{1,6})H)?(?:(\d{1,6})M)?(?:(\d{1,7})(?:\.(\d{1,7}))?S)?)?$`)

// isoTime reads an ISO 8601 duration of days and smaller units.
func isoTime(s string) (d time.Duration, ok bool) {
	m := isoDuration.FindStringSubmatch(s)
	if m == nil {
		return 0, false
	}
	for i, unit := range []time.Duration{24 * time.Hour, time.Hour, time.Minute, time.Second} {
		n, _ := strconv.Atoi("0" + m[i+1]) // the expression lets digits through only
		d += time.Duration(n) * unit
	}
	if m[5] != "" {
		fraction, _ := strconv.ParseFloat("0."+m[5], 64)
		d += time.Duration(fraction * float64(time.Second))
	}
	return d, true
}

// breakerTime reads the duration of a circuit breaker's rule. Its error goes on after the name of the property.
func breakerTime(s string) (time.Duration, error) {
	d, ok := isoTime(s)
	if !ok {
		return 0, fmt.Errorf("must be an ISO 8601 duration such as PT10S")
	}
	if d <= 0 || d > maxBreakerTime {
		return 0, fmt.Errorf("must be more than nothing and at most a day")
	}
	return d, nil
}

func publishBackend(p *resource.Pub, d *resource.Doc[Backend]) error {
	b := d.Props
	part := snapshot.Backend{
		Name: d.Name(), Title: b.Title, Type: b.Type, URL: b.URL, Protocol: b.Protocol, Credentials: b.Credentials.part(),
	}
	if b.Proxy != nil {
		part.Proxy = &snapshot.Proxy{URL: b.Proxy.URL, Username: b.Proxy.Username, Password: b.Proxy.Password}
	}
	if b.TLS != nil {
		part.TLS = &snapshot.BackendTLS{ValidateChain: b.TLS.ValidateCertificateChain, ValidateName: b.TLS.ValidateCertificateName, Thumbprints: b.TLS.ServerCertificateThumbprints}
		for _, n := range b.TLS.ServerX509Names {
			part.TLS.Identities = append(part.TLS.Identities, snapshot.ServerIdentity{Name: n.Name, Issuer: n.IssuerCertificateThumbprint})
		}
	}
	if b.CircuitBreaker != nil && len(b.CircuitBreaker.Rules) > 0 {
		part.CircuitBreaker = &snapshot.CircuitBreaker{}
		for _, rule := range b.CircuitBreaker.Rules {
			r, err := rule.part()
			if err != nil {
				return err
			}
			part.CircuitBreaker.Rules = append(part.CircuitBreaker.Rules, r)
		}
	}
	if b.Type == poolType && b.Pool != nil {
		for _, s := range b.Pool.Services {
			part.Pool = append(part.Pool, snapshot.PoolMember{Backend: lastLower(s.ID), Priority: orZero(s.Priority), Weight: orZero(s.Weight)})
		}
		part.FailureStatus = b.Pool.FailureResponse.status()
		if a := b.Pool.SessionAffinity; a != nil && a.SessionID != nil {
			part.SessionCookie = a.SessionID.Name
		}
	}
	return p.Add(snapshot.KindBackend, d.ID.Rel(), part)
}

func orZero(n *int) int {
	if n == nil {
		return 0
	}
	return *n
}

// status is the status code to answer, 0 for the usual one.
func (r *FailureResponse) status() int {
	if r == nil || r.StatusCode < 200 {
		return 0
	}
	return r.StatusCode
}

func (c *BackendCredentials) part() *snapshot.Credentials {
	if c == nil {
		return nil
	}
	part := &snapshot.Credentials{Header: c.Header, Query: c.Query, Certificates: c.Certificate}
	for _, id := range c.CertificateIDs {
		part.CertificateIDs = append(part.CertificateIDs, lastLower(id))
	}
	if c.Authorization != nil {
		part.Scheme, part.Parameter = c.Authorization.Scheme, c.Authorization.Parameter
	}
	return part
}

func (r CircuitBreakerRule) part() (part snapshot.CircuitBreakerRule, err error) {
	f := r.FailureCondition
	part = snapshot.CircuitBreakerRule{
		Name: r.Name, Count: f.Count, Percentage: f.Percentage, ErrorReasons: f.ErrorReasons, AcceptRetryAfter: r.AcceptRetryAfter,
		FailureStatus: r.FailureResponse.status(),
	}
	if part.Interval, err = breakerTime(f.Interval); err != nil {
		return part, fmt.Errorf("rule %s: interval %w", r.Name, err)
	}
	if part.TripDuration, err = breakerTime(r.TripDuration); err != nil {
		return part, fmt.Errorf("rule %s: trip duration %w", r.Name, err)
	}
	for _, s := range f.StatusCodeRanges {
		part.StatusRanges = append(part.StatusRanges, [2]int{s.Min, s.Max})
	}
	return part, nil
}

package gateway

import (
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"hash"
	"strings"
	"sync"
	"time"

	"github.com/causeway-apim/causeway/internal/message"
	"github.com/causeway-apim/causeway/internal/policy"
	"github.com/causeway-apim/causeway/internal/snapshot"
)

const (
	defaultKeyHeader = "Ocp-Apim-Subscription-Key"
	defaultKeyQuery  = "subscription-key"
)

// subscription is a subscription with what it opens, resolved.
type subscription struct {
	part snapshot.Subscription
	// product is the lower-case product name of a product scope; api the
	// lower-case name of an API scope; both empty open every API.
	product, api string
}

func newSubscription(part snapshot.Subscription) *subscription {
	s := &subscription{part: part}
	if name, ok := strings.CutPrefix(part.Scope, "products/"); ok {
		s.product = name
	} else if name, ok := strings.CutPrefix(part.Scope, "apis/"); ok {
		s.api = name
	}
	return s
}

// usable tells whether the subscription gives access at a moment.
func (s *subscription) usable(now time.Time) bool {
	return s.part.State == "active" &&
		(s.part.Start == nil || !now.Before(*s.part.Start)) &&
		(s.part.End == nil || now.Before(*s.part.End))
}

// product is a product with the APIs it holds.
type product struct {
	part  snapshot.Product
	id    string // lower-case name
	scope string // of its policy document
}

// admission is what a request was let in with; each member may be nil.
type admission struct {
	subscription *subscription
	product      *product
	user         *snapshot.User
}

// admit decides whether a request may call the API it was matched to and in
// which product context it runs ("Subscriptions in Azure API Management", how
// the gateway handles requests with and without keys).
func (c *config) admit(r *message.Request, a *api, now time.Time) (admission, *policy.Error) {
	key := a.requestKey(r)
	if key == "" {
		return c.admitWithoutKey(r, a)
	}
	sub := c.findSubscription(key)
	if sub == nil || !sub.usable(now) {
		return admission{}, a.refuse(r, invalidKey)
	}
	ad := admission{subscription: sub}
	name := lowerASCII(a.part.Name)
	switch {
	case sub.product != "":
		p, ok := c.products.Get(sub.product)
		if !ok || !c.holds(sub.product, name) {
			return admission{}, a.refuse(r, invalidKey)
		}
		ad.product = p
	case sub.api != "" && sub.api != name:
		return admission{}, a.refuse(r, invalidKey)
	}
	if sub.part.User != "" {
		if u, ok := c.users.Get(lowerASCII(sub.part.User)); ok {
			if !u.Active {
				return admission{}, a.refuse(r, invalidKey)
			}
			ad.user = u
		}
	}
	return ad, nil
}

// admitWithoutKey lets a request in through an open product or an open API.
func (c *config) admitWithoutKey(r *message.Request, a *api) (admission, *policy.Error) {
	products, _ := c.apiProducts.Get(lowerASCII(a.part.Name))
	for _, name := range products {
		if p, ok := c.products.Get(name); ok && !p.part.SubscriptionRequired {
			return admission{product: p}, nil
		}
	}
	if !a.part.SubscriptionRequired {
		return admission{}, nil
	}
	return admission{}, a.refuse(r, missingKey)
}

// keyProblem is a reason to refuse a request and the sentence for the caller.
type keyProblem struct{ reason, message string }

var (
	missingKey = keyProblem{"SubscriptionKeyNotFound", "Access denied due to missing subscription key. Make sure to include subscription key when making requests to this API."}
	invalidKey = keyProblem{"SubscriptionKeyInvalid", "Access denied due to invalid subscription key. Make sure to provide a valid key for an active subscription."}
)

// refuse makes the 401 with the challenge that says where a key belongs.
func (a *api) refuse(r *message.Request, p keyProblem) *policy.Error {
	challenge := fmt.Sprintf("AzureApiManagementKey realm=%q,name=%q,type=\"header\"",
		"https://"+r.Header.Get("Host")+"/"+a.part.Path, a.keyHeader())
	return &policy.Error{
		Source: "authorization", Reason: p.reason, Message: p.message, Status: 401,
		Header: message.NewHeader("WWW-Authenticate", challenge),
	}
}

func (a *api) keyHeader() string {
	if a.part.KeyHeader != "" {
		return a.part.KeyHeader
	}
	return defaultKeyHeader
}

// requestKey returns the key of a request: from the header, and from the query
// only without the header.
func (a *api) requestKey(r *message.Request) string {
	if v, ok := r.Header.Lookup(a.keyHeader()); ok {
		return v
	}
	name := a.part.KeyQuery
	if name == "" {
		name = defaultKeyQuery
	}
	v, _ := queryValue(r.URL.RawQuery, name)
	return unescapeQuery(v)
}

// holds tells whether a product holds an API.
func (c *config) holds(product, api string) bool {
	products, _ := c.apiProducts.Get(api)
	for _, p := range products {
		if p == product {
			return true
		}
	}
	return false
}

// findSubscription looks a key up by its keyed hash, so that neither the
// configuration nor the time of the look-up tells anything of the keys.
func (c *config) findSubscription(key string) *subscription {
	var sum [sha256.Size]byte
	c.hasher.sum(key, &sum)
	s, _ := c.keys.Get(string(sum[:]))
	return s
}

// keyHasher computes HMAC-SHA256 under one key with reused states.
type keyHasher struct{ pool sync.Pool }

type hashState struct {
	mac hash.Hash
	in  []byte
}

func newKeyHasher(key []byte) *keyHasher {
	return &keyHasher{sync.Pool{New: func() any { return &hashState{mac: hmac.New(sha256.New, key)} }}}
}

func (h *keyHasher) sum(text string, out *[sha256.Size]byte) {
	st := h.pool.Get().(*hashState)
	st.mac.Reset()
	st.in = append(st.in[:0], text...)
	st.mac.Write(st.in)
	st.mac.Sum(out[:0])
	clear(st.in)
	h.pool.Put(st)
}

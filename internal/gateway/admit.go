package gateway

import (
	"crypto/hmac"
	"crypto/sha256"
	"hash"
	"slices"
	"strconv"
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
	workspace    string // of a scope that is a workspace: opens its APIs
	user         string // lower-case
}

func newSubscription(part snapshot.Subscription) *subscription {
	s := &subscription{part: part, user: strings.ToLower(part.User)}
	workspace, scope := splitWorkspace(part.Scope)
	if name, ok := strings.CutPrefix(scope, "products/"); ok {
		s.product = qualify(workspace, name)
	} else if name, ok := strings.CutPrefix(scope, "apis/"); ok {
		s.api = qualify(workspace, name)
	} else {
		s.workspace = workspace
	}
	return s
}

// usable tells whether the subscription gives access at a moment.
func (s *subscription) usable(now time.Time) bool {
	return s.part.State == "active" &&
		(s.part.Start == nil || !now.Before(*s.part.Start)) &&
		(s.part.End == nil || now.Before(*s.part.End))
}

// product is a product.
type product struct {
	part  snapshot.Product
	scope string // of its policy document
}

// admission is what a request was let in with; each member may be nil.
type admission struct {
	key          string
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
	if sub == nil || !sub.usable(now) || sub.api != "" && sub.api != a.name || sub.workspace != "" && sub.workspace != a.workspace {
		return admission{}, a.refuse(r, invalidKey)
	}
	ad := admission{key: key, subscription: sub}
	if sub.product != "" {
		holders, _ := c.apiProducts.Get(a.name)
		ad.product, _ = c.products.Get(sub.product)
		if ad.product == nil || !slices.Contains(holders, sub.product) {
			return admission{}, a.refuse(r, invalidKey)
		}
	}
	if sub.user != "" {
		ad.user, _ = c.users.Get(sub.user)
		if ad.user != nil && !ad.user.Active {
			return admission{}, a.refuse(r, invalidKey)
		}
	}
	return ad, nil
}

// admitWithoutKey lets a request in through an open product or an open API.
func (c *config) admitWithoutKey(r *message.Request, a *api) (admission, *policy.Error) {
	holders, _ := c.apiProducts.Get(a.name)
	for _, name := range holders {
		if p, ok := c.products.Get(name); ok && !p.part.SubscriptionRequired {
			return admission{product: p}, nil
		}
	}
	if !a.part.SubscriptionRequired {
		return admission{}, nil
	}
	return admission{}, a.refuse(r, missingKey)
}

// keyProblem is a reason to refuse a request.
type keyProblem bool

const (
	missingKey keyProblem = false
	invalidKey keyProblem = true
)

// refuse makes the 401 with the challenge that says where a key belongs.
func (a *api) refuse(r *message.Request, p keyProblem) *policy.Error {
	e := &policy.Error{
		Source: "authorization", Reason: "SubscriptionKeyNotFound", Status: 401,
		Message: "Access denied due to missing subscription key. Make sure to include subscription key when making requests to this API.",
	}
	if p == invalidKey {
		e.Reason = "SubscriptionKeyInvalid"
		e.Message = "Access denied due to invalid subscription key. Make sure to provide a valid key for an active subscription."
	}
	realm := "https://" + r.Header.Get("Host") + "/" + a.part.Path
	e.Header.Add("WWW-Authenticate",
		"AzureApiManagementKey realm="+strconv.Quote(realm)+",name="+strconv.Quote(a.keyHeader())+`,type="header"`)
	return e
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

// findSubscription looks a key up by its keyed hash, so that neither the
// configuration nor the time of the look-up tells anything of the keys.
func (c *config) findSubscription(key string) *subscription {
	if s := c.seenKeys.find(key); s != nil {
		return s
	}
	s, _ := c.keys.Get(c.hasher.sum(key))
	if s != nil {
		c.seenKeys.add(key, s)
	}
	return s
}

// keyHasher computes HMAC-SHA256 under one key with reused states.
type keyHasher struct{ pool sync.Pool }

type hashState struct {
	mac     hash.Hash
	in, out []byte
}

func newKeyHasher(key []byte) *keyHasher {
	return &keyHasher{sync.Pool{New: func() any { return &hashState{mac: hmac.New(sha256.New, key)} }}}
}

func (h *keyHasher) sum(text string) [sha256.Size]byte {
	st := h.pool.Get().(*hashState)
	defer h.pool.Put(st)
	st.mac.Reset()
	st.in = append(st.in[:0], text...)
	st.mac.Write(st.in)
	clear(st.in)
	st.out = st.mac.Sum(st.out[:0])
	return [sha256.Size]byte(st.out)
}

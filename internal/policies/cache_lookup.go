package policies

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/causeway-apim/causeway/internal/message"
	"github.com/causeway-apim/causeway/internal/policy"
)

// CacheLookup is the cache-lookup policy.
var CacheLookup = policy.Define[cacheLookup](policy.Spec{
	Name:           "cache-lookup",
	NoHandshake:    true,
	Sections:       policy.Inbound,
	OncePerSection: true,
	Flow:           policy.FlowStays,
	Doc:            "Answers a GET request with a response that cache-store has kept; then the backend service is not called, and outbound goes on.",
})

type cacheLookup struct {
	ByDeveloper     policy.Value[bool]     `attr:"vary-by-developer,required" doc:"Whether each developer has responses of their own."`
	ByGroups        policy.Value[bool]     `attr:"vary-by-developer-groups,required" doc:"Whether developers of different groups have responses of their own."`
	Private         policy.Value[bool]     `attr:"allow-private-response-caching" default:"false" doc:"Whether responses to requests with an Authorization header are kept."`
	Downstream      policy.Value[string]   `attr:"downstream-caching-type" default:"none" enum:"none,private,public" doc:"Which caches behind the gateway may keep the response."`
	MustRevalidate  policy.Value[bool]     `attr:"must-revalidate" default:"true" doc:"Whether caches behind the gateway must ask again when the time is over."`
	Headers         []policy.Value[string] `elem:"vary-by-header" doc:"Request header for each of whose values there is a response."`
	QueryParameters []policy.Value[string] `elem:"vary-by-query-parameter" doc:"Query parameter, or several with semicolons, for each of whose values there is a response; all of them without this element."`
	Caching         cachingType
}

// responseCaching is what cache-lookup tells cache-store.
type responseCaching struct {
	key            string
	downstream     string
	mustRevalidate bool
	cache          *cachingType
}

// responseCachingKey is the key of it in the state of the request.
type responseCachingKey struct{}

func (p *cacheLookup) Run(x *policy.Exec) error {
	if x.Request.Method != "GET" {
		return nil
	}
	if x.Request.Header.Has("Authorization") {
		if private, err := p.Private.Get(x); err != nil || !private {
			return err
		}
	}
	c, err := p.caching(x)
	if err != nil {
		return err
	}
	data, ok := p.Caching.cached(x, c.key)
	if ok {
		stored, err := decodeResponse(data)
		if err == nil {
			return c.hit(x, stored)
		}
		cacheFailed(x, err)
	}
	x.CacheMiss = true
	x.SetState(responseCachingKey{}, c)
	return nil
}

// hit answers with a stored response.
func (c *responseCaching) hit(x *policy.Exec, stored *storedResponse) error {
	r := &message.Response{
		Status: stored.status, Reason: stored.reason, Header: stored.header,
		Body: message.BytesBody(stored.body), ContentLength: int64(len(stored.body)),
	}
	c.setHeader(&r.Header, stored.expires.Sub(x.Now()))
	x.SetResponse(r)
	x.CacheHit = true
	x.SetState(responseCachingKey{}, nil) // it is in the cache already
	return policy.ErrSkipBackend
}

// setHeader tells the caches behind the gateway what they may do (RFC 9111, 5.2.2).
func (c *responseCaching) setHeader(h *message.Header, left time.Duration) {
	if c.downstream == "none" {
		h.Set("Cache-Control", "no-store")
		return
	}
	seconds := max(int64((left+time.Second-1)/time.Second), 0)
	value := c.downstream + ", max-age=" + strconv.FormatInt(seconds, 10)
	if c.mustRevalidate {
		value += ", must-revalidate"
	}
	h.Set("Cache-Control", value)
}

// caching works out the key and the settings.
func (p *cacheLookup) caching(x *policy.Exec) (c *responseCaching, err error) {
	c = &responseCaching{cache: &p.Caching}
	if c.downstream, err = p.Downstream.Get(x); err != nil {
		return nil, err
	}
	if c.mustRevalidate, err = p.MustRevalidate.Get(x); err != nil {
		return nil, err
	}
	byDeveloper, err := p.ByDeveloper.Get(x)
	if err != nil {
		return nil, err
	}
	byGroups, err := p.ByGroups.Get(x)
	if err != nil {
		return nil, err
	}
	key := cacheKey{b: make([]byte, 0, 256)}
	key.b = append(key.b, "response|"...)
	if x.API != nil {
		key.add(x.API.ID)
	}
	if x.Product != nil { // its policies may have changed the response
		key.add("product", x.Product.Name)
	}
	key.add(x.OriginalURL.Path)
	if byDeveloper {
		key.add("developer", developer(x))
	}
	if byGroups {
		key.add("groups", groups(x))
	}
	for _, h := range p.Headers {
		name, err := h.Get(x)
		if err != nil {
			return nil, err
		}
		key.add("header", strings.ToLower(name), x.Request.Header.Joined(name))
	}
	if err := p.addQuery(x, &key); err != nil {
		return nil, err
	}
	c.key = string(key.b)
	return c, nil
}

// addQuery adds the query parameters that count, in the order of their names; the subscription key never does.
func (p *cacheLookup) addQuery(x *policy.Exec, key *cacheKey) error {
	var wanted []string
	for _, v := range p.QueryParameters {
		list, err := v.Get(x)
		if err != nil {
			return err
		}
		for name := range strings.SplitSeq(list, ";") {
			wanted = append(wanted, strings.TrimSpace(name))
		}
	}
	var pairs [][2]string
	for name, value := range x.OriginalURL.Query() {
		if isKeyParameter(x, name) || len(p.QueryParameters) > 0 && !slices.ContainsFunc(wanted, func(w string) bool { return strings.EqualFold(w, name) }) {
			continue
		}
		pairs = append(pairs, [2]string{name, value})
	}
	slices.SortStableFunc(pairs, func(a, b [2]string) int { return strings.Compare(a[0], b[0]) })
	for _, pair := range pairs {
		key.add("query", pair[0], pair[1])
	}
	return nil
}

// isKeyParameter says whether a query parameter carries the subscription key.
func isKeyParameter(x *policy.Exec, name string) bool {
	if x.API != nil && x.API.KeyQuery != "" {
		return strings.EqualFold(name, x.API.KeyQuery)
	}
	return strings.EqualFold(name, "subscription-key")
}

// developer is who calls: the user, or the subscription of nobody.
func developer(x *policy.Exec) string {
	switch {
	case x.User != nil:
		return "user/" + x.User.Name
	case x.Subscription != nil:
		return "subscription/" + x.Subscription.Name
	}
	return ""
}

func groups(x *policy.Exec) string {
	if x.User == nil {
		return ""
	}
	names := slices.Clone(x.User.Groups)
	slices.Sort(names)
	return strings.Join(names, "\n")
}

// cacheKey is a key of parts, each with its length, so that no text can pretend to be several.
type cacheKey struct{ b []byte }

func (k *cacheKey) add(parts ...string) {
	for _, p := range parts {
		k.b = append(append(strconv.AppendInt(k.b, int64(len(p)), 10), ':'), p...)
	}
}

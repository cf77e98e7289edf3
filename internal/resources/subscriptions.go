package resources

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/causeway-apim/causeway/internal/arm"
	"github.com/causeway-apim/causeway/internal/resource"
	"github.com/causeway-apim/causeway/internal/snapshot"
)

// The states of a subscription.
const (
	subscriptionActive    = "active"
	subscriptionSubmitted = "submitted"
	subscriptionRejected  = "rejected"
	subscriptionCancelled = "cancelled"
	subscriptionExpired   = "expired"
)

const (
	// allAPIs is the relative scope of all APIs.
	allAPIs = "apis"
	// ownerIndex finds subscriptions by their owner: the lower-case path below the service, such as users/1.
	ownerIndex = "owner"
	// keyIndex holds the hashes of both keys of every subscription of a service.
	keyIndex = "subscriptionKey"
	// masterName names the subscription that every service has from its creation.
	masterName = "master"
)

// Subscription gives access to APIs with either of two keys.
type Subscription struct {
	OwnerID          string     `json:"ownerId,omitempty" rule:"ref=users" filter:"yes" doc:"User that it belongs to: /users/{id} or a full ID."`
	Scope            string     `json:"scope" rule:"required" filter:"yes" doc:"What it opens: /products/{id}, /apis/{id}, /apis, or the service's ID for everything."`
	DisplayName      string     `json:"displayName,omitempty" rule:"max=100" filter:"yes" doc:"Name that people see."`
	State            string     `json:"state" rule:"enum=suspended|active|expired|submitted|rejected|cancelled" filter:"yes" doc:"Only an active one opens anything. Without it a new one is active, or submitted when its product asks for approval."`
	CreatedDate      *time.Time `json:"createdDate,omitempty" rule:"readonly" doc:"When it was made."`
	StartDate        *time.Time `json:"startDate,omitempty" rule:"readonly" doc:"When it first became active."`
	ExpirationDate   *time.Time `json:"expirationDate,omitempty" filter:"yes" doc:"From when it opens nothing any more."`
	EndDate          *time.Time `json:"endDate,omitempty" rule:"readonly" doc:"When it was cancelled, rejected or expired."`
	NotificationDate *time.Time `json:"notificationDate,omitempty" rule:"readonly" doc:"When its owner was told that it expires."`
	StateComment     string     `json:"stateComment,omitempty" rule:"max=1000" filter:"yes" doc:"Why it has its state."`
	AllowTracing     bool       `json:"allowTracing" doc:"Calls with its keys may be traced."`
	PrimaryKey       string     `json:"primaryKey,omitempty" rule:"secret,min=1,max=256" doc:"First key; made when it is not given."`
	SecondaryKey     string     `json:"secondaryKey,omitempty" rule:"secret,min=1,max=256" doc:"Second key; made when it is not given."`

	// The hashes are kept so that neither index rows nor parts need the service's hash key.
	PrimaryHash   []byte `json:"primaryHash,omitempty" rule:"secret,readonly"`
	SecondaryHash []byte `json:"secondaryHash,omitempty" rule:"secret,readonly"`
}

// SubscriptionKeys is the answer of listSecrets.
type SubscriptionKeys struct {
	PrimaryKey   string `json:"primaryKey"`
	SecondaryKey string `json:"secondaryKey"`
}

func subscriptions(env Env) *resource.Type {
	return resource.Define(resource.Spec[Subscription]{
		Name: "subscriptions", Title: "Subscription", Doc: "Access to APIs with either of two keys.",
		Parents: []string{""}, Workspaces: true, Verbs: resource.CRUDL, NameMax: 256,
		Default: completeSubscription,
		Check:   checkSubscription,
		After:   env.tellSubscription,
		Delete: func(x *resource.Tx, old *resource.Doc[Subscription]) error {
			if isMaster(old.ID) && x.ID.Equal(old.ID) {
				return arm.Errorf(arm.CodeValidation, "The built-in all-access subscription cannot be deleted.")
			}
			return nil
		},
		Indexes: subscriptionIndexes,
		Narrow: func(field, text string) (index, value string) {
			switch field {
			case "ownerId":
				return ownerIndex, scopeRel(text)
			case "scope":
				return scopeIndex, scopeRel(text)
			}
			return "", ""
		},
		Actions: []resource.Action[Subscription]{
			{
				Name: "listSecrets", Doc: "Answers the keys.", Output: SubscriptionKeys{},
				Read: func(_ *resource.Reader, d *resource.Doc[Subscription], _ json.RawMessage) (any, error) {
					return SubscriptionKeys{d.Props.PrimaryKey, d.Props.SecondaryKey}, nil
				},
			},
			{
				Name: "regeneratePrimaryKey", Doc: "Makes a new primary key; the old one is void.",
				Write: func(x *resource.Tx, d *resource.Doc[Subscription], _ json.RawMessage) (any, error) {
					d.Props.PrimaryKey = newSubscriptionKey()
					return nil, saveSubscription(x, d)
				},
			},
			{
				Name: "regenerateSecondaryKey", Doc: "Makes a new secondary key; the old one is void.",
				Write: func(x *resource.Tx, d *resource.Doc[Subscription], _ json.RawMessage) (any, error) {
					d.Props.SecondaryKey = newSubscriptionKey()
					return nil, saveSubscription(x, d)
				},
			},
		},
		Publish: publishSubscription,
	})
}

// productSubscriptions lists the subscriptions of a product.
func productSubscriptions() *resource.Type {
	return resource.Define(resource.Spec[struct{}]{
		Name: "subscriptions", Title: "Subscription of a product", Doc: "The subscriptions whose scope is the product.",
		Parents: []string{"products"}, Workspaces: true, Verbs: resource.List,
		Items: func(x *resource.Reader, product arm.ID) ([]string, error) { return x.Lookup(scopeIndex, product.Rel()) },
	})
}

// userSubscriptions lists the subscriptions of a user.
func userSubscriptions() *resource.Type {
	return resource.Define(resource.Spec[struct{}]{
		Name: "subscriptions", Title: "Subscription of a user", Doc: "The subscriptions that belong to the user.",
		Parents: []string{"users"}, Verbs: resource.List | resource.Read, NameMax: 256,
		Items: func(x *resource.Reader, user arm.ID) ([]string, error) { return x.Lookup(ownerIndex, user.Rel()) },
	})
}

func isMaster(id arm.ID) bool { return id.Rel() == "subscriptions/"+masterName }

// newMasterSubscription makes the subscription that opens every API of a new service.
func newMasterSubscription(service *resource.Doc[Service], now time.Time) *resource.Doc[Subscription] {
	d := &resource.Doc[Subscription]{Meta: resource.Meta{ID: service.ID.Child("subscriptions", masterName)}}
	d.Props = Subscription{
		Scope: service.ID.String() + "/", DisplayName: "Built-in all-access subscription", State: subscriptionActive,
		PrimaryKey: newSubscriptionKey(), SecondaryKey: newSubscriptionKey(),
	}
	dateSubscription(&d.Props, now)
	hashKeys(&d.Props, service.Props.Properties.KeyHashKey)
	return d
}

// completeSubscription makes the scope full and fills in keys, state and dates.
func completeSubscription(x *resource.Tx, old, d *resource.Doc[Subscription]) error {
	s := &d.Props
	if old != nil {
		s.PrimaryKey, s.SecondaryKey = orElse(s.PrimaryKey, old.Props.PrimaryKey), orElse(s.SecondaryKey, old.Props.SecondaryKey)
		s.State = orElse(s.State, old.Props.State)
	}
	s.PrimaryKey, s.SecondaryKey = orElse(s.PrimaryKey, newSubscriptionKey()), orElse(s.SecondaryKey, newSubscriptionKey())
	if s.Scope == "" {
		return nil // the rules say so
	}
	scope, err := resolveScope(x, s.Scope)
	if err != nil {
		return err
	}
	s.Scope = scope.String()
	if scope.Equal(x.Service) {
		s.Scope += "/" // as API Management writes it
	}
	if s.State == "" {
		if s.State, err = initialState(x, scope); err != nil {
			return err
		}
	}
	dateSubscription(s, x.Now)
	return nil
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

// dateSubscription records when the subscription took its state.
func dateSubscription(s *Subscription, now time.Time) {
	if s.CreatedDate == nil {
		s.CreatedDate = &now
	}
	switch strings.ToLower(s.State) {
	case subscriptionActive:
		if s.StartDate == nil {
			s.StartDate = &now
		}
		s.EndDate = nil
	case subscriptionCancelled, subscriptionRejected, subscriptionExpired:
		if s.EndDate == nil {
			s.EndDate = &now
		}
	}
}

// resolveScope reads a scope and checks that it exists: the service, its APIs, one API without revision or a product.
func resolveScope(x *resource.Tx, text string) (arm.ID, error) {
	id, err := x.Resolve(text)
	if ae, known := arm.AsError(err); err != nil && known {
		return arm.ID{}, arm.Invalid("scope", "%s", ae.Message)
	} else if err != nil {
		return arm.ID{}, err
	}
	base, segs := x.Service, strings.Split(id.RelPath(), "/")
	if len(segs) > 1 && strings.EqualFold(segs[0], "workspaces") {
		base, segs = base.Child("workspaces", segs[1]), segs[2:]
	}
	switch {
	case len(segs) == 0 || segs[0] == "":
		return base, nil
	case len(segs) == 1 && strings.EqualFold(segs[0], allAPIs):
		return arm.Below(base, allAPIs), nil
	case len(segs) == 2 && strings.EqualFold(segs[0], "apis"):
		name, _ := arm.SplitRevision(segs[1])
		id = base.Child("apis", name)
	case len(segs) == 2 && strings.EqualFold(segs[0], "products"):
		id = base.Child("products", segs[1])
	default:
		return arm.ID{}, arm.Invalid("scope", "scope must be /products/{id}, /apis/{id}, /apis or the ID of the service.")
	}
	ok, err := x.Exists(id)
	if err != nil {
		return arm.ID{}, err
	}
	if !ok {
		return arm.ID{}, arm.Invalid("scope", "scope refers to /%s, which does not exist.", id.RelPath())
	}
	sd, err := x.Store().Get(x.Context(), id.Key())
	if err != nil {
		return arm.ID{}, err
	}
	return arm.ParseID(sd.Path) // in the spelling of its creation
}

// scopeProduct returns the product that a scope is, nil when it is none.
func scopeProduct(x *resource.Tx, scope arm.ID) (*resource.Doc[Product], error) {
	if scope.Find("products") == "" {
		return nil, nil
	}
	return resource.Get[Product](&x.Reader, scope)
}

// initialState is that of a new subscription for which the caller gives none.
func initialState(x *resource.Tx, scope arm.ID) (string, error) {
	p, err := scopeProduct(x, scope)
	if err != nil {
		return "", err
	}
	if p != nil && p.Props.ApprovalRequired != nil && *p.Props.ApprovalRequired {
		return subscriptionSubmitted, nil
	}
	return subscriptionActive, nil
}

func checkSubscription(x *resource.Tx, old, d *resource.Doc[Subscription]) error {
	if isMaster(d.ID) && strings.Trim(scopeRel(d.Props.Scope), "/") != "" {
		return arm.Invalid("scope", "The scope of the built-in all-access subscription cannot be changed.")
	}
	if err := checkKeys(x, d); err != nil {
		return err
	}
	return checkSubscriptionsLimit(x, old, d)
}

// checkKeys hashes the keys and refuses those that open something already.
func checkKeys(x *resource.Tx, d *resource.Doc[Subscription]) error {
	service, err := resource.Get[Service](&x.Reader, x.Service)
	if err != nil {
		return err
	}
	s := &d.Props
	if s.PrimaryKey == s.SecondaryKey {
		return arm.Invalid("secondaryKey", "The secondary key must differ from the primary key.")
	}
	hashKeys(s, service.Props.Properties.KeyHashKey)
	for target, hash := range map[string][]byte{"primaryKey": s.PrimaryHash, "secondaryKey": s.SecondaryHash} {
		holders, err := x.Lookup(keyIndex, hex.EncodeToString(hash))
		if err != nil {
			return err
		}
		if slices.ContainsFunc(holders, func(key string) bool { return key != d.ID.Key() }) {
			return arm.Errorf(arm.CodeConflict, "The key is already used by another subscription.").WithTarget(target)
		}
	}
	return nil
}

func hashKeys(s *Subscription, hashKey []byte) {
	s.PrimaryHash, s.SecondaryHash = keyHash(hashKey, s.PrimaryKey), keyHash(hashKey, s.SecondaryKey)
}

// saveSubscription stores a subscription with changed keys.
func saveSubscription(x *resource.Tx, d *resource.Doc[Subscription]) error {
	if err := checkKeys(x, d); err != nil {
		return err
	}
	return resource.Save(x, d)
}

// checkSubscriptionsLimit refuses one subscription more than a product allows each user.
func checkSubscriptionsLimit(x *resource.Tx, old, d *resource.Doc[Subscription]) error {
	s := d.Props
	if s.OwnerID == "" || ended(s.State) ||
		old != nil && old.Props.Scope == s.Scope && old.Props.OwnerID == s.OwnerID && !ended(old.Props.State) {
		return nil
	}
	scope, err := arm.ParseID(s.Scope)
	if err != nil {
		return err
	}
	p, err := scopeProduct(x, scope)
	if err != nil || p == nil || p.Props.SubscriptionsLimit == nil {
		return err
	}
	keys, err := x.Lookup(ownerIndex, scopeRel(s.OwnerID))
	if err != nil {
		return err
	}
	n := 0
	for _, key := range keys {
		id, err := arm.ParseID(key)
		if err != nil {
			return err
		}
		other, err := resource.Get[Subscription](&x.Reader, id)
		if err != nil {
			return err
		}
		if !id.Equal(d.ID) && other.Props.Scope == s.Scope && !ended(other.Props.State) {
			n++
		}
	}
	if n >= *p.Props.SubscriptionsLimit {
		return arm.Invalid("scope", "The user has %d subscriptions to the product, which is its limit.", n)
	}
	return nil
}

// ended reports whether a state is one that does not come back by itself.
func ended(state string) bool {
	return state == subscriptionCancelled || state == subscriptionRejected || state == subscriptionExpired
}

// scopeRel is a stored scope as it is indexed and published: "" for the service, "apis", "apis/echo", "products/p".
func scopeRel(scope string) string {
	id, err := arm.ParseID(scope)
	if err != nil {
		return ""
	}
	return id.Rel()
}

func subscriptionIndexes(d *resource.Doc[Subscription]) []resource.Index {
	s := d.Props
	rows := []resource.Index{{Name: scopeIndex, Value: scopeRel(s.Scope)}}
	for _, hash := range [][]byte{s.PrimaryHash, s.SecondaryHash} {
		rows = append(rows, resource.Index{Name: keyIndex, Value: hex.EncodeToString(hash), Unique: true})
	}
	if s.OwnerID != "" {
		rows = append(rows, resource.Index{Name: ownerIndex, Value: scopeRel(s.OwnerID)})
	}
	return rows
}

func publishSubscription(p *resource.Pub, d *resource.Doc[Subscription]) error {
	s := d.Props
	part := snapshot.Subscription{
		Name: d.Name(), Display: s.DisplayName, Scope: scopeRel(s.Scope), State: s.State, Created: d.Created, Start: s.StartDate,
		End: s.ExpirationDate, Tracing: s.AllowTracing, PrimaryHash: s.PrimaryHash, SecondaryHash: s.SecondaryHash,
	}
	if s.CreatedDate != nil {
		part.Created = *s.CreatedDate
	}
	if s.OwnerID != "" {
		part.User = s.OwnerID[strings.LastIndexByte(s.OwnerID, '/')+1:]
	}
	if err := p.Add(snapshot.KindSubscription, d.ID.Rel(), part); err != nil {
		return err
	}
	return p.Add(snapshot.KindSubscriptionKeys, d.ID.Rel(), snapshot.SubscriptionKeys{Primary: s.PrimaryKey, Secondary: s.SecondaryKey})
}

// SubscriptionKey returns the primary key of a subscription. The error of a missing one is the store's ErrNotFound.
func SubscriptionKey(ctx context.Context, r resource.StoreReader, id arm.ID) (string, error) {
	if _, err := r.Get(ctx, id.Key()); err != nil {
		return "", fmt.Errorf("read the key of %s: %w", id, err)
	}
	secrets, err := r.GetSecrets(ctx, id.Key())
	if err != nil {
		return "", fmt.Errorf("read the key of %s: %w", id, err)
	}
	return secrets["primaryKey"], nil
}

package resource

import (
	"context"
	"encoding/json"

	"github.com/causeway-apim/causeway/internal/arm"
)

// Verbs are the generic operations of a type.
type Verbs uint8

// The verbs and their usual combinations.
const (
	Create Verbs = 1 << iota // PUT
	Read                     // GET of one
	Head                     // HEAD
	Update                   // PATCH
	Delete                   // DELETE
	List                     // GET of the collection

	CRUDL = Create | Read | Head | Update | Delete | List
	// CRDL is a type without PATCH.
	CRDL = Create | Read | Head | Delete | List
	// JoinVerbs are those of a type that only links two resources.
	JoinVerbs = Create | Head | Delete | List
)

// Spec declares a resource type whose properties are a T. Only Name, Parents and Verbs are needed; every hook may be
// nil. old is nil when the resource is being created.
type Spec[T any] struct {
	Name       string   // ARM segment in its canonical spelling: "apiVersionSets"
	Title      string   // singular, for documentation and names of operations: "API version set"
	Doc        string   // a sentence or two
	Parents    []string // paths of the types that it is nested in, below the service: "" for the service itself, "apis", "apis/operations"
	Workspaces bool     // exists below workspaces as well, under the same parents
	Verbs      Verbs

	Names       []string // the only names there are, in canonical spelling, such as "policy"; empty for any
	NamePattern string   // regular expression of a name; default: API Management's, which forbids *#&+:<>?
	NameMax     int      // characters of a name; default 80
	TopLevel    bool     // T is the whole resource apart from id, type and name: location, sku, tags, properties …
	Join        string   // link to the resource of this type path (in the same service or workspace) with the same name; T is struct{}
	MaxBody     int64    // bytes of a request's body; 4 MB when 0. More than 16 MB can be kept as blobs only
	PatchEmpty  bool     // PATCH answers 204 without a body
	PutOK       bool     // PUT answers 200, never 201
	DeleteEmpty bool     // DELETE answers 204, never 200
	EmptyBody   bool     // PUT may come without a body, which then says nothing
	HeadOK      bool     // HEAD of a join answers 200 instead of 204

	// Alias gives the ID under which a resource is stored when it may be addressed by others: the current revision of an
	// API. It is asked for the resource itself and for whatever is nested in it. It returns id when there is no other.
	Alias func(x *Reader, id arm.ID) (arm.ID, error)

	// Prepare runs before the transaction: slow work such as fetching, parsing and compiling. It may change d and keep
	// results in fields tagged json:"-". It runs again when the resource changed meanwhile.
	Prepare func(ctx context.Context, x *Request, old, d *Doc[T]) error
	// Default fills what the caller left out. Reading never guesses.
	Default func(x *Tx, old, d *Doc[T]) error
	// Check refuses what the rules cannot express, with arm.Invalid. It may still change d.
	Check func(x *Tx, old, d *Doc[T]) error
	// After runs once the document is stored, in the same transaction: to write others.
	After func(x *Tx, old, d *Doc[T]) error
	// Delete runs before the document and everything nested in it are removed.
	Delete func(x *Tx, old *Doc[T]) error

	// Initial makes resources that are there from the start, such as settings: reading one that was never written
	// answers what Initial returns; nil for those that do not exist.
	Initial func(x *Reader, id arm.ID) (*T, error)
	// Acts makes resources that have actions and cannot be read, written or listed, such as the gateway of the service
	// itself; nil for those that do not exist.
	Acts func(x *Reader, id arm.ID) (*T, error)

	// View makes the read model when it is not T without its secrets: the value is encoded as properties (as the whole
	// resource with TopLevel). d holds the secrets.
	View func(x *Reader, d *Doc[T]) (any, error)
	// Keep leaves documents out of a list that is asked for with one of the query parameters KeepParams, such as
	// tags=a,b. It makes such lists slower.
	Keep       func(x *Reader, d *Doc[T]) (bool, error)
	KeepParams []string
	// Items makes the collection a list of other resources, which are answered as they are under their own IDs:
	// the groups of a user. It returns their keys. The type has the verbs List and, to find one by its name, Read only.
	Items func(x *Reader, parent arm.ID) ([]string, error)

	// Indexes are rows by which documents are found with [Reader.Lookup] beside those of ref fields and joins.
	Indexes func(d *Doc[T]) []Index
	// Narrow names the index row that every document has which $filter=FIELD eq 'TEXT' selects, for types with so many
	// documents that reading all takes too long. An empty index says that there is none.
	Narrow func(field, text string) (index, value string)
	// Actions are the POST (or other) operations below an instance.
	Actions []Action[T]

	// Publish adds the snapshot parts of a document. d holds the secrets.
	Publish func(p *Pub, d *Doc[T]) error
	// Affects names other documents whose parts have to be made again when the one with this ID is written or deleted:
	// a membership in a group affects the user.
	Affects func(id arm.ID) []arm.ID
}

// Action is an operation on one resource besides the generic verbs. Exactly one of Read, Write and Rewrite is set. A nil answer
// is 204, another is 200 with it as the body.
type Action[T any] struct {
	Name   string // path below the instance: "listSecrets", "git/regeneratePrimaryKey"
	Method string // POST when empty
	Doc    string
	Input  any // a zero value of what the body is decoded to, for documentation; nil for no body
	Output any // likewise for the answer
	// Async answers 202 at once and runs the action in the background; its answer is the operation's result.
	Async bool
	// Valid refuses a body before anything is done, and before 202 is answered. Nil takes any.
	Valid func(body json.RawMessage) error
	// Rewrite makes the action a PATCH that changes nothing by itself: Prepare and the other hooks run again, with
	// Request.Action set. Read and Write are nil.
	Rewrite bool
	Read    func(x *Reader, d *Doc[T], body json.RawMessage) (any, error)
	Write   func(x *Tx, d *Doc[T], body json.RawMessage) (any, error)
}

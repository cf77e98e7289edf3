// Package store keeps the documents of the management plane: every ARM resource is one JSON document under its
// lower-case ID, with index rows for the hot look-ups, exact bytes ("blobs") for uploads, encrypted secrets, and a
// change log. All of them are written in one transaction.
//
// There are two implementations with one behaviour: SQLite, embedded, for one process on one machine, and
// PostgreSQL, for any number of equal replicas. [Open] chooses by URL.
//
// The change log is numbered per service. A number is taken under a lock on the service's row, so commit order is
// number order: whoever has read up to number n never finds a change at or below n later.
package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"time"
)

// Limits on what a document may hold. They are the same for both databases, so that data can move between them;
// the length limits keep index entries below the smaller database's maximum.
const (
	MaxIDBytes     = 1024     // an ID, path, parent, service, name or index value
	MaxWordBytes   = 256      // a type, index name, secret name, blob name or ETag
	MaxBodyBytes   = 16 << 20 // a document's JSON
	MaxBlobBytes   = 64 << 20 // one blob; management API definitions may have 64 MB
	MaxSecretBytes = 1 << 20  // one secret's value
)

// Errors that callers tell apart with [errors.Is].
var (
	ErrNotFound  = errors.New("not found")
	ErrDuplicate = errors.New("duplicate value of a unique index")
	// ErrCompacted says that the change log cannot be continued from the number asked for: the changes after it
	// have been compacted away, or the number is beyond the last one because the store was restored from an older
	// backup. The caller reads everything again.
	ErrCompacted = errors.New("the change log does not reach back to this number")
	// ErrInvalid says that a document, index row or query breaks a rule of this package (a limit, a missing or
	// upper-case ID, a foreign service): a bug of the caller or too large an input.
	ErrInvalid = errors.New("invalid")
	// ErrNoKey says that secrets were to be read or written in a store that was opened without a master key.
	ErrNoKey = errors.New("no master key")
	// ErrLocked says that another process (or another Open in this one) has the SQLite database open.
	ErrLocked = errors.New("in use by another process")
	// ErrNewerSchema says that a newer version of Causeway has written the database.
	ErrNewerSchema = errors.New("written by a newer version")
	// ErrArchive says that what was to be restored is no backup, is damaged or was cut off.
	ErrArchive = errors.New("not a complete backup")
	// ErrWrongKey says that the master key does not open the store's data key.
	ErrWrongKey = errors.New("wrong master key")
)

// DuplicateError reports a value of a unique index that another document holds. It matches [ErrDuplicate]. The
// value is left out on purpose: it may be the hash of a key.
type DuplicateError struct {
	Index  string // name of the index
	ID     string // the document that could not be written
	Holder string // the document that holds the value
}

// Error implements error.
func (e *DuplicateError) Error() string {
	return fmt.Sprintf("store: put %s: %v %q: held by %s", e.ID, ErrDuplicate, e.Index, e.Holder)
}

// Is reports whether target is [ErrDuplicate].
func (e *DuplicateError) Is(target error) bool { return target == ErrDuplicate }

// Store keeps documents, their index rows and the change log. It is safe for concurrent use.
type Store interface {
	// View runs fn on one consistent snapshot. Writers are not held up by it. The Reader is valid until fn
	// returns. fn must not call View again (it may need the last connection of the pool).
	View(ctx context.Context, fn func(Reader) error) error

	// Update runs fn in one write transaction and commits when fn returns nil. service is the lower-case ARM ID of
	// the service whose writes are ordered, or "" for things above services, such as resource groups. Updates of
	// one service run one after the other; fn sees every earlier one. Documents of other services can be written
	// only when service is "" (this rule makes deadlocks impossible); their changes go to their own service's log.
	//
	// It returns the last number taken in service's log, 0 when fn changed nothing there. When an error is
	// returned, nothing was written; only a connection lost during the commit itself leaves that open. fn must
	// not call Update.
	Update(ctx context.Context, service string, fn func(Tx) error) (seq int64, err error)

	// Changes returns the changes of service's log with numbers above after, ascending, at most limit (1000 when
	// limit is not positive). ErrCompacted means that the caller has to read everything again.
	Changes(ctx context.Context, service string, after int64, limit int) ([]Change, error)

	// LastSeq returns the number of service's last committed change, 0 when there is none.
	LastSeq(ctx context.Context, service string) (int64, error)

	// Watch returns a channel that gets a value soon after a commit by any replica. Several commits may make one
	// wake-up, and one may be lost while a connection is restored: it is a hint beside the caller's own poll. stop
	// ends the watch; it does not close the channel.
	Watch() (wake <-chan struct{}, stop func())

	// Compact removes the changes of service's log with numbers up to and including keepAfter: the oldest 10,000 of them,
	// so that nobody waits for long. Who compacts now and then gets at the others by and by.
	Compact(ctx context.Context, service string, keepAfter int64) error

	// PutNotes writes notes, replacing those of the same scope and name, and drops all that are older than forget.
	PutNotes(ctx context.Context, notes []Note, forget time.Time) error

	// Notes returns the notes of a scope in the order of their names.
	Notes(ctx context.Context, scope string) ([]Note, error)

	// AuditLog returns the entries that q selects, without their secrets, the newest first.
	AuditLog(ctx context.Context, q AuditQuery) ([]AuditEntry, error)

	// AuditEntry returns one entry with its secret, or ErrNotFound.
	AuditEntry(ctx context.Context, id string) (*AuditEntry, error)

	// ForgetAudit removes the entries that are older than before.
	ForgetAudit(ctx context.Context, before time.Time) error

	// PutUsage adds a report of a gateway, unless it was added before.
	PutUsage(ctx context.Context, r *UsageReport) error

	// ForgetUsage removes sums and single requests that are older, and single requests beyond [MaxUsageRequests].
	ForgetUsage(ctx context.Context, sums, requests time.Time) error

	// ClaimMail takes the mail of the outbox that has been due longest; nil when none is. Nobody else gets it for the
	// lease: it has to be sent, or its failure written down, in that time.
	ClaimMail(ctx context.Context, lease time.Duration) (*QueuedMail, error)

	// MailSent removes mail from the outbox.
	MailSent(ctx context.Context, id string) error

	// MailFailed says when mail that could not be sent is tried again, or that it is dead, and why.
	MailFailed(ctx context.Context, id string, again time.Time, dead bool, problem string) error

	// ForgetMail removes dead mail that was tried last before then.
	ForgetMail(ctx context.Context, before time.Time) error

	// Close releases the database. Transactions that still run are ended first or fail.
	Close() error
}

// Reader reads documents. Documents that it returns belong to the caller.
type Reader interface {
	// Get returns the document with the lower-case ID id, or ErrNotFound.
	Get(ctx context.Context, id string) (*Document, error)

	// List yields the documents that q selects, ordered by the bytes of their ID. The error says that q is not
	// valid; errors of the database are yielded once, as the last element. The Reader (or Tx) may be used while
	// the list is being read.
	List(ctx context.Context, q Query) (iter.Seq2[*Document, error], error)

	// Count returns how many documents q selects; After, Until, Limit and Offset are not looked at.
	Count(ctx context.Context, q Query) (int64, error)

	// Nth returns the ID of the nth document, from 1, that q selects without Text and Limit; "" when there are fewer. It
	// looks at index entries only: a list with Until set to it reads no more than n documents, however few it selects.
	Nth(ctx context.Context, q Query, n int) (id string, err error)

	// Lookup returns the IDs of the documents with this index row, ascending.
	Lookup(ctx context.Context, index, value string) ([]string, error)

	// GetSecrets returns the document's secrets in clear, an empty map when it has none (or does not exist).
	GetSecrets(ctx context.Context, id string) (map[string]string, error)

	// GetBlob returns the exact bytes kept beside a document under name, or ErrNotFound.
	GetBlob(ctx context.Context, id, name string) ([]byte, error)

	// LastSeq returns the number of service's last change as of this snapshot: what is read here is the state
	// after exactly that change.
	LastSeq(ctx context.Context, service string) (int64, error)

	// Backup writes everything of a service, whose ID in the user's spelling is path, as an encrypted archive that
	// [Tx.Restore] reads: documents, index rows, secrets and blobs. ErrNoKey says that the store has no master key.
	Backup(ctx context.Context, path string, w io.Writer) error

	// Usage yields the sums of a service whose intervals begin between two moments, both included, by time. The row is valid until yield
	// returns, which must not ask for usage itself; an error of yield ends it.
	Usage(ctx context.Context, service string, from, to time.Time, yield func(*UsageRow) error) error

	// UsageRequests does the same for single requests.
	UsageRequests(ctx context.Context, service string, from, to time.Time, yield func(*UsageRequest) error) error

	// Mails returns the oldest mail of a service that is in the outbox, at most limit.
	Mails(ctx context.Context, service string, limit int) ([]QueuedMail, error)
}

// Tx reads and writes in one transaction. It sees its own writes.
type Tx interface {
	Reader

	// Put inserts or replaces d, its secrets and its index rows (indexes is the whole set). It sets d.Seq,
	// d.Created and d.Modified, and d.ETag as described at [Document]. A value of a unique index that another
	// document holds is a [DuplicateError]; the transaction stays usable.
	Put(ctx context.Context, d *Document, indexes []Index) error

	// PutAll does what Put does for many documents in few statements. After an error the transaction is to be
	// given up.
	PutAll(ctx context.Context, items []Item) error

	// PutBlob keeps exact bytes beside the document id, replacing those of the same name. It makes no change of
	// its own in the log: Put the document, too. The document must exist.
	PutBlob(ctx context.Context, id, name string, data []byte) error

	// DeleteBlob removes bytes kept by PutBlob; it is no error when there are none.
	DeleteBlob(ctx context.Context, id, name string) error

	// Delete removes the document with its index rows, secrets and blobs, or returns ErrNotFound. What is below it
	// stays.
	Delete(ctx context.Context, id string) error

	// DeleteTree removes the document and everything below it (IDs that begin with id and a slash), writing one
	// change each, the lowest first. It returns the IDs in that order; none is no error.
	DeleteTree(ctx context.Context, id string) (ids []string, err error)

	// Restore replaces everything below a service, whose ID in the user's spelling is path, by what an archive holds;
	// it may be that of another service, whose ID is then replaced in what is restored. The service's own document is
	// left as it is: Restore returns the one of the archive, with its secrets and the ID that it had. Documents get new
	// ETags. Errors: ErrWrongKey, and ErrArchive for what is damaged, cut off or no archive. The transaction is to be
	// given up after an error.
	Restore(ctx context.Context, path string, r io.Reader) (service *Document, err error)

	// Audit writes down who did what in this transaction. It makes no change in any log.
	Audit(ctx context.Context, e *AuditEntry) error

	// QueueMail puts mail of a service into the outbox, under an ID that the caller makes: it is sent when the transaction
	// has been committed. It makes no change in any log.
	QueueMail(ctx context.Context, id, service string, m Mail) error
}

// Document is one resource.
type Document struct {
	ID      string // key: the ARM ID in lower case
	Path    string // the ID as the user spelt it; ID when empty
	Service string // lower-case ID of the service it belongs to; "" above services
	Type    string // kind of resource, as the resource engine names it
	Parent  string // ID of the parent
	Name    string // last segment of the ID as the user spelt it

	// ETag without quotes. Put derives a new one from the sequence number when it is empty or still the stored
	// one, so that a document that was read, changed and put gets a new one without further care.
	ETag string

	Seq  int64  // number of its last change in the service's log; set by Put
	Body []byte // JSON, kept byte for byte

	// Secrets are encrypted at rest. Get leaves them nil. In Put nil keeps the stored ones, any other map
	// replaces them all.
	Secrets map[string]string

	Created  time.Time // set by the first Put unless given; later Puts keep the stored one
	Modified time.Time // set by Put
}

// Item is a document with its index rows, for [Tx.PutAll].
type Item struct {
	Document *Document
	Indexes  []Index
}

// Index is a row by which a document is found. Names and values are the caller's: a name that is to be unique within
// a service carries the service.
type Index struct {
	Name, Value string
	Unique      bool // no other document may have the same Name and Value
}

// Query selects documents by the fields that are not empty. At least one of Service, Parent, Under and Index is
// needed. Every combination of Service or Parent with Type, and Index, is answered from an index in the order of IDs.
type Query struct {
	Service string // documents of this service, all or of one Type
	Parent  string // direct children of this ID
	Under   string // everything below this ID, at any depth
	Type    string
	Name    string // exact, but for ASCII case

	// Text, in lower case, is in the bytes of Body, ASCII letters without regard to case. It is for leaving out most of
	// what is not wanted; see [SearchText].
	Text string

	Index string // documents with an index row of this name …
	Value string // … and this value

	After  string // only IDs greater than this one: the cursor of the next page
	Until  string // only IDs up to this one, if it is not empty
	Offset int    // leaves out so many documents first
	Limit  int    // at most so many; 0 means all

	Secrets bool // fill Document.Secrets
}

// Change is an entry of the change log.
type Change struct {
	Seq     int64
	ID      string // of the document
	Type    string
	Created bool // there was no such document before
	Deleted bool
	Path    string // of a deleted document: its ID as the user spelt it
	At      time.Time
}

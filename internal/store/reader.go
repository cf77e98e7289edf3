package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"strings"
	"time"
)

// Lists are read in pages, each a query of its own that goes on after the last key: so that the connection is free
// for other calls while the caller looks at a page, and memory stays bounded.
const (
	firstPage = 128
	nextPages = 512
)

const documentColumns = "d.key, d.path, (SELECT s.name FROM services s WHERE s.id = d.service), d.type, d.parent, " +
	"d.name, d.etag, d.seq, d.body, d.created, d.modified"

// reader implements Reader on a transaction or a database.
type reader struct {
	db   *database
	conn conn
}

func (r *reader) query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	return r.conn.QueryContext(ctx, r.db.rebind(query), args...)
}

func (r *reader) row(ctx context.Context, query string, args ...any) *sql.Row {
	return r.conn.QueryRowContext(ctx, r.db.rebind(query), args...)
}

func scanDocument(scan func(...any) error, d *Document) error {
	var created, modified int64
	err := scan(&d.ID, &d.Path, &d.Service, &d.Type, &d.Parent, &d.Name, &d.ETag, &d.Seq, &d.Body, &created, &modified)
	d.Created, d.Modified = time.UnixMicro(created).UTC(), time.UnixMicro(modified).UTC()
	return err
}

// Get implements Reader.
func (r *reader) Get(ctx context.Context, id string) (*Document, error) {
	if !storable(id) {
		return nil, fmt.Errorf("store: get %q: %w", id, ErrNotFound)
	}
	d := new(Document)
	err := scanDocument(r.row(ctx, "SELECT "+documentColumns+" FROM documents d WHERE d.key = ?", id).Scan, d)
	if errors.Is(err, sql.ErrNoRows) {
		err = ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("store: get %s: %w", id, err)
	}
	return d, nil
}

// List implements Reader.
func (r *reader) List(ctx context.Context, q Query) (iter.Seq2[*Document, error], error) {
	if err := q.check(); err != nil {
		return nil, fmt.Errorf("store: list: %w", err)
	}
	return func(yield func(*Document, error) bool) {
		left := q.Limit
		for size := firstPage; ; size = nextPages {
			if q.Limit > 0 {
				size = min(size, left)
			}
			page, err := r.page(ctx, q, size)
			if err != nil {
				yield(nil, fmt.Errorf("store: list: %w", err))
				return
			}
			for i := range page {
				if !yield(&page[i], nil) {
					return
				}
			}
			left -= len(page)
			if len(page) < size || q.Limit > 0 && left == 0 {
				return
			}
			q.After, q.Offset = page[len(page)-1].ID, 0
		}
	}, nil
}

func (r *reader) page(ctx context.Context, q Query, size int) ([]Document, error) {
	from, args, key := q.between(r.db.dialect)
	offset := q.Offset
	if offset > blockSize && q.children() && q.Type != "" && q.After == "" && q.Until == "" {
		first, before, err := r.seek(ctx, q)
		if err != nil {
			return nil, err
		}
		from += " AND d.key >= ?"
		args = append(args, first)
		offset -= before
	}
	rest := from + " ORDER BY " + key + " LIMIT ? OFFSET ?"
	if offset > 0 { // the index alone says what to leave out
		rest = " FROM documents d JOIN (SELECT " + key + rest + ") page ON page.key = d.key ORDER BY d.key"
	}
	rows, err := r.query(ctx, "SELECT "+documentColumns+rest, append(args, size, offset)...)
	if err != nil {
		return nil, err
	}
	page, err := collect(rows, func(d *Document) error { return scanDocument(rows.Scan, d) })
	if err == nil && q.Secrets {
		if whole := (Query{Service: q.Service, After: q.After, Limit: q.Limit, Secrets: true}); q == whole && len(page) > 1 {
			err = r.sweepSecrets(ctx, page)
		} else {
			err = r.addSecrets(ctx, page)
		}
	}
	return page, err
}

// from returns the FROM and WHERE clauses of the query with their arguments, and the column of the key that the
// chosen index is ordered by.
func (q Query) from(in dialect) (from string, args []any, key string) {
	from, key = " FROM documents d WHERE 1 = 1", "d.key"
	plain := "" // what keeps a column of text from the indexes
	if q.Index != "" {
		// The index rows come first: the documents of a parent would be too many. SQLite takes a cross join in its order; PostgreSQL,
		// which believes that parents have few children, must not see that there is an index of them.
		from, key = " FROM index_rows i CROSS JOIN documents d WHERE d.key = i.key AND i.name = ? AND i.value = ?", "i.key"
		args = append(args, q.Index, q.Value)
		if in.numbered {
			plain = " || ''"
		}
	}
	and := func(condition string, values ...any) {
		from += " AND " + condition
		args = append(args, values...)
	}
	if q.Service != "" {
		and("d.service = (SELECT s.id FROM services s WHERE s.name = ?)", q.Service)
	}
	if q.Parent != "" {
		and("d.parent"+plain+" = ?", q.Parent)
	}
	if q.Under != "" {
		and(key+" >= ? AND "+key+" < ?", q.Under+"/", q.Under+"0") // "0" follows "/"
	}
	if q.Type != "" {
		and("d.type"+plain+" = ?", q.Type)
	}
	if q.Name != "" {
		and("lower(d.name) = ?", asciiLower(q.Name))
	}
	if q.Text != "" {
		and(in.bodyHolds(q.Text))
	}
	return from, args, key
}

// between is from with the bounds of IDs.
func (q Query) between(in dialect) (from string, args []any, key string) {
	from, args, key = q.from(in)
	if q.After != "" {
		from, args = from+" AND "+key+" > ?", append(args, q.After)
	}
	if q.Until != "" {
		from, args = from+" AND "+key+" <= ?", append(args, q.Until)
	}
	return from, args, key
}

// children reports whether the query selects all documents of a parent, or those of one type.
func (q Query) children() bool {
	return q.Parent != "" && q == Query{Parent: q.Parent, Type: q.Type, After: q.After, Until: q.Until, Offset: q.Offset, Limit: q.Limit, Secrets: q.Secrets}
}

// bodyHolds is the condition that a document's bytes hold a text in lower case, ASCII letters without regard to case, and
// its parameter.
func (d dialect) bodyHolds(text string) (condition string, parameter any) {
	if d.numbered {
		return "strpos(lower(encode(d.body, 'escape')), ?) > 0", text // bytes that are not ASCII become numbers
	}
	return `CAST(d.body AS TEXT) LIKE ? ESCAPE '\'`, "%" + strings.NewReplacer(`\`, `\\`, "%", `\%`, "_", `\_`).Replace(text) + "%"
}

// SearchText returns a part of a JSON string's text, in lower case, that stands in its encoded form as well, for
// [Query].Text; "" when there is none that helps.
func SearchText(text string) (longest string) {
	plain := func(r rune) bool {
		return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune(" -_.:/@", r)
	}
	for run := range strings.FieldsFuncSeq(text, func(r rune) bool { return !plain(r) }) {
		if len(run) > len(longest) {
			longest = run
		}
	}
	return asciiLower(longest)
}

// asciiLower does what lower() does in both databases.
func asciiLower(s string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, s)
}

// Count implements Reader.
func (r *reader) Count(ctx context.Context, q Query) (n int64, err error) {
	if err := q.check(); err != nil {
		return 0, fmt.Errorf("store: count: %w", err)
	}
	from, args, _ := q.from(r.db.dialect)
	count := "SELECT count(*)" + from
	if q.children() {
		count, args = "SELECT coalesce(sum(n), 0) FROM blocks WHERE parent = ?", []any{q.Parent}
		if q.Type != "" {
			count, args = count+" AND type = ?", append(args, q.Type)
		}
	}
	if err := r.row(ctx, count, args...).Scan(&n); err != nil {
		return 0, fmt.Errorf("store: count: %w", err)
	}
	return n, nil
}

// Nth implements Reader.
func (r *reader) Nth(ctx context.Context, q Query, n int) (id string, err error) {
	if err := q.check(); err != nil {
		return "", fmt.Errorf("store: nth: %w", err)
	}
	q.Text = ""
	from, args, key := q.between(r.db.dialect)
	err = r.row(ctx, "SELECT "+key+from+" ORDER BY "+key+" LIMIT 1 OFFSET ?", append(args, q.Offset+n-1)...).Scan(&id)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return "", fmt.Errorf("store: nth: %w", err)
	}
	return id, nil
}

// Lookup implements Reader.
func (r *reader) Lookup(ctx context.Context, index, value string) ([]string, error) {
	if !storable(index) || !storable(value) {
		return nil, nil
	}
	rows, err := r.query(ctx, "SELECT key FROM index_rows WHERE name = ? AND value = ? ORDER BY key", index, value)
	if err == nil {
		var ids []string
		if ids, err = collect(rows, func(id *string) error { return rows.Scan(id) }); err == nil {
			return ids, nil
		}
	}
	return nil, fmt.Errorf("store: look up %s: %w", index, err)
}

// GetSecrets implements Reader.
func (r *reader) GetSecrets(ctx context.Context, id string) (map[string]string, error) {
	one := []Document{{ID: id}}
	if !storable(id) {
		return map[string]string{}, nil
	}
	if err := r.addSecrets(ctx, one); err != nil {
		return nil, fmt.Errorf("store: secrets of %s: %w", id, err)
	}
	return one[0].Secrets, nil
}

// addSecrets fills Secrets of docs, which have different IDs.
func (r *reader) addSecrets(ctx context.Context, docs []Document) error {
	byID := make(map[string]*Document, len(docs))
	for i := range docs {
		docs[i].Secrets = map[string]string{}
		byID[docs[i].ID] = &docs[i]
	}
	for chunk := range chunks(docs) {
		args := make([]any, len(chunk))
		for i := range chunk {
			args[i] = chunk[i].ID
		}
		rows, err := r.query(ctx, "SELECT key, name, sealed FROM secrets WHERE key IN "+list(len(args)), args...)
		if err != nil {
			return err
		}
		_, err = collect(rows, func(*struct{}) error {
			var id, name string
			var sealed []byte
			if err := rows.Scan(&id, &name, &sealed); err != nil {
				return err
			}
			value, err := r.db.vault.open(id, name, sealed)
			if err != nil {
				return fmt.Errorf("open secret %q of %s: %w", name, id, err)
			}
			byID[id].Secrets[name] = value
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// sweepSecrets does what addSecrets does for documents that follow each other: reading all rows from the first to the
// last costs less than looking each of them up.
func (r *reader) sweepSecrets(ctx context.Context, docs []Document) error {
	if err := r.addSecrets(ctx, docs[:1]); err != nil { // between a service and what is in it others may stand
		return err
	}
	docs = docs[1:]
	for i := range docs {
		docs[i].Secrets = map[string]string{}
	}
	rows, err := r.query(ctx, "SELECT key, name, sealed FROM secrets WHERE key >= ? AND key <= ? ORDER BY key", docs[0].ID, docs[len(docs)-1].ID)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }() // its error is rows.Err's
	var id, name, sealed sql.RawBytes
	for rows.Next() {
		if err := rows.Scan(&id, &name, &sealed); err != nil {
			return err
		}
		for len(docs) > 0 && docs[0].ID < string(id) {
			docs = docs[1:]
		}
		if len(docs) == 0 || docs[0].ID != string(id) {
			continue
		}
		if docs[0].Secrets[string(name)], err = r.db.vault.open(docs[0].ID, string(name), sealed); err != nil {
			return fmt.Errorf("open secret %q of %s: %w", name, docs[0].ID, err)
		}
	}
	return rows.Err()
}

// GetBlob implements Reader.
func (r *reader) GetBlob(ctx context.Context, id, name string) ([]byte, error) {
	if !storable(id) || !storable(name) {
		return nil, fmt.Errorf("store: get blob %q of %q: %w", name, id, ErrNotFound)
	}
	var data []byte
	err := r.row(ctx, "SELECT data FROM blobs WHERE key = ? AND name = ?", id, name).Scan(&data)
	if errors.Is(err, sql.ErrNoRows) {
		err = ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("store: get blob %q of %s: %w", name, id, err)
	}
	return data, nil
}

// LastSeq implements Reader and, on the database itself, Store.
func (r *reader) LastSeq(ctx context.Context, service string) (seq int64, err error) {
	if !storable(service) {
		return 0, nil
	}
	err = r.row(ctx, "SELECT seq FROM services WHERE name = ?", service).Scan(&seq)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return 0, fmt.Errorf("store: last change of %s: %w", service, err)
	}
	return seq, nil
}

package store

import "context"

// Documents of a parent and type are counted in blocks of neighbours, by triggers of the database. A block that has more
// than longBlock documents is divided, so that every other than the last has blockSize.
const (
	blockSize = 1024
	longBlock = 2048 // as in the index blocks_long
)

// block is a run of documents of a parent and type.
type block struct {
	parent, kind string
	first        string // where it begins: a key, or "" for the first
	n            int64
}

// seek returns where to begin to find the document with the offset of a query, and how many documents are before that.
func (r *reader) seek(ctx context.Context, q Query) (first string, before int, err error) {
	rows, err := r.query(ctx, "SELECT first, n FROM blocks WHERE parent = ? AND type = ? ORDER BY first", q.Parent, q.Type)
	if err != nil {
		return "", 0, err
	}
	blocks, err := collect(rows, func(b *block) error { return rows.Scan(&b.first, &b.n) })
	for i, b := range blocks {
		first = b.first
		if before+int(b.n) > q.Offset || i == len(blocks)-1 {
			break
		}
		before += int(b.n)
	}
	return first, before, err
}

// divideBlocks divides those that the transaction has made too long.
func (t *tx) divideBlocks(ctx context.Context) error {
	rows, err := t.query(ctx, "SELECT parent, type, first, n FROM blocks WHERE n > 2048")
	if err != nil {
		return err
	}
	long, err := collect(rows, func(b *block) error { return rows.Scan(&b.parent, &b.kind, &b.first, &b.n) })
	if err != nil {
		return err
	}
	for _, b := range long {
		for b.n > longBlock {
			if b, err = t.divide(ctx, b); err != nil {
				return err
			}
		}
	}
	return nil
}

// divide cuts blockSize documents off a block and returns the rest.
func (t *tx) divide(ctx context.Context, b block) (rest block, err error) {
	rest = block{parent: b.parent, kind: b.kind, n: b.n - blockSize}
	err = t.row(ctx, "SELECT key FROM documents WHERE parent = ? AND type = ? AND key >= ? ORDER BY key LIMIT 1 OFFSET ?",
		b.parent, b.kind, b.first, blockSize).Scan(&rest.first)
	if err != nil {
		return rest, err
	}
	_, err = t.exec(ctx, "UPDATE blocks SET n = ? WHERE parent = ? AND type = ? AND first = ?", blockSize, b.parent, b.kind, b.first)
	if err != nil {
		return rest, err
	}
	_, err = t.exec(ctx, "INSERT INTO blocks (parent, type, first, n) VALUES (?, ?, ?, ?)", rest.parent, rest.kind, rest.first, rest.n)
	return rest, err
}

package store

import (
	"compress/gzip"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"
)

// An archive is
//
//	magic, version (one byte)
//	length of the header (two bytes, big endian), header (JSON: archiveHeader)
//	sealed stream, bound to all the bytes before it, of a gzip stream of records:
//	  length (four bytes, big endian), JSON: archiveRecord, then the bytes of its blobs
//
// The last record has no document and counts the others. The stream's key is random and stands in the header, wrapped
// with the master key: so an archive can be restored by any plane that has this master key, now or as a previous one.
const (
	archiveMagic   = "CWBACKUP"
	archiveVersion = 1
	// maxHeaderBytes is what the length can say.
	maxHeaderBytes = 1<<16 - 1
	// maxRecordBytes bounds a record: the body in base64, and the secrets and index rows of a document.
	maxRecordBytes = 64 << 20
	archiveBatch   = 128
)

// archiveHeader is what can be read of an archive without its key.
type archiveHeader struct {
	Service string    `json:"service"` // ID in the user's spelling
	At      time.Time `json:"at"`
	Key     []byte    `json:"key"` // of the stream, wrapped
}

// archiveRecord is a document, whose ID is that of the service followed by Rel, or the end.
type archiveRecord struct {
	Rel     string            `json:"rel"`
	Path    string            `json:"path,omitempty"`   // likewise below the service, in the user's spelling
	Parent  string            `json:"parent,omitempty"` // likewise
	Type    string            `json:"type,omitempty"`
	Name    string            `json:"name,omitempty"`
	Body    []byte            `json:"body,omitempty"`
	Created time.Time         `json:"created,omitzero"`
	Secrets map[string]string `json:"secrets,omitempty"`
	Indexes []Index           `json:"indexes,omitempty"`
	Blobs   []archiveBlob     `json:"blobs,omitempty"`
	End     bool              `json:"end,omitempty"`
	Count   int64             `json:"count,omitempty"` // with End: of the records before it
}

// archiveBlob announces bytes that follow the record.
type archiveBlob struct {
	Name string `json:"name"`
	Size int64  `json:"size"`
}

// Backup implements Reader.
func (r *reader) Backup(ctx context.Context, path string, w io.Writer) error {
	if err := r.backup(ctx, path, w); err != nil {
		return fmt.Errorf("store: back up %s: %w", path, err)
	}
	return nil
}

func (r *reader) backup(ctx context.Context, path string, w io.Writer) error {
	sealed, err := r.openArchive(path, w)
	if err != nil {
		return err
	}
	zip, err := gzip.NewWriterLevel(sealed, gzip.BestSpeed)
	if err != nil {
		return err
	}
	count, err := r.writeRecords(ctx, strings.ToLower(path), zip)
	if err != nil {
		return err
	}
	if err := writeRecord(zip, archiveRecord{End: true, Count: count}); err != nil {
		return err
	}
	if err := zip.Close(); err != nil {
		return err
	}
	return sealed.Close()
}

// openArchive writes the header and returns the writer of the sealed stream.
func (r *reader) openArchive(path string, w io.Writer) (*sealedWriter, error) {
	keys := r.db.vault.keys
	if keys == nil {
		return nil, ErrNoKey
	}
	var key [keyBytes]byte
	_, _ = rand.Read(key[:]) // never fails
	wrapped, err := keys.wrap(key, backupPlace())
	if err != nil {
		return nil, err
	}
	head, err := json.Marshal(archiveHeader{Service: path, At: r.db.now().UTC(), Key: wrapped})
	if err != nil {
		return nil, err
	}
	if len(head) > maxHeaderBytes {
		return nil, fmt.Errorf("%w ID: too long", ErrInvalid)
	}
	front := append([]byte(archiveMagic), archiveVersion)
	front = append(binary.BigEndian.AppendUint16(front, uint16(len(head))), head...)
	if _, err := w.Write(front); err != nil {
		return nil, err
	}
	aead, err := streamAEAD(key)
	bound := sha256.Sum256(front)
	return newSealedWriter(w, aead, bound[:]), err
}

// writeRecords writes all documents of a service in batches, and returns their number.
func (r *reader) writeRecords(ctx context.Context, service string, w io.Writer) (count int64, err error) {
	docs, err := r.List(ctx, Query{Service: service, Secrets: true})
	if err != nil {
		return 0, err
	}
	batch := make([]*Document, 0, archiveBatch)
	for d, err := range docs {
		if err != nil {
			return count, err
		}
		if d.ID != service && !strings.HasPrefix(d.ID, service+"/") {
			continue // of the service, but not below it: not for another service to have
		}
		count++
		if batch = append(batch, d); len(batch) == archiveBatch {
			if err := r.writeBatch(ctx, service, batch, w); err != nil {
				return count, err
			}
			batch = batch[:0]
		}
	}
	return count, r.writeBatch(ctx, service, batch, w)
}

func (r *reader) writeBatch(ctx context.Context, service string, docs []*Document, w io.Writer) error {
	indexes, err := r.indexesOf(ctx, docs)
	if err != nil {
		return err
	}
	blobs, err := r.blobsOf(ctx, docs)
	if err != nil {
		return err
	}
	for _, d := range docs {
		path := d.Path
		if len(path) == len(d.ID) { // else it has characters whose lower case is longer or shorter: the ID serves
			path = path[len(service):]
		} else {
			path = d.ID[len(service):]
		}
		rec := archiveRecord{
			Rel: d.ID[len(service):], Path: path, Parent: strings.TrimPrefix(d.Parent, service), Type: d.Type, Name: d.Name, Body: d.Body,
			Created: d.Created, Secrets: d.Secrets, Indexes: indexes[d.ID], Blobs: blobs[d.ID],
		}
		if err := writeRecord(w, rec); err != nil {
			return err
		}
		for _, b := range rec.Blobs {
			data, err := r.GetBlob(ctx, d.ID, b.Name)
			if err != nil {
				return err
			}
			if _, err := w.Write(data); err != nil {
				return err
			}
		}
	}
	return nil
}

func writeRecord(w io.Writer, rec archiveRecord) error {
	data, err := json.Marshal(rec)
	if err != nil {
		return err
	}
	if len(data) > maxRecordBytes {
		return fmt.Errorf("%w document %q: too large for a backup", ErrInvalid, rec.Rel)
	}
	if err := binary.Write(w, binary.BigEndian, uint32(len(data))); err != nil {
		return err
	}
	_, err = w.Write(data)
	return err
}

func (r *reader) indexesOf(ctx context.Context, docs []*Document) (map[string][]Index, error) {
	all := make(map[string][]Index, len(docs))
	err := r.eachOf(ctx, "name, value, distinct_value FROM index_rows", docs, func(scan func(...any) error) error {
		var id string
		var distinct int
		var i Index
		err := scan(&id, &i.Name, &i.Value, &distinct)
		i.Unique = distinct != 0
		all[id] = append(all[id], i)
		return err
	})
	return all, err
}

func (r *reader) blobsOf(ctx context.Context, docs []*Document) (map[string][]archiveBlob, error) {
	all := make(map[string][]archiveBlob)
	err := r.eachOf(ctx, "name, length(data) FROM blobs", docs, func(scan func(...any) error) error {
		var id string
		var b archiveBlob
		err := scan(&id, &b.Name, &b.Size)
		all[id] = append(all[id], b)
		return err
	})
	return all, err
}

// eachOf reads the rows of a table for the documents, the key first.
func (r *reader) eachOf(ctx context.Context, what string, docs []*Document, row func(scan func(...any) error) error) error {
	for chunk := range chunks(docs) {
		args := make([]any, len(chunk))
		for i, d := range chunk {
			args[i] = d.ID
		}
		rows, err := r.query(ctx, "SELECT key, "+what+" WHERE key IN "+list(len(args))+" ORDER BY key, 2", args...)
		if err != nil {
			return err
		}
		if _, err := collect(rows, func(*struct{}) error { return row(rows.Scan) }); err != nil {
			return err
		}
	}
	return nil
}

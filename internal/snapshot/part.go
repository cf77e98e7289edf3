package snapshot

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"strings"
)

// Limits of a part.
const (
	MaxIDLength   = 2048     // bytes of Key.ID
	MaxKindLength = 64       // bytes of Key.Kind
	MaxDataLength = 16 << 20 // bytes of Part.Data
)

// partFormat is the first byte of Part.Data; JSON of the kind's struct follows.
// A change that older gateways cannot read takes the next number.
const partFormat = 1

// Part is one document of the configuration. Parts are immutable: nobody may
// change the bytes of Data.
type Part struct {
	Key Key
	// Digest covers the key and the data: parts with equal digests are equal.
	Digest [32]byte
	// Data is the encoded document. It is passed on and stored byte for byte,
	// so that fields and kinds of a newer plane survive an older program.
	Data []byte
}

// NewPart makes a part of bytes that are encoded already.
func NewPart(key Key, data []byte) (Part, error) {
	if err := checkKey(key); err != nil {
		return Part{}, err
	}
	if len(data) > MaxDataLength {
		return Part{}, fmt.Errorf("part %s: %d bytes are more than the limit of %d", key, len(data), MaxDataLength)
	}
	return Part{Key: key, Digest: partDigest(key, data), Data: data}, nil
}

// Encode makes the part of a document, which should be the struct of its kind.
// The same value gives the same bytes. The ID must be lower-case.
func Encode(kind Kind, id string, value any) (Part, error) {
	key := Key{Kind: kind, ID: id}
	var b bytes.Buffer
	b.WriteByte(partFormat)
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false) // policy documents are full of <
	if err := enc.Encode(value); err != nil {
		return Part{}, fmt.Errorf("encode part %s: %w", key, err)
	}
	return NewPart(key, bytes.Clone(bytes.TrimRight(b.Bytes(), "\n")))
}

// Decode reads the document of a part into the struct of its kind. Fields that
// T does not know are ignored; they stay in the part.
func Decode[T any](p Part) (T, error) {
	var v T
	if len(p.Data) == 0 || p.Data[0] != partFormat {
		return v, fmt.Errorf("decode part %s: unknown format", p.Key)
	}
	if err := json.Unmarshal(p.Data[1:], &v); err != nil {
		return v, fmt.Errorf("decode part %s: %w", p.Key, err)
	}
	return v, nil
}

// String names the part in messages, as in "api apis/echo".
func (k Key) String() string { return strings.TrimSpace(string(k.Kind) + " " + k.ID) }

// Compare orders keys by kind and ID.
func (k Key) Compare(o Key) int {
	if c := cmp.Compare(k.Kind, o.Kind); c != 0 {
		return c
	}
	return cmp.Compare(k.ID, o.ID)
}

func checkKey(k Key) error {
	switch {
	case k.Kind == "" || len(k.Kind) > MaxKindLength:
		return fmt.Errorf("part %q: the kind must have 1 to %d bytes", k.ID, MaxKindLength)
	case len(k.ID) > MaxIDLength:
		return fmt.Errorf("part of kind %s: the ID is longer than %d bytes", k.Kind, MaxIDLength)
	case k.ID != strings.ToLower(k.ID):
		return fmt.Errorf("part %s: the ID is not lower-case", k)
	}
	return nil
}

// partDigest hashes kind, ID and data, each behind its length so that no two
// different parts have the same input.
func partDigest(k Key, data []byte) [32]byte {
	var head [MaxKindLength + 3*binary.MaxVarintLen64]byte
	h := sha256.New()
	b := binary.AppendUvarint(head[:0], uint64(len(k.Kind)))
	b = append(b, k.Kind...)
	b = binary.AppendUvarint(b, uint64(len(k.ID)))
	h.Write(append(b, k.ID...))
	b = binary.AppendUvarint(head[:0], uint64(len(data)))
	h.Write(b)
	h.Write(data)
	var d [32]byte
	h.Sum(d[:0])
	return d
}

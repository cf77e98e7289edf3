package snapshot

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"slices"
)

// deltaFormat is the first byte of an encoded delta. Format 1:
//
//	byte    1
//	uvarint from, to
//	32      digest after the delta
//	uvarint number of puts; each: kind, ID, data
//	uvarint number of deletes; each: kind, ID
//	4       CRC-32C of all before, little-endian
//
// Strings are a uvarint length and bytes; both lists are in strict key order.
// There is exactly one encoding of a delta.
const deltaFormat = 1

// MaxDeltaLength limits an encoded delta (bytes): a part of the greatest length
// fits. Longer deltas are Split.
const MaxDeltaLength = MaxDataLength + 1<<20

// ErrCorrupt means that bytes are not an encoded delta, or were changed.
var ErrCorrupt = errors.New("corrupt delta")

// AppendBinary appends the encoded delta to b.
func (d Delta) AppendBinary(b []byte) ([]byte, error) {
	if d.From < 0 || d.To < 0 {
		return nil, fmt.Errorf("encode delta: negative sequence")
	}
	start := len(b)
	b = append(b, deltaFormat)
	b = binary.AppendUvarint(b, uint64(d.From))
	b = binary.AppendUvarint(b, uint64(d.To))
	b = append(b, d.Digest[:]...)
	b = binary.AppendUvarint(b, uint64(len(d.Put)))
	for i := range d.Put {
		b = appendKey(b, d.Put[i].Key)
		b = binary.AppendUvarint(b, uint64(len(d.Put[i].Data)))
		b = append(b, d.Put[i].Data...)
	}
	b = binary.AppendUvarint(b, uint64(len(d.Delete)))
	for _, k := range d.Delete {
		b = appendKey(b, k)
	}
	return binary.LittleEndian.AppendUint32(b, checksum(b[start:])), nil
}

// MarshalBinary returns the encoded delta.
func (d Delta) MarshalBinary() ([]byte, error) { return d.AppendBinary(nil) }

func appendKey(b []byte, k Key) []byte {
	b = binary.AppendUvarint(b, uint64(len(k.Kind)))
	b = append(b, k.Kind...)
	b = binary.AppendUvarint(b, uint64(len(k.ID)))
	return append(b, k.ID...)
}

func checksum(b []byte) uint32 { return crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)) }

// DecodeDelta reads an encoded delta. It copies what it keeps of b. The error
// wraps ErrCorrupt.
func DecodeDelta(b []byte) (Delta, error) {
	if len(b) > MaxDeltaLength {
		return Delta{}, fmt.Errorf("%w: %d bytes are more than the limit of %d", ErrCorrupt, len(b), MaxDeltaLength)
	}
	if len(b) < 5 || b[0] != deltaFormat {
		return Delta{}, fmt.Errorf("%w: not format %d", ErrCorrupt, deltaFormat)
	}
	body, end := b[:len(b)-4], b[len(b)-4:]
	if checksum(body) != binary.LittleEndian.Uint32(end) {
		return Delta{}, fmt.Errorf("%w: wrong checksum", ErrCorrupt)
	}
	r := deltaReader{rest: body[1:]}
	d := r.delta()
	if r.err == nil && len(r.rest) > 0 {
		r.fail("bytes after the end")
	}
	if r.err != nil {
		return Delta{}, r.err
	}
	return d, nil
}

// deltaReader reads the fields of a delta; after the first error it reads
// zeros.
type deltaReader struct {
	rest []byte
	err  error
}

func (r *deltaReader) fail(why string) {
	if r.err == nil {
		r.err = fmt.Errorf("%w: %s", ErrCorrupt, why)
	}
	r.rest = nil
}

func (r *deltaReader) delta() Delta {
	d := Delta{From: r.sequence(), To: r.sequence()}
	copy(d.Digest[:], r.take(uint64(len(d.Digest))))
	// A put takes at least 4 bytes and a delete 2: a count that cannot be true
	// must not allocate.
	if n := r.count(4); n > 0 {
		d.Put = make([]Part, 0, n)
		for range n {
			k := r.key()
			data := slices.Clone(r.take(r.uvarint()))
			if r.err != nil {
				return d
			}
			p, err := NewPart(k, data)
			if err != nil {
				r.fail(err.Error())
			} else if i := len(d.Put); i > 0 && d.Put[i-1].Key.Compare(k) >= 0 {
				r.fail("parts out of order")
			}
			d.Put = append(d.Put, p)
		}
	}
	if n := r.count(2); n > 0 {
		d.Delete = make([]Key, 0, n)
		for range n {
			k := r.key()
			if err := checkKey(k); err != nil && r.err == nil {
				r.fail(err.Error())
			}
			if i := len(d.Delete); i > 0 && d.Delete[i-1].Compare(k) >= 0 {
				r.fail("keys out of order")
			}
			if r.err != nil {
				return d
			}
			d.Delete = append(d.Delete, k)
		}
	}
	return d
}

func (r *deltaReader) uvarint() uint64 {
	v, n := binary.Uvarint(r.rest)
	if n <= 0 || (n > 1 && r.rest[n-1] == 0) {
		r.fail("bad number")
		return 0
	}
	r.rest = r.rest[n:]
	return v
}

func (r *deltaReader) sequence() int64 {
	v := r.uvarint()
	if v > 1<<62 {
		r.fail("bad sequence")
		return 0
	}
	return int64(v)
}

// count reads a number of entries that take at least size bytes each.
func (r *deltaReader) count(size int) int {
	v := r.uvarint()
	if v > uint64(len(r.rest)/size) {
		r.fail("more entries than bytes")
		return 0
	}
	return int(v)
}

func (r *deltaReader) take(n uint64) []byte {
	if n > uint64(len(r.rest)) {
		r.fail("too short")
		return nil
	}
	b := r.rest[:n:n]
	r.rest = r.rest[n:]
	return b
}

func (r *deltaReader) key() Key {
	kind := internKind(r.take(r.uvarint()))
	return Key{Kind: kind, ID: string(r.take(r.uvarint()))}
}

// internKind spares an allocation for the kinds that are known.
func internKind(b []byte) Kind {
	for _, k := range [...]Kind{
		KindService, KindGateway, KindHostname, KindCertificate, KindNamedValue, KindFragment,
		KindBackend, KindLogger, KindDiagnostic, KindVersionSet, KindAPI, KindOperation, KindSchema, KindCache, KindProduct, KindProductAPI, KindGroup,
		KindUser, KindSubscription, KindSubscriptionKeys, KindPolicy, KindGatewayAPI,
	} {
		if string(b) == string(k) {
			return k
		}
	}
	return Kind(b)
}

package counters

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"time"
)

// Instances tell each other what they counted in datagrams of our own making (Azure's are not published): a magic word, a
// nonce of the sender's random number and the datagram's, and a payload sealed with AES-256-GCM under a key that all
// instances of a gateway have, with the magic word and the nonce authenticated. The payload is a kind and, for counts, a
// list of them.
const (
	datagramMagic = "CWU1"
	nonceSize     = 12
	senderSize    = 8 // of the nonce; the rest is the datagram's number
	headerSize    = len(datagramMagic) + nonceSize
	// maxDatagram keeps clear of fragmentation on any usual path (RFC 8899 starts from 1200 bytes).
	maxDatagram = 1200
	// maxSyncedKey is the length of keys up to which counters are synchronised.
	maxSyncedKey = 512

	kindCounts    = 1
	kindHeartbeat = 2
)

// count is what happened to one counter.
type count struct {
	limit Limit
	cost  int64
}

// newSeal makes the cipher from the secret that instances share.
func newSeal(secret []byte) (cipher.AEAD, error) {
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte("causeway: counters between instances"))
	block, err := aes.NewCipher(mac.Sum(nil))
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

func sealDatagram(aead cipher.AEAD, sender [senderSize]byte, number uint32, payload []byte) []byte {
	b := make([]byte, 0, headerSize+len(payload)+aead.Overhead())
	b = append(b, datagramMagic...)
	b = append(b, sender[:]...)
	b = binary.BigEndian.AppendUint32(b, number)
	return aead.Seal(b, b[len(datagramMagic):], payload, b)
}

var errDatagram = errors.New("not a datagram of another instance")

// openDatagram decrypts a datagram in place.
func openDatagram(aead cipher.AEAD, b []byte) (sender [senderSize]byte, number uint32, payload []byte, err error) {
	if len(b) < headerSize+aead.Overhead()+1 || string(b[:len(datagramMagic)]) != datagramMagic {
		return sender, 0, nil, errDatagram
	}
	nonce := b[len(datagramMagic):headerSize]
	payload, err = aead.Open(b[headerSize:headerSize], nonce, b[headerSize:], b[:headerSize])
	if err != nil || len(payload) == 0 {
		return sender, 0, nil, errDatagram
	}
	copy(sender[:], nonce)
	return sender, binary.BigEndian.Uint32(nonce[senderSize:]), payload, nil
}

func appendCount(b []byte, c count) []byte {
	b = binary.AppendUvarint(b, uint64(len(c.limit.Key)))
	b = append(b, c.limit.Key...)
	b = append(b, byte(c.limit.Window))
	b = binary.AppendVarint(b, c.limit.Max)
	b = binary.AppendVarint(b, int64(c.limit.Period))
	start := int64(0)
	if !c.limit.Start.IsZero() {
		start = c.limit.Start.Unix()
	}
	b = binary.AppendVarint(b, start)
	return binary.AppendVarint(b, c.cost)
}

// readCounts calls f with each count of a payload behind its kind.
func readCounts(b []byte, f func(count)) error {
	for len(b) > 0 {
		size, n := binary.Uvarint(b)
		if n <= 0 || size > maxSyncedKey || uint64(len(b)-n) <= size {
			return errDatagram
		}
		c := count{limit: Limit{Key: string(b[n : n+int(size)]), Window: Window(b[n+int(size)])}}
		b = b[n+int(size)+1:]
		var numbers [4]int64
		for i := range numbers {
			v, n := binary.Varint(b)
			if n <= 0 {
				return errDatagram
			}
			numbers[i], b = v, b[n:]
		}
		c.limit.Max, c.limit.Period, c.cost = numbers[0], time.Duration(numbers[1]), numbers[3]
		if numbers[2] != 0 {
			c.limit.Start = time.Unix(numbers[2], 0)
		}
		if c.limit.Window > Bucket || c.limit.Period < 0 || c.limit.Max <= 0 || c.limit.Window == Bucket && c.limit.Period == 0 {
			return errDatagram
		}
		f(c)
	}
	return nil
}

// arrivals remembers which of a sender's datagrams came, so that each counts once: a datagram is sent twice, and anybody on
// the way may send it once more. It is the window of RFC 4303, section 3.4.3.
type arrivals struct {
	newest uint32
	seen   uint64 // bit i: number newest-i came
	any    bool
	at     time.Time
}

// fresh notes a number and reports whether it is new.
func (a *arrivals) fresh(number uint32) bool {
	switch {
	case !a.any || number > a.newest:
		if shift := number - a.newest; a.any && shift < 64 {
			a.seen = a.seen<<shift | 1
		} else {
			a.seen = 1
		}
		a.newest, a.any = number, true
		return true
	case a.newest-number >= 64:
		return false
	}
	bit := uint64(1) << (a.newest - number)
	if a.seen&bit != 0 {
		return false
	}
	a.seen |= bit
	return true
}

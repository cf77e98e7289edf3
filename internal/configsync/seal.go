package configsync

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/causeway-apim/causeway/internal/snapshot"
)

// sealedHeader starts files whose frames are encrypted.
const sealedHeader = "causeway configuration, encrypted 1\n"

// KeySize is the length of the key that encrypts configurations on disk.
const KeySize = 32

// sealNonce is the length of the nonce before each sealed frame. Nonces are random: a key is good for four thousand million frames.
const sealNonce = 12

var (
	errSealed = errors.New("it is encrypted: the setting config.backup.key is needed")
	errKey    = errors.New("it was encrypted with another key, or changed")
)

// newSealing makes the cipher of a key (AES-256-GCM); nil for no key.
func newSealing(key []byte) (cipher.AEAD, error) {
	if len(key) == 0 {
		return nil, nil
	}
	if len(key) != KeySize {
		return nil, fmt.Errorf("the key of the configuration copy has %d bytes instead of %d", len(key), KeySize)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

// fileHeader is how a file begins.
func fileHeader(seal cipher.AEAD) string {
	if seal != nil {
		return sealedHeader
	}
	return diskHeader
}

// appendFrame appends a frame: a length (4 bytes, little-endian) and a delta, or its nonce and ciphertext.
func appendFrame(b []byte, delta snapshot.Delta, seal cipher.AEAD) ([]byte, error) {
	at := len(b)
	b = append(b, 0, 0, 0, 0)
	var err error
	if seal == nil {
		b, err = delta.AppendBinary(b)
	} else {
		b, err = appendSealed(b, delta, seal)
	}
	if err != nil {
		return nil, err
	}
	binary.LittleEndian.PutUint32(b[at:], uint32(len(b)-at-4))
	return b, nil
}

func appendSealed(b []byte, delta snapshot.Delta, seal cipher.AEAD) ([]byte, error) {
	plain, err := delta.MarshalBinary()
	if err != nil {
		return nil, err
	}
	var nonce [sealNonce]byte
	if _, err := io.ReadFull(rand.Reader, nonce[:]); err != nil {
		return nil, err
	}
	return seal.Seal(append(b, nonce[:]...), nonce[:], plain, []byte(sealedHeader)), nil
}

// openFrame decrypts a frame in place.
func openFrame(b []byte, seal cipher.AEAD) ([]byte, error) {
	if len(b) < sealNonce+seal.Overhead() {
		return nil, errKey
	}
	plain, err := seal.Open(b[sealNonce:sealNonce], b[:sealNonce], b[sealNonce:], []byte(sealedHeader))
	if err != nil {
		return nil, errKey
	}
	return plain, nil
}

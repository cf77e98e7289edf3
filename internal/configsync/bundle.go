package configsync

import (
	"bufio"
	"bytes"
	"context"
	"crypto"
	"crypto/cipher"
	"crypto/ed25519"
	"crypto/sha512"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"time"

	"github.com/causeway-apim/causeway/internal/snapshot"
)

// A bundle is a gateway's configuration in one signed file, for gateways that no plane can be reached from:
//
//	causeway bundle 1
//	{"gateway":…,"sequence":…,"created":…}
//	frames as in the disk copy, from nothing, with an end of length 0
//	64 bytes: the Ed25519ph signature (RFC 8032) of all before
//
// It may be encrypted as the disk copy is. Its secrets are readable otherwise: it is as confidential as the service.
const bundleHeader = "causeway bundle 1\n"

// maxBundle is the length of bundles that are read (bytes).
const maxBundle = 4 << 30

// bundlePoll is how often a bundle is looked at for a newer one in its place.
const bundlePoll = 2 * time.Second

// BundleInfo says what a bundle holds.
type BundleInfo struct {
	Gateway   string    `json:"gateway"`
	Sequence  int64     `json:"sequence"`
	Created   time.Time `json:"created"`
	Encrypted bool      `json:"encrypted,omitempty"`
}

// WriteBundle writes the bundle of a configuration. With a key of KeySize bytes it is encrypted.
func WriteBundle(w io.Writer, s *snapshot.Snapshot, info BundleInfo, sign ed25519.PrivateKey, key []byte) error {
	seal, err := newSealing(key)
	if err != nil {
		return err
	}
	info.Sequence, info.Encrypted = s.Sequence(), seal != nil
	head, err := json.Marshal(info)
	if err != nil {
		return fmt.Errorf("write bundle: %w", err)
	}
	sum := sha512.New()
	out := io.MultiWriter(w, sum)
	if _, err := fmt.Fprintf(out, "%s%s\n", bundleHeader, head); err != nil {
		return fmt.Errorf("write bundle: %w", err)
	}
	var b []byte
	for piece := range s.Pieces(pieceSize) {
		if b, err = appendFrame(b[:0], piece, seal); err != nil {
			return fmt.Errorf("write bundle: %w", err)
		}
		if _, err := out.Write(b); err != nil {
			return fmt.Errorf("write bundle: %w", err)
		}
	}
	if _, err := out.Write(make([]byte, 4)); err != nil {
		return fmt.Errorf("write bundle: %w", err)
	}
	signature, err := sign.Sign(nil, sum.Sum(nil), &ed25519.Options{Hash: crypto.SHA512})
	if err != nil {
		return fmt.Errorf("sign bundle: %w", err)
	}
	if _, err := w.Write(signature); err != nil {
		return fmt.Errorf("write bundle: %w", err)
	}
	return nil
}

var errBundleSignature = errors.New("the bundle was not signed with the expected key, or was changed")

// ReadBundle checks a bundle's signature and returns what it holds. Nothing of it is interpreted before that.
func ReadBundle(file string, public ed25519.PublicKey, key []byte) (*snapshot.Snapshot, BundleInfo, error) {
	var info BundleInfo
	seal, err := newSealing(key)
	if err != nil {
		return nil, info, err
	}
	f, err := os.Open(file)
	if err != nil {
		return nil, info, fmt.Errorf("read bundle: %w", err)
	}
	defer f.Close()
	length, err := verifyBundle(f, sha512.New(), public)
	if err != nil {
		return nil, info, fmt.Errorf("read bundle %s: %w", file, err)
	}
	s, info, err := readBundle(bufio.NewReaderSize(io.NewSectionReader(f, 0, length), 1<<20), seal)
	if err != nil {
		return nil, info, fmt.Errorf("read bundle %s: %w", file, err)
	}
	return s, info, nil
}

// verifyBundle checks the signature and returns the length of what is signed.
func verifyBundle(f *os.File, sum hash.Hash, public ed25519.PublicKey) (int64, error) {
	stat, err := f.Stat()
	if err != nil {
		return 0, err
	}
	length := stat.Size() - ed25519.SignatureSize
	if length < int64(len(bundleHeader)) || length > maxBundle {
		return 0, errors.New("not a bundle")
	}
	if _, err := io.Copy(sum, io.NewSectionReader(f, 0, length)); err != nil {
		return 0, err
	}
	signature := make([]byte, ed25519.SignatureSize)
	if _, err := f.ReadAt(signature, length); err != nil {
		return 0, err
	}
	if ed25519.VerifyWithOptions(public, sum.Sum(nil), signature, &ed25519.Options{Hash: crypto.SHA512}) != nil {
		return 0, errBundleSignature
	}
	return length, nil
}

func readBundle(r *bufio.Reader, seal cipher.AEAD) (*snapshot.Snapshot, BundleInfo, error) {
	var info BundleInfo
	header, err := r.ReadSlice('\n')
	if err != nil || string(header) != bundleHeader {
		return nil, info, errors.New("not a bundle of a known format")
	}
	head, err := r.ReadSlice('\n')
	if err != nil {
		return nil, info, errors.New("it ends within its description")
	}
	if err := json.Unmarshal(head, &info); err != nil {
		return nil, info, fmt.Errorf("its description cannot be read: %w", err)
	}
	switch {
	case info.Encrypted && seal == nil:
		return nil, info, errSealed
	case !info.Encrypted:
		seal = nil
	}
	s := snapshot.Empty()
	_, err = readAll(r, 0, true, seal, func(delta snapshot.Delta) error {
		next, err := s.Apply(delta)
		if err == nil {
			s = next
		}
		return err
	})
	return s, info, err
}

// runBundle serves what is in the bundle, and what comes in its place, until ctx ends. A bundle that cannot be used is told of;
// what serves goes on serving. The first one must be good.
func (r *clientRun) runBundle(ctx context.Context) error {
	var last []byte
	for first := true; ; first = false {
		mark, err := fileMark(r.Bundle)
		if err == nil && !bytes.Equal(mark, last) {
			last = mark
			var s *snapshot.Snapshot
			if s, _, err = ReadBundle(r.Bundle, r.BundleKey, r.Key); err == nil {
				r.tell(func(st *Status) { st.State, st.Reason = StateBundle, "" })
				r.receive(s)
			}
		}
		if err != nil {
			if first {
				return err
			}
			if mark == nil { // it was taken away; it may come back as it was
				last = nil
			}
			r.tell(func(st *Status) { st.State, st.Reason = StateWaiting, err.Error() })
		}
		if !pause(ctx, bundlePoll) {
			return nil
		}
	}
}

// fileMark changes when another file takes a file's place.
func fileMark(name string) ([]byte, error) {
	stat, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	return fmt.Appendf(nil, "%d %d", stat.Size(), stat.ModTime().UnixNano()), nil
}

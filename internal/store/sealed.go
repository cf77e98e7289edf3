package store

import (
	"bufio"
	"crypto/cipher"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// A sealed stream is a sequence of chunks, each encrypted and authenticated by itself, so that neither side holds the
// whole: the STREAM construction of Hoang, Reyhanitabar, Rogaway and Vizár (2015) with AES-256-GCM. A nonce is a flag
// for the last chunk and a counter; so chunks can be neither moved nor left out, and a cut is noticed. The key must
// serve one stream only. In front of a chunk stands its length, with the highest bit set for the last one.
const (
	sealedChunk = 64 << 10
	lastChunk   = 1 << 31
)

// sealedWriter encrypts what is written to it. Close writes the last chunk; it does not close out.
type sealedWriter struct {
	out   *bufio.Writer
	aead  cipher.AEAD
	bound []byte // associated data of every chunk
	n     uint64
	plain []byte
	box   []byte
}

func newSealedWriter(out io.Writer, aead cipher.AEAD, bound []byte) *sealedWriter {
	return &sealedWriter{out: bufio.NewWriter(out), aead: aead, bound: bound, plain: make([]byte, 0, sealedChunk)}
}

// Write implements io.Writer.
func (w *sealedWriter) Write(p []byte) (n int, err error) {
	for len(p) > 0 {
		if len(w.plain) == sealedChunk {
			if err := w.flush(0); err != nil {
				return n, err
			}
		}
		taken := min(len(p), sealedChunk-len(w.plain))
		w.plain = append(w.plain, p[:taken]...)
		n, p = n+taken, p[taken:]
	}
	return n, nil
}

// Close ends the stream.
func (w *sealedWriter) Close() error {
	if err := w.flush(lastChunk); err != nil {
		return err
	}
	return w.out.Flush()
}

func (w *sealedWriter) flush(flag uint32) error {
	w.box = w.aead.Seal(w.box[:0], chunkNonce(w.n, flag), w.plain, w.bound)
	w.n++
	w.plain = w.plain[:0]
	if err := binary.Write(w.out, binary.BigEndian, uint32(len(w.box))|flag); err != nil {
		return err
	}
	_, err := w.out.Write(w.box)
	return err
}

func chunkNonce(n uint64, flag uint32) []byte {
	nonce := make([]byte, 12)
	if flag != 0 {
		nonce[0] = 1
	}
	binary.BigEndian.PutUint64(nonce[4:], n)
	return nonce
}

// sealedReader decrypts a sealed stream. It hands out nothing that was not authenticated; the end of the stream is
// io.EOF, everything else that ends it wraps ErrArchive or is the source's error.
type sealedReader struct {
	in    io.Reader
	aead  cipher.AEAD
	bound []byte
	n     uint64
	box   []byte
	plain []byte // what is left of the current chunk
	last  bool
}

// Read implements io.Reader.
func (r *sealedReader) Read(p []byte) (int, error) {
	for len(r.plain) == 0 {
		if r.last {
			return 0, io.EOF
		}
		if err := r.next(); err != nil {
			return 0, err
		}
	}
	n := copy(p, r.plain)
	r.plain = r.plain[n:]
	return n, nil
}

func (r *sealedReader) next() error {
	var head [4]byte
	if _, err := io.ReadFull(r.in, head[:]); err != nil {
		return cutOff(err)
	}
	size := binary.BigEndian.Uint32(head[:])
	flag := size & lastChunk
	size &^= lastChunk
	if size > uint32(sealedChunk+r.aead.Overhead()) {
		return fmt.Errorf("%w: a chunk is too long", ErrArchive)
	}
	if r.box == nil {
		r.box = make([]byte, sealedChunk+r.aead.Overhead())
	}
	box := r.box[:size]
	if _, err := io.ReadFull(r.in, box); err != nil {
		return cutOff(err)
	}
	plain, err := r.aead.Open(box[:0], chunkNonce(r.n, flag), box, r.bound)
	if err != nil {
		return fmt.Errorf("%w: it is damaged", ErrArchive)
	}
	r.n, r.plain, r.last = r.n+1, plain, flag != 0
	return nil
}

// cutOff words the end of a source that should have gone on.
func cutOff(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("%w: it is cut off", ErrArchive)
	}
	return err
}

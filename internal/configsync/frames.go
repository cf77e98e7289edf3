package configsync

import (
	"bufio"
	"crypto/cipher"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/causeway-apim/causeway/internal/snapshot"
)

// readFrames calls take with each delta of a file of the disk copy. A file with
// an end must have the frame of length 0 there; one without may end after any
// frame. It returns the number of bytes up to the last good frame, and whether
// the file is encrypted.
func readFrames(name string, end bool, seal cipher.AEAD, take func(snapshot.Delta) error) (good int64, sealed bool, err error) {
	f, err := os.Open(name)
	if err != nil {
		return 0, false, err
	}
	defer f.Close()
	r := bufio.NewReaderSize(f, 1<<20)
	line, err := r.ReadSlice('\n')
	switch header := string(line[:min(len(line), 64)]); {
	case err != nil && header == "" && !end:
		return 0, false, nil // made, but never written to
	case err != nil:
		return 0, false, errors.New("shorter than its header")
	case header == sealedHeader && seal == nil:
		return 0, true, errSealed
	case header != sealedHeader && header != diskHeader:
		return 0, false, errors.New("not a configuration copy of a known format")
	case header == diskHeader:
		seal = nil
	}
	good, err = readAll(r, int64(len(line)), end, seal, take)
	return good, seal != nil, err
}

// readAll is readFrames behind the header, which ends at good.
func readAll(r *bufio.Reader, good int64, end bool, seal cipher.AEAD, take func(snapshot.Delta) error) (int64, error) {
	for {
		b, err := readFrame(r)
		switch {
		case err == io.EOF && !end:
			return good, nil
		case err == io.EOF:
			return good, errors.New("the end is missing")
		case err != nil:
			return good, err
		case len(b) == 0:
			if _, err := r.ReadByte(); !end || err != io.EOF {
				return good, errors.New("an end where none belongs")
			}
			return good + 4, nil
		}
		length := 4 + int64(len(b))
		if seal != nil {
			if b, err = openFrame(b, seal); err != nil {
				return good, err
			}
		}
		delta, err := snapshot.DecodeDelta(b)
		if err != nil {
			return good, err
		}
		if err := take(delta); err != nil {
			return good, err
		}
		good += length
	}
}

// readFrame reads one frame; io.EOF means that there is none.
func readFrame(r io.Reader) ([]byte, error) {
	var size [4]byte
	if _, err := io.ReadFull(r, size[:]); err == io.EOF {
		return nil, io.EOF
	} else if err != nil {
		return nil, errors.New("it ends within a frame")
	}
	n := binary.LittleEndian.Uint32(size[:])
	if n > snapshot.MaxDeltaLength+1<<10 { // a sealed one is a little longer
		return nil, fmt.Errorf("a frame of %d bytes", n)
	}
	b := make([]byte, n)
	if _, err := io.ReadFull(r, b); err != nil {
		return nil, errors.New("it ends within a frame")
	}
	return b, nil
}

package configsync

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/causeway-apim/causeway/internal/snapshot"
)

// readFrames calls take with each delta of a file of the disk copy. A file with
// an end must have the frame of length 0 there; one without may end after any
// frame. It returns the number of bytes up to the last good frame.
func readFrames(name string, end bool, take func(snapshot.Delta) error) (good int64, err error) {
	f, err := os.Open(name)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	r := bufio.NewReaderSize(f, 1<<20)
	header := make([]byte, len(diskHeader))
	if n, err := io.ReadFull(r, header); err != nil {
		if n == 0 && !end {
			return 0, nil // made, but never written to
		}
		return 0, errors.New("shorter than its header")
	}
	if string(header) != diskHeader {
		return 0, errors.New("not a configuration copy of a known format")
	}
	good = int64(len(header))
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
		delta, err := snapshot.DecodeDelta(b)
		if err != nil {
			return good, err
		}
		if err := take(delta); err != nil {
			return good, err
		}
		good += 4 + int64(len(b))
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
	if n > snapshot.MaxDeltaLength {
		return nil, fmt.Errorf("a frame of %d bytes", n)
	}
	b := make([]byte, n)
	if _, err := io.ReadFull(r, b); err != nil {
		return nil, errors.New("it ends within a frame")
	}
	return b, nil
}

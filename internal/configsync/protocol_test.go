package configsync

import (
	"bytes"
	"testing"

	"github.com/causeway-apim/causeway/internal/snapshot"
)

// FuzzDecodeBinary reads messages as a broken peer may send them.
func FuzzDecodeBinary(f *testing.F) {
	_, d := snapshot.Empty().Edit(1, []snapshot.Part{policy(f, "x")}, nil)
	b, err := encodePiece(message{Type: typeChange, Full: true, Last: true}, d)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add([]byte{0x80})
	f.Add([]byte("\x02{}"))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, payload, err := decodeBinary(b)
		if err != nil {
			return
		}
		if !bytes.HasSuffix(b, payload) {
			t.Fatal("the payload is not the rest of the message")
		}
		again, err := m.encode()
		if err != nil {
			t.Fatal(err)
		}
		if n, err := decodeMessage(again); err != nil || n.Type != m.Type || n.Sequence != m.Sequence {
			t.Fatalf("%s reads as %+v, %v", again, n, err)
		}
	})
}

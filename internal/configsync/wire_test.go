package configsync

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/coder/websocket"

	"github.com/causeway-apim/causeway/internal/snapshot"
)

// TestChangesLostOrDuplicatedOnTheWire: whatever becomes of the frames of changes, the gateway notices, asks for everything, and
// serves what the plane has. It never serves anything else.
func TestChangesLostOrDuplicatedOnTheWire(t *testing.T) {
	t.Parallel()
	first, _ := snapshot.Empty().Edit(1, []snapshot.Part{policy(t, "one")}, nil)
	second, two := first.Edit(2, []snapshot.Part{policy(t, "two")}, nil)
	third, three := second.Edit(3, []snapshot.Part{policy(t, "three"), part(t, snapshot.KindAPI, "apis/echo", snapshot.API{ID: "echo"})}, nil)
	all := snapshot.Diff(snapshot.Empty(), first)
	change := func(d snapshot.Delta, piece int, last bool) []byte {
		b, err := encodePiece(message{Type: typeChange, Piece: piece, Last: last}, d)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	full := func(d snapshot.Delta) []byte {
		b, err := encodePiece(message{Type: typeChange, Full: true, Last: true}, d)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	cut := change(three, 0, true)
	for name, frames := range map[string][][]byte{
		"lost":             {full(all), change(three, 0, true)},
		"duplicated":       {full(all), change(two, 0, true), change(two, 0, true), change(three, 0, true)},
		"out of order":     {full(all), change(three, 0, true), change(two, 0, true)},
		"a piece lost":     {full(all), change(two, 0, true), change(three, 1, true)},
		"a piece repeated": {full(all), change(two, 0, false), change(two, 0, true), change(three, 0, true)},
		"cut":              {full(all), change(two, 0, true), cut[:len(cut)-3]},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			hs := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				ws, err := websocket.Accept(w, r, nil)
				if err != nil {
					t.Error(err)
					return
				}
				defer ws.CloseNow()
				send := func(kind websocket.MessageType, b []byte) {
					if err := ws.Write(r.Context(), kind, b); err != nil {
						t.Log(err) // the gateway ends
					}
				}
				send(websocket.MessageText, []byte(`{"type":"hello","protocol":1}`))
				for _, b := range frames {
					send(websocket.MessageBinary, b)
				}
				for {
					_, b, err := ws.Read(r.Context())
					if err != nil {
						return
					}
					if m, err := decodeMessage(b); err == nil && m.Type == typeResync {
						send(websocket.MessageBinary, full(snapshot.Diff(snapshot.Empty(), third)))
					}
				}
			}))
			t.Cleanup(hs.Close)
			good := map[[len(all.Digest)]byte]bool{first.Digest(): true, second.Digest(): true, third.Digest(): true}
			g := newGateway(t, hs.URL, "x", nil).start()
			for sequence := int64(0); sequence < 3; {
				a := g.next()
				if !good[a.to.Digest()] {
					t.Errorf("sequence %d is none that the plane had", a.to.Sequence())
				}
				sequence = a.to.Sequence()
			}
			g.stop()
		})
	}
}

package live

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/causeway-apim/causeway/internal/causewaytest"
)

// What a wire does to a message.
const (
	wireLoses   = "lost"
	wireDoubles = "duplicated"
	wireCuts    = "cut" // and the connection with it, in the middle of the message
)

// wire leads gateways to a plane and spoils changes of the configuration on their way down: those are the binary messages of the
// WebSocket (RFC 6455).
type wire struct {
	listener net.Listener
	plane    string
	next     chan string   // what to do to the next change
	done     chan struct{} // it was done
}

func newWire(t *testing.T, plane string) *wire {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	w := &wire{listener: listener, plane: strings.TrimPrefix(plane, "http://"), next: make(chan string, 1), done: make(chan struct{}, 1)}
	go func() {
		for {
			gateway, err := listener.Accept()
			if err != nil {
				return
			}
			go w.join(gateway)
		}
	}()
	return w
}

func (w *wire) url() string { return "http://" + w.listener.Addr().String() }

// join connects a gateway to the plane; when one side ends, or the wire is cut, both do. The processes tell what follows of that.
func (w *wire) join(gateway net.Conn) {
	defer gateway.Close()
	plane, err := net.Dial("tcp", w.plane)
	if err != nil {
		return
	}
	defer plane.Close()
	go func() {
		_, _ = io.Copy(plane, gateway)
		_ = plane.Close()
	}()
	from := bufio.NewReader(plane)
	if err := upgrade(gateway, from); err != nil {
		return
	}
	for {
		message, change, err := readDown(from)
		if err != nil {
			return
		}
		what := ""
		if change {
			select {
			case what = <-w.next:
			default:
			}
		}
		switch what {
		case wireLoses:
			message = nil
		case wireDoubles:
			message = append(message, message...)
		case wireCuts:
			message = message[:len(message)/2]
		}
		if _, err := gateway.Write(message); err != nil {
			return
		}
		if what != "" {
			w.done <- struct{}{}
		}
		if what == wireCuts {
			return
		}
	}
}

// upgrade copies the head of the answer to the request for a WebSocket, and all of an answer that refuses one.
func upgrade(to io.Writer, from *bufio.Reader) error {
	for first := true; ; first = false {
		line, err := from.ReadString('\n')
		if err != nil {
			return err
		}
		if _, err := io.WriteString(to, line); err != nil {
			return err
		}
		if first && !strings.Contains(line, " 101 ") {
			_, err := io.Copy(to, from)
			return fmt.Errorf("the upgrade was refused: %w", err)
		}
		if line == "\r\n" {
			return nil
		}
	}
}

// readDown reads a message of the plane with all its frames, which bear no masks, or a control frame, which counts as a message of its
// own: the plane's library sends none between the frames of a message.
func readDown(from io.Reader) (message []byte, change bool, err error) {
	const final, opcode, opBinary = 0x80, 0x0f, 2
	for {
		start := len(message)
		message = append(message, 0, 0)
		if _, err := io.ReadFull(from, message[start:]); err != nil {
			return nil, false, err
		}
		head, length := message[start], uint64(message[start+1])
		if n := map[uint64]int{126: 2, 127: 8}[length]; n > 0 {
			var long [8]byte
			if _, err := io.ReadFull(from, long[8-n:]); err != nil {
				return nil, false, err
			}
			message, length = append(message, long[8-n:]...), binary.BigEndian.Uint64(long[:])
		}
		at := len(message)
		message = append(message, make([]byte, length)...)
		if _, err := io.ReadFull(from, message[at:]); err != nil {
			return nil, false, err
		}
		change = change || head&opcode == opBinary
		if head&final != 0 {
			return message, change, nil
		}
	}
}

// TestChangesAreSpoiledOnTheWire: a gateway to which a change never came, came twice or came in part ends with the configuration of the
// plane. Meanwhile it serves, and never anything older than before.
func TestChangesAreSpoiledOnTheWire(t *testing.T) {
	t.Parallel()
	w := newPlane(t)
	w.change(0)
	wire := newWire(t, w.plane.Listen["management"])
	w.edge = w.system.Start("edge", "config.service.endpoint="+wire.url(), "config.service.auth=GatewayKey "+w.token("primary"), "gateway")
	w.waitFor(w.edge, 0, faultWait)
	last := 0
	calling := w.callers(t, func() error {
		n, err := w.get(w.edge)
		if err == nil && n < last {
			err = fmt.Errorf("it went back from change %d to %d", last, n)
		}
		last = n
		return err
	})
	processes := []*causewaytest.Process{w.plane, w.edge}
	n := 0
	spoil := func(what string) {
		t.Helper()
		wire.next <- what
		n++
		w.change(n)
		await(t, "a change is "+what, processes, func() bool { return len(wire.done) > 0 })
		<-wire.done
	}
	resyncs := func(want int) {
		t.Helper()
		await(t, fmt.Sprintf("the gateway asks for everything, time %d", want), processes, func() bool {
			return strings.Count(w.plane.Log(), "gateway asks for everything") >= want
		})
		calling.more(t, 20)
	}

	spoil(wireLoses)
	n++
	w.change(n) // upon one that it does not have
	w.waitFor(w.edge, n, faultWait)
	resyncs(1)

	spoil(wireDoubles)
	w.waitFor(w.edge, n, faultWait)
	resyncs(2)

	spoil(wireCuts)
	awaitLog(t, w.edge, "The gateway has no connection to the management plane: the connection to")
	w.waitFor(w.edge, n, faultWait)

	n++
	w.change(n)
	w.waitFor(w.edge, n, faultWait)
	calling.more(t, 20)
	w.awaitInstance(t, "that is up to date", processes, func(i instance) bool { return i.Status == "ok" && i.Drift == 0 })
}

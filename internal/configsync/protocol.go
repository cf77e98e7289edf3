package configsync

import (
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/coder/websocket"

	"github.com/causeway-apim/causeway/internal/snapshot"
)

// protocolVersion is in both hellos. Additions keep it: types and fields that
// the other end does not know are ignored and counted there.
const protocolVersion = 1

// Limits and times of the protocol.
const (
	pieceSize       = 256 << 10                        // bytes of parts in one message, about
	maxDownMessage  = snapshot.MaxDeltaLength + 64<<10 // bytes
	maxUpMessage    = 1 << 20                          // bytes
	maxHeader       = 16 << 10                         // bytes, of a binary message
	writeTimeout    = 30 * time.Second                 // for one message
	helloTimeout    = 10 * time.Second                 // from the upgrade to the hello
	heartbeatPeriod = time.Minute                      // source: self-hosted gateway overview
	silenceLimit    = 3 * heartbeatPeriod              // a gateway that is silent for longer is gone
	pingPeriod      = 20 * time.Second                 // by the client
	pingTimeout     = 15 * time.Second                 //
	compressAbove   = 4 << 10                          // bytes
)

// Close codes of the connection besides RFC 6455's (4000 to 4999 are free for
// applications).
const (
	closeProtocol     websocket.StatusCode = 4000
	closeTokenExpired websocket.StatusCode = 4001
	closeTokenRevoked websocket.StatusCode = 4003
	closeCertificate  websocket.StatusCode = 4004
	closeSlow         websocket.StatusCode = 4008
)

// Names of the commands that the server itself sends.
const (
	CommandTokenExpiring = "tokenExpiring" // payload: {"expiry": time}
	CommandTokenExpired  = "tokenExpired"
	CommandTokenRevoked  = "tokenRevoked"
)

// Codes in the error body of a refused upgrade.
const (
	codeTokenExpired       = "TokenExpired"
	codeTokenRefused       = "TokenRefused"
	codeBadRequest         = "BadRequest"
	codeNoService          = "ServiceNotFound"
	codeNotAdmitted        = "InstanceNotAdmitted"
	codeCertificateRefused = "CertificateRefused"
)

// Headers of the upgrade request: the server can name an instance whose token
// it refuses.
const (
	headerInstance = "Causeway-Instance"
	headerVersion  = "Causeway-Version"
	headerGateway  = "Causeway-Gateway"
)

// Types of messages. Text messages are one JSON object; binary ones are a
// uvarint, so many bytes of JSON object, and a payload.
const (
	typeHello    = "hello"    // both ways, first
	typeChange   = "change"   // down, binary: a piece of a change
	typeCommand  = "command"  // down
	typeAck      = "ack"      // down: records up to Sequence are safe
	typeStatus   = "status"   // up: heartbeat
	typeResync   = "resync"   // up: send everything
	typeRecord   = "record"   // up
	typeRequest  = "request"  // up
	typeResponse = "response" // down: to the request with that number
)

// message has the fields of all messages.
type message struct {
	Type string `json:"type"`

	// hello
	Protocol     int        `json:"protocol,omitempty"`
	Version      string     `json:"version,omitempty"`
	Instance     string     `json:"instance,omitempty"`
	Service      string     `json:"service,omitempty"`
	Gateway      string     `json:"gateway,omitempty"`
	Digest       string     `json:"digest,omitempty"` // hexadecimal
	Capabilities []string   `json:"capabilities,omitempty"`
	Expiry       *time.Time `json:"expiry,omitempty"`

	// hello: held; status: served; record, ack, request, response: number
	Sequence int64 `json:"sequence,omitempty"`

	// status: the configuration that was refused and why; resync: why; response: what went wrong
	RejectedSequence int64  `json:"rejectedSequence,omitempty"`
	Error            string `json:"error,omitempty"`

	// change
	Full  bool  `json:"full,omitempty"`  // from nothing
	Piece int   `json:"piece,omitempty"` // 0, 1, …
	Last  bool  `json:"last,omitempty"`
	Bytes int64 `json:"bytes,omitempty"` // of a full change, about

	// command, record, request, response
	Name    string          `json:"name,omitempty"`
	Payload json.RawMessage `json:"payload,omitempty"`
}

func (m message) encode() ([]byte, error) {
	b, err := json.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("encode %s message: %w", m.Type, err)
	}
	return b, nil
}

func decodeMessage(b []byte) (message, error) {
	var m message
	if err := json.Unmarshal(b, &m); err != nil {
		return m, fmt.Errorf("decode message: %w", err)
	}
	return m, nil
}

// encodePiece makes the binary message of one piece of a change.
func encodePiece(m message, d snapshot.Delta) ([]byte, error) {
	head, err := m.encode()
	if err != nil {
		return nil, err
	}
	b := append(binary.AppendUvarint(nil, uint64(len(head))), head...)
	return d.AppendBinary(b)
}

// decodeBinary splits a binary message.
func decodeBinary(b []byte) (message, []byte, error) {
	n, used := binary.Uvarint(b)
	if used <= 0 || n > maxHeader || n > uint64(len(b)-used) {
		return message{}, nil, errors.New("decode message: bad header length")
	}
	m, err := decodeMessage(b[used : used+int(n)])
	return m, b[used+int(n):], err
}

func hexDigest(s *snapshot.Snapshot) string {
	d := s.Digest()
	return hex.EncodeToString(d[:])
}

// changeMessages are the messages of a change, one after the other.
func changeMessages(from, to *snapshot.Snapshot, yield func([]byte) error) error {
	full := from == nil
	pieces := to.Pieces(pieceSize)
	head := message{Type: typeChange, Full: full, Bytes: to.Bytes()}
	if !full {
		pieces = snapshot.Diff(from, to).Split(from, pieceSize)
		head.Bytes = 0
	}
	var held *snapshot.Delta // one behind: the last piece must say so
	send := func(last bool) error {
		head.Last = last
		b, err := encodePiece(head, *held)
		head.Piece++
		if err != nil {
			return err
		}
		return yield(b)
	}
	for d := range pieces {
		if held != nil {
			if err := send(false); err != nil {
				return err
			}
		}
		held = &d
	}
	return send(true)
}

// Connect is what the conformance test of Connect (connectrpc.com/conformance) takes for the server under test: it starts the reference server,
// and says that it is where a gateway in front of that is.
//
//	connect CONTROL REFERENCESERVER
//
// CONTROL is a URL that leads a gateway to a backend service. It takes the address, the protocol and the version of HTTP as the conformance test numbers
// them, and whether there is TLS, and answers with the gateway's host, port and certificate authority, a line each.
package main

import (
	"encoding/binary"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"
	"syscall"

	"google.golang.org/protobuf/encoding/protowire"
)

func main() {
	if err := run(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "connect:", err)
		os.Exit(1)
	}
}

func run(control, reference string) error {
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, syscall.SIGTERM, os.Interrupt)
	request, err := readMessage(os.Stdin)
	if err != nil {
		return err
	}
	// The backend service is spoken to in the clear: fields 4 and 5 of ServerCompatRequest are about TLS.
	protocol, version, secure, plain, err := take(request)
	if err != nil {
		return err
	}
	server := exec.Command(reference)
	server.Stderr = os.Stderr
	in, err := server.StdinPipe()
	if err != nil {
		return err
	}
	out, err := server.StdoutPipe()
	if err != nil {
		return err
	}
	if err := server.Start(); err != nil {
		return err
	}
	defer func() {
		_ = server.Process.Signal(syscall.SIGTERM) // it may have ended
		_ = server.Wait()                          // which ends with the signal
	}()
	if err := writeMessage(in, plain); err != nil {
		return err
	}
	response, err := readMessage(out)
	if err != nil {
		return err
	}
	port, err := field(response, 2)
	if err != nil {
		return err
	}
	answer, err := lead(control, url.Values{
		"to": {"127.0.0.1:" + strconv.FormatUint(port, 10)}, "protocol": {strconv.FormatUint(protocol, 10)}, "version": {strconv.FormatUint(version, 10)}, "secure": {strconv.FormatBool(secure)},
	})
	if err != nil {
		return err
	}
	if err := writeMessage(os.Stdout, answer); err != nil {
		return err
	}
	<-ended
	return nil
}

// lead has the gateway lead to the backend service and makes the ServerCompatResponse.
func lead(control string, query url.Values) ([]byte, error) {
	resp, err := http.PostForm(control, query)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	lines := strings.SplitN(string(text), "\n", 3)
	if resp.StatusCode != http.StatusOK || len(lines) != 3 {
		return nil, fmt.Errorf("status %d: %s", resp.StatusCode, text)
	}
	port, err := strconv.ParseUint(lines[1], 10, 16)
	if err != nil {
		return nil, err
	}
	b := protowire.AppendString(protowire.AppendTag(nil, 1, protowire.BytesType), lines[0])
	b = protowire.AppendVarint(protowire.AppendTag(b, 2, protowire.VarintType), port)
	if lines[2] != "" {
		b = protowire.AppendString(protowire.AppendTag(b, 3, protowire.BytesType), lines[2])
	}
	return b, nil
}

// take reads a ServerCompatRequest and returns it without what it says of TLS.
func take(request []byte) (protocol, version uint64, secure bool, plain []byte, err error) {
	if protocol, err = field(request, 1); err != nil {
		return 0, 0, false, nil, err
	}
	if version, err = field(request, 2); err != nil {
		return 0, 0, false, nil, err
	}
	tls, err := field(request, 4)
	for len(request) > 0 && err == nil {
		number, _, n := protowire.ConsumeField(request)
		if number != 4 && number != 5 && number != 7 {
			plain = append(plain, request[:n]...)
		}
		request = request[n:]
	}
	return protocol, version, tls != 0, plain, err
}

// field is the value of a numeric field of a message; 0 when it is not there.
func field(message []byte, want protowire.Number) (value uint64, err error) {
	for len(message) > 0 {
		number, kind, n := protowire.ConsumeField(message)
		if n < 0 {
			return 0, protowire.ParseError(n)
		}
		if number == want && kind == protowire.VarintType {
			_, _, head := protowire.ConsumeTag(message)
			value, _ = protowire.ConsumeVarint(message[head:])
		}
		message = message[n:]
	}
	return value, nil
}

// readMessage reads a message behind its length.
func readMessage(r io.Reader) ([]byte, error) {
	var length [4]byte
	if _, err := io.ReadFull(r, length[:]); err != nil {
		return nil, err
	}
	message := make([]byte, binary.BigEndian.Uint32(length[:]))
	_, err := io.ReadFull(r, message)
	return message, err
}

func writeMessage(w io.Writer, message []byte) error {
	_, err := w.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(message))), message...))
	return err
}

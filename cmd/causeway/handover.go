package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/causeway-apim/causeway/internal/gateway"
	"github.com/causeway-apim/causeway/internal/telemetry"
)

// A gateway hands its listeners over to a new process of its binary when it gets SIGUSR2: the new one loads its configuration, accepts connections
// on the same sockets and says so; then the old one drains. Between the two is a pair of sockets: the old process writes a [legacy] in one line,
// the new one answers handoverReady when it serves.
const (
	handoverVariable = "CAUSEWAY_HANDOVER" // NAME=DESCRIPTOR,…
	handoverControl  = "control"
	handoverReady    = "ready\n"
	// handoverTime is how long a new process may take to serve.
	handoverTime = 2 * time.Minute
	// handoverLinger is how long clients may send another request on a connection to the old process, at most.
	handoverLinger = 10 * time.Second
	// maxLegacy bounds the line that a new process reads, in bytes.
	maxLegacy = 64 << 10
)

// legacy is what a process knows that its successor needs.
type legacy struct {
	Tickets json.RawMessage `json:"tickets,omitempty"` // see gateway.Server.TicketKeys
}

// inheritance is what a process was started with: listeners by name, and the connection to the process before it.
type inheritance struct {
	listeners map[string]net.Listener
	control   net.Conn // nil when nobody is replaced
	legacy    legacy
}

// inherit takes what the environment names: the listeners of a hand-over, or those of systemd (sd_listen_fds(3)), which are called by
// FileDescriptorName= or else stand in the order of names.
func inherit(names []string) (*inheritance, error) {
	i := &inheritance{listeners: make(map[string]net.Listener)}
	given := os.Getenv(handoverVariable)
	if given == "" {
		return i, i.fromSystemd(names)
	}
	if err := os.Unsetenv(handoverVariable); err != nil {
		return nil, err
	}
	for entry := range strings.SplitSeq(given, ",") {
		name, number, _ := strings.Cut(entry, "=")
		fd, err := strconv.Atoi(number)
		if err != nil || fd < 3 {
			return nil, usageError("%s is %q; it is for the process itself", handoverVariable, given)
		}
		if err := i.take(name, fd); err != nil {
			return nil, err
		}
	}
	if i.control == nil {
		return nil, usageError("%s is %q; it is for the process itself", handoverVariable, given)
	}
	_ = i.control.SetReadDeadline(time.Now().Add(handoverTime)) // fails on closed connections only: reading says so
	line, err := bufio.NewReader(io.LimitReader(i.control, maxLegacy)).ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, &i.legacy)
	}
	if err != nil {
		return nil, fmt.Errorf("take over from another process: %w", err)
	}
	return i, nil
}

// take takes one descriptor.
func (i *inheritance) take(name string, fd int) (err error) {
	file := os.NewFile(uintptr(fd), name)
	defer file.Close() // the listener has a copy
	if name == handoverControl {
		i.control, err = net.FileConn(file)
	} else {
		i.listeners[name], err = net.FileListener(file)
	}
	if err != nil {
		return fmt.Errorf("take over the listener %s: %w", name, err)
	}
	return nil
}

func (i *inheritance) fromSystemd(names []string) error {
	if os.Getenv("LISTEN_PID") != strconv.Itoa(os.Getpid()) {
		return nil
	}
	const first = 3 // SD_LISTEN_FDS_START
	n, err := strconv.Atoi(os.Getenv("LISTEN_FDS"))
	if err != nil || n < 0 || n > len(names) {
		return usageError("LISTEN_FDS is %q; this command listens on %d addresses", os.Getenv("LISTEN_FDS"), len(names))
	}
	called := strings.Split(os.Getenv("LISTEN_FDNAMES"), ":")
	for k := range n {
		name := names[k]
		if k < len(called) && slices.Contains(names, called[k]) {
			name = called[k]
		}
		if err := i.take(name, first+k); err != nil {
			return err
		}
	}
	for _, name := range []string{"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"} {
		if err := os.Unsetenv(name); err != nil {
			return err
		}
	}
	return nil
}

// takeListener hands out a listener, nil when none of that name was inherited.
func (i *inheritance) takeListener(name string) net.Listener {
	if i == nil {
		return nil
	}
	l := i.listeners[name]
	delete(i.listeners, name)
	return l
}

// replaces says whether another process serves until this one does.
func (i *inheritance) replaces() bool { return i.control != nil }

// serving tells the process before this one, and systemd, that this one serves. What was inherited and is not wanted any more is closed.
func (i *inheritance) serving() error {
	for _, l := range i.listeners {
		l.Close()
	}
	notifySystemd(os.Getenv("NOTIFY_SOCKET"), "READY=1\nMAINPID="+strconv.Itoa(os.Getpid()))
	if i.control == nil {
		return nil
	}
	defer i.control.Close()
	if _, err := io.WriteString(i.control, handoverReady); err != nil {
		return fmt.Errorf("take over from another process: %w", err)
	}
	return nil
}

// notifySystemd tells the service manager about the process, if there is one that wants to know (sd_notify(3)).
func notifySystemd(address, state string) {
	if address == "" {
		return
	}
	conn, err := net.Dial("unixgram", address)
	if err != nil {
		return // nobody listens
	}
	defer conn.Close()
	_, _ = io.WriteString(conn, state) // likewise
}

// ownBinary is the path that this process was started from, where a newer binary may stand at the time of a hand-over.
func ownBinary() (string, error) {
	found, err := exec.LookPath(os.Args[0])
	if err != nil {
		return "", fmt.Errorf("find the binary of this process: %w", err)
	}
	return filepath.Abs(found)
}

// handOver starts a successor and waits until it serves. On an error this process is to go on serving.
func handOver(ctx context.Context, log *slog.Logger, binary string, listeners map[string]net.Listener, server *gateway.Server) error {
	ctx, cancel := context.WithTimeout(ctx, handoverTime)
	defer cancel()
	tickets, err := server.TicketKeys()
	if err != nil {
		return err
	}
	line, err := json.Marshal(legacy{Tickets: tickets})
	if err != nil {
		return err
	}
	successor, control, err := startSuccessor(binary, listeners)
	if err != nil {
		return err
	}
	defer control.Close()
	defer context.AfterFunc(ctx, func() { _ = control.SetDeadline(time.Unix(1, 0)) })() // fails on closed connections only
	log.Info("Another process takes over.", telemetry.EventKey, "HandOver", "pid", successor.Pid)
	if err := introduce(control, line); err != nil {
		_ = successor.Kill() // it may have ended already
		return fmt.Errorf("the new process does not serve, see its own log lines: %w", err)
	}
	return nil
}

// introduce tells a successor what it has to know and waits until it serves.
func introduce(control net.Conn, line []byte) error {
	if _, err := control.Write(append(line, '\n')); err != nil {
		return err
	}
	answer := make([]byte, len(handoverReady))
	if _, err := io.ReadFull(control, answer); err != nil {
		return err
	}
	if string(answer) != handoverReady {
		return fmt.Errorf("it says %q", answer)
	}
	return nil
}

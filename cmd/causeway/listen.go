package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"syscall"
)

// listenAddress is a listener's name in listen.json, its address, and the flag
// that sets it.
type listenAddress struct{ name, address, flag string }

// listenerSet are the open listeners of a process.
type listenerSet struct {
	order []string
	byKey map[string]net.Listener
}

// openListeners opens all or none. What was inherited is not opened again.
func openListeners(addresses []listenAddress, inherited *inheritance) (*listenerSet, error) {
	set := &listenerSet{byKey: make(map[string]net.Listener)}
	for _, a := range addresses {
		if a.address == "off" {
			continue
		}
		l, err := inherited.takeListener(a.name), error(nil)
		if l == nil {
			l, err = net.Listen("tcp", a.address)
		}
		if err != nil {
			set.close()
			return nil, listenError(a, err)
		}
		set.order = append(set.order, a.name)
		set.byKey[a.name] = l
	}
	return set, nil
}

func listenError(a listenAddress, err error) error {
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("cannot listen on %s: the port is taken by another process; choose another with --%s", a.address, a.flag)
	case errors.Is(err, syscall.EACCES):
		return fmt.Errorf("cannot listen on %s: not permitted; choose a port above 1023 with --%s", a.address, a.flag)
	}
	return usageError("cannot listen on %s: %w; check --%s", a.address, err, a.flag)
}

// get returns a listener by name; nil when it is off.
func (s *listenerSet) get(name string) net.Listener {
	if l, ok := s.byKey[name]; ok {
		return l
	}
	return nil
}

// address is the bound address; empty when the listener is off.
func (s *listenerSet) address(name string) string {
	if l := s.get(name); l != nil {
		return l.Addr().String()
	}
	return ""
}

func (s *listenerSet) close() {
	for _, l := range s.byKey {
		l.Close()
	}
}

// write puts the bound addresses into DIR/listen.json, atomically.
func (s *listenerSet) write(dir string) error {
	bound := make(map[string]string, len(s.order))
	for _, name := range s.order {
		bound[name] = s.address(name)
	}
	text, err := json.MarshalIndent(bound, "", "  ")
	if err != nil {
		return fmt.Errorf("write listen.json: %w", err)
	}
	file := filepath.Join(dir, "listen.json")
	if err := os.WriteFile(file+".new", append(text, '\n'), 0o644); err != nil {
		return fmt.Errorf("write listen.json: %w", err)
	}
	if err := os.Rename(file+".new", file); err != nil {
		return fmt.Errorf("write listen.json: %w", err)
	}
	return nil
}

// isTerminal says whether colours make sense.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

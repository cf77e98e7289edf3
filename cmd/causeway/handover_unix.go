//go:build unix

package main

import (
	"fmt"
	"maps"
	"net"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
)

// handOverSignal returns the channel that says when to hand over, and what ends it.
func handOverSignal() (c chan os.Signal, stop func()) {
	c = make(chan os.Signal, 1)
	signal.Notify(c, syscall.SIGUSR2)
	return c, func() { signal.Stop(c) }
}

// startSuccessor starts a process with the arguments of this one and copies of its listeners, and returns the connection to it. Descriptors are
// handed on as they are: os.File would make the sockets, which both processes share, wait in system calls.
func startSuccessor(binary string, listeners map[string]net.Listener) (*os.Process, net.Conn, error) {
	pair, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("make a pair of sockets: %w", err)
	}
	defer syscall.Close(pair[1])
	syscall.CloseOnExec(pair[0])
	syscall.CloseOnExec(pair[1])
	ours := os.NewFile(uintptr(pair[0]), handoverControl)
	defer ours.Close() // the connection has a copy
	control, err := net.FileConn(ours)
	if err != nil {
		return nil, nil, fmt.Errorf("make a pair of sockets: %w", err)
	}
	files := []uintptr{0, 1, 2, uintptr(pair[1])}
	words := []string{handoverControl + "=3"}
	defer func() {
		for _, fd := range files[4:] {
			_ = syscall.Close(int(fd)) // a copy of a listener's, which lives on
		}
	}()
	for _, name := range slices.Sorted(maps.Keys(listeners)) {
		fd, err := copyDescriptor(listeners[name])
		if err != nil {
			control.Close()
			return nil, nil, fmt.Errorf("hand over the listener %s: %w", name, err)
		}
		words = append(words, fmt.Sprintf("%s=%d", name, len(files)))
		files = append(files, uintptr(fd))
	}
	env := append(os.Environ(), handoverVariable+"="+strings.Join(words, ","))
	pid, err := syscall.ForkExec(binary, os.Args, &syscall.ProcAttr{Env: env, Files: files})
	if err != nil {
		control.Close()
		return nil, nil, fmt.Errorf("start %s: %w", binary, err)
	}
	successor, err := os.FindProcess(pid)
	if err != nil {
		control.Close()
		return nil, nil, err
	}
	go func() { _, _ = successor.Wait() }() // nobody else asks how it ended
	return successor, control, nil
}

// copyDescriptor duplicates the socket of a listener.
func copyDescriptor(l net.Listener) (fd int, err error) {
	socket, ok := l.(syscall.Conn)
	if !ok {
		return 0, fmt.Errorf("%T is no socket", l)
	}
	raw, err := socket.SyscallConn()
	if err != nil {
		return 0, err
	}
	cerr := raw.Control(func(own uintptr) {
		syscall.ForkLock.RLock() // between the two calls nobody may start a process
		defer syscall.ForkLock.RUnlock()
		if fd, err = syscall.Dup(int(own)); err == nil {
			syscall.CloseOnExec(fd)
		}
	})
	if cerr != nil {
		return 0, cerr
	}
	return fd, err
}

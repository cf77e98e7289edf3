package main

import (
	"net"
	"path/filepath"
	"testing"
	"time"
)

func TestNotifySystemd(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "notify")
	conn, err := net.ListenPacket("unixgram", name)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	notifySystemd("", "READY=1") // nobody wants to know
	notifySystemd(name+"-none", "READY=1")
	notifySystemd(name, "READY=1\nMAINPID=7")
	if err := conn.SetReadDeadline(time.Now().Add(30 * time.Second)); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 100)
	n, _, err := conn.ReadFrom(b)
	if err != nil || string(b[:n]) != "READY=1\nMAINPID=7" {
		t.Errorf("got %q, %v", b[:n], err)
	}
}

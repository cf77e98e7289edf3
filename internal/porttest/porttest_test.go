package porttest

import (
	"net"
	"testing"
)

// TestKeep has servers come and go on a kept port.
func TestKeep(t *testing.T) {
	t.Parallel()
	port, release, err := Keep()
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	for range 3 {
		if c, err := net.Dial("tcp", Address(port)); err == nil {
			_ = c.Close()
			t.Error("a kept port takes connections")
		}
		l, err := net.Listen("tcp", Address(port))
		if err != nil {
			t.Fatal(err)
		}
		c, err := net.Dial("tcp", Address(port))
		if err != nil {
			t.Fatal(err)
		}
		_ = c.Close()
		_ = l.Close()
	}
}

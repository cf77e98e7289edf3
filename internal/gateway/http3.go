package gateway

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"time"

	"github.com/causeway-apim/causeway/internal/gateway/http3"
	"github.com/causeway-apim/causeway/internal/telemetry"
)

// HTTP3 says whether and how a server speaks HTTP/3.
type HTTP3 struct {
	// Enabled opens the UDP port of the same number beside each listener of HTTPS, and announces it by Alt-Svc (RFC 7838) in answers over TLS.
	Enabled bool
	// Port is the number to announce, where clients see another one than the listener has; 0 for the listener's.
	Port int
}

// altSvcAge is for how long clients remember the announcement, in seconds. It is short: a client that finds nobody there falls back by itself, but late.
const altSvcAge = 3600

// openAgain is how long the server waits before it tries to open a UDP port again. A process that takes over finds it taken until the one before it has
// drained: QUIC's connections belong to a process, unlike what waits in a listener of TCP.
const openAgain = time.Second

// http3Server makes the engine.
func (s *Server) http3Server(limits *ServerLimits, panicked func(any, []byte)) *http3.Server {
	g := s.gateway
	return &http3.Server{Handler: g, TLS: s.tls, Now: g.now, Limits: limits.http3(), Hooks: http3.Hooks{
		Refused: g.logRefused, Panicked: panicked,
	}}
}

func (l *ServerLimits) http3() http3.Limits {
	return http3.Limits{
		Streams: l.Streams, Target: l.URLLength, HeaderBytes: l.HeaderBytes, HeaderFields: l.HeaderFields, HandshakeTimeout: l.HandshakeTimeout,
		IdleTimeout: l.IdleTimeout, BodyTimeout: l.BodyTimeout, WriteTimeout: l.WriteTimeout, Conns: l.Conns, ConnsPerAddress: l.ConnsPerAddress,
	}
}

// serveHTTP3 serves the UDP port of a listener's address until Shutdown.
func (s *Server) serveHTTP3(beside net.Addr) {
	tcp, ok := beside.(*net.TCPAddr)
	if !ok {
		return
	}
	log := s.gateway.log
	socket, err := net.ListenUDP("udp", &net.UDPAddr{IP: tcp.IP, Port: tcp.Port, Zone: tcp.Zone})
	for told := false; err != nil; socket, err = net.ListenUDP("udp", &net.UDPAddr{IP: tcp.IP, Port: tcp.Port, Zone: tcp.Zone}) {
		if !told {
			told = true
			log.Warn("HTTP/3 has to wait for its UDP port.", telemetry.EventKey, "Listening", "address", beside.String(), "error", err)
		}
		select {
		case <-time.After(openAgain):
		case <-s.closing:
			return
		}
	}
	log.Info("The gateway listens on "+socket.LocalAddr().String()+" for HTTP/3.", telemetry.EventKey, "Listening")
	port := s.altSvcPort
	if port == 0 {
		port = tcp.Port
	}
	announcement := fmt.Sprintf(`h3=":%s"; ma=%d`, strconv.Itoa(port), altSvcAge)
	s.gateway.altSvc.Store(&announcement)
	if err := s.http3.Serve(socket); !errors.Is(err, http3.ErrServerClosed) {
		s.gateway.altSvc.Store(nil)
		log.Error("HTTP/3 has ended.", telemetry.EventKey, "Listening", "error", err)
	}
}

package main

import (
	"net"
	"net/http"
	"net/http/pprof"
)

// serveProfiles answers on a listener what `go tool pprof` asks for. Whoever can reach it sees names and memory of the process: it is off unless
// asked for, and belongs on an address of the machine itself.
func serveProfiles(l net.Listener) error {
	mux := http.NewServeMux()
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	return http.Serve(l, mux)
}

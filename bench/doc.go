// Command bench measures gateways and proxies side by side: Causeway's gateway, nginx, HAProxy, Caddy, Traefik and a plain reverse proxy of
// net/http, as many as the machine has. See docs/performance.md for what it measures and how to read its table.
//
// Each contender runs as a process on a core of its own and has no more than that. The load and the backend service, both written for little
// cost, share another core. Contenders take turns in short rounds and the table shows medians, so that what else the machine does meets all
// alike. The figure that holds on a busy machine is the CPU time per request, compared within one run.
//
//	go run ./bench                       # everything, some minutes
//	go run ./bench -scenario plain-512 -contender causeway,nginx
//	go run ./bench -profile out          # CPU profiles of our gateway, one file for each scenario
package main

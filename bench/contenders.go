//go:build linux

package main

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// site is what all contenders of a run stand in: folders, ports, certificates.
type site struct {
	dir         string
	cores       [2]int // of the contender; of load and backend service
	backendPort int
	cert, key   string // PEM files
	gateway     string // our program
	base        string // another build of our program, to compare with; empty: none
	plane       *plane
	many        bool // with manyOperations
}

// contender is a program that proxies.
type contender struct {
	name string
	// find returns the program, empty when the machine does not have it.
	find func(s *site) string
	// prepare writes the configuration and returns environment and arguments.
	prepare func(s *site, dir string, port, tlsPort int) (env, args []string, err error)
	// lacks are the scenarios that it cannot take part in.
	lacks []string
	ours  bool // has our gateway's policies and its page of profiles
}

// instance is a contender that runs.
type instance struct {
	*contender
	*process
	port, tlsPort, profilePort int
	dir                        string
	pids                       []int
}

func inPath(name string) func(*site) string {
	return func(*site) string {
		path, err := exec.LookPath(name)
		if err != nil {
			path, _ = exec.LookPath("/usr/sbin/" + name) // empty on errors
		}
		return path
	}
}

// contenders are all that there are. The first is ours, the second the one that ratios are against.
func contenders() []*contender {
	return []*contender{
		{name: "causeway", find: func(s *site) string { return s.gateway }, prepare: prepareGateway, ours: true},
		{name: "nginx", find: inPath("nginx"), prepare: prepareNginx},
		{name: "nginx+log", find: inPath("nginx"), prepare: prepareNginxLog},
		{name: "haproxy", find: inPath("haproxy"), prepare: prepareHAProxy, lacks: []string{"routes"}},
		{name: "caddy", find: inPath("caddy"), prepare: prepareCaddy, lacks: []string{"cache", "routes"}},
		{name: "traefik", find: inPath("traefik"), prepare: prepareTraefik, lacks: []string{"cache", "routes"}},
		{name: "net/http", find: func(*site) string { return selfProgram }, prepare: prepareReverseProxy, lacks: []string{"cache", "routes"}},
		{name: "base", find: func(s *site) string { return s.base }, prepare: prepareGateway, ours: true},
	}
}

const selfProgram = "/proc/self/exe"

// start runs the contender on its core and waits until it answers.
func (c *contender) start(s *site) (*instance, error) {
	in := &instance{contender: c, dir: filepath.Join(s.dir, strings.ReplaceAll(c.name, "/", "-"))}
	if s.many {
		in.dir += "-many"
	}
	if err := os.MkdirAll(in.dir, 0o755); err != nil {
		return nil, err
	}
	if err := in.launch(s); err != nil {
		return nil, err
	}
	if err := awaitAnswer(in.port, "/plain/b512", 30*time.Second, nil); err != nil {
		in.stop()
		return nil, fmt.Errorf("%s does not answer: %w; see its output in %s", c.name, err, in.dir)
	}
	in.pids = in.members()
	return in, nil
}

// launch starts the process.
func (in *instance) launch(s *site) error {
	for _, port := range []*int{&in.port, &in.tlsPort, &in.profilePort} {
		var err error
		if *port, err = freePort(); err != nil {
			return err
		}
	}
	env, args, err := in.prepare(s, in.dir, in.port, in.tlsPort)
	if err != nil {
		return fmt.Errorf("prepare %s: %w", in.name, err)
	}
	if in.ours {
		args = append(args, "--profile-listen", local(in.profilePort))
	}
	output, err := os.Create(filepath.Join(in.dir, "output.log"))
	if err != nil {
		return err
	}
	defer output.Close()
	in.process, err = startPinned(s.cores[0], s.cores[1], append(env, "GOMAXPROCS=1"), output, in.find(s), args...)
	return err
}

func local(port int) string { return "127.0.0.1:" + strconv.Itoa(port) }

// prepareGateway gives our gateway its configuration the way self-hosted gateways get it. Logs, metrics and records are as by default.
func prepareGateway(s *site, dir string, port, tlsPort int) (env, args []string, err error) {
	token, err := s.plane.token()
	if err != nil {
		return nil, nil, err
	}
	return []string{"CONFIG_SERVICE_ENDPOINT=" + s.plane.url(), "CONFIG_SERVICE_AUTH=GatewayKey " + token}, []string{
		"gateway", "--gateway-listen", local(port), "--gateway-tls-listen", local(tlsPort), "--config-backup", filepath.Join(dir, "backup"),
	}, nil
}

func prepareNginx(s *site, dir string, port, tlsPort int) (env, args []string, err error) {
	return nginxConfig(s, dir, port, tlsPort, "off")
}

func prepareNginxLog(s *site, dir string, port, tlsPort int) (env, args []string, err error) {
	return nginxConfig(s, dir, port, tlsPort, filepath.Join(dir, "access.log"))
}

func nginxConfig(s *site, dir string, port, tlsPort int, log string) (env, args []string, err error) {
	var routes strings.Builder
	if s.many {
		for i := range manyOperations {
			fmt.Fprintf(&routes, "    location /r%d/op%d/ { proxy_pass http://backend; }\n", i/operationsOfAPI, i%operationsOfAPI)
		}
	}
	text := fmt.Sprintf(`daemon off;
worker_processes 1;
worker_rlimit_nofile 65536;
pid %[1]s/nginx.pid;
error_log %[1]s/error.log;
events { worker_connections 32768; }
http {
  access_log %[2]s;
  client_body_temp_path %[1]s/body;
  proxy_temp_path %[1]s/proxy;
  proxy_cache_path %[1]s/cache keys_zone=cache:1m;
  fastcgi_temp_path %[1]s/fastcgi;
  uwsgi_temp_path %[1]s/uwsgi;
  scgi_temp_path %[1]s/scgi;
  keepalive_requests 1000000000;
  keepalive_timeout 600s;
  http2_max_requests 1000000000;
  sendfile on;
  tcp_nopush on;
  proxy_http_version 1.1;
  proxy_set_header Connection "";
  upstream backend { server 127.0.0.1:%[3]d; keepalive 512; keepalive_requests 1000000000; }
  server {
    listen 127.0.0.1:%[4]d backlog=4096;
    listen 127.0.0.1:%[5]d ssl http2 backlog=4096;
    ssl_certificate %[6]s;
    ssl_certificate_key %[7]s;
    location /plain/ { proxy_pass http://backend; }
    location /cached/ { proxy_pass http://backend; proxy_cache cache; proxy_cache_valid 200 1h; }
    location = /ws { proxy_pass http://backend; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection "upgrade"; }
%[8]s  }
}
`, dir, log, s.backendPort, port, tlsPort, s.cert, s.key, routes.String())
	file := filepath.Join(dir, "nginx.conf")
	return nil, []string{"-c", file, "-p", dir}, os.WriteFile(file, []byte(text), 0o644)
}

func prepareHAProxy(s *site, dir string, port, tlsPort int) (env, args []string, err error) {
	var pair []byte
	for _, file := range []string{s.cert, s.key} {
		data, err := os.ReadFile(file)
		if err != nil {
			return nil, nil, err
		}
		pair = append(pair, data...)
	}
	pem := filepath.Join(dir, "pair.pem")
	if err := os.WriteFile(pem, pair, 0o600); err != nil {
		return nil, nil, err
	}
	text := fmt.Sprintf(`global
  nbthread 1
  no strict-limits
  maxconn 32768
defaults
  mode http
  timeout connect 5s
  timeout client 600s
  timeout server 600s
  timeout tunnel 600s
  http-reuse always
cache memory
  total-max-size 16
  max-object-size 1000000
  max-age 3600
frontend in
  bind 127.0.0.1:%d backlog 4096
  bind 127.0.0.1:%d ssl crt %s alpn h2,http/1.1
  use_backend cached if { path_beg /cached/ }
  default_backend plain
backend plain
  server one 127.0.0.1:%d
backend cached
  http-request cache-use memory
  http-response cache-store memory
  server one 127.0.0.1:%d
`, port, tlsPort, pem, s.backendPort, s.backendPort)
	file := filepath.Join(dir, "haproxy.cfg")
	return nil, []string{"-f", file, "-db"}, os.WriteFile(file, []byte(text), 0o644)
}

func prepareCaddy(s *site, dir string, port, tlsPort int) (env, args []string, err error) {
	text := fmt.Sprintf(`{
	admin off
	auto_https off
}
http://:%d {
	reverse_proxy 127.0.0.1:%d
}
https://:%d {
	tls %s %s
	reverse_proxy 127.0.0.1:%d
}
`, port, s.backendPort, tlsPort, s.cert, s.key, s.backendPort)
	file := filepath.Join(dir, "Caddyfile")
	return []string{"XDG_DATA_HOME=" + dir, "XDG_CONFIG_HOME=" + dir}, []string{"run", "--adapter", "caddyfile", "--config", file},
		os.WriteFile(file, []byte(text), 0o644)
}

func prepareTraefik(s *site, dir string, port, tlsPort int) (env, args []string, err error) {
	dynamic := fmt.Sprintf(`http:
  routers:
    plain: {rule: "PathPrefix(`+"`/`"+`)", service: backend, entryPoints: [plain]}
    tls: {rule: "PathPrefix(`+"`/`"+`)", service: backend, entryPoints: [tls], tls: {}}
  services:
    backend: {loadBalancer: {servers: [{url: "http://127.0.0.1:%d"}]}}
tls:
  stores: {default: {defaultCertificate: {certFile: "%s", keyFile: "%s"}}}
`, s.backendPort, s.cert, s.key)
	file := filepath.Join(dir, "dynamic.yaml")
	return nil, []string{
		"--entryPoints.plain.address=" + local(port), "--entryPoints.tls.address=" + local(tlsPort), "--providers.file.filename=" + file,
		"--experimental.fastProxy", "--log.level=ERROR", "--global.checkNewVersion=false", "--global.sendAnonymousUsage=false",
	}, os.WriteFile(file, []byte(dynamic), 0o644)
}

func prepareReverseProxy(s *site, _ string, port, tlsPort int) (env, args []string, err error) {
	return []string{roleVariable + "=" + roleProxy}, []string{strconv.Itoa(port), strconv.Itoa(tlsPort), strconv.Itoa(s.backendPort), s.cert, s.key}, nil
}

// subscriptionHeader carries what the policy set "typical" asks for.
func subscriptionHeader(jwt string) http.Header {
	return http.Header{"Ocp-Apim-Subscription-Key": {subscriptionKey}, "Authorization": {"Bearer " + jwt}}
}

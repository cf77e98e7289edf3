# Causeway. `make run` and `make test` are all one needs to know; `make help` lists the rest.

GO      ?= go
BIN     := bin/causeway
# Flags and arguments for `causeway dev`: make run ARGS='--empty'
ARGS    ?=
# Flags of the gateway's benchmark: make bench-gateway BENCH='-scenario tls,http2 -rounds 3'
BENCH   ?=

# Not in tools/go.mod: its own dependencies are many and heavy, and the gate does without it.
GOLANGCI_LINT := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0

.DEFAULT_GOAL := help
.PHONY: run test build lint release bench bench-gateway profile-gateway fmt generate interop soak fuzz clean help

run: ## set up what is missing, build and start everything in one process
	@$(GO) run -C tools ./setup run
	@$(MAKE) --no-print-directory build
	./$(BIN) dev $(ARGS)

test: ## set up what the tests need and run the whole gate, as CI does
	@$(GO) run -C tools ./setup test
	@$(GO) run -C tools ./check

build: ## build ./bin/causeway; needs no Node: without web/dist there are no web pages in it
	$(GO) build -o $(BIN) ./cmd/causeway

lint: ## golangci-lint: more opinions than the gate has (its first build takes minutes)
	$(GO) run $(GOLANGCI_LINT) run ./...

bench: ## benchmarks: they inform and never gate
	$(GO) test -run '^$$' -bench . -benchmem $$($(GO) list ./... | grep -v -e /test/live -e /test/plane)
	$(GO) test -run '^$$' -bench . -benchtime 50x ./test/live

bench-plane: ## the management plane with 10,000 APIs and 1,000,000 subscriptions (CAUSEWAY_BENCH_APIS=1000 for less)
	$(GO) test -run '^$$' -bench Plane -benchtime 20x -timeout 240m -v ./test/plane

bench-gateway: build ## our gateway beside nginx, HAProxy, Caddy … on one core each (make bench-gateway BENCH='-scenario tls -page docs/performance.md')
	$(GO) run ./bench $(BENCH)

profile-gateway: build ## CPU profiles of our gateway in bin/profiles, one for each scenario; go tool pprof -http :0 FILE shows flame graphs
	$(GO) run ./bench -profile bin/profiles $(BENCH)

fmt: ## format the Go code
	gofmt -w $$(git ls-files '*.go')

generate: ## write the generated files anew: docs/reference and *_gen.go
	$(GO) generate ./...

interop: ## tests with other people's clients and servers: Terraform, SDKs, h2spec, brokers
	$(GO) test -tags interop -run '^TestInterop' -timeout 60m -v ./test/...
	$(GO) test -C test/interop/sdk -tags interop -timeout 30m -v ./...

soak: ## ten minutes of mixed load while everything changes and fails, then fuzz (make soak SOAK=1h)
	CAUSEWAY_SOAK=$(or $(SOAK),10m) $(GO) test -count 1 -run '^TestSoak$$' -timeout 0 -v ./test/soak
	@$(MAKE) --no-print-directory fuzz

fuzz: ## fuzz every target for a minute (make fuzz FUZZ='-time 10m -run FuzzScan')
	@$(GO) run -C tools ./fuzz $(FUZZ)

release: ## make what is delivered in dist/: make release VERSION=1.2.3 PUBLISHED=1.2.1,1.2.2
	$(GO) run -C deploy ./release -version "$(VERSION)" -published "$(PUBLISHED)" -out "$(CURDIR)/dist"

clean: ## remove what was built (not your data in .causeway)
	rm -rf bin dist web/node_modules
	find web/dist -mindepth 1 ! -name .gitkeep -delete

help: ## this list
	@awk -F ':[a-z ]* ## ' '/^[a-z-]+:[a-z ]* ## / { printf "  make %-16s%s\n", $$1, $$2 }' Makefile

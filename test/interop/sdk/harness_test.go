//go:build interop

// Package sdk runs Azure's unmodified SDK for Go against Causeway over TLS, as its users do: azidentity signs in at the
// token service, armapimanagement (v3 and v1) speaks to the management API.
//
// It is a module of its own, so that the SDK stays out of the product's. One file per area of the API; [Start] starts
// `causeway dev` once for all tests, [System.Service] makes a service for one test.
//
//	go test -C test/interop/sdk -tags interop ./...
package sdk

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/arm"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/apimanagement/armapimanagement/v3"
)

const (
	tenant       = "00000000-0000-0000-0000-000000000000"
	subscription = "00000000-0000-0000-0000-000000000000"
	client       = "00000000-0000-0000-0000-000000000001"
	secret       = "secret-of-the-interop-tests"
	group        = "causeway"
)

// System is a running `causeway dev` as the SDK sees it.
type System struct {
	URL        string // of the TLS listener of the management API
	Gateway    string
	CA         string       // file with dev's local CA
	HTTP       *http.Client // trusts dev's local CA
	Credential azcore.TokenCredential
	Options    *arm.ClientOptions

	stop func()
}

// shared starts the system at its first call; every later one returns the same.
var shared = sync.OnceValues(start)

func TestMain(m *testing.M) {
	code := m.Run()
	if s, err := shared(); err == nil {
		s.stop()
	}
	os.Exit(code)
}

// Start starts the system, once for all tests. CAUSEWAY_BIN names a binary that was built already.
func Start(t testing.TB) *System {
	t.Helper()
	s, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func start() (*System, error) {
	dir, err := os.MkdirTemp("", "causeway-sdk")
	if err != nil {
		return nil, err
	}
	bin := os.Getenv("CAUSEWAY_BIN")
	if bin == "" {
		bin = filepath.Join(dir, "causeway")
		build := exec.Command("go", "build", "-o", bin, "./cmd/causeway")
		build.Dir = filepath.Join("..", "..", "..")
		if out, err := build.CombinedOutput(); err != nil {
			return nil, fmt.Errorf("build: %w\n%s", err, out)
		}
	}
	data := filepath.Join(dir, "data")
	var log bytes.Buffer
	cmd := exec.Command(bin, "dev", "--empty", "--data", data, "--management-listen", "127.0.0.1:0", "--management-tls-listen", "127.0.0.1:0",
		"--gateway-listen", "127.0.0.1:0", "--gateway-tls-listen", "off", "--portal-listen", "off")
	cmd.Env = append(os.Environ(), "CAUSEWAY_DEV_TOKEN="+secret)
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	stop := func() {
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait()
		_ = os.RemoveAll(dir)
	}
	listen, err := awaitListeners(filepath.Join(data, "listen.json"))
	if err != nil {
		stop()
		return nil, fmt.Errorf("%w\n%s", err, log.String())
	}
	s, err := connect(data, listen)
	if err != nil {
		stop()
		return nil, err
	}
	s.stop = stop
	return s, nil
}

func awaitListeners(file string) (map[string]string, error) {
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		text, err := os.ReadFile(file)
		if err != nil {
			continue
		}
		var listen map[string]string
		if err := json.Unmarshal(text, &listen); err != nil {
			return nil, err
		}
		if r, err := http.Get("http://" + listen["management"] + "/healthz"); err == nil {
			_ = r.Body.Close()
			return listen, nil
		}
	}
	return nil, errors.New("causeway dev is not ready after 20 s")
}

func connect(data string, listen map[string]string) (*System, error) {
	ca, err := os.ReadFile(filepath.Join(data, "ca.pem"))
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(ca)
	s := &System{
		URL:     "https://localhost" + listen["management-tls"][strings.LastIndexByte(listen["management-tls"], ':'):],
		Gateway: "http://" + listen["gateway"],
		CA:      filepath.Join(data, "ca.pem"),
		HTTP:    &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}, Timeout: time.Minute},
	}
	s.Options = &arm.ClientOptions{
		ClientOptions: policy.ClientOptions{
			Transport: s.HTTP, Retry: policy.RetryOptions{MaxRetries: -1},
			Cloud: cloud.Configuration{
				ActiveDirectoryAuthorityHost: s.URL + "/",
				Services:                     map[cloud.ServiceName]cloud.ServiceConfiguration{cloud.ResourceManager: {Endpoint: s.URL, Audience: s.URL}},
			},
		},
		DisableRPRegistration: true,
	}
	s.Credential, err = s.Secret(client, secret)
	return s, err
}

// Secret is the credential of a service principal with a client secret.
func (s *System) Secret(id, secret string) (azcore.TokenCredential, error) {
	return azidentity.NewClientSecretCredential(tenant, id, secret, &azidentity.ClientSecretCredentialOptions{
		ClientOptions: s.Options.ClientOptions, DisableInstanceDiscovery: true,
	})
}

// Clients returns the factory of the v3 clients.
func (s *System) Clients(t testing.TB) *armapimanagement.ClientFactory {
	t.Helper()
	f, err := armapimanagement.NewClientFactory(subscription, s.Credential, s.Options)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// Service makes a service for one test, which is deleted after it.
func (s *System) Service(t testing.TB, name string) *armapimanagement.ClientFactory {
	t.Helper()
	f := s.Clients(t)
	poller, err := f.NewServiceClient().BeginCreateOrUpdate(t.Context(), group, name, armapimanagement.ServiceResource{
		Location: to.Ptr("westeurope"),
		SKU:      &armapimanagement.ServiceSKUProperties{Name: to.Ptr(armapimanagement.SKUTypeDeveloper), Capacity: to.Ptr[int32](1)},
		Properties: &armapimanagement.ServiceProperties{
			PublisherEmail: to.Ptr("publisher@example.com"), PublisherName: to.Ptr("Publisher"),
		},
	}, nil)
	finish(t, poller, err)
	t.Cleanup(func() {
		poller, err := f.NewServiceClient().BeginDelete(context.Background(), group, name, nil)
		if err == nil {
			_, err = poller.PollUntilDone(context.Background(), nil)
		}
		if err != nil {
			t.Errorf("delete service %s: %v", name, err)
		}
	})
	return f
}

// poller is what all of the SDK's pollers can do.
type poller[T any] interface {
	PollUntilDone(ctx context.Context, options *pollOptions) (T, error)
}

// finish waits for a long-running operation.
func finish[T any](t testing.TB, p poller[T], err error) T {
	t.Helper()
	if err == nil {
		var result T
		if result, err = p.PollUntilDone(context.Background(), fast()); err == nil {
			return result
		}
	}
	t.Fatal(err)
	panic("unreachable")
}

// wantStatus fails the test unless err is an answer with this status and, if given, this code.
func wantStatus(t testing.TB, err error, status int, code string) {
	t.Helper()
	var r *azcore.ResponseError
	if !errors.As(err, &r) || r.StatusCode != status || code != "" && r.ErrorCode != code {
		t.Errorf("the error is %v, want status %d %s", err, status, code)
	}
}

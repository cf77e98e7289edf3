package live

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/causeway-apim/causeway/internal/auth"
	"github.com/causeway-apim/causeway/internal/causewaytest"
	"github.com/causeway-apim/causeway/internal/configsync"
	"github.com/causeway-apim/causeway/internal/snapshot"
	"github.com/causeway-apim/causeway/internal/store/pgtest"
)

// TestPlaneIsKilled: callers notice nothing, changes arrive when the plane is back, and each request is in the reports once: those
// of before, those of meanwhile, and those of afterwards.
func TestPlaneIsKilled(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.callers(t, func() error { _, err := w.get(w.edge); return err })
	c.more(t, 50)
	w.plane.Kill()
	awaitLog(t, w.edge, "no connection to the management plane")
	c.more(t, 50)
	w.plane = w.system.Start("plane", "dev", "--empty")
	w.change(1)
	w.waitFor(w.edge, 1, faultWait)
	c.more(t, 50)
	c.stop()
	w.awaitReports(t)
}

// TestPostgreSQLIsKilled: neither callers of the managed gateway nor those of a self-hosted one notice. Writes to the management
// API fail meanwhile, and work again when the database is back.
func TestPostgreSQLIsKilled(t *testing.T) {
	t.Parallel()
	database := pgtest.Start(t)
	w := newSystem(t)
	command := []string{"FAULTS_KEY=" + strings.Repeat("5a", 32), "server", "--database", database.URL, "--master-key", "env:FAULTS_KEY"}
	w.plane = w.system.Start("plane", command...)
	group, _, _ := strings.Cut(causewaytest.DevService, "/providers/")
	w.system.ARM(w.plane, http.MethodPut, group+"?api-version=2021-04-01", `{"location":"westeurope"}`)
	w.system.ARM(w.plane, http.MethodPut, causewaytest.DevService,
		`{"location":"westeurope","sku":{"name":"Developer","capacity":1},"properties":{"publisherEmail":"a@example.com","publisherName":"A"}}`)
	w.declare()
	w.change(0)
	if code, err := w.plane.Stop(syscall.SIGTERM); code != 0 || err != nil {
		t.Fatalf("exit code %d, %v", code, err)
	}
	w.plane = w.system.Start("plane", append(command, "--gateway-listen", "127.0.0.1:0")...) // it is ready when it has a service
	w.edge = w.gateway("edge")
	w.waitFor(w.edge, 0, faultWait)
	managed := func() error { return w.getAs(w.plane, "dev.gateway.localhost") }
	await(t, "the managed gateway serves", []*causewaytest.Process{w.plane}, func() bool { return managed() == nil })

	self, shared := w.callers(t, func() error { _, err := w.get(w.edge); return err }), w.callers(t, managed)
	self.more(t, 20)
	database.Kill()
	if status, answer, err := w.system.TryARM(w.plane, http.MethodPut, "tags/a", `{"properties":{"displayName":"a"}}`); err != nil || status < 500 {
		t.Errorf("a write without a database answers %d: %s, %v", status, answer, err)
	}
	self.more(t, 50)
	shared.more(t, 50)
	database.Restart()
	await(t, "writes work again", []*causewaytest.Process{w.plane}, func() bool {
		status, _, err := w.system.TryARM(w.plane, http.MethodPut, "tags/a", `{"properties":{"displayName":"a"}}`)
		return err == nil && status < 300
	})
	w.change(1)
	w.waitFor(w.edge, 1, faultWait)
	self.more(t, 20)
	shared.more(t, 20)
}

// getAs calls the API at a host name of a gateway.
func (w *world) getAs(gateway *causewaytest.Process, host string) error {
	request, err := http.NewRequestWithContext(w.tb.Context(), http.MethodGet, gateway.Listen["gateway"]+"/live/get", http.NoBody)
	if err != nil {
		return err
	}
	request.Host = host
	response, err := w.clients.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s", host, response.Status)
	}
	return nil
}

const (
	nearService = "/subscriptions/s/resourcegroups/g/providers/microsoft.apimanagement/service/near"
	nearKey     = "primary key"
)

// nearPlane is a management plane in the test's own process. It can be what no other is: of a later version, with policies that the
// gateway does not know, or one with another clock.
type nearPlane struct {
	configsync.Feed
	t       *testing.T
	current *snapshot.Snapshot
	url     string
}

// newNearPlane serves the API of a world, whose policy says 0.
func newNearPlane(t *testing.T, w *world, server *configsync.Server) *nearPlane {
	t.Helper()
	p := &nearPlane{t: t, current: snapshot.Empty()}
	p.publish(snapshot.KindService, "", snapshot.Service{Name: "near"})
	p.publish(snapshot.KindGateway, "gateways/edge", snapshot.Gateway{Name: "edge"})
	p.publish(snapshot.KindGatewayAPI, "gateways/edge/apis/live", snapshot.GatewayAPI{Gateway: "edge", API: "live"})
	p.publish(snapshot.KindAPI, "apis/live", snapshot.API{ID: "live", Name: "live", Path: "live", Protocols: []string{"http"}, ServiceURL: w.backend.URL(), Revision: "1", IsCurrent: true})
	p.publish(snapshot.KindOperation, "apis/live/operations/get", snapshot.Operation{API: "live", Name: "get", Method: "GET", URLTemplate: "/get"})
	p.change(0)
	server.Source = p
	listener := httptest.NewServer(server)
	t.Cleanup(func() {
		server.Close()
		listener.Close()
	})
	p.url = listener.URL
	return p
}

// GatewayKeys implements configsync.Source.
func (p *nearPlane) GatewayKeys(context.Context, string) ([]configsync.GatewayKeys, error) {
	return []configsync.GatewayKeys{{Service: nearService, Gateway: "edge", Primary: nearKey, Secondary: "secondary key"}}, nil
}

func (p *nearPlane) publish(kind snapshot.Kind, id string, v any) {
	p.t.Helper()
	part, err := snapshot.Encode(kind, id, v)
	if err != nil {
		p.t.Fatal(err)
	}
	p.current, _ = p.current.Edit(p.current.Sequence()+1, []snapshot.Part{part}, nil)
	if err := p.Publish(nearService, p.current); err != nil {
		p.t.Fatal(err)
	}
}

// change makes the API's policy say n.
func (p *nearPlane) change(n int) {
	p.t.Helper()
	p.policy(fmt.Sprintf(`<set-header name="X-Change" exists-action="override"><value>%d</value></set-header>`, n))
}

func (p *nearPlane) policy(statement string) {
	p.t.Helper()
	p.publish(snapshot.KindPolicy, "apis/live/policies/policy", snapshot.Policy{Scope: "apis/live", Format: "rawxml",
		Value: `<policies><inbound /><backend><forward-request /></backend><outbound>` + statement + `</outbound><on-error /></policies>`})
}

// TestConfigurationIsRefused: a gateway that cannot compile what comes serves on with what it has, and the plane tells which
// change was refused and why. The next good one is served.
func TestConfigurationIsRefused(t *testing.T) {
	t.Parallel()
	w := newSystem(t)
	server := &configsync.Server{Version: "9.9.9"}
	p := newNearPlane(t, w, server)
	token, err := auth.NewGatewayToken("edge", nearKey, time.Now().Add(time.Hour), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	w.edge = w.system.Start("edge", "config.service.endpoint="+p.url, "config.service.auth=GatewayKey "+token, "gateway")
	w.waitFor(w.edge, 0, faultWait)

	p.policy(`<policy-of-tomorrow />`)
	var told configsync.Instance
	await(t, "the plane tells that the configuration was refused", []*causewaytest.Process{w.edge}, func() bool {
		for _, told = range server.Instances(nearService, "edge") {
			return told.Status == configsync.StatusRejected
		}
		return false
	})
	if told.Sequence != 6 || !strings.Contains(told.Message, "sequence 7 was refused") || !strings.Contains(told.Message, "policy-of-tomorrow") {
		text, err := json.Marshal(told)
		t.Errorf("the plane tells %s, %v", text, err)
	}
	awaitLog(t, w.edge, "A configuration was refused; the last good one goes on serving.")
	if n, err := w.get(w.edge); n != 0 || err != nil {
		t.Errorf("it serves %d, %v", n, err)
	}
	p.change(1)
	w.waitFor(w.edge, 1, faultWait)
}

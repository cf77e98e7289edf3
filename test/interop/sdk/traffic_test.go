//go:build interop

package sdk

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/apimanagement/armapimanagement/v3"
)

// limited answers by itself, counts by key, and is open to everybody.
const limited = `<policies><inbound><base /><quota-by-key calls="2" renewal-period="3600" counter-key="tester" />
	<return-response><set-status code="204" reason="No Content" /></return-response></inbound><backend><base /></backend><outbound><base /></outbound><on-error><base /></on-error></policies>`

// answering makes an API that answers by itself, and returns how to call it through the gateway.
func (s *System) answering(t *testing.T, f *armapimanagement.ClientFactory, service string) func(header ...string) *http.Response {
	t.Helper()
	ctx := t.Context()
	api, err := f.NewAPIClient().BeginCreateOrUpdate(ctx, group, service, "limited", armapimanagement.APICreateOrUpdateParameter{
		Properties: &armapimanagement.APICreateOrUpdateProperties{
			DisplayName: to.Ptr("Limited"), Path: to.Ptr("limited"), SubscriptionRequired: to.Ptr(false),
			Protocols: []*armapimanagement.Protocol{to.Ptr(armapimanagement.ProtocolHTTP), to.Ptr(armapimanagement.ProtocolHTTPS)},
		},
	}, nil)
	finish(t, api, err)
	if _, err := f.NewAPIOperationClient().CreateOrUpdate(ctx, group, service, "limited", "get", armapimanagement.OperationContract{
		Properties: &armapimanagement.OperationContractProperties{DisplayName: to.Ptr("Get"), Method: to.Ptr("GET"), URLTemplate: to.Ptr("/")},
	}, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := f.NewAPIPolicyClient().CreateOrUpdate(ctx, group, service, "limited", armapimanagement.PolicyIDNamePolicy, armapimanagement.PolicyContract{
		Properties: &armapimanagement.PolicyContractProperties{Format: to.Ptr(armapimanagement.PolicyContentFormatRawxml), Value: to.Ptr(limited)},
	}, nil); err != nil {
		t.Fatal(err)
	}
	return func(header ...string) *http.Response {
		t.Helper()
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.Gateway+"/limited/", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		r.Host = service + ".gateway.localhost"
		for i := 0; i+1 < len(header); i += 2 {
			r.Header.Set(header[i], header[i+1])
		}
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, answer.Body)
		_ = answer.Body.Close()
		return answer
	}
}

// TestInteropQuota uses a quota up, reads its counters and sets them back.
func TestInteropQuota(t *testing.T) {
	t.Parallel()
	const name = "sdk-quota"
	ctx, s := t.Context(), Start(t)
	f := s.Service(t, name)
	call := s.answering(t, f, name)
	for i, want := range []int{204, 204, 403} {
		if r := call(); r.StatusCode != want {
			t.Fatalf("call %d is answered %d, want %d", i, r.StatusCode, want)
		}
	}
	counters, periods := f.NewQuotaByCounterKeysClient(), f.NewQuotaByPeriodKeysClient()
	all, err := counters.ListByService(ctx, group, name, "tester", nil)
	if err != nil || len(all.Value) != 1 || *all.Value[0].Value.CallsCount != 2 {
		t.Fatalf("the counters are %+v: %v", all.Value, err)
	}
	period := *all.Value[0].PeriodKey
	if one, err := periods.Get(ctx, group, name, "tester", period, nil); err != nil || *one.CounterKey != "tester" || *one.Value.CallsCount != 2 {
		t.Errorf("the period is %+v: %v", one, err)
	}
	set := armapimanagement.QuotaCounterValueUpdateContract{Properties: &armapimanagement.QuotaCounterValueContractProperties{CallsCount: to.Ptr[int32](1)}}
	if one, err := periods.Update(ctx, group, name, "tester", period, set, nil); err != nil || *one.Value.CallsCount != 1 {
		t.Errorf("the period was set to %+v: %v", one, err)
	}
	if r := call(); r.StatusCode != 204 {
		t.Errorf("after that a call is answered %d", r.StatusCode)
	}
	set.Properties.CallsCount = to.Ptr[int32](0)
	if all, err := counters.Update(ctx, group, name, "tester", set, nil); err != nil || *all.Value[0].Value.CallsCount != 0 {
		t.Errorf("the counters were set to %+v: %v", all.Value, err)
	}
	if r := call(); r.StatusCode != 204 {
		t.Errorf("after that a call is answered %d", r.StatusCode)
	}
}

// TestInteropTrace traces a request with debug credentials.
func TestInteropTrace(t *testing.T) {
	t.Parallel()
	const name = "sdk-trace"
	ctx, s := t.Context(), Start(t)
	f := s.Service(t, name)
	call, gateways := s.answering(t, f, name), f.NewGatewayClient()
	api, err := f.NewAPIClient().Get(ctx, group, name, "limited", nil)
	if err != nil {
		t.Fatal(err)
	}
	credentials, err := gateways.ListDebugCredentials(ctx, group, name, "managed", armapimanagement.GatewayListDebugCredentialsContract{
		APIID: api.ID, Purposes: []*armapimanagement.GatewayListDebugCredentialsContractPurpose{to.Ptr(armapimanagement.GatewayListDebugCredentialsContractPurposeTracing)},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	id := call("Apim-Debug-Authorization", *credentials.Token).Header.Get("Apim-Trace-Id")
	if id == "" {
		t.Fatal("the request was not traced")
	}
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
		trace, err := gateways.ListTrace(ctx, group, name, "managed", armapimanagement.GatewayListTraceContract{TraceID: &id}, nil)
		if err == nil && len(trace.Value) > 0 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("there is no trace: %v", err)
		}
	}
}

// TestInteropBackup writes a backup of a service, loses a tag and restores it.
func TestInteropBackup(t *testing.T) {
	t.Parallel()
	const name = "sdk-backup"
	ctx, f := context.Background(), Start(t).Service(t, name)
	tags, services := f.NewTagClient(), f.NewServiceClient()
	if _, err := tags.CreateOrUpdate(ctx, group, name, "blue", armapimanagement.TagCreateUpdateParameters{
		Properties: &armapimanagement.TagContractProperties{DisplayName: to.Ptr("Blue")},
	}, nil); err != nil {
		t.Fatal(err)
	}
	where := armapimanagement.ServiceBackupRestoreParameters{StorageAccount: to.Ptr("account"), ContainerName: to.Ptr("backups"), BackupName: to.Ptr(strings.ToUpper(name))}
	backup, err := services.BeginBackup(ctx, group, name, where, nil)
	finish(t, backup, err)
	if _, err := tags.Delete(ctx, group, name, "blue", "*", nil); err != nil {
		t.Fatal(err)
	}
	restore, err := services.BeginRestore(ctx, group, name, where, nil)
	finish(t, restore, err)
	if tag, err := tags.Get(ctx, group, name, "blue", nil); err != nil || *tag.Properties.DisplayName != "Blue" {
		t.Errorf("after the restore: %v", err)
	}
}

package policies_test

import (
	"context"
	"testing"

	"github.com/causeway-apim/causeway/internal/message"
	"github.com/causeway-apim/causeway/internal/policies"
	"github.com/causeway-apim/causeway/internal/policy"
	"github.com/causeway-apim/causeway/internal/snapshot"
)

// smallPipeline is what most requests run: constants and small expressions.
const smallPipeline = `<policies>
<inbound>
	<set-variable name="literal" value="constant" />
	<choose>
		<when condition="@(context.Request.Method == "GET" && context.Request.Headers.GetValueOrDefault("X-A", "") == "1")">
			<set-header name="X-B"><value>2</value></set-header>
		</when>
	</choose>
	<set-header name="X-C"><value>@(context.Request.Headers.GetValueOrDefault("X-A"))</value></set-header>
</inbound>
</policies>`

// smallRun returns what runs the pipeline once more on the same Exec.
func smallRun(tb testing.TB) (run func()) {
	catalogue, err := policies.Catalogue()
	if err != nil {
		tb.Fatal(err)
	}
	d, report := catalogue.Compile(smallPipeline, policy.Options{Scope: policy.ScopeAPI})
	if d == nil {
		tb.Fatal(report.Errors)
	}
	p, h := policy.Link(d), newFakeHost()
	var x policy.Exec
	request := &message.Request{Method: "GET", Header: message.NewHeader("X-A", "1", "X-B", "0", "X-C", "0")}
	response, api, ctx := &message.Response{Status: 200}, &snapshot.API{}, context.Background()
	return func() {
		x.Reset(ctx, h)
		x.Request, x.Response, x.API = request, response, api
		if err := p.Run(&x); err != nil {
			tb.Fatal(err)
		}
		if request.Header.Get("X-B") != "2" || request.Header.Get("X-C") != "1" {
			tb.Fatalf("the policies did not run: %v", request.Header)
		}
	}
}

func TestSmallPipelineDoesNotAllocate(t *testing.T) {
	run := smallRun(t)
	if allocs := testing.AllocsPerRun(100, run); allocs > 0 {
		t.Errorf("%v allocations", allocs)
	}
}

func BenchmarkSmallPipeline(b *testing.B) {
	run := smallRun(b)
	b.ReportAllocs()
	for b.Loop() {
		run()
	}
}

func BenchmarkCompile(b *testing.B) {
	catalogue, err := policies.Catalogue()
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if d, report := catalogue.Compile(smallPipeline, policy.Options{Scope: policy.ScopeAPI}); d == nil {
			b.Fatal(report.Errors)
		}
	}
}

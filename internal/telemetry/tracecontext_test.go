package telemetry

import "testing"

func TestTraceContext(t *testing.T) {
	t.Parallel()
	const field = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	c, ok := ParseTraceParent(field)
	if !ok || !c.Sampled || c.String() != field {
		t.Fatalf("%v, %v", c, ok)
	}
	child := c.Child()
	if child.Trace != c.Trace || child.Span == c.Span || !child.Sampled {
		t.Errorf("the child %v", child)
	}
	if c, ok := ParseTraceParent("cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00-more"); !ok || c.Sampled {
		t.Errorf("a later version: %v, %v", c, ok)
	}
	for _, bad := range []string{
		"", "00", field + "-", field + "0", "ff" + field[2:], "00-00000000000000000000000000000000-b7ad6b7169203331-01",
		"00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01", "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
		"00-0af7651916cd43dd8448eb211c80319-cb7ad6b7169203331-01", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0-",
	} {
		if c, ok := ParseTraceParent(bad); ok || c != (TraceContext{}) {
			t.Errorf("%q is %v", bad, c)
		}
	}
	sampled := 0
	for range 1000 {
		if BeginTrace(0.5).Sampled {
			sampled++
		}
	}
	if sampled < 350 || sampled > 650 || BeginTrace(0).Sampled || !BeginTrace(1).Sampled {
		t.Errorf("of 1000 traces %d are sampled", sampled)
	}
}

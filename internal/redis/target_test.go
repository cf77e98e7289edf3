package redis

import (
	"reflect"
	"strings"
	"testing"
)

func TestParseTarget(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text string
		want Target
	}{
		{"redis.test:6379", Target{Endpoints: []string{"redis.test:6379"}}},
		{"redis.test", Target{Endpoints: []string{"redis.test:6379"}}},
		{
			"contoso.redis.cache.windows.net:6380,password=a+b/c=,ssl=True,abortConnect=False",
			Target{Endpoints: []string{"contoso.redis.cache.windows.net:6380"}, Password: "a+b/c=", TLS: true},
		},
		{"r,ssl=true,sslHost=name.test", Target{Endpoints: []string{"r:6380"}, TLS: true, ServerName: "name.test"}},
		{
			" a:7000 , b:7001,user=u,password=p, defaultDatabase=3,name=gw,connectTimeout=5000",
			Target{Endpoints: []string{"a:7000", "b:7001"}, User: "u", Password: "p", Database: 3, Client: "gw"},
		},
		{"s1,s2:26380,serviceName=mymaster", Target{Endpoints: []string{"s1:26379", "s2:26380"}, Sentinel: "mymaster"}},
		{"[::1]:6379", Target{Endpoints: []string{"[::1]:6379"}}},
		{"redis://u:p%40@h:1/2", Target{Endpoints: []string{"h:1"}, User: "u", Password: "p@", Database: 2}},
		{"rediss://h", Target{Endpoints: []string{"h:6380"}, TLS: true}},
	} {
		got, err := ParseTarget(c.text)
		if err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %+v, %v; want %+v", c.text, got, err, c.want)
		}
	}
}

func TestParseTargetRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ text, message string }{
		{"", "names no endpoint"},
		{"password=x", "names no endpoint"},
		{"h:0", "endpoint 1"},
		{"a,h:port", "endpoint 2"},
		{"h x:1", "endpoint 1"},
		{"h,ssl=maybe", "ssl"},
		{"h,defaultDatabase=-1", "defaultDatabase"},
		{"h,colour=red", `unknown setting "colour"`},
		{"redis://h/x", "number of a database"},
		{"h," + strings.Repeat("x", maxConnectionString), "longer than"},
		{strings.Repeat("h,", maxEndpoints+1), "more than"},
	} {
		_, err := ParseTarget(c.text)
		if err == nil || !strings.Contains(err.Error(), c.message) {
			t.Errorf("%.40s: error %v, want one with %q", c.text, err, c.message)
		}
	}
}

func TestTargetShowsNoSecret(t *testing.T) {
	t.Parallel()
	target, err := ParseTarget("h:1,user=u,password=hush")
	if err != nil || target.String() != "h:1" {
		t.Errorf("%s, %v", target, err)
	}
}

func FuzzParseTarget(f *testing.F) {
	for _, s := range []string{"h:1,password=a=b,ssl=true", "a,b,serviceName=m", "redis://u:p@h:1/2", "[::1],defaultDatabase=1", ",,="} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		target, err := ParseTarget(s)
		if err != nil {
			return
		}
		again, err := ParseTarget(strings.Join(target.Endpoints, ","))
		if err != nil || !reflect.DeepEqual(again.Endpoints, target.Endpoints) {
			t.Errorf("%q: %q, then %q, %v", s, target.Endpoints, again.Endpoints, err)
		}
	})
}

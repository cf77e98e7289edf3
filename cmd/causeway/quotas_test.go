package main

import (
	"testing"
	"time"

	"github.com/causeway-apim/causeway/internal/gateway"
)

func TestQuotaPeriodKeys(t *testing.T) {
	t.Parallel()
	first := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		period time.Duration
		start  time.Time
		want   string
	}{
		{time.Hour, first.Add(5 * time.Hour), "5_PT1H"},
		{24 * time.Hour, first, "0_P1D"},
		{36*time.Hour + 5*time.Minute + 9*time.Second, first, "0_P1DT12H5M9S"},
		{0, first, "0_PT0S"},
	} {
		if got := quotaCounter("k", gateway.Quota{First: first, Period: c.period, Start: c.start}).PeriodKey; got != c.want {
			t.Errorf("%v from %v: %s, not %s", c.period, c.start, got, c.want)
		}
	}
}

func TestQuotaSums(t *testing.T) {
	t.Parallel()
	sums := make(quotaSums)
	own := gateway.Quota{Period: time.Hour, Calls: 2, Bytes: 10}
	shared := gateway.Quota{Period: time.Hour, Calls: 5, Shared: true}
	sums.add([]gateway.Quota{own})
	sums.add([]gateway.Quota{own, shared})
	sums.add([]gateway.Quota{shared})
	list := sums.list()
	if len(list) != 1 || list[0].Calls != 9 || list[0].Bytes != 20 {
		t.Errorf("got %+v", list)
	}
}

//go:build linux

package main

import (
	"testing"
	"time"
)

func TestHistogram(t *testing.T) {
	t.Parallel()
	var low, high histogram
	for i := range 500 {
		low.add(time.Duration(i+1) * time.Microsecond)
		high.add(time.Duration(i+501) * time.Microsecond)
	}
	low.merge(&high)
	for _, q := range []float64{0, 0.001, 0.5, 0.9, 0.99, 0.999} {
		got, want := low.quantile(q), time.Duration(q*1000+1)*time.Microsecond
		if got > want || got < want-want/32 {
			t.Errorf("quantile(%v) = %v, want %v or 3 %% less", q, got, want)
		}
	}
	if got := (&histogram{}).quantile(0.5); got != 0 {
		t.Errorf("the median of nothing is %v", got)
	}
}

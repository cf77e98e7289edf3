package store_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/causeway-apim/causeway/internal/store"
)

func TestUsage(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		s := open(t, url, store.Options{})
		ctx := t.Context()
		at := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
		put := func(origin string, sequence int64, rows []store.UsageRow, requests ...store.UsageRequest) {
			t.Helper()
			if err := s.PutUsage(ctx, &store.UsageReport{Service: "/s", Origin: origin, Sequence: sequence, Rows: rows, Requests: requests}); err != nil {
				t.Fatal(err)
			}
		}
		row := func(at time.Time, api string, n, low, high int64) store.UsageRow {
			return store.UsageRow{At: at.Unix(), API: api, UsageSums: store.UsageSums{Success: n, Bytes: 10 * n, APITime: low + high, APIMin: low, APIMax: high}}
		}
		have := func(from, to time.Time, want string) {
			t.Helper()
			wantEqual(t, "usage", readUsage(t, s, ctx, from, to), want)
		}
		later := at.Add(15 * time.Minute)
		put("a", 1, []store.UsageRow{row(at, "echo", 2, 5, 9)}, store.UsageRequest{At: at, Body: []byte("1")})
		put("a", 1, []store.UsageRow{row(at, "echo", 2, 5, 9)}, store.UsageRequest{At: at, Body: []byte("1")}) // again: not counted
		put("b", 1, []store.UsageRow{row(at, "echo", 1, 3, 7), row(later, "pets", 4, 1, 1)}, store.UsageRequest{At: later, Body: []byte("2")})
		put("a", 2, []store.UsageRow{row(at, "", 1, 6, 6)})
		have(at, later, "10:00  1 10 6-6/12; 10:00 echo 3 30 3-9/24; 10:15 pets 4 40 1-1/2; requests 1 2")
		have(later, later, "10:15 pets 4 40 1-1/2; requests 2")
		if err := s.ForgetUsage(ctx, later, later); err != nil {
			t.Fatal(err)
		}
		have(at, later, "10:15 pets 4 40 1-1/2; requests 2")
		for _, bad := range []store.UsageReport{
			{Origin: "a", Sequence: 9}, {Service: "/s", Origin: "a", Sequence: 9, Rows: []store.UsageRow{{API: strings.Repeat("x", store.MaxWordBytes+1)}}},
		} {
			wantErr(t, s.PutUsage(ctx, &bad), store.ErrInvalid)
		}
	})
}

func readUsage(t *testing.T, s store.Store, ctx context.Context, from, to time.Time) string {
	t.Helper()
	var got []string
	requests := "requests"
	err := s.View(ctx, func(r store.Reader) error {
		err := r.Usage(ctx, "/s", from, to, func(r *store.UsageRow) error {
			got = append(got, fmt.Sprintf("%s %s %d %d %d-%d/%d", time.Unix(r.At, 0).UTC().Format("15:04"), r.API, r.Success, r.Bytes, r.APIMin, r.APIMax, r.APITime))
			return nil
		})
		if err == nil {
			err = r.UsageRequests(ctx, "/s", from, to, func(q *store.UsageRequest) error { requests += " " + string(q.Body); return nil })
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(append(got, requests), "; ")
}

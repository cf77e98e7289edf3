package store

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// MaxUsageRequests is how many single requests are kept of all services together: the oldest go first.
const MaxUsageRequests = 500_000

// UsageReport is what a gateway has added up. Origin and Sequence identify it: one that comes again is not counted again. The reports of an
// origin come in the order of their sequences.
type UsageReport struct {
	Service  string // lower-case ID
	Origin   string // what numbers the reports
	Sequence int64
	Rows     []UsageRow
	Requests []UsageRequest
}

// UsageRow are the sums of the requests with one set of names in one interval.
type UsageRow struct {
	At                                                       int64  // start of the interval, Unix seconds
	Region, API, Operation, Product, Subscription, Developer string // names; empty for none
	UsageSums
}

// UsageSums are sums over requests. Times are microseconds.
type UsageSums struct {
	Success, Blocked, Failed, Other     int64
	Bytes, Hits, Misses                 int64
	APITime, APIMin, APIMax             int64
	ServiceTime, ServiceMin, ServiceMax int64
}

// Calls is how many requests the sums are of.
func (s *UsageSums) Calls() int64 { return s.Success + s.Blocked + s.Failed + s.Other }

// Add adds other sums.
func (s *UsageSums) Add(o *UsageSums) {
	if s.Calls() == 0 {
		*s = *o
		return
	}
	s.Success, s.Blocked, s.Failed, s.Other = s.Success+o.Success, s.Blocked+o.Blocked, s.Failed+o.Failed, s.Other+o.Other
	s.Bytes, s.Hits, s.Misses = s.Bytes+o.Bytes, s.Hits+o.Hits, s.Misses+o.Misses
	s.APITime, s.APIMin, s.APIMax = s.APITime+o.APITime, min(s.APIMin, o.APIMin), max(s.APIMax, o.APIMax)
	s.ServiceTime, s.ServiceMin, s.ServiceMax = s.ServiceTime+o.ServiceTime, min(s.ServiceMin, o.ServiceMin), max(s.ServiceMax, o.ServiceMax)
}

// UsageRequest is one request.
type UsageRequest struct {
	At   time.Time
	Body []byte // JSON of the writer's
}

const (
	usageNames   = "service, at, region, api, operation, product, subscription, developer"
	usageColumns = "success, blocked, failed, other, bytes, hits, misses, api_time, api_min, api_max, service_time, service_min, service_max"
)

// usageUpsert adds a row to the one with the same names. CASE is what both databases understand.
var usageUpsert = "INSERT INTO usage (" + usageNames + ", " + usageColumns + ") VALUES " + marks(1, 21) +
	" ON CONFLICT (" + usageNames + ") DO UPDATE SET " + strings.Join([]string{
	addColumn("success"), addColumn("blocked"), addColumn("failed"), addColumn("other"), addColumn("bytes"), addColumn("hits"), addColumn("misses"),
	addColumn("api_time"), pickColumn("api_min", "<"), pickColumn("api_max", ">"),
	addColumn("service_time"), pickColumn("service_min", "<"), pickColumn("service_max", ">"),
}, ", ")

func addColumn(name string) string { return name + " = usage." + name + " + excluded." + name }

func pickColumn(name, than string) string {
	return name + " = CASE WHEN excluded." + name + " " + than + " usage." + name + " THEN excluded." + name + " ELSE usage." + name + " END"
}

// fields are the sums in the order of usageColumns.
func (s *UsageSums) fields() []*int64 {
	return []*int64{
		&s.Success, &s.Blocked, &s.Failed, &s.Other, &s.Bytes, &s.Hits, &s.Misses,
		&s.APITime, &s.APIMin, &s.APIMax, &s.ServiceTime, &s.ServiceMin, &s.ServiceMax,
	}
}

func (r *UsageReport) check() error {
	err := firstError(checkID("service of a usage report", r.Service, false), checkText("origin of a usage report", r.Origin, MaxIDBytes))
	for i := range r.Rows {
		row := &r.Rows[i]
		for _, name := range []string{row.Region, row.API, row.Operation, row.Product, row.Subscription, row.Developer} {
			err = firstError(err, checkText("name in a usage report", name, MaxWordBytes))
		}
	}
	for i := range r.Requests {
		if err == nil && len(r.Requests[i].Body) > MaxNoteBytes {
			err = fmt.Errorf("%w request in a usage report: longer than %d bytes", ErrInvalid, MaxNoteBytes)
		}
	}
	return err
}

// PutUsage implements Store.
func (db *database) PutUsage(ctx context.Context, r *UsageReport) error {
	err := r.check()
	if err == nil {
		err = db.putUsage(ctx, r)
	}
	if err != nil {
		return fmt.Errorf("store: put usage: %w", err)
	}
	return nil
}

func (db *database) putUsage(ctx context.Context, r *UsageReport) error {
	tx, err := db.write.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // no effect after the commit
	result, err := tx.ExecContext(ctx, db.rebind("INSERT INTO usage_seen (origin, sequence, at) VALUES (?, ?, ?) "+
		"ON CONFLICT (origin) DO UPDATE SET sequence = excluded.sequence, at = excluded.at WHERE usage_seen.sequence < excluded.sequence"),
		r.Origin, r.Sequence, db.now().UnixMicro())
	if err != nil {
		return err
	}
	if n, err := result.RowsAffected(); err != nil || n == 0 {
		return err // it is in already
	}
	// One order for all writers, so that none waits for another that waits for it.
	rows := slices.SortedFunc(slices.Values(r.Rows), func(a, b UsageRow) int {
		return cmp.Or(cmp.Compare(a.At, b.At), strings.Compare(a.Region, b.Region), strings.Compare(a.API, b.API), strings.Compare(a.Operation, b.Operation),
			strings.Compare(a.Product, b.Product), strings.Compare(a.Subscription, b.Subscription), strings.Compare(a.Developer, b.Developer))
	})
	for i := range rows {
		row := &rows[i]
		args := []any{r.Service, row.At, row.Region, row.API, row.Operation, row.Product, row.Subscription, row.Developer}
		for _, f := range row.fields() {
			args = append(args, *f)
		}
		if _, err := tx.ExecContext(ctx, db.rebind(usageUpsert), args...); err != nil {
			return err
		}
	}
	for some := range chunks(r.Requests) {
		var args []any
		for _, q := range some {
			args = append(args, r.Service, q.At.UnixMicro(), notNil(q.Body))
		}
		if _, err := tx.ExecContext(ctx, db.rebind("INSERT INTO usage_requests (service, at, body) VALUES "+marks(len(some), 3)), args...); err != nil {
			return err
		}
	}
	return tx.Commit()
}

// Usage implements Reader.
func (r *reader) Usage(ctx context.Context, service string, from, to time.Time, yield func(*UsageRow) error) error {
	rows, err := r.conn.QueryContext(ctx, r.db.rebind("SELECT at, region, api, operation, product, subscription, developer, "+usageColumns+
		" FROM usage WHERE service = ? AND at >= ? AND at <= ? ORDER BY "+usageNames), service, from.Unix(), to.Unix())
	if err != nil {
		return fmt.Errorf("store: usage: %w", err)
	}
	defer func() { _ = rows.Close() }() // its error is rows.Err's
	var row UsageRow
	into := []any{&row.At, &row.Region, &row.API, &row.Operation, &row.Product, &row.Subscription, &row.Developer}
	for _, f := range row.fields() {
		into = append(into, f)
	}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return fmt.Errorf("store: usage: %w", err)
		}
		if err := yield(&row); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("store: usage: %w", err)
	}
	return nil
}

// UsageRequests implements Reader.
func (r *reader) UsageRequests(ctx context.Context, service string, from, to time.Time, yield func(*UsageRequest) error) error {
	rows, err := r.conn.QueryContext(ctx, r.db.rebind("SELECT at, body FROM usage_requests WHERE service = ? AND at >= ? AND at <= ? ORDER BY at, n"),
		service, from.UnixMicro(), to.UnixMicro())
	if err != nil {
		return fmt.Errorf("store: usage requests: %w", err)
	}
	defer func() { _ = rows.Close() }() // its error is rows.Err's
	for rows.Next() {
		var at int64
		var q UsageRequest
		if err := rows.Scan(&at, &q.Body); err != nil {
			return fmt.Errorf("store: usage requests: %w", err)
		}
		q.At = time.UnixMicro(at).UTC()
		if err := yield(&q); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("store: usage requests: %w", err)
	}
	return nil
}

// ForgetUsage implements Store.
func (db *database) ForgetUsage(ctx context.Context, sums, requests time.Time) error {
	for _, q := range []struct {
		text string
		arg  int64
	}{
		{"DELETE FROM usage WHERE at < ?", sums.Unix()},
		{"DELETE FROM usage_seen WHERE at < ?", sums.UnixMicro()},
		{"DELETE FROM usage_requests WHERE at < ?", requests.UnixMicro()},
		{"DELETE FROM usage_requests WHERE n <= (SELECT MAX(n) FROM usage_requests) - ?", MaxUsageRequests},
	} {
		if _, err := db.write.ExecContext(ctx, db.rebind(q.text), q.arg); err != nil {
			return fmt.Errorf("store: forget usage: %w", err)
		}
	}
	return nil
}

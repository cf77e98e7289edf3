package sqlsource_test

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/causeway-apim/causeway/internal/policy"
	"github.com/causeway-apim/causeway/internal/sqlsource"
	"github.com/causeway-apim/causeway/internal/store/pgtest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Run(m)) }

const minute = time.Minute

// database returns a connection string of an empty database, and options that connect to the test's server, which
// listens on a socket.
func database(t *testing.T) (string, sqlsource.Options) {
	t.Helper()
	u, err := url.Parse(pgtest.Database(t))
	if err != nil {
		t.Fatal(err)
	}
	socket := u.Query().Get("host") + "/.s.PGSQL.5432"
	return "Host=db.test;Username=postgres;Database=" + strings.TrimPrefix(u.Path, "/"), sqlsource.Options{
		Now: time.Now,
		Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", socket)
		},
	}
}

func open(t *testing.T, o sqlsource.Options) *sqlsource.Source {
	s := sqlsource.New(o)
	t.Cleanup(s.Close)
	return s
}

func TestPostgres(t *testing.T) {
	t.Parallel()
	connection, o := database(t)
	s := open(t, o)
	parameter := func(name, typ string, value any) policy.SQLParameter {
		return policy.SQLParameter{Name: name, Type: typ, Value: value}
	}
	cases := []struct {
		name, statement, want string
		single                bool
		parameters            []policy.SQLParameter
	}{
		{"no result", `CREATE TABLE family (id int PRIMARY KEY, name text)`, `{"items":[]}`, false, nil},
		{"several statements", `INSERT INTO family VALUES (@id, @name); SELECT id, name FROM family WHERE id = @ID`, `{"id":1,"name":"O'Hara; --"}`, true,
			[]policy.SQLParameter{parameter("id", "", int64(1)), parameter("name", "", "O'Hara; --")}},
		{"text for a number", `SELECT name FROM family WHERE id=@id`, `{"name":"O'Hara; --"}`, true, []policy.SQLParameter{parameter("id", "", "1")}},
		{"nothing is written into the statement", `SELECT count(*) AS n FROM family WHERE name=@name`, `{"n":0}`, true,
			[]policy.SQLParameter{parameter("name", "", "x' OR 'a'='a")}},
		{"one result without rows", `SELECT 1 WHERE false`, `null`, true, nil},
		{"one result of many rows", `SELECT * FROM generate_series(1, 3) n`, `{"n":1}`, true, nil},
		{"rows", `SELECT * FROM generate_series(1, 2) n`, `{"items":[{"n":1},{"n":2}]}`, false, nil},
		{"a last statement without rows", `SELECT 1; UPDATE family SET name = 'B'`, `{"items":[]}`, false, nil},
		{"numbers", `SELECT 1::int2 a, 12345678901::int8 b, 1.50::numeric c, 0.5::float4 d, 'NaN'::float8 e, 2::float8 f`,
			`{"a":1,"b":12345678901,"c":1.50,"d":0.5,"e":"NaN","f":2}`, true, nil},
		{"times", `SELECT '2024-05-06'::date a, '07:08:09.5'::time b, '2024-05-06 07:08:09.25'::timestamp c, '2024-05-06 07:08:09+02'::timestamptz d,
			'infinity'::timestamp e, '1 day'::interval f`,
			`{"a":"2024-05-06","b":"07:08:09.5","c":"2024-05-06T07:08:09.25","d":"2024-05-06T05:08:09Z","e":"infinity","f":"P1D"}`, true, nil},
		{"the rest", `SELECT true a, null::int b, '{"x": [1]}'::jsonb c, '\x0102'::bytea d, ARRAY[1,null,2] e, ARRAY['a"b','c'] f, '<&>'::text g,
			'6e9b0a4c-0000-0000-0000-000000000001'::uuid h, ARRAY[[1],[2]] i`,
			`{"a":true,"b":null,"c":{"x": [1]},"d":"AQI=","e":[1,null,2],"f":["a\"b","c"],"g":"<&>","h":"6e9b0a4c-0000-0000-0000-000000000001","i":"{{1},{2}}"}`,
			true, nil},
		{"the same name twice, and none", `SELECT 1 a, 2 a`, `{"a":1}`, true, nil},
		{"no columns", `SELECT`, `{}`, true, nil},
		{"types of parameters", `SELECT @a a, @b b, @c c, @d d, @e e, @f f, @g::text g`,
			`{"a":7,"b":true,"c":1.5,"d":"2024-01-02T03:04:05","e":"AQI=","f":"x","g":null}`, true,
			[]policy.SQLParameter{
				parameter("a", "int", "7"), parameter("b", "bit", true), parameter("c", "decimal(4, 2)", 1.5), parameter("d", "datetime2", "2024-01-02 03:04:05"),
				parameter("e", "varbinary", "AQI="), parameter("f", "nvarchar(50)", "x"), parameter("g", "", nil),
			}},
	}
	for _, c := range cases { // one after the other: the first ones make and fill a table
		got, err := s.Run(t.Context(), policy.SQLRequest{Connection: connection, Statement: c.statement, Single: c.single, Parameters: c.parameters})
		if err != nil || string(got) != c.want {
			t.Errorf("%s: got %s, %v, want %s", c.name, got, err, c.want)
		}
	}
}

func TestPostgresRefuses(t *testing.T) {
	t.Parallel()
	connection, o := database(t)
	o.MaxRows, o.MaxBytes = 5, 100
	s := open(t, o)
	cases := []struct {
		name, connection, statement, want string
		parameters                        []policy.SQLParameter
		token                             string
	}{
		{"too many rows", connection, `SELECT 1 FROM generate_series(1, 6)`, "more than 5 rows", nil, ""},
		{"too many bytes", connection, `SELECT repeat('x', 101)`, "more than 100 bytes", nil, ""},
		{"a wrong statement", connection, `SELEKT`, "syntax error", nil, ""},
		{"an unknown parameter", connection, `SELECT @x`, "x", nil, ""},
		{"an unknown type", connection, `SELECT @x`, `"list"`, []policy.SQLParameter{{Name: "x", Type: "list"}}, ""},
		{"no base64", connection, `SELECT @x`, `base64`, []policy.SQLParameter{{Name: "x", Type: "image", Value: "?"}}, ""},
		{"a zero character", connection, `SELECT @x`, `zero`, []policy.SQLParameter{{Name: "x", Value: "\x00"}}, ""},
		{"a socket", "Host=/run/postgresql;Username=u", ``, "name of one host", nil, ""},
		{"a file of the gateway", "Host=db;Username=u;Root Certificate=/etc/passwd", ``, `"rootcertificate"`, nil, ""},
		{"a file of the gateway in a URL", "postgres://u@db/?passfile=/etc/passwd", ``, `"passfile"`, nil, ""},
		{"a token without TLS", "Host=db;Username=u;SSL Mode=Prefer", ``, `TLS only`, nil, "token"},
		{"a wrong port", "Host=db;Username=u;Port=x", ``, `port`, nil, ""},
		{"a quote without end", "Host=db;Password='x", ``, `does not end`, nil, ""},
		{"no pairs", "Host=db;x", ``, `names and values`, nil, ""},
		{"too long a statement", connection, strings.Repeat(" ", 1<<20+1), `longer`, nil, ""},
		{"SQL Server without a server", "User ID=u", ``, `names no server`, nil, ""},
		{"SQL Server without a user", "Server=tcp:db,1433", ``, `names no user`, nil, ""},
		{"a pipe", `Server=np:\\.\pipe\sql;User ID=u`, ``, `name with a port`, nil, ""},
		{"a token without encryption", "Server=db;Encrypt=Optional", ``, `TLS only`, nil, "token"},
		{"another way to sign in", "Server=db;Authentication=Active Directory Default", ``, `"authentication"`, nil, ""},
	}
	for _, c := range cases {
		_, err := s.Run(t.Context(), policy.SQLRequest{Connection: c.connection, Statement: c.statement, Parameters: c.parameters, Token: c.token})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", c.name, err, c.want)
		}
	}
	// It goes on afterwards.
	got, err := s.Run(t.Context(), policy.SQLRequest{Connection: connection, Statement: `SELECT 1 AS n`})
	if err != nil || string(got) != `{"items":[{"n":1}]}` {
		t.Errorf("afterwards: %s, %v", got, err)
	}
}

func TestPostgresStatementsHaveNoStateInCommon(t *testing.T) {
	t.Parallel()
	connection, o := database(t)
	o.MaxConnections = 1
	s := open(t, o)
	run := func(statement string) string {
		got, err := s.Run(t.Context(), policy.SQLRequest{Connection: connection, Statement: statement, Single: true})
		if err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
		return string(got)
	}
	before := run(`SELECT current_setting('statement_timeout') s`)
	run(`SET statement_timeout = 1234`)
	if after := run(`SELECT current_setting('statement_timeout') s`); after != before {
		t.Errorf("a setting of one statement reached the next one: %s", after)
	}
	run(`CREATE TABLE t (n int)`)
	run(`BEGIN; INSERT INTO t VALUES (1)`) // without COMMIT
	if got := run(`SELECT count(*) n FROM t`); got != `{"n":0}` {
		t.Errorf("an open transaction reached the next statement: %s", got)
	}
}

func TestPostgresEndsWithItsContext(t *testing.T) {
	t.Parallel()
	connection, o := database(t)
	s := open(t, o)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	start := time.Now()
	if _, err := s.Run(ctx, policy.SQLRequest{Connection: connection, Statement: `SELECT pg_sleep(60)`}); err == nil || time.Since(start) > minute/2 {
		t.Errorf("got %v after %v", err, time.Since(start))
	}
}

// Statements share few connections.
func TestPostgresConcurrently(t *testing.T) {
	t.Parallel()
	connection, o := database(t)
	o.MaxConnections = 4
	s := open(t, o)
	var wait sync.WaitGroup
	for i := range 64 {
		wait.Go(func() {
			got, err := s.Run(t.Context(), policy.SQLRequest{
				Connection: connection, Statement: `SELECT @n AS n`, Single: true, Parameters: []policy.SQLParameter{{Name: "n", Type: "int", Value: int64(i)}},
			})
			if want := fmt.Sprintf(`{"n":%d}`, i); err != nil || string(got) != want {
				t.Errorf("got %s, %v, want %s", got, err, want)
			}
		})
	}
	wait.Wait()
}

// Connection strings beyond the limit take the place of those that are not used.
func TestManyConnectionStrings(t *testing.T) {
	t.Parallel()
	connection, o := database(t)
	s := open(t, o)
	for i := range 70 {
		r := policy.SQLRequest{Connection: fmt.Sprintf("%s;Timeout=%d", connection, i), Statement: `SELECT 1`}
		if _, err := s.Run(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
}

func TestSQLServerThatDoesNotAnswer(t *testing.T) {
	t.Parallel()
	refused := fmt.Errorf("no way to the database")
	s := open(t, sqlsource.Options{Now: time.Now, Dial: func(_ context.Context, _, address string) (net.Conn, error) {
		return nil, fmt.Errorf("%s: %w", address, refused)
	}})
	_, err := s.Run(t.Context(), policy.SQLRequest{
		Connection: "Server=tcp:db.test,1444;Initial Catalog=d;Persist Security Info=False;User ID=u;Password='hidden;1';Encrypt=True;Connection Timeout=30;",
		Statement:  "SELECT 1",
	})
	if err == nil || !strings.Contains(err.Error(), "no way to the database") || strings.Contains(err.Error(), "hidden") {
		t.Errorf("got %v", err)
	}
}

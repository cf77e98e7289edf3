package sqlsource

import (
	"fmt"
	"testing"
	"time"

	mssql "github.com/microsoft/go-mssqldb"

	"github.com/causeway-apim/causeway/internal/policy"
)

func TestSQLServerValues(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		typ  string
		in   any
		want any
	}{
		{"", nil, nil},
		{"", int64(1), int64(1)},
		{"", "a", "a"},
		{"int", "7", int64(7)},
		{"bit", "true", true},
		{"float", "1.5", 1.5},
		{"varchar(10)", "a", mssql.VarChar("a")},
		{"nvarchar(max)", "a", "a"},
		{"varbinary", "AQI=", []byte{1, 2}},
		{"date", "2024-01-02", "2024-01-02"},
		{"int", "x", "refused"},
		{"bit", "x", "refused"},
		{"float", "x", "refused"},
		{"image", "?", "refused"},
		{"list", "x", "refused"},
	} {
		got, err := sqlServerValue(policy.SQLParameter{Name: "p", Type: c.typ, Value: c.in})
		if c.want == "refused" {
			if err == nil {
				t.Errorf("%s %v: no error", c.typ, c.in)
			}
		} else if err != nil || fmt.Sprintf("%T %v", got, got) != fmt.Sprintf("%T %v", c.want, c.want) {
			t.Errorf("%s %v: got %T %v, %v", c.typ, c.in, got, got, err)
		}
	}
}

func TestSQLServerResults(t *testing.T) {
	t.Parallel()
	at := time.Date(2024, 5, 6, 7, 8, 9, 500_000_000, time.FixedZone("", 7200))
	for _, c := range []struct {
		typ   string
		value any
		want  string
	}{
		{"INT", nil, "null"},
		{"BIT", true, "true"},
		{"INT", int64(5), "5"},
		{"FLOAT", 0.25, "0.25"},
		{"NVARCHAR", `a"b`, `"a\"b"`},
		{"DECIMAL", []byte("1.50"), "1.50"},
		{"MONEY", []byte("2.0000"), "2.0000"},
		{"VARBINARY", []byte{1, 2}, `"AQI="`},
		{"UNIQUEIDENTIFIER", []byte{0x67, 0x45, 0x23, 0x01, 0xAB, 0x89, 0xEF, 0xCD, 1, 2, 3, 4, 5, 6, 7, 8}, `"01234567-89ab-cdef-0102-030405060708"`},
		{"DATE", at, `"2024-05-06"`},
		{"TIME", at, `"07:08:09.5"`},
		{"DATETIME2", at, `"2024-05-06T07:08:09.5"`},
		{"DATETIMEOFFSET", at, `"2024-05-06T07:08:09.5+02:00"`},
	} {
		got, err := appendSQLServer(nil, c.typ, c.value)
		if err != nil || string(got) != c.want {
			t.Errorf("%s: got %s, %v, want %s", c.typ, got, err, c.want)
		}
	}
}

func TestSQLServerConfig(t *testing.T) {
	t.Parallel()
	pairs, err := parseKeyWords(`Server=tcp:db.test,1444;Initial Catalog=d;User ID=u;Password="a;b""c";Connection Timeout=30;`)
	if err != nil {
		t.Fatal(err)
	}
	settings, err := pairs.settings(sqlServerKeyWords())
	if err != nil {
		t.Fatal(err)
	}
	c, err := sqlServerConfig(settings, policy.SQLRequest{})
	if err != nil || c.Host != "db.test" || c.Port != 1444 || c.Database != "d" || c.User != "u" || c.Password != `a;b"c` || c.TLSConfig == nil ||
		c.TLSConfig.InsecureSkipVerify || c.TLSConfig.ServerName != "db.test" {
		t.Errorf("got %+v, %v", c, err)
	}
	if c, err = sqlServerConfig(map[string]string{"server": "db"}, policy.SQLRequest{Token: "t"}); err != nil || c.User != "" || c.Encryption == 0 && c.TLSConfig == nil {
		t.Errorf("with a token: got %+v, %v", c, err)
	}
}

package sqlsource

import (
	"cmp"
	"context"
	"crypto/tls"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/causeway-apim/causeway/internal/policy"
)

type postgres struct{ pool *pgxpool.Pool }

// openPostgres makes a pool; connections are opened as they are needed.
func openPostgres(r policy.SQLRequest, o Options, token func() string) (engine, error) {
	read := parseKeyWords
	if strings.Contains(r.Connection, "://") {
		read = parseURL
	}
	pairs, err := read(strings.TrimSpace(r.Connection))
	if err != nil {
		return nil, err
	}
	settings, err := pairs.settings(postgresKeyWords())
	if err != nil {
		return nil, err
	}
	config, err := postgresConfig(settings, r)
	if err != nil {
		return nil, err
	}
	config.MaxConns = int32(o.MaxConnections)
	config.MaxConnIdleTime = idleLimit
	config.ConnConfig.DialFunc = o.Dial
	config.ConnConfig.LookupFunc = func(_ context.Context, host string) ([]string, error) { return []string{host}, nil } // Dial does
	config.BeforeConnect = func(_ context.Context, c *pgx.ConnConfig) error {
		if t := token(); t != "" {
			c.Password = t
		}
		return nil
	}
	p, err := pgxpool.NewWithConfig(context.Background(), config)
	if err != nil {
		return nil, errors.New("the connection string of PostgreSQL is not valid")
	}
	return postgres{p}, nil
}

// postgresKeyWords maps the words of Npgsql, libpq and URLs to ours; see [keyWords.settings].
func postgresKeyWords() map[string]string {
	return map[string]string{
		"host": "host", "server": "host", "port": "port", "database": "database", "dbname": "database", "db": "database",
		"user": "user", "username": "user", "userid": "user", "uid": "user", "password": "password", "pwd": "password",
		"sslmode": "sslmode", "applicationname": "", "pooling": "", "minpoolsize": "", "maxpoolsize": "", "maximumpoolsize": "",
		"minimumpoolsize": "", "timeout": "", "connecttimeout": "", "commandtimeout": "", "trustservercertificate": "",
		"persistsecurityinfo": "", "includeerrordetail": "",
	}
}

// postgresConfig takes nothing from the environment or from files: the gateway's own database is none of a policy's.
func postgresConfig(s map[string]string, r policy.SQLRequest) (*pgxpool.Config, error) {
	mode := strings.ToLower(strings.NewReplacer("-", "", " ", "").Replace(s["sslmode"]))
	if full := map[string]string{"verifyfull": "verify-full", "verifyca": "verify-ca"}[mode]; full != "" {
		mode = full
	}
	if r.Token != "" {
		if mode = cmp.Or(mode, "verify-full"); mode != "verify-full" && mode != "verify-ca" && mode != "require" {
			return nil, errors.New("a token of the managed identity is sent with TLS only: set SSL Mode to VerifyFull")
		}
	}
	if s["host"] == "" || strings.ContainsAny(s["host"], "/@,") || s["user"] == "" {
		return nil, errors.New("the connection string of PostgreSQL needs the name of one host and a user")
	}
	port, err := strconv.ParseUint(cmp.Or(s["port"], "5432"), 10, 16)
	if err != nil {
		return nil, errors.New("the port of the connection string is no number")
	}
	u := url.URL{
		Scheme: "postgres", User: url.User(s["user"]), Host: net.JoinHostPort(s["host"], strconv.FormatUint(port, 10)), Path: "/" + cmp.Or(s["database"], s["user"]),
		RawQuery: url.Values{
			"sslmode": {cmp.Or(mode, "prefer")}, "sslcert": {""}, "sslkey": {""}, "sslrootcert": {""}, "passfile": {"/"}, "connect_timeout": {"15"},
		}.Encode(),
	}
	config, err := pgxpool.ParseConfig(u.String())
	if err != nil {
		return nil, errors.New("the connection string of PostgreSQL is not valid")
	}
	c := config.ConnConfig
	c.Password, c.ConnectTimeout = s["password"], connectLimit
	c.RuntimeParams = map[string]string{
		"application_name": "causeway", "client_encoding": "UTF8", "DateStyle": "ISO", "IntervalStyle": "iso_8601", "TimeZone": "UTC",
	}
	if r.Certificate != nil {
		present := func(t *tls.Config) {
			if t != nil {
				t.Certificates = []tls.Certificate{*r.Certificate}
			}
		}
		present(c.TLSConfig)
		for _, f := range c.Fallbacks {
			present(f.TLSConfig)
		}
	}
	return config, nil
}

func (p postgres) close() { p.pool.Close() }

// run runs the statements one after the other, each for itself, as the policy's documentation says. A connection whose
// session was changed is not used again.
func (p postgres) run(ctx context.Context, r policy.SQLRequest, w *writer) error {
	statements := splitStatements(r.Statement, r.Parameters)
	conn, err := p.pool.Acquire(ctx)
	if err != nil {
		return err
	}
	clean := true
	defer func() {
		pg := conn.Conn().PgConn()
		if !clean || pg.TxStatus() != 'I' {
			_ = pg.Close(context.WithoutCancel(ctx))
		}
		conn.Release()
	}()
	for _, s := range statements {
		tag, err := runPostgres(ctx, conn.Conn(), s, w)
		clean = clean && err == nil && (tag.Select() || tag.Insert() || tag.Update() || tag.Delete())
		if errors.Is(err, errEnough) {
			err = nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func runPostgres(ctx context.Context, c *pgx.Conn, s statement, w *writer) (pgconn.CommandTag, error) {
	values, types := make([][]byte, len(s.args)), make([]uint32, len(s.args))
	for i, a := range s.args {
		var err error
		if types[i], err = postgresType(a.Type); err != nil {
			return pgconn.CommandTag{}, err
		}
		if values[i], err = postgresValue(a, types[i]); err != nil {
			return pgconn.CommandTag{}, err
		}
	}
	// All values and results go as text: the server infers the types of parameters that have none.
	result := c.PgConn().ExecParams(ctx, s.text, values, types, nil, nil)
	fields := result.FieldDescriptions()
	columns := make([]string, len(fields))
	for i, f := range fields {
		columns[i] = f.Name
	}
	w.reset(columns)
	for result.NextRow() {
		row := result.Values()
		if err := w.row(func(dst []byte, i int) ([]byte, error) {
			return appendPostgres(dst, c.TypeMap(), fields[i].DataTypeOID, row[i])
		}); err != nil {
			// What is left need not be read: the connection is closed.
			_ = c.PgConn().Conn().Close()
			_, _ = result.Close()
			return pgconn.CommandTag{}, err
		}
	}
	return result.Close()
}

// postgresType is the type for one of Transact-SQL, 0 for none.
func postgresType(name string) (uint32, error) {
	name, _, _ = strings.Cut(name, "(")
	switch strings.TrimSpace(name) {
	case "":
		return 0, nil
	case "bit":
		return pgtype.BoolOID, nil
	case "tinyint", "smallint":
		return pgtype.Int2OID, nil
	case "int":
		return pgtype.Int4OID, nil
	case "bigint":
		return pgtype.Int8OID, nil
	case "real":
		return pgtype.Float4OID, nil
	case "float":
		return pgtype.Float8OID, nil
	case "decimal", "numeric", "money", "smallmoney":
		return pgtype.NumericOID, nil
	case "char", "nchar", "varchar", "nvarchar", "text", "ntext":
		return pgtype.TextOID, nil
	case "date":
		return pgtype.DateOID, nil
	case "time":
		return pgtype.TimeOID, nil
	case "datetime", "datetime2", "smalldatetime":
		return pgtype.TimestampOID, nil
	case "datetimeoffset":
		return pgtype.TimestamptzOID, nil
	case "uniqueidentifier":
		return pgtype.UUIDOID, nil
	case "binary", "varbinary", "image":
		return pgtype.ByteaOID, nil
	case "xml":
		return pgtype.XMLOID, nil
	}
	return 0, fmt.Errorf("the type %q of a parameter is unknown", name)
}

// postgresValue is a value as text, nil for null. Binary values are given in base64.
func postgresValue(p policy.SQLParameter, oid uint32) ([]byte, error) {
	switch v := p.Value.(type) {
	case nil:
		return nil, nil
	case bool:
		return strconv.AppendBool(nil, v), nil
	case int64:
		return strconv.AppendInt(nil, v, 10), nil
	case float64:
		return strconv.AppendFloat(nil, v, 'g', -1, 64), nil
	case string:
		if strings.ContainsRune(v, 0) {
			return nil, fmt.Errorf("the parameter %s has a zero character, which PostgreSQL cannot keep", p.Name)
		}
		if oid != pgtype.ByteaOID {
			return []byte(v), nil
		}
		b, err := base64.StdEncoding.DecodeString(v)
		if err != nil {
			return nil, fmt.Errorf("the parameter %s is not in base64", p.Name)
		}
		return []byte(`\x` + hex.EncodeToString(b)), nil
	}
	return nil, fmt.Errorf("the parameter %s has a value of type %T", p.Name, p.Value)
}

// appendPostgres appends a value that came as text.
func appendPostgres(dst []byte, m *pgtype.Map, oid uint32, text []byte) ([]byte, error) {
	if text == nil {
		return append(dst, "null"...), nil
	}
	s := string(text)
	switch oid {
	case pgtype.BoolOID:
		return strconv.AppendBool(dst, s == "t"), nil
	case pgtype.Int2OID, pgtype.Int4OID, pgtype.Int8OID, pgtype.OIDOID, pgtype.Float4OID, pgtype.Float8OID, pgtype.NumericOID:
		return number(dst, s), nil
	case pgtype.JSONOID, pgtype.JSONBOID:
		if json.Valid(text) {
			return append(dst, text...), nil
		}
	case pgtype.ByteaOID:
		b, err := hex.DecodeString(strings.TrimPrefix(s, `\x`))
		return append(dst, quoted(base64.StdEncoding.EncodeToString(b))...), err
	case pgtype.TimestampOID, pgtype.TimestamptzOID:
		// 2024-05-06 07:08:09.5+00; infinity and years before Christ stay as they are.
		if date, clock, ok := strings.Cut(s, " "); ok && !strings.HasSuffix(s, "BC") {
			if c, utc := strings.CutSuffix(clock, "+00"); utc {
				clock = c + "Z"
			}
			s = date + "T" + clock
		}
	default:
		if t, ok := m.TypeForOID(oid); ok {
			if array, ok := t.Codec.(*pgtype.ArrayCodec); ok {
				return appendArray(dst, m, oid, array.ElementType.OID, text)
			}
		}
	}
	return append(dst, quoted(s)...), nil
}

// appendArray appends an array of one dimension as an array, others as their text.
func appendArray(dst []byte, m *pgtype.Map, oid, element uint32, text []byte) ([]byte, error) {
	var array pgtype.Array[*string]
	if err := m.Scan(oid, pgtype.TextFormatCode, text, &array); err != nil || len(array.Dims) > 1 {
		return append(dst, quoted(string(text))...), nil
	}
	dst = append(dst, '[')
	for i, e := range array.Elements {
		if i > 0 {
			dst = append(dst, ',')
		}
		var raw []byte
		if e != nil {
			raw = []byte(*e)
		}
		var err error
		if dst, err = appendPostgres(dst, m, element, raw); err != nil {
			return dst, err
		}
	}
	return append(dst, ']'), nil
}

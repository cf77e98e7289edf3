package sqlsource

import (
	"cmp"
	"context"
	"crypto/tls"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	mssql "github.com/microsoft/go-mssqldb"
	"github.com/microsoft/go-mssqldb/msdsn"

	"github.com/causeway-apim/causeway/internal/policy"
)

type sqlServer struct{ db *sql.DB }

// openSQLServer makes a pool; connections are opened as they are needed.
func openSQLServer(r policy.SQLRequest, o Options, token func() string) (engine, error) {
	pairs, err := parseKeyWords(strings.TrimSpace(r.Connection))
	if err != nil {
		return nil, err
	}
	settings, err := pairs.settings(sqlServerKeyWords())
	if err != nil {
		return nil, err
	}
	config, err := sqlServerConfig(settings, r)
	if err != nil {
		return nil, err
	}
	connector := mssql.NewConnectorConfig(config)
	if r.Token != "" {
		connector, err = mssql.NewSecurityTokenConnector(config, func(context.Context) (string, error) { return token(), nil })
		if err != nil {
			return nil, fmt.Errorf("sign in with a token: %w", err)
		}
	}
	connector.Dialer = dialer{o, config.Host}
	db := sql.OpenDB(connector)
	db.SetMaxOpenConns(o.MaxConnections)
	db.SetMaxIdleConns(o.MaxConnections)
	db.SetConnMaxIdleTime(idleLimit)
	return sqlServer{db}, nil
}

// dialer resolves the host's name itself, which the driver asks by HostName.
type dialer struct {
	o    Options
	host string
}

func (d dialer) HostName() string { return d.host }

func (d dialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	return d.o.Dial(ctx, network, address)
}

// sqlServerKeyWords maps the words of Microsoft.Data.SqlClient to the driver's; see [keyWords.settings].
func sqlServerKeyWords() map[string]string {
	return map[string]string{
		"server": msdsn.Server, "datasource": msdsn.Server, "addr": msdsn.Server, "address": msdsn.Server, "networkaddress": msdsn.Server,
		"database": msdsn.Database, "initialcatalog": msdsn.Database, "userid": msdsn.UserID, "uid": msdsn.UserID, "user": msdsn.UserID,
		"password": msdsn.Password, "pwd": msdsn.Password, "encrypt": msdsn.Encrypt, "trustservercertificate": msdsn.TrustServerCertificate,
		"hostnameincertificate": msdsn.HostNameInCertificate, "applicationintent": msdsn.ApplicationIntent, "multisubnetfailover": msdsn.MultiSubnetFailover,
		"persistsecurityinfo": "", "multipleactiveresultsets": "", "connecttimeout": "", "connectiontimeout": "", "timeout": "", "commandtimeout": "",
		"pooling": "", "minpoolsize": "", "maxpoolsize": "", "applicationname": "", "app": "", "connectretrycount": "", "connectretryinterval": "",
	}
}

func sqlServerConfig(s map[string]string, r policy.SQLRequest) (msdsn.Config, error) {
	if s[msdsn.Server] == "" {
		return msdsn.Config{}, errors.New("the connection string names no server")
	}
	if strings.ContainsAny(s[msdsn.Server], `\/`) {
		return msdsn.Config{}, errors.New("the server of the connection string must be a name with a port")
	}
	s[msdsn.Server] = "tcp:" + strings.TrimPrefix(strings.ToLower(s[msdsn.Server]), "tcp:")
	// As Microsoft.Data.SqlClient does: encrypted unless it is said otherwise.
	s[msdsn.Encrypt] = strings.ToLower(cmp.Or(s[msdsn.Encrypt], "true"))
	switch s[msdsn.Encrypt] {
	case "mandatory", "yes":
		s[msdsn.Encrypt] = "true"
	case "optional", "no":
		s[msdsn.Encrypt] = "false"
	}
	if r.Token != "" {
		if s[msdsn.Encrypt] != "true" && s[msdsn.Encrypt] != "strict" {
			return msdsn.Config{}, errors.New("a token of the managed identity is sent with TLS only: set Encrypt to True")
		}
		delete(s, msdsn.UserID)
		delete(s, msdsn.Password)
	} else if s[msdsn.UserID] == "" {
		return msdsn.Config{}, errors.New("the connection string names no user")
	}
	s[msdsn.AppName] = "causeway"
	var dsn strings.Builder
	for name, value := range s {
		fmt.Fprintf(&dsn, "%s=\"%s\";", name, strings.ReplaceAll(value, `"`, `""`))
	}
	config, err := msdsn.Parse(dsn.String())
	if err != nil {
		return config, errors.New("the connection string of SQL Server is not valid") // the error itself may show a part
	}
	config.DialTimeout = connectLimit
	if r.Certificate != nil && config.TLSConfig != nil {
		config.TLSConfig.Certificates = []tls.Certificate{*r.Certificate}
	}
	return config, nil
}

func (s sqlServer) close() { _ = s.db.Close() }

// run sends the whole text: the server runs its statements one after the other.
func (s sqlServer) run(ctx context.Context, r policy.SQLRequest, w *writer) error {
	args := make([]any, len(r.Parameters))
	for i, p := range r.Parameters {
		value, err := sqlServerValue(p)
		if err != nil {
			return err
		}
		args[i] = sql.Named(p.Name, value)
	}
	ctx, cancel := context.WithCancel(ctx) // ends the statement when the result is too large
	defer cancel()
	rows, err := s.db.QueryContext(ctx, r.Statement, args...)
	if err != nil {
		return err
	}
	defer func() {
		cancel()
		_ = rows.Close()
	}()
	for more := true; more; more = rows.NextResultSet() {
		if err := readResult(rows, w); err != nil {
			return err
		}
	}
	return rows.Err()
}

func readResult(rows *sql.Rows, w *writer) error {
	types, err := rows.ColumnTypes()
	if err != nil {
		return err
	}
	columns, values, into := make([]string, len(types)), make([]any, len(types)), make([]any, len(types))
	for i, t := range types {
		columns[i], into[i] = t.Name(), &values[i]
	}
	w.reset(columns)
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return err
		}
		err := w.row(func(dst []byte, i int) ([]byte, error) {
			return appendSQLServer(dst, types[i].DatabaseTypeName(), values[i])
		})
		if errors.Is(err, errEnough) {
			continue // a later result may be the last one
		}
		if err != nil {
			return err
		}
	}
	return rows.Err()
}

// sqlServerValue is the value of a parameter as the driver sends it with a type. The server converts texts to the other
// types itself; binary values are given in base64.
func sqlServerValue(p policy.SQLParameter) (any, error) {
	name, _, _ := strings.Cut(p.Type, "(")
	name = strings.TrimSpace(name)
	if name != "" && !slices.Contains(transactTypes(), name) {
		return nil, fmt.Errorf("the type %q of a parameter is unknown", name)
	}
	text, isText := p.Value.(string)
	if !isText {
		return p.Value, nil
	}
	wrong := func(err error) (any, error) {
		return nil, fmt.Errorf("the parameter %s is no %s: %w", p.Name, name, err)
	}
	switch name {
	case "char", "varchar", "text":
		return mssql.VarChar(text), nil
	case "bit":
		b, err := strconv.ParseBool(text)
		if err != nil {
			return wrong(errors.Unwrap(err))
		}
		return b, nil
	case "tinyint", "smallint", "int", "bigint":
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return wrong(errors.Unwrap(err))
		}
		return n, nil
	case "real", "float":
		f, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return wrong(errors.Unwrap(err))
		}
		return f, nil
	case "binary", "varbinary", "image":
		b, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			return wrong(err)
		}
		return b, nil
	}
	return text, nil
}

// transactTypes are the types that parameters may name (Transact-SQL's data types).
func transactTypes() []string {
	return []string{
		"bit", "tinyint", "smallint", "int", "bigint", "real", "float", "decimal", "numeric", "money", "smallmoney", "char", "nchar", "varchar", "nvarchar",
		"text", "ntext", "date", "time", "datetime", "datetime2", "smalldatetime", "datetimeoffset", "uniqueidentifier", "binary", "varbinary", "image", "xml",
	}
}

// appendSQLServer appends a value of a column of a type.
func appendSQLServer(dst []byte, typ string, value any) ([]byte, error) {
	switch v := value.(type) {
	case nil:
		return append(dst, "null"...), nil
	case bool:
		return strconv.AppendBool(dst, v), nil
	case int64:
		return strconv.AppendInt(dst, v, 10), nil
	case float64:
		return strconv.AppendFloat(dst, v, 'g', -1, 64), nil
	case string:
		return append(dst, quoted(v)...), nil
	case time.Time:
		return append(dst, quoted(v.Format(timeLayout(typ)))...), nil
	case []byte:
		switch typ {
		case "DECIMAL", "NUMERIC", "MONEY", "SMALLMONEY":
			return number(dst, string(v)), nil
		case "UNIQUEIDENTIFIER":
			var id mssql.UniqueIdentifier
			if err := id.Scan(v); err != nil {
				return dst, err
			}
			return append(dst, quoted(strings.ToLower(id.String()))...), nil
		}
		return append(dst, quoted(base64.StdEncoding.EncodeToString(v))...), nil
	}
	return dst, fmt.Errorf("a value of type %T", value)
}

func timeLayout(typ string) string {
	switch typ {
	case "DATE":
		return time.DateOnly
	case "TIME":
		return "15:04:05.9999999"
	case "DATETIMEOFFSET":
		return "2006-01-02T15:04:05.9999999Z07:00"
	}
	return "2006-01-02T15:04:05.9999999"
}

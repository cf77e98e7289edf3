package policies

import (
	"context"
	"math"
	"strings"
	"time"

	"github.com/causeway-apim/causeway/internal/csharp"
	"github.com/causeway-apim/causeway/internal/csharp/clr"
	"github.com/causeway-apim/causeway/internal/message"
	"github.com/causeway-apim/causeway/internal/policy"
)

// SQLDataSource is the sql-data-source resolver policy.
var SQLDataSource = policy.Define[sqlDataSource](policy.Spec{
	Name: "sql-data-source", Scopes: policy.ScopeResolver,
	Doc: "Resolves a field of a GraphQL schema with a statement for a SQL database.",
})

type sqlDataSource struct {
	Connection sqlConnection   `elem:"connection-info,required" section:"inbound" doc:"The database."`
	Request    sqlRequest      `elem:"request,required" section:"inbound" doc:"The statement."`
	Response   *sourceResponse `elem:"response" section:"outbound" doc:"Policies that make the value of the field out of the rows."`
	Fragments  policy.Block    `only:"include-fragment"`
}

type sqlConnection struct {
	String sqlConnectionString `elem:"connection-string,required" doc:"Connection string."`
	Steps  policy.Block        `only:"include-fragment,authentication-certificate"`
}

type sqlConnectionString struct {
	Identity policy.Value[bool]   `attr:"use-managed-identity" default:"false" doc:"Whether the gateway's managed identity signs in."`
	Text     policy.Value[string] `text:"required" doc:"Connection string: of PostgreSQL (a postgres URL, or key words with Host) or of SQL Server."`
}

type sqlRequest struct {
	Single     policy.Value[bool]   `attr:"single-result" default:"false" doc:"Whether one row at most is expected: the value is an object then."`
	Statement  policy.Value[string] `elem:"sql-statement,required" doc:"Statement, or several: the rows of the last one count."`
	Parameters *sqlParameters       `elem:"parameters" doc:"Values of the statement's parameters."`
	Steps      policy.Block         `only:"include-fragment,set-body"`
}

type sqlParameters struct {
	List []sqlParameter `elem:"parameter" doc:"A parameter."`
}

type sqlParameter struct {
	Name  string            `attr:"name,required" doc:"Name of the parameter, with @ or without."`
	Type  string            `attr:"sql-type" doc:"Type of Transact-SQL; without it the value decides."`
	Value policy.Value[any] `text:"" doc:"Value."`
}

// sourceResponse makes the value of a field out of a database's answer.
type sourceResponse struct {
	Steps policy.Block `only:"set-body,publish-event,include-fragment"`
}

// sqlTimeout limits one statement.
const sqlTimeout = 30 * time.Second

// Compile refuses what may not stand twice.
func (p *sqlDataSource) Compile(c *policy.Compiler) error {
	once(c, p.Connection.Steps.Names(), "include-fragment")
	once(c, p.Request.Steps.Names(), "include-fragment")
	if p.Response != nil {
		once(c, p.Response.Steps.Names(), "include-fragment")
	}
	seen := make(map[string]bool)
	for _, q := range p.Request.parameters() {
		name := strings.ToLower(strings.TrimPrefix(q.Name, "@"))
		if name == "" || seen[name] {
			c.Errorf("InvalidValue", "the parameter %q has no name of its own", q.Name)
		}
		seen[name] = true
	}
	return nil
}

func (r *sqlRequest) parameters() []sqlParameter {
	if r.Parameters == nil {
		return nil
	}
	return r.Parameters.List
}

func (p *sqlDataSource) Run(x *policy.Exec) error {
	for _, block := range []policy.Block{p.Connection.Steps, p.Fragments, p.Request.Steps} {
		if err := x.Run(block); err != nil {
			return err
		}
	}
	r, err := p.request(x)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(x.Context(), sqlTimeout)
	defer cancel()
	rows, err := x.Host.SQL().Run(ctx, r)
	if err != nil {
		return &policy.Error{Reason: "DataSourceError", Message: "The database refused the statement: " + err.Error() + ".", Err: err}
	}
	return answerWith(x, rows, p.Response)
}

// answerWith makes an answer of a database the response, and runs the policies for it.
func answerWith(x *policy.Exec, body []byte, response *sourceResponse) error {
	x.Section = policy.Outbound
	x.SetResponse(&message.Response{
		Status: 200, Header: message.NewHeader("Content-Type", "application/json"), Body: message.BytesBody(body), ContentLength: int64(len(body)),
	})
	if response == nil {
		return nil
	}
	return x.Run(response.Steps)
}

// tokenAudience is the resource that a token for a database is made for: Azure SQL, or Azure Database for PostgreSQL.
func tokenAudience(r policy.SQLRequest) string {
	if r.PostgreSQL() {
		return "https://ossrdbms-aad.database.windows.net"
	}
	return "https://database.windows.net/"
}

func (p *sqlDataSource) request(x *policy.Exec) (r policy.SQLRequest, err error) {
	if r.Connection, err = p.Connection.String.Text.Get(x); err != nil {
		return r, err
	}
	identity, err := p.Connection.String.Identity.Get(x)
	if err != nil {
		return r, err
	}
	if identity {
		if r.Token, err = managedToken(x, tokenAudience(r)); err != nil {
			return r, err
		}
	}
	if c := x.ClientCertificate; c != nil {
		if r.Certificate, err = x.Host.KeyPair(c.Name); err != nil {
			return r, err
		}
	}
	if r.Single, err = p.Request.Single.Get(x); err != nil {
		return r, err
	}
	if r.Statement, err = p.Request.Statement.Get(x); err != nil {
		return r, err
	}
	for _, q := range p.Request.parameters() {
		value, err := q.Value.Get(x)
		if err != nil {
			return r, err
		}
		r.Parameters = append(r.Parameters, policy.SQLParameter{
			Name: strings.TrimPrefix(q.Name, "@"), Type: strings.ToLower(strings.TrimSpace(q.Type)), Value: plainValue(value),
		})
	}
	return r, nil
}

// plainValue is the value of an expression as nil, a bool, an int64, a float64 or a string. JSON objects and arrays are their text.
func plainValue(v any) any {
	switch v := v.(type) {
	case nil, bool, int64, float64:
		return v
	case string:
		if csharp.IsNull(v) {
			return nil
		}
		return strings.TrimSpace(v)
	case int8:
		return int64(v)
	case int16:
		return int64(v)
	case int32:
		return int64(v)
	case uint8:
		return int64(v)
	case uint16:
		return int64(v)
	case uint32:
		return int64(v)
	case uint64:
		if v <= math.MaxInt64 {
			return int64(v)
		}
	case float32:
		return float64(v)
	case *clr.JValue:
		return plainValue(v.Value())
	}
	return csharp.FormatValue(v)
}

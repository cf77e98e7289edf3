package policy

import (
	"context"
	"crypto/tls"
	"strings"
)

// SQL runs the statements of sql-data-source. It keeps connections for the next ones. It is safe for concurrent use.
type SQL interface {
	// Run runs a statement and returns the rows of its last result as JSON: an object with the list items, or for a single result the first row
	// as an object, null when there is none.
	Run(ctx context.Context, r SQLRequest) ([]byte, error)
}

// SQLRequest is one statement with where it goes.
type SQLRequest struct {
	// Connection is the connection string: of PostgreSQL (a postgres:// URL, or key words with Host) or else of SQL Server.
	Connection string
	// Token is an access token that is sent instead of a user name and a password; empty for none.
	Token string
	// Certificate is the client certificate, or nil.
	Certificate *tls.Certificate
	// Statement may consist of several statements; Parameters are named in it with @.
	Statement  string
	Parameters []SQLParameter
	// Single says that one row at most is expected.
	Single bool
}

// PostgreSQL says whether the connection string is one of PostgreSQL: a postgres:// URL, or key words with Host. SQL Server's has Server or Data
// Source.
func (r SQLRequest) PostgreSQL() bool {
	s := strings.ToLower(strings.TrimSpace(r.Connection))
	if strings.HasPrefix(s, "postgres://") || strings.HasPrefix(s, "postgresql://") {
		return true
	}
	for pair := range strings.FieldsFuncSeq(s, func(c rune) bool { return c == ';' || c == ' ' || c == '\t' || c == '\n' }) {
		if strings.HasPrefix(pair, "host=") || pair == "host" {
			return true
		}
	}
	return false
}

// SQLParameter is a named value.
type SQLParameter struct {
	// Name has no @.
	Name string
	// Type is a type of Transact-SQL in lower case, such as nvarchar; empty when the value decides.
	Type string
	// Value is nil, a bool, an int64, a float64 or a string.
	Value any
}

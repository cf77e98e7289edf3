// Package plane measures the management plane on the largest service that is promised: 10,000 APIs, 100,000 operations
// and 1,000,000 subscriptions, in SQLite and in PostgreSQL, by HTTP against the real binary. docs/performance.md says how
// to run it and what came out.
package plane

import (
	"os"
	"testing"

	"github.com/causeway-apim/causeway/internal/store/pgtest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Run(m)) }

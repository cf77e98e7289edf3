package resource

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/causeway-apim/causeway/internal/arm"
	"github.com/causeway-apim/causeway/internal/store"
)

// Config is what an [Engine] needs. Authorize, OnWrite and Guard may be nil.
type Config struct {
	Store     store.Store
	Catalogue *Catalogue
	Now       func() time.Time
	Log       *slog.Logger
	// Principal names the caller of a request.
	Principal func(ctx context.Context) string
	// Authorize refuses an action such as Microsoft.ApiManagement/service/apis/write on the resource scope.
	Authorize func(ctx context.Context, action string, scope arm.ID) error
	// Guard refuses a write to a resource for other reasons than rights: it is managed by a file.
	Guard func(ctx context.Context, id arm.ID) error
	// OnWrite is awaited after a write was committed and before it is answered.
	OnWrite func(ctx context.Context, service string, seq int64) error
}

// Engine serves a catalogue.
type Engine struct{ c Config }

// NewEngine returns an engine.
func NewEngine(c Config) *Engine { return &Engine{c} }

// ServeHTTP serves the resource at the request's path: everything at and below
// …/providers/Microsoft.ApiManagement/service.
func (e *Engine) ServeHTTP(w http.ResponseWriter, r *http.Request) {}

// Put creates or replaces a resource from within the process, as an HTTP PUT with this JSON body would.
func (e *Engine) Put(ctx context.Context, id arm.ID, body []byte) (created bool, err error) {
	return false, nil
}

// Remove deletes a resource from within the process, as an HTTP DELETE would; a missing one is no error.
func (e *Engine) Remove(ctx context.Context, id arm.ID) error { return nil }

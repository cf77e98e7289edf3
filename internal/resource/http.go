package resource

import (
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/causeway-apim/causeway/internal/arm"
	"github.com/causeway-apim/causeway/internal/store"
)

// ServeHTTP serves the resource at the request's path: everything at and below
// …/providers/Microsoft.ApiManagement/service, and asynchronous operations (see [Supports]).
func (e *Engine) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if arm.IsOperation(r.URL.Path) {
		e.operations.ServeHTTP(w, r)
		return
	}
	out, err := e.serve(w, r)
	if err != nil {
		ae, known := arm.AsError(err)
		if !known {
			if r.Context().Err() != nil { // the client has gone or its time is up
				ae = arm.Errorf(arm.CodeServiceUnavailable, "The request was not completed in time.")
			} else {
				e.c.Log.LogAttrs(r.Context(), slog.LevelError, "management request failed", slog.String("method", r.Method),
					slog.String("path", r.URL.Path), slog.String("request", w.Header().Get("x-ms-request-id")), slog.Any("error", err))
			}
		}
		arm.WriteError(w, ae)
		return
	}
	if out.operation != nil {
		arm.Accept(w, arm.BaseURL(r), arm.Param(r.URL.Query(), "api-version"), *out.operation, time.Second)
		return
	}
	if out.etag != "" {
		w.Header().Set("ETag", arm.QuoteETag(out.etag))
	}
	if out.body == nil || r.Method == http.MethodHead {
		w.WriteHeader(out.status)
		return
	}
	arm.WriteBody(w, out.status, out.body)
}

func (e *Engine) serve(w http.ResponseWriter, r *http.Request) (out outcome, err error) {
	path, err := arm.ParseURLPath(r.URL.EscapedPath())
	if err != nil {
		return out, err
	}
	query := r.URL.Query()
	version, aerr := arm.APIVersion(query)
	if aerr != nil {
		return out, aerr
	}
	if isBatch(r.Method, path) {
		return e.batch(w, r, path.Service(), version)
	}
	rt, err := e.c.Catalogue.match(r.Method, path)
	if err != nil {
		return out, err
	}
	ctx := r.Context()
	if err := e.c.Authorize(ctx, rt.operation(r.Method), rt.id); err != nil {
		if rt.partly = rt.list && rt.node.parent == nil && e.c.Sees(ctx, rt.id); !rt.partly {
			return out, err
		}
	}
	verb := rt.verb(r.Method)
	if rt.action < 0 && rt.typeVerbs()&verb == 0 {
		w.Header().Set("Allow", rt.allow())
		return out, arm.Errorf(arm.CodeMethodNotAllowed, "The method %s is not allowed for %s.", r.Method, rt.node.armType)
	}
	req := e.request(ctx, rt, query)
	req.BaseURL, req.Path, req.APIVersion = arm.BaseURL(r), r.URL.EscapedPath(), version
	if rt.action >= 0 || verb == Create || verb == Update {
		body, err := readBody(w, r, rt.node.typ.maxBody)
		if err != nil {
			return out, err
		}
		if rt.action >= 0 {
			return e.act(ctx, rt, req, body)
		}
		return e.write(ctx, rt, req, change{merge: verb == Update, body: body, header: r.Header})
	}
	switch verb {
	case Delete:
		return e.delete(ctx, rt, req, r.Header)
	case List:
		return e.list(ctx, rt, req, r.URL.EscapedPath())
	}
	if out, err = e.read(ctx, rt, req); err != nil {
		return out, err
	}
	switch {
	case rt.typeVerbs()&Read == 0: // what only links two resources has neither tag nor body
		out = outcome{status: http.StatusNoContent}
		if rt.node.typ.headOK {
			out.status = http.StatusOK
		}
	case arm.NotModified(r.Header, out.etag):
		out.status, out.body = http.StatusNotModified, nil
	}
	return out, nil
}

// allow lists the methods that a route has.
func (rt route) allow() string {
	var methods []string
	for _, m := range []string{http.MethodGet, http.MethodHead, http.MethodPut, http.MethodPatch, http.MethodDelete} {
		if rt.typeVerbs()&rt.verb(m) != 0 {
			methods = append(methods, m)
		}
	}
	return strings.Join(methods, ", ")
}

func readBody(w http.ResponseWriter, r *http.Request, limit int64) ([]byte, error) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return nil, arm.Errorf(arm.CodeTooLarge, "The request's body is larger than %d bytes.", limit)
	}
	if err != nil {
		return nil, arm.Errorf(arm.CodeInvalidJSON, "The request's body could not be read to its end.")
	}
	return body, nil
}

func ignoreNotFound(err error) error {
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	return err
}

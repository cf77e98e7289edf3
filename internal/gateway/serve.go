package gateway

import (
	"encoding/hex"
	"errors"
	"net/netip"
	"strings"
	"time"

	"github.com/causeway-apim/causeway/internal/message"
	"github.com/causeway-apim/causeway/internal/policy"
)

// Health end points of APIM's gateways, and ours.
const (
	statusPath         = "/status-0123456789abcdef"
	internalStatusPath = "/internal-status-0123456789abcdef"
	livePath           = "/livez"
	readyPath          = "/readyz"
)

// request is the state of one request. It is reused.
type request struct {
	service  *service
	config   *config
	exec     policy.Exec
	matched  matched
	out      message.Request // to the backend service
	host     string          // Host field as received
	started  time.Time
	failure  *policy.Error
	finished func(message.Result)

	backendStatus int
	backendTime   time.Duration
	response      int
	gateway       *Gateway
}

func newRequest(g *Gateway) *request {
	r := &request{gateway: g}
	r.finished = r.finish
	return r
}

// Serve answers one request.
func (g *Gateway) Serve(x message.Exchange) {
	in := x.Request()
	if strings.HasPrefix(in.URL.Path, "/") && g.serveHealth(x, in.URL.Path) {
		return
	}
	s := g.services.Load().find(in.URL.Host)
	if s == nil {
		g.respond(x, unavailable())
		return
	}
	r := g.requests.Get().(*request)
	r.service, r.config = s, s.current.Load()
	r.start(x)
	resp := r.run()
	r.response = resp.Status
	if err := x.Respond(resp); err != nil {
		var invalid *message.InvalidFieldError
		if errors.As(err, &invalid) {
			g.log.Error("A response has a field that cannot be sent.", "correlationId", r.id(), "error", err)
			r.response = 500
			err = x.Respond(r.internalError())
		}
		if err != nil && r.failure == nil {
			r.failure = &policy.Error{Source: "forward-request", Reason: connectionReason(err), Message: err.Error()}
		}
	}
}

func connectionReason(err error) string {
	if errors.Is(err, message.ErrClientGone) {
		return policy.ReasonClientConnection
	}
	return policy.ReasonBackendConnection
}

// start sets the request's state up. The client's URL is kept; the request's
// own becomes relative to the backend service.
func (r *request) start(x message.Exchange) {
	in := x.Request()
	r.exec.Reset(x.Context(), r)
	r.host = in.Header.Get("Host")
	r.started = in.Received
	if r.started.IsZero() {
		r.started = r.Now()
	}
	e := &r.exec
	e.Request = in
	e.OriginalURL, e.OriginalMethod = in.URL, in.Method
	if proto := in.Header.Get("X-Forwarded-Proto"); r.gateway.trustProto && (proto == "http" || proto == "https") {
		e.OriginalURL.Scheme = proto
	}
	e.ClientIP = addressText(in.RemoteAddr)
	e.Service, e.Deployment = &r.config.service, &r.config.deployment
	e.Started = r.started
	r.Random(e.RequestID[:])
	// RFC 9562: version 4, variant 10.
	e.RequestID[6] = e.RequestID[6]&0x0f | 0x40
	e.RequestID[8] = e.RequestID[8]&0x3f | 0x80
	x.OnFinish(r.finished)
}

func addressText(a netip.AddrPort) string {
	if !a.IsValid() {
		return ""
	}
	return a.Addr().Unmap().String()
}

// run takes the request through matching, admission and its pipeline, and
// returns the answer.
func (r *request) run() *message.Response {
	e, m := &r.exec, &r.matched
	found := r.config.match(e.Request, e.OriginalURL.Scheme, m)
	if !found {
		if resp := r.preflight(); resp != nil {
			return resp
		}
		r.failure = &policy.Error{
			Source: "configuration", Reason: policy.ReasonOperationNotFound, Status: 404,
			Message: "Unable to match incoming request to an operation.", Public: "Resource not found",
		}
		r.config.servicePipeline().Fail(e, r.failure)
		return e.Response
	}
	r.bind()
	admitted, refused := r.config.admit(e.Request, m.api, r.started)
	r.setAdmission(admitted)
	pipeline := r.config.pipeline(m.api, m.op, admitted.product)
	if refused != nil {
		r.failure = refused
		pipeline.Fail(e, refused)
		return e.Response
	}
	r.failure = pipeline.Run(e)
	return e.Response
}

// bind makes the matched operation known to policies and the URL relative to
// the API.
func (r *request) bind() {
	e, m := &r.exec, &r.matched
	e.API, e.Base = &m.api.part, m.api.base
	e.Request.URL.Path = m.path
	if m.path == "" {
		e.Request.URL.Path = "/"
	}
	if m.op != nil {
		e.Operation = &m.op.part
		for _, p := range m.buf.params {
			e.Matched = append(e.Matched, policy.Param{Name: p.name, Value: p.value})
		}
	}
}

func (r *request) setAdmission(a admission) {
	e := &r.exec
	if a.subscription != nil {
		e.Subscription = &a.subscription.part
		e.SubscriptionKey = r.matched.api.requestKey(e.Request)
	}
	if a.product != nil {
		e.Product = &a.product.part
	}
	e.User = a.user
}

// preflight answers an OPTIONS request of a browser by the cors policy of the
// operation that it asks for. It needs no subscription key, and no other policy
// runs ("CORS policy in Azure API Management").
func (r *request) preflight() *message.Response {
	e, m := &r.exec, &r.matched
	if e.Request.Method != "OPTIONS" || m.api == nil || !e.Request.Header.Has("Origin") {
		return nil
	}
	method := e.Request.Header.Get("Access-Control-Request-Method")
	if method == "" {
		return nil
	}
	op, _ := m.api.router().find(method, m.path, e.Request.URL.RawQuery, &m.buf)
	if op == nil {
		op = &operation{scope: "none"} // the API's policies alone decide
	}
	m.op = op
	r.bind()
	answered, err := r.config.pipeline(m.api, op, nil).Preflight(e)
	if err != nil {
		r.failure = &policy.Error{Source: "cors", Message: err.Error(), Err: err}
		r.config.servicePipeline().Fail(e, r.failure)
		return e.Response
	}
	if !answered {
		return nil
	}
	return e.Response
}

// id is the request's ID as text.
func (r *request) id() string {
	u := r.exec.RequestID
	var b [36]byte
	hex.Encode(b[0:8], u[0:4])
	hex.Encode(b[9:13], u[4:6])
	hex.Encode(b[14:18], u[6:8])
	hex.Encode(b[19:23], u[8:10])
	hex.Encode(b[24:36], u[10:16])
	b[8], b[13], b[18], b[23] = '-', '-', '-', '-'
	return string(b[:])
}

// internalError replaces a response that cannot be sent.
func (r *request) internalError() *message.Response {
	return jsonResponse(500, `{"statusCode":500,"message":"Internal server error","activityId":"`+r.id()+`"}`)
}

// finish runs after the last byte: it makes the record and gives the request's
// state back.
func (r *request) finish(res message.Result) {
	g := r.gateway
	rec := g.records.New()
	e := &r.exec
	rec.Time, rec.TotalTime, rec.BackendTime = r.started, res.Done.Sub(r.started), r.backendTime
	rec.RequestID, rec.CallerIP, rec.Service = r.id(), e.ClientIP, r.config.service.Name
	rec.Method = strings.Clone(e.OriginalMethod)
	rec.URL = recordURL(&e.OriginalURL)
	rec.ResponseCode, rec.BackendResponseCode = r.response, r.backendStatus
	rec.RequestSize, rec.ResponseSize = res.BytesIn, res.BytesOut
	if m := &r.matched; m.api != nil {
		rec.API = m.api.part.Name
		if m.op != nil {
			rec.Operation = m.op.part.Name
		}
	}
	if e.Product != nil {
		rec.Product = e.Product.Name
	}
	if e.Subscription != nil {
		rec.Subscription = e.Subscription.Name
	}
	if e.User != nil {
		rec.User = e.User.Name
	}
	if f := r.failure; f != nil {
		rec.ErrorSource, rec.ErrorReason, rec.ErrorMessage = f.Source, f.Reason, strings.Clone(f.Message)
	}
	if le := e.LastError; le != nil {
		rec.ErrorSource, rec.ErrorReason, rec.ErrorMessage = le.Source, le.Reason, strings.Clone(le.Message)
		rec.ErrorSection, rec.ErrorScope = le.Section, le.Scope
	}
	if res.Err != nil {
		rec.ConnectionFail = res.Err.Error()
	}
	g.records.Add(rec)
	r.recycle()
}

// recordURL is the URL of a record: without its query, which may hold keys.
func recordURL(u *message.URL) string {
	c := *u
	c.RawQuery = ""
	return c.String()
}

func (r *request) recycle() {
	g := r.gateway
	r.exec.Reset(g.ctx, r)
	r.out.Header.Reset()
	r.out = message.Request{Header: r.out.Header}
	buf := r.matched.buf
	clear(buf.values[:cap(buf.values)])
	clear(buf.params[:cap(buf.params)])
	r.matched = matched{buf: matchBuffer{values: buf.values[:0], params: buf.params[:0]}}
	r.service, r.config, r.failure, r.host = nil, nil, nil, ""
	r.backendStatus, r.backendTime, r.response = 0, 0, 0
	g.requests.Put(r)
}

// serveHealth answers the health end points.
func (g *Gateway) serveHealth(x message.Exchange, path string) bool {
	switch path {
	case livePath:
		g.respond(x, &message.Response{Status: 200})
	case statusPath, internalStatusPath, readyPath:
		if g.Ready() {
			g.respond(x, &message.Response{Status: 200})
		} else {
			g.respond(x, unavailable())
		}
	default:
		return false
	}
	return true
}

func (g *Gateway) respond(x message.Exchange, r *message.Response) {
	if err := x.Respond(r); err != nil {
		g.log.Debug("An answer could not be sent.", "error", err)
	}
}

// unavailable is the answer of a gateway without a configuration.
func unavailable() *message.Response {
	r := jsonResponse(503, `{"statusCode":503,"message":"The gateway has no configuration yet."}`)
	r.Header.Add("Retry-After", "5")
	return r
}

func jsonResponse(status int, body string) *message.Response {
	return &message.Response{
		Status: status, Header: message.NewHeader("Content-Type", "application/json"),
		Body: message.StringBody(body), ContentLength: int64(len(body)),
	}
}

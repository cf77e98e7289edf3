package gateway

import (
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"net/netip"
	"strings"
	"time"

	"github.com/causeway-apim/causeway/internal/message"
	"github.com/causeway-apim/causeway/internal/policy"
	"github.com/causeway-apim/causeway/internal/telemetry"
)

// Health end points of APIM's gateways, and ours.
const (
	statusPath         = "/status-0123456789abcdef"
	internalStatusPath = "/internal-status-0123456789abcdef"
	livePath           = "/livez"
	readyPath          = "/readyz"
)

// request is the state of one request. It is reused after the exchange has
// finished, when nobody else holds it any more.
type request struct {
	gateway  *Gateway
	exec     policy.Exec
	matched  matched
	out      message.Request // to the backend service
	finished func(message.Result)
	interim  func(int, *message.Header)
	call     sentCall

	// The addresses of the last client and the last trusted proxy and their texts: most requests of a client come over one connection.
	client, proxy         netip.Addr
	clientText, proxyText string

	servedExchange
}

// servedExchange is what a request knows of the exchange that it serves.
type servedExchange struct {
	service  *service
	config   *config
	exchange message.Exchange
	host     string // Host field as received
	started  time.Time

	backendStatus int
	backendTime   time.Duration
	backendEnded  time.Time      // when the last call ended
	tunnel        message.Tunnel // to the backend service
	trailing      *trailingBody  // of the last call to it, if the request may have a trailer
	response      int            // status of the answer
	answered      time.Time      // when the answer began
	failure       *policy.Error  // why the answer could not be sent
	tracing       tracing
	observed      *observation // nil: nobody wants to know more than the record
	unlogged      bool         // a diagnostic decides on the log line

	onLoad      bool // counts as a request under way
	behindProxy bool // whoever has connected is a trusted proxy
}

func newRequest(g *Gateway) *request {
	r := &request{gateway: g}
	r.finished, r.interim = r.finish, r.passInterim
	return r
}

// Serve answers one request.
func (g *Gateway) Serve(x message.Exchange) {
	in := x.Request()
	if g.serveHealth(x, in.URL.Path) || g.serveTrace(x, in.URL.Path) {
		return
	}
	s := g.services.Load().find(in.URL.Host)
	if s == nil {
		g.respond(x, unavailable(noConfiguration))
		return
	}
	if !g.load.enter(x.Context(), in.Received) {
		g.shed(x)
		return
	}
	r := g.requests.Get().(*request)
	r.service, r.config, r.onLoad = s, s.current.Load(), true
	r.start(x)
	r.answer(r.run())
}

// start sets the request's state up.
func (r *request) start(x message.Exchange) {
	r.exchange = x
	x.OnFinish(r.finished)
	in, e := x.Request(), &r.exec
	e.Bind(x.Context(), r)
	r.host, r.started = in.Header.Get("Host"), in.Received
	if r.started.IsZero() {
		r.started = r.Now()
	}
	e.Request, e.Started = in, r.started
	e.OriginalURL, e.OriginalMethod = in.URL, in.Method
	client := r.caller(in)
	if r.behindProxy || r.gateway.trustProto && r.gateway.trustedProxies == nil {
		switch proto := in.Header.Get("X-Forwarded-Proto"); {
		case strings.EqualFold(proto, "https"):
			e.OriginalURL.Scheme = "https"
		case strings.EqualFold(proto, "http"):
			e.OriginalURL.Scheme = "http"
		}
	}
	e.ClientIP = r.clientIP(client)
	e.Service, e.Deployment = &r.config.service, &r.config.deployment
	binary.NativeEndian.PutUint64(e.RequestID[:8], rand.Uint64())
	binary.NativeEndian.PutUint64(e.RequestID[8:], rand.Uint64())
	// RFC 9562: version 4, variant 10.
	e.RequestID[6] = e.RequestID[6]&0x0f | 0x40
	e.RequestID[8] = e.RequestID[8]&0x3f | 0x80
}

func (r *request) clientIP(a netip.Addr) string {
	if a != r.client {
		r.client, r.clientText = a, addressText(a)
	}
	return r.clientText
}

func addressText(a netip.Addr) string {
	if !a.IsValid() {
		return ""
	}
	return a.Unmap().String()
}

// run takes the request through matching, admission and its pipeline, and
// returns the answer.
func (r *request) run() *message.Response {
	e, m := &r.exec, &r.matched
	e.Request.URL.Path = withoutDots(e.Request.URL.Path)
	if !r.config.match(e.Request, e.OriginalURL.Scheme, m) {
		r.beginTrace()
		r.observe()
		if !r.preflight() && !r.config.unmatched.Unmatched(e) {
			r.config.unmatched.Fail(e, &policy.Error{
				Source: "configuration", Reason: policy.ReasonOperationNotFound, Status: 404,
				Message: "Unable to match incoming request to an operation.", Public: "Resource not found",
			})
		}
		return e.Response
	}
	r.bind()
	admitted, refused := r.config.admit(e.Request, m.api, r.started)
	r.setAdmission(admitted)
	r.beginTrace()
	r.observe()
	effective := r.config.pipeline(m.api, m.op, admitted.product)
	if refused != nil {
		effective.pipeline.Fail(e, refused)
	} else if effective.pipeline.Run(e) == nil && effective.direct && !e.IsAwaited() {
		r.answered = r.backendEnded // saves a reading of the clock
	}
	return e.Response
}

// bind makes what was matched known to policies and the URL relative to the
// API.
func (r *request) bind() {
	e, m := &r.exec, &r.matched
	e.API, e.Base = &m.api.part, m.api.base
	if e.Request.URL.Path = m.path; m.path == "" {
		e.Request.URL.Path = "/"
	}
	if (m.api.isGraphQL() || m.api.isSOAP() || m.api.isWebSocket()) && isGraphQLPath(m.path) && m.api.base.Path != "" {
		e.Request.URL.Path = "" // the service's URL is the end point itself
	}
	if m.op != m.api.bare {
		e.Operation = &m.op.part
		e.Matched = append(e.Matched, m.buf.params...)
	}
}

func (r *request) setAdmission(a admission) {
	e := &r.exec
	if a.subscription != nil {
		e.Subscription, e.SubscriptionKey = &a.subscription.part, a.key
	}
	if a.product != nil {
		e.Product = &a.product.part
	}
	e.User = a.user
}

// preflight answers an OPTIONS request of a browser by the cors policy of the
// operation that it asks for, and says whether it did. It needs no subscription
// key, and no other policy runs ("CORS policy in Azure API Management"). The
// policies of a product count for a key in the query, and for an open product.
func (r *request) preflight() bool {
	e, m := &r.exec, &r.matched
	method := e.Request.Header.Get("Access-Control-Request-Method")
	if e.Request.Method != "OPTIONS" || m.api == nil || method == "" || !e.Request.Header.Has("Origin") {
		return false
	}
	if m.op = m.api.router().find(method, m.path, e.Request.URL.RawQuery, &m.buf); m.op == nil {
		m.op = m.api.bare // the policies of the API and the service decide
	}
	r.bind()
	admitted, _ := r.config.admit(e.Request, m.api, r.started)
	r.setAdmission(admitted)
	pipeline := r.config.pipeline(m.api, m.op, admitted.product).pipeline
	answered, err := pipeline.Preflight(e)
	if err != nil {
		pipeline.Fail(e, policy.WrapError(err))
		return true
	}
	return answered
}

// answer sends the response, or another one when that cannot be sent.
func (r *request) answer(resp *message.Response) {
	x := r.exchange
	if r.response = resp.Status; r.answered.IsZero() {
		r.answered = r.Now()
	}
	grpc := isGRPCCall(x.Request())
	if grpc {
		r.grpcAnswer(resp)
	}
	if alt := r.gateway.altSvc.Load(); alt != nil && x.Request().TLS != nil {
		resp.Header.Set("Alt-Svc", *alt)
	}
	r.announceTrace(resp)
	r.observeAnswer(resp)
	if resp.Tunnel != nil || resp.ContentLength < 0 && strings.HasPrefix(resp.Header.Get("Content-Type"), "text/event-stream") {
		r.leaveLoad()
	}
	err := x.Respond(resp)
	if err == nil {
		return
	}
	r.failure = forwardError(err, bodyIdleTimeout)
	r.failure.Source = "forward-request"
	if errors.Is(err, message.ErrClientGone) {
		return
	}
	var invalid *message.InvalidFieldError
	if errors.As(err, &invalid) {
		r.failure = &policy.Error{Source: "configuration", Reason: "ResponseInvalid", Message: "The response cannot be sent: " + err.Error() + "."}
	}
	// After the first byte there is no way back: the engine refuses.
	instead := r.exec.ErrorResponse(r.failure)
	if grpc {
		r.grpcAnswer(instead)
	}
	r.announceTrace(instead)
	r.observeAnswer(instead)
	if x.Respond(instead) == nil {
		r.response = instead.Status
	}
}

// finish runs after the last byte: it makes the record and gives the request's
// state back.
func (r *request) finish(res message.Result) {
	r.leaveLoad()
	r.endTrailer()
	if r.tracing.id != "" {
		r.endTrace(res)
	}
	r.exec.Finish(res.BytesIn, res.BytesOut)
	rec := r.record(res)
	if u := r.gateway.usage; u != nil {
		u.Add(r.service.id, rec)
		u.List(r.service.id, rec)
	}
	if m := r.gateway.metrics; m != nil {
		rec.Host = m.Host(r.host)
		m.Add(rec)
	}
	if r.observed != nil {
		r.endObservation(rec)
	}
	r.gateway.records.Add(rec)
	r.recycle()
}

// record is what is known of the request at its end. It outlives the request:
// what the client or the backend service sent is copied.
func (r *request) record(res message.Result) *telemetry.Record {
	rec, e := r.gateway.records.New(), &r.exec
	rec.Time, rec.TotalTime, rec.BackendTime = r.started, res.Done.Sub(r.started), r.backendTime
	rec.ServiceID = r.service.id
	rec.RequestID, rec.CallerIP, rec.Service = e.RequestID, e.ClientIP, r.config.service.Name
	rec.Method = ownMethod(e.OriginalMethod)
	rec.URL = appendRecordURL(rec.URL, &e.OriginalURL)
	rec.ResponseCode, rec.BackendResponseCode = r.response, r.backendStatus
	if r.response == 0 { // a panic: the engine has answered
		rec.ResponseCode = 500
	}
	rec.RequestSize, rec.ResponseSize = res.BytesIn, res.BytesOut
	if e.API != nil {
		rec.API = e.API.Name
	}
	if e.Operation != nil {
		rec.Operation = e.Operation.Name
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
	r.describe(rec)
	rec.Cache = cacheUse(e)
	if !r.answered.IsZero() {
		rec.ClientTime = max(res.Done.Sub(r.answered), 0)
	}
	if f := r.failure; f != nil {
		rec.ErrorSource, rec.ErrorReason, rec.ErrorMessage = f.Source, f.Reason, strings.Clone(f.Message)
	} else if le := e.LastError; le != nil {
		rec.ErrorSource, rec.ErrorReason, rec.ErrorMessage = le.Source, le.Reason, strings.Clone(le.Message)
		rec.ErrorSection, rec.ErrorScope = le.Section, le.Scope
	}
	if res.Err != nil {
		rec.ConnectionFail = res.Err.Error()
	}
	return rec
}

func cacheUse(e *policy.Exec) telemetry.CacheUse {
	switch {
	case e.CacheHit:
		return telemetry.CacheHit
	case e.CacheMiss:
		return telemetry.CacheMiss
	}
	return telemetry.CacheNone
}

// ownMethod returns a method that does not alias the request.
func ownMethod(method string) string {
	switch method {
	case "GET":
		return "GET"
	case "POST":
		return "POST"
	case "PUT":
		return "PUT"
	case "DELETE":
		return "DELETE"
	case "PATCH":
		return "PATCH"
	case "HEAD":
		return "HEAD"
	case "OPTIONS":
		return "OPTIONS"
	}
	return strings.Clone(method)
}

// appendRecordURL appends a URL without its query, which may hold keys.
func appendRecordURL(b []byte, u *message.URL) []byte {
	b = append(append(b, u.Scheme...), "://"...)
	return append(u.AppendAuthority(b), u.Path...)
}

func (r *request) recycle() {
	if r.tunnel != nil {
		r.tunnel.Close() // does nothing when it was part of the answer
	}
	if resp := r.exec.Response; resp != nil && resp.Body != nil {
		resp.Body.Close() // likewise, unless a panic came between
	}
	r.exec.Reset(r.gateway.ctx, r)
	header := r.out.Header
	header.Reset()
	r.out = message.Request{}
	r.out.Header = header
	clear(r.matched.buf.values[:cap(r.matched.buf.values)])
	clear(r.matched.buf.params[:cap(r.matched.buf.params)])
	r.matched = matched{buf: matchBuffer{values: r.matched.buf.values[:0], params: r.matched.buf.params[:0]}}
	r.call = sentCall{url: r.call.url}
	r.servedExchange = servedExchange{}
	r.gateway.requests.Put(r)
}

// serveHealth answers the health end points.
func (g *Gateway) serveHealth(x message.Exchange, path string) bool {
	switch path {
	case livePath:
		g.respond(x, &message.Response{Status: 200})
	case statusPath, internalStatusPath, readyPath:
		switch {
		case !g.Ready():
			g.respond(x, unavailable(noConfiguration))
		case g.leaving.Load():
			g.respond(x, unavailable("The gateway is about to end."))
		default:
			g.respond(x, &message.Response{Status: 200})
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

const noConfiguration = "The gateway has no configuration yet."

// unavailable is the answer of a gateway that cannot serve.
func unavailable(why string) *message.Response {
	body := `{"statusCode":503,"message":"` + why + `"}`
	return &message.Response{
		Status: 503, Header: message.NewHeader("Content-Type", "application/json", "Retry-After", "5"),
		Body: message.StringBody(body), ContentLength: int64(len(body)),
	}
}

package policy

// Runner is a policy as it is declared: a pointer to a struct whose fields say what the XML element looks like.
//
// Fields are described by tags:
//
//	attr:"name,required,const"    an attribute; const refuses expressions; a required one is not empty unless the option empty lets it be
//	elem:"name,required,const"    child elements: Value[T] takes the text of one, a struct or *struct one, a slice all of that name
//	elem:"name,outer"             a string: the raw XML of a child element, its tags and attributes included
//	text:"required,const,exact"   the element's own text; exact keeps the white space of literal text, which is trimmed otherwise
//	inner:"required"              a string: the raw XML between start and end tag
//	default:"200"                 the value when the document has none
//	enum:"a,b" min:"1" max:"300"  what constants, and at run time expressions, may be
//	only:"choose,send-request"    for a Block: the policies that may stand in it, also by way of a fragment
//	section:"outbound"            for an element: the section that its policies stand in, in documents without sections
//	doc:"One sentence."           documentation
//
// An exported field of the type [Block] takes all child elements that no other field names as steps. Field types are Value[T], the plain types string,
// bool, int, int64 and float64 (constants only), structs of the same kind, pointers to and slices of these. An exported
// struct without tag is embedded: its fields count as the outer struct's own. Other fields without tag are the policy's own.
type Runner interface {
	// Run executes the policy. It returns nil to go on with the next one, ErrStop, ErrSkipBackend or an error.
	Run(x *Exec) error
}

// Compilable is a policy, or a struct in one, that works once when the document is compiled: it checks what tags cannot say and prepares what
// a request needs. Inner structs are compiled before outer ones. The error becomes a diagnostic at the element.
type Compilable interface {
	Compile(c *Compiler) error
}

// Preflighter is a policy that answers preflight requests before the pipeline runs; see [Pipeline.Preflight].
type Preflighter interface {
	// Preflight sets x.Response and returns true when it answers the request. With false the response is a proposal: the next policy is asked.
	Preflight(x *Exec) (answered bool, err error)
}

// Stopgap is a policy that answers requests which no operation takes; see [Pipeline.Unmatched].
type Stopgap interface {
	// Unmatched sets x.Response and returns true when it answers the request.
	Unmatched(x *Exec) (answered bool)
}

// BodyUse says which bodies are read or replaced as a whole. Others stream.
type BodyUse uint8

// The uses of bodies.
const (
	UsesRequestBody BodyUse = 1 << iota
	UsesResponseBody
)

// Spec describes a policy beside its struct.
type Spec struct {
	// Name is the element name.
	Name string
	// Sections and Scopes are where it may stand. 0 means everywhere.
	Sections Section
	Scopes   Scope
	// OncePerSection allows it only once in a section of a document.
	OncePerSection bool
	// Body is which bodies it reads or replaces in every use; a Compilable adds what depends on its settings with [Compiler.UsesBody].
	// Expressions are looked at by the engine.
	Body BodyUse
	// NoHandshake is set for policies that WebSocket APIs do not have: their handshakes skip them, and documents of their operation are refused
	// (https://learn.microsoft.com/azure/api-management/websocket-api, "Unsupported policies").
	NoHandshake bool
	// Calls is whom the policy calls when it runs, in words; empty for nobody.
	Calls string
	// NotOn are the gateways of API Management that do not have the policy.
	NotOn Gateway
	// Flow is where its values go.
	Flow Flow
	// Doc is one paragraph for the reference page.
	Doc string
}

// Definition is a policy for a catalogue.
type Definition struct {
	Spec
	make func() Runner
}

// Define makes a definition from a struct type.
func Define[T any, P interface {
	*T
	Runner
}](s Spec) Definition {
	if s.Sections == 0 {
		s.Sections = AnySection
	}
	if s.Scopes == 0 {
		s.Scopes = AnyScope
	}
	return Definition{Spec: s, make: func() Runner { return P(new(T)) }}
}

package policy

// Section is a set of sections of a policy document; most often of one.
type Section uint8

// The sections, in the order in which a request runs them.
const (
	Inbound Section = 1 << iota
	Backend
	Outbound
	OnError

	AnySection = Inbound | Backend | Outbound | OnError
)

const sectionCount = 4

// sectionNames are the element names, in the order of the constants.
var sectionNames = [sectionCount]string{"inbound", "backend", "outbound", "on-error"}

// String is the element name of a single section, as context.LastError.Section shows it; "" for none or several.
func (s Section) String() string {
	if i := s.index(); i >= 0 {
		return sectionNames[i]
	}
	return ""
}

// index is the position of a single section, -1 for none or several.
func (s Section) index() int {
	for i := range sectionCount {
		if s == 1<<i {
			return i
		}
	}
	return -1
}

// sectionNamed returns the section with the element name, 0 when there is none.
func sectionNamed(name string) Section {
	for i, n := range sectionNames {
		if n == name {
			return 1 << i
		}
	}
	return 0
}

// Scope is a set of scopes at which a policy document stands; most often one.
type Scope uint8

// The scopes from broad to narrow.
const (
	ScopeService Scope = 1 << iota
	ScopeWorkspace
	ScopeProduct
	ScopeAPI
	ScopeOperation
	// ScopeResolver is that of the documents of GraphQL resolvers, which have no sections and inherit nothing.
	ScopeResolver

	AnyScope = ScopeService | ScopeWorkspace | ScopeProduct | ScopeAPI | ScopeOperation | ScopeResolver
)

// String is the name of a single scope as context.LastError.Scope shows it: the service's is "global".
func (s Scope) String() string {
	switch s {
	case ScopeService:
		return "global"
	case ScopeWorkspace:
		return "workspace"
	case ScopeProduct:
		return "product"
	case ScopeAPI:
		return "api"
	case ScopeOperation:
		return "operation"
	case ScopeResolver:
		return "resolver"
	}
	return ""
}

package snapshot

// KindDiagnostic is the kind of the parts that are a [Diagnostic].
const KindDiagnostic Kind = "diagnostic"

// Diagnostic says what of the requests of a service, of a workspace or of an API is sent to a logger. That of an API takes the place of its
// workspace's of the same name, and that of a workspace the place of the service's.
type Diagnostic struct {
	// Name is lower-case: applicationinsights, azuremonitor or another one.
	Name string `json:"name"`
	// Logger is the path of the logger's part, such as "loggers/insights".
	Logger string `json:"logger"`
	// Percentage of the requests is sent; with ErrorsAlways those that failed whatever it says.
	Percentage   float64 `json:"percentage"`
	ErrorsAlways bool    `json:"errorsAlways,omitempty"`
	LogClientIP  bool    `json:"logClientIp,omitempty"`
	// Correlation is None, Legacy or W3C, Verbosity verbose, information or error, OperationName Name or Url.
	Correlation   string `json:"correlation,omitempty"`
	Verbosity     string `json:"verbosity,omitempty"`
	OperationName string `json:"operationName,omitempty"`
	// Metrics says that measurements of emit-metric are sent.
	Metrics          bool            `json:"metrics,omitempty"`
	FrontendRequest  MessageLog      `json:"frontendRequest,omitzero"`
	FrontendResponse MessageLog      `json:"frontendResponse,omitzero"`
	BackendRequest   MessageLog      `json:"backendRequest,omitzero"`
	BackendResponse  MessageLog      `json:"backendResponse,omitzero"`
	LanguageModel    *ModelExchanges `json:"languageModel,omitempty"`
}

// MessageLog says what of a message is sent.
type MessageLog struct {
	Headers []string `json:"headers,omitempty"`
	// Bytes of the body are sent, from its start.
	Bytes int `json:"bytes,omitempty"`
	// MaskedHeaders and MaskedQuery are the fields and query parameters that are hidden, lower-case, with Mask or Hide; * is for all others.
	MaskedHeaders map[string]string `json:"maskedHeaders,omitempty"`
	MaskedQuery   map[string]string `json:"maskedQuery,omitempty"`
}

// ModelExchanges says that what language models are asked and answer is logged: their tokens, and so many bytes of the messages.
type ModelExchanges struct {
	RequestBytes  int `json:"requestBytes,omitempty"`
	ResponseBytes int `json:"responseBytes,omitempty"`
}

// RequestLimit is how many bytes of what is asked are logged; 0 of nothing.
func (m *ModelExchanges) RequestLimit() int {
	if m == nil {
		return 0
	}
	return max(m.RequestBytes, modelHead)
}

// ResponseLimit is the same for answers.
func (m *ModelExchanges) ResponseLimit() int {
	if m == nil {
		return 0
	}
	return max(m.ResponseBytes, modelHead)
}

// modelHead is how much of a message is looked at for names and counts.
const modelHead = 256 << 10

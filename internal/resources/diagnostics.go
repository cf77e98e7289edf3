package resources

import (
	"cmp"
	"strings"

	"github.com/causeway-apim/causeway/internal/arm"
	"github.com/causeway-apim/causeway/internal/resource"
	"github.com/causeway-apim/causeway/internal/snapshot"
)

// Diagnostic says what of requests is sent to a logger.
type Diagnostic struct {
	LoggerID                string              `json:"loggerId" rule:"required,ref=loggers" filter:"yes" doc:"Where it is sent."`
	AlwaysLog               string              `json:"alwaysLog,omitempty" rule:"enum=allErrors" doc:"What is sent whatever the sampling says."`
	Sampling                *Sampling           `json:"sampling,omitempty" doc:"Share of the requests that is sent; all by default."`
	Frontend                *PipelineDiagnostic `json:"frontend,omitempty" doc:"What of the messages between client and gateway is sent."`
	Backend                 *PipelineDiagnostic `json:"backend,omitempty" doc:"What of the messages between gateway and backend service is sent."`
	LogClientIP             bool                `json:"logClientIp" doc:"Send the client's address."`
	HTTPCorrelationProtocol string              `json:"httpCorrelationProtocol,omitempty" rule:"enum=None|Legacy|W3C" doc:"How requests are tied to those of others, for Application Insights."`
	Verbosity               string              `json:"verbosity,omitempty" rule:"enum=verbose|information|error" doc:"Least level of what the trace policy sends."`
	OperationNameFormat     string              `json:"operationNameFormat,omitempty" rule:"enum=Name|Url" doc:"What operations are called, for Application Insights."`
	Metrics                 *bool               `json:"metrics,omitempty" doc:"Send what the emit-metric policy measures, for Application Insights."`
	LargeLanguageModel      *ModelDiagnostic    `json:"largeLanguageModel,omitempty" doc:"What language models are asked and answer, for azuremonitor."`
}

// ModelDiagnostic says what of the exchanges with language models is sent.
type ModelDiagnostic struct {
	Logs      string         `json:"logs,omitempty" rule:"enum=enabled|disabled" doc:"Send names of models and counts of tokens."`
	Requests  *ModelMessages `json:"requests,omitempty" doc:"Of what is asked."`
	Responses *ModelMessages `json:"responses,omitempty" doc:"Of what is answered."`
}

// ModelMessages says what of messages is sent.
type ModelMessages struct {
	Messages       string `json:"messages,omitempty" rule:"enum=all" doc:"Which messages."`
	MaxSizeInBytes *int   `json:"maxSizeInBytes,omitempty" rule:"min=1,max=262144" doc:"How much of them; 32768 by default."`
}

// Sampling is a share of the requests.
type Sampling struct {
	SamplingType string   `json:"samplingType,omitempty" rule:"enum=fixed" doc:"How requests are chosen."`
	Percentage   *float64 `json:"percentage,omitempty" rule:"min=0,max=100" doc:"Share in percent."`
}

// PipelineDiagnostic says what of a request and its answer is sent.
type PipelineDiagnostic struct {
	Request  *MessageDiagnostic `json:"request,omitempty" doc:"Of the request."`
	Response *MessageDiagnostic `json:"response,omitempty" doc:"Of the answer."`
}

// MessageDiagnostic says what of a message is sent.
type MessageDiagnostic struct {
	Headers     []string        `json:"headers,omitempty" rule:"max=100" doc:"Headers that are sent."`
	Body        *BodyDiagnostic `json:"body,omitempty" doc:"How much of the body is sent."`
	DataMasking *DataMasking    `json:"dataMasking,omitempty" doc:"What is hidden."`
}

// BodyDiagnostic says how much of a body is sent.
type BodyDiagnostic struct {
	Bytes *int `json:"bytes,omitempty" rule:"min=0,max=8192" doc:"Bytes from its start."`
}

// DataMasking says what is hidden.
type DataMasking struct {
	QueryParams []MaskedEntity `json:"queryParams,omitempty" rule:"max=100" doc:"Query parameters."`
	Headers     []MaskedEntity `json:"headers,omitempty" rule:"max=100" doc:"Headers."`
}

// MaskedEntity is a header or query parameter that is hidden.
type MaskedEntity struct {
	Value string `json:"value,omitempty" rule:"max=300" doc:"Its name; * for all."`
	Mode  string `json:"mode,omitempty" rule:"enum=Mask|Hide" doc:"Mask shows that there was a value, Hide does not."`
}

func diagnostics(parent, title string) *resource.Type {
	return resource.Define(resource.Spec[Diagnostic]{
		Name: "diagnostics", Title: title, Doc: "What of requests is sent to a logger. Its name says what kind of logger: applicationinsights, azuremonitor or local.",
		Parents: []string{parent}, Workspaces: true, Verbs: resource.CRUDL,
		Check: func(_ *resource.Tx, _, d *resource.Doc[Diagnostic]) error {
			p := d.Props
			if p.OperationNameFormat != "" && !strings.EqualFold(d.Name(), "applicationinsights") {
				return arm.Invalid("operationNameFormat", "operationNameFormat belongs to the diagnostic applicationinsights.")
			}
			return nil
		},
		Publish: func(p *resource.Pub, d *resource.Doc[Diagnostic]) error {
			part, err := diagnosticPart(p, d)
			if err != nil {
				return err
			}
			return p.Add(snapshot.KindDiagnostic, d.ID.Rel(), part)
		},
	})
}

// defaultModelBytes of the messages of a language model are sent unless a diagnostic says otherwise.
const defaultModelBytes = 32 << 10

func diagnosticPart(p *resource.Pub, d *resource.Doc[Diagnostic]) (part snapshot.Diagnostic, err error) {
	logger, err := p.Resolve(d.Props.LoggerID)
	if err != nil {
		return part, err
	}
	props := &d.Props
	part = snapshot.Diagnostic{
		Name: strings.ToLower(d.Name()), Logger: logger.Rel(), Percentage: 100, ErrorsAlways: props.AlwaysLog != "", LogClientIP: props.LogClientIP,
		Correlation: props.HTTPCorrelationProtocol, Verbosity: props.Verbosity, OperationName: props.OperationNameFormat,
		Metrics: props.Metrics != nil && *props.Metrics,
	}
	if s := props.Sampling; s != nil && s.Percentage != nil {
		part.Percentage = *s.Percentage
	}
	part.FrontendRequest, part.FrontendResponse = messageLogs(props.Frontend)
	part.BackendRequest, part.BackendResponse = messageLogs(props.Backend)
	if m := props.LargeLanguageModel; m != nil && m.Logs == "enabled" {
		part.LanguageModel = &snapshot.ModelExchanges{RequestBytes: modelBytes(m.Requests), ResponseBytes: modelBytes(m.Responses)}
	}
	return part, nil
}

func modelBytes(m *ModelMessages) int {
	switch {
	case m == nil || m.Messages == "":
		return 0
	case m.MaxSizeInBytes == nil:
		return defaultModelBytes
	}
	return *m.MaxSizeInBytes
}

func messageLogs(p *PipelineDiagnostic) (request, response snapshot.MessageLog) {
	if p == nil {
		return request, response
	}
	return messageLog(p.Request), messageLog(p.Response)
}

func messageLog(m *MessageDiagnostic) (log snapshot.MessageLog) {
	if m == nil {
		return log
	}
	log.Headers = m.Headers
	if m.Body != nil && m.Body.Bytes != nil {
		log.Bytes = *m.Body.Bytes
	}
	if m.DataMasking != nil {
		log.MaskedHeaders, log.MaskedQuery = maskedNames(m.DataMasking.Headers), maskedNames(m.DataMasking.QueryParams)
	}
	return log
}

func maskedNames(list []MaskedEntity) map[string]string {
	if len(list) == 0 {
		return nil
	}
	names := make(map[string]string, len(list))
	for _, e := range list {
		names[strings.ToLower(e.Value)] = cmp.Or(e.Mode, "Mask")
	}
	return names
}

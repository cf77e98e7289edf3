package resources

import (
	"strings"

	"github.com/causeway-apim/causeway/internal/arm"
	"github.com/causeway-apim/causeway/internal/resource"
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
	})
}

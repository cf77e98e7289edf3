package policies

import (
	"context"
	"strings"
	"time"

	"github.com/causeway-apim/causeway/internal/csharp"
	"github.com/causeway-apim/causeway/internal/message"
	"github.com/causeway-apim/causeway/internal/policy"
	"github.com/causeway-apim/causeway/internal/xmlx"
	"github.com/causeway-apim/causeway/internal/xmlx/xslt"
)

// XSLTransform is the xsl-transform policy.
var XSLTransform = policy.Define[xslTransform](policy.Spec{
	Name:        "xsl-transform",
	NoHandshake: true,
	Sections:    policy.Inbound | policy.Outbound,
	Flow:        policy.FlowMessage,
	Doc:         "Applies an XSLT 1.0 stylesheet to the XML in the body of the request (inbound) or of the response (outbound).",
})

type xslTransform struct {
	Parameters []*xslParameter `elem:"parameter" doc:"Value of a parameter of the stylesheet."`
	Stylesheet string          `elem:"xsl:stylesheet,outer" doc:"The stylesheet, XSLT 1.0."`
	Transform  string          `elem:"xsl:transform,outer" doc:"The same under its other name."`

	sheet *xslt.Stylesheet
}

type xslParameter struct {
	Name  string            `attr:"name" doc:"Name of the parameter."`
	Older string            `attr:"parameter-name" doc:"The same, as older documents have it."`
	Value policy.Value[any] `text:"" doc:"Its value: a text, or what an expression gives."`
}

// maxTransformTime bounds one transformation besides its budget of steps.
const maxTransformTime = 10 * time.Second

// Compile compiles the stylesheet.
func (p *xslTransform) Compile(c *policy.Compiler) (err error) {
	usesSectionBody(c)
	text := p.Stylesheet
	switch {
	case text != "" && p.Transform != "":
		c.Errorf("DuplicateElement", "<xsl-transform> must have only one stylesheet")
		return nil
	case text == "":
		text = p.Transform
	}
	if text == "" {
		c.Errorf("MissingElement", "<xsl-transform> must have an element <xsl:stylesheet>")
		return nil
	}
	p.Stylesheet, p.Transform = "", ""
	if p.sheet, err = xslt.Compile([]byte(text)); err != nil {
		c.Errorf("InvalidStylesheet", "the stylesheet is not valid: %s", err)
	}
	return nil
}

// Compile checks that the parameter has a name.
func (p *xslParameter) Compile(c *policy.Compiler) error {
	if (p.Name == "") == (p.Older == "") {
		c.Errorf("MissingAttribute", `<parameter> must have the attribute "name"`)
	}
	if p.Name == "" {
		p.Name = p.Older
	}
	return nil
}

func (p *xslTransform) Run(x *policy.Exec) error {
	body, err := readBody(x)
	if err != nil || len(body) == 0 {
		return err
	}
	source, err := xmlx.Parse(body)
	if err != nil {
		return &policy.Error{Reason: "InvalidBody", Message: "The body is not valid XML: " + err.Error() + ".", Err: err}
	}
	values := make(map[string]any, len(p.Parameters))
	for _, parameter := range p.Parameters {
		v, err := parameter.Value.Get(x)
		if err != nil {
			return err
		}
		values[parameter.Name] = xslValue(v)
	}
	ctx, cancel := context.WithTimeout(x.Context(), maxTransformTime)
	defer cancel()
	result, err := p.sheet.Transform(ctx, source, xslt.Options{Parameters: values, MaxOutput: policy.MaxBody})
	if err != nil {
		return &policy.Error{Reason: "TransformationFailure", Message: "The body cannot be transformed: " + err.Error() + ".", Err: err}
	}
	x.SetBody(result.Body)
	labelResult(x.Header(), &result)
	return nil
}

// xslValue is a value of an expression as XSLT knows it: numbers and booleans stay such.
func xslValue(v any) any {
	switch v := v.(type) {
	case nil:
		return ""
	case bool, string, float64:
		return v
	case int:
		return float64(v)
	case int32:
		return float64(v)
	case int64:
		return float64(v)
	case float32:
		return float64(v)
	}
	return csharp.FormatValue(v)
}

// labelResult says what the result is where the Content-Type does not: a message without one gets that of the method, and a charset that is no
// longer true goes.
func labelResult(h *message.Header, r *xslt.Result) {
	sent := h.Get("Content-Type")
	if sent == "" {
		h.Set("Content-Type", defaultMediaType(r)+"; charset="+r.Encoding)
		return
	}
	name, _, parameters := strings.Cut(sent, ";")
	if parameters && strings.Contains(strings.ToLower(sent), "charset") && !strings.Contains(strings.ToLower(sent), r.Encoding) {
		h.Set("Content-Type", strings.TrimSpace(name)+"; charset="+r.Encoding)
	}
}

func defaultMediaType(r *xslt.Result) string {
	switch {
	case r.MediaType != "":
		return r.MediaType
	case r.Method == "html":
		return "text/html"
	case r.Method == "text":
		return "text/plain"
	}
	return "application/xml"
}

package policies

import (
	"errors"
	"fmt"

	"github.com/causeway-apim/causeway/internal/policy"
)

// EmitMetric is the emit-metric policy.
var EmitMetric = policy.Define[emitMetric](policy.Spec{
	Name: "emit-metric",
	Flow: policy.FlowLog,
	Doc:  "Reports a measurement of the request with its dimensions.",
})

type emitMetric struct {
	Name       string                `attr:"name,required" doc:"Name of the metric."`
	Namespace  string                `attr:"namespace" default:"API Management" doc:"Namespace of the metric."`
	Value      policy.Value[float64] `attr:"value" default:"1" doc:"The measurement."`
	Dimensions []metricDimension     `elem:"dimension,required" doc:"A name and a value by which measurements are told apart."`
}

type metricDimension struct {
	Name  policy.Value[string] `attr:"name,required" doc:"Name; API ID, Operation ID, Product ID, User ID, Subscription ID, Location and Gateway ID need no value."`
	Value policy.Value[string] `attr:"value" doc:"Value."`
}

// Compile checks the number of dimensions.
func (p *emitMetric) Compile(*policy.Compiler) error {
	const most = 10
	if n := len(p.Dimensions); n > most {
		return fmt.Errorf("a metric has at most %d dimensions, not %d", most, n)
	}
	return nil
}

// Compile wants a value where the name does not stand for one.
func (d *metricDimension) Compile(*policy.Compiler) error {
	if name, ok := d.Name.Constant(); ok && !d.Value.IsSet() && !isKnownDimension(name) {
		return errors.New("a dimension needs a value, unless its name is one of those that the gateway knows")
	}
	return nil
}

func (p *emitMetric) Run(x *policy.Exec) error {
	value, err := p.Value.Get(x)
	if err != nil {
		return err
	}
	m := policy.Metric{Namespace: p.Namespace, Name: p.Name, Value: value, Dimensions: make([]policy.Dimension, 0, len(p.Dimensions))}
	for i := range p.Dimensions {
		d, err := p.Dimensions[i].get(x)
		if err != nil {
			return err
		}
		m.Dimensions = append(m.Dimensions, d)
	}
	x.Host.Metric(x.Context(), m)
	return nil
}

func (d *metricDimension) get(x *policy.Exec) (out policy.Dimension, err error) {
	if out.Name, err = d.Name.Get(x); err != nil {
		return out, err
	}
	if d.Value.IsSet() {
		out.Value, err = d.Value.Get(x)
		return out, err
	}
	if !isKnownDimension(out.Name) {
		return out, &policy.Error{Message: fmt.Sprintf("Dimension %s has no value.", out.Name)}
	}
	out.Value = knownDimension(x, out.Name)
	return out, nil
}

// knownDimension is the value of a dimension that the gateway knows; "" where the request has none.
func knownDimension(x *policy.Exec, name string) string {
	switch {
	case name == "API ID" && x.API != nil:
		return x.API.Name
	case name == "Operation ID" && x.Operation != nil:
		return x.Operation.Name
	case name == "Product ID" && x.Product != nil:
		return x.Product.Name
	case name == "User ID" && x.User != nil:
		return x.User.Name
	case name == "Subscription ID" && x.Subscription != nil:
		return x.Subscription.Name
	case name == "Location":
		return x.Deployment.Region
	case name == "Gateway ID":
		return x.Deployment.GatewayID
	}
	return ""
}

// isKnownDimension says whether the gateway knows the value of a dimension.
func isKnownDimension(name string) bool {
	switch name {
	case "API ID", "Operation ID", "Product ID", "User ID", "Subscription ID", "Location", "Gateway ID":
		return true
	}
	return false
}

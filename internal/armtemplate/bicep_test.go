package armtemplate_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/causeway-apim/causeway/internal/armtemplate"
)

// TestRecentFunctions shows the functions that Bicep has got lately; the expectations are those of its samples.
func TestRecentFunctions(t *testing.T) {
	t.Parallel()
	for expression, want := range map[string]string{
		"[like('abc', 'ABC')]":          `true`,
		"[like('abcdef', 'a*c*')]":      `true`,
		"[like('abcabc', '*abc')]":      `true`,
		"[like('aXbYa', 'a*b*a')]":      `true`,
		"[like('', '***')]":             `true`,
		"[like('a', 'b')]":              `false`,
		"[like('abc', 'a*d')]":          `false`,
		"[like('a', 'a*a')]":            `false`,
		"[like('abc**def', '*def')]":    `true`,
		"[distinct(variables('l'))]":    `["one","two","three"]`,
		"[distinct(range(0, 2))]":       `[0,1]`,
		"[distinct(createArray(1, 1))]": `[1]`,
		"[distinct(createArray('b', 'a', 'b', createObject('x', 1), createObject('x', 1)))]":          `["b","a",{"x":1}]`,
		"[parseUri('https://host.example:8443/a/b?q=1')]":                                             `{"scheme":"https","host":"host.example","port":8443,"path":"/a/b","query":"q=1"}`,
		"[parseUri('http://host.example')]":                                                           `{"scheme":"http","host":"host.example","port":80,"path":"/","query":""}`,
		"[buildUri(createObject('scheme', 'https', 'host', 'h.example', 'path', 'a b', 'port', 81))]": `"https://h.example:81/a%20b"`,
		"[buildUri(createObject('scheme', 'https', 'host', 'h.example', 'query', '?q=1'))]":           `"https://h.example/?q=1"`,
		"[buildUri(parseUri('https://h.example/x?y=z'))]":                                             `"https://h.example/x?y=z"`,
		"[toPhysicalZone('s', 'westeurope', '2')]":                                                    `"westeurope-az2"`,
		"[toPhysicalZones('s', 'West Europe', createArray('1', '2'))]":                                `["westeurope-az1","westeurope-az2"]`,
		"[toLogicalZone('s', 'westeurope', 'westeurope-az3')]":                                        `"3"`,
		"[toLogicalZones('s', 'westeurope', createArray('westeurope-az3'))]":                          `["3"]`,
		"[resourceId('Microsoft.ApiManagement/service/', 'x')]":                                       `"/subscriptions/` + sub + `/resourceGroups/demo/providers/Microsoft.ApiManagement/service/x"`,
		"[deployer().userPrincipalName]":                                                              `"ada"`,
	} {
		if got, err := evaluate(t, expression); err != nil || got != want {
			t.Errorf("%s: %s, %v; want %s", expression, got, err, want)
		}
	}
	for expression, want := range map[string]string{
		"[parseUri('nothing')]":                         "not an absolute URI",
		"[buildUri(createObject('scheme', 'https'))]":   "needs a scheme and a host",
		"[toLogicalZone('s', 'westeurope', 'other-1')]": "no zone",
		"[toPhysicalZone('s', 'westeurope', 'x')]":      "no zone",
	} {
		if got, err := evaluate(t, expression); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %s, %v; want an error with %q", expression, got, err, want)
		}
	}
}

// TestTypesWithoutAName shows that a parameter, a member or an output without a type takes any value (language version 2.0).
func TestTypesWithoutAName(t *testing.T) {
	t.Parallel()
	const any = `{"languageVersion": "2.0", "parameters": {"p": {"metadata": {"description": "any"}}, "q": {"nullable": true}}, "resources": {},
		"definitions": {"d": {}}, "outputs": {"o": {"value": "[parameters('p')]"}, "r": {"$ref": "#/definitions/d", "value": [1]}}}`
	for given, want := range map[string]string{`"x"`: `{"type":"String","value":"x"}`, `[1]`: `{"type":"Array","value":[1]}`, `true`: `{"type":"Bool","value":true}`, `{"a": 1}`: `{"type":"Object","value":{"a":1}}`} {
		d, err := open(t, any, `{"p": {"value": `+given+`}}`)
		if err != nil {
			t.Fatal(err)
		}
		shown, _, err := d.Outputs(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if b, err := shown.Object("o").MarshalJSON(); err != nil || string(b) != want {
			t.Errorf("%s: %s, %v", given, b, err)
		}
		if b, _ := d.Parameters().Object("p").MarshalJSON(); string(b) != want {
			t.Errorf("the parameter %s: %s", given, b)
		}
	}
	if _, err := open(t, `{"parameters": {"p": {}}, "resources": []}`, `{"p": {"value": 1}}`); err == nil {
		t.Error("the first version of the language needs a type")
	}
}

// TestTemplatesThatAreRefusedAtOnce shows what is found before anything is deployed.
func TestTemplatesThatAreRefusedAtOnce(t *testing.T) {
	t.Parallel()
	for template, want := range map[string]string{
		`{"resources": [], "outputs": {"o": {"type": "string", "value": "[nothing('x')]"}}}`:                          "'nothing' is not valid",
		`{"resources": [], "variables": {"unused": {"deep": ["[if(true(), 'a', foo().b[bar()])]"]}}}`:                 "'foo' is not valid",
		`{"resources": {"a": {"extension": "microsoftGraphV1", "type": "Microsoft.Graph/groups@v1.0", "name": "x"}}}`: "extension 'microsoftGraphV1'",
		`{"resources": {"a": {"import": "kubernetes", "type": "core/Service@v1", "properties": {}}}}`:                 "extension 'kubernetes'",
	} {
		d, err := open(t, template, "")
		if err == nil {
			_, err = d.Plan()
		}
		if e, ok := errors.AsType[*armtemplate.Error](err); !ok || !strings.Contains(e.Message, want) {
			t.Errorf("%s: %v; want an error with %q", template, err, want)
		}
	}
}

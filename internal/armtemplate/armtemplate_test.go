package armtemplate_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/causeway-apim/causeway/internal/armtemplate"
)

// world answers reference() with the ID that it was asked for.
type world struct{}

func (world) Reference(_ context.Context, id, _ string) (*armtemplate.Object, error) {
	return armtemplate.NewObject("id", id, "properties", armtemplate.NewObject("of", id)), nil
}

func (world) List(_ context.Context, fn, id, _ string, _ armtemplate.Value) (armtemplate.Value, error) {
	return armtemplate.NewObject("fn", fn, "id", id), nil
}

func (world) Providers(context.Context, string) (*armtemplate.Object, error) {
	return armtemplate.NewObject(), nil
}

func (world) Now() time.Time  { return time.Date(2026, 3, 4, 15, 6, 7, 0, time.UTC) }
func (world) NewGUID() string { return "11111111-2222-4333-8444-555555555555" }

const sub = "00000000-0000-0000-0000-000000000001"

func scope() armtemplate.Scope {
	return armtemplate.Scope{
		Subscription: sub, ResourceGroup: "demo", Tenant: "t", Name: "main", DeployerName: "ada",
		Group:   armtemplate.NewObject("id", "/subscriptions/"+sub+"/resourceGroups/demo", "name", "demo", "location", "westeurope"),
		Account: armtemplate.NewObject("subscriptionId", sub),
	}
}

func open(t *testing.T, template, params string) (*armtemplate.Deployment, error) {
	t.Helper()
	parsed, err := armtemplate.Parse([]byte(template))
	if err != nil {
		return nil, err
	}
	given := &armtemplate.Object{}
	if params != "" {
		if err := given.UnmarshalJSON([]byte(params)); err != nil {
			t.Fatal(err)
		}
	}
	return armtemplate.New(t.Context(), parsed, given, scope(), world{})
}

func evaluate(t *testing.T, expression string) (string, error) {
	t.Helper()
	quoted, _ := json.Marshal(expression)
	d, err := open(t, `{"resources": [], "variables": {"o": {"one": 1, "Two": {"a": "x"}}, "l": ["one", "two", "three"], "dogs": [
		{"name": "Evie", "age": 5, "interests": ["Ball", "Frisbee"]}, {"name": "Casper", "age": 3, "interests": ["Other dogs"]},
		{"name": "Indy", "age": 2, "interests": ["Butter"]}, {"name": "Kira", "age": 8, "interests": ["Rubs"]}]},
		"outputs": {"it": {"type": "object", "value": {"v": `+string(quoted)+`}}}}`, "")
	if err != nil {
		return "", err
	}
	shown, _, err := d.Outputs(t.Context())
	if err != nil {
		return "", err
	}
	v, _ := shown.Object("it").Object("value").Get("v")
	b, err := armtemplate.NewObject("v", v).MarshalJSON()
	return strings.TrimSuffix(strings.TrimPrefix(string(b), `{"v":`), "}"), err
}

// The expectations are those of the documentation's examples where it has some ("ARM template functions").
func TestFunctions(t *testing.T) {
	t.Parallel()
	for expression, want := range map[string]string{
		"[base64('one, two, three')]":                             `"b25lLCB0d28sIHRocmVl"`,
		"[base64ToString('b25lLCB0d28sIHRocmVl')]":                `"one, two, three"`,
		"[base64ToJson(base64('{\"one\": \"a\"}')).one]":          `"a"`,
		"[concat('prefix-', 'x', 1, true())]":                     `"prefix-x1True"`,
		"[concat(createArray('1-1'), createArray('2-1', '2-2'))]": `["1-1","2-1","2-2"]`,
		"[contains('OneTwoThree', 'e')]":                          `true`,
		"[contains(variables('o'), 'ONE')]":                       `true`,
		"[contains(variables('l'), 'four')]":                      `false`,
		"[dataUri('Hello')]":                                      `"data:text/plain;charset=utf8;base64,SGVsbG8="`,
		"[dataUriToString('data:;base64,SGVsbG8sIFdvcmxkIQ==')]":  `"Hello, World!"`,
		"[empty('')]":                 `true`,
		"[empty(null())]":             `true`,
		"[endsWith('abcdef', 'F')]":   `true`,
		"[startsWith('abcdef', 'e')]": `false`,
		"[first('One Two Three')]":    `"O"`,
		"[last(variables('l'))]":      `"three"`,
		"[format('{0}, {1}. Formatted number: {2:N0}', 'Hello', 'User', 8175133)]": `"Hello, User. Formatted number: 8,175,133"`,
		"[format('{{{0,4}|{1,-4}}}{2:D4}', 'a', 'b', 7)]":                          `"{   a|b   }0007"`,
		"[guid('a', 'b', 'c')]":                           `"` + nameGUID("a-b-c") + `"`,
		"[indexOf('abcdef', 'CD')]":                       `2`,
		"[lastIndexOf('test', 't')]":                      `3`,
		"[indexOf('abcdef', 'z')]":                        `-1`,
		"[indexOf(variables('l'), 'two')]":                `1`,
		"[join(variables('l'), ',')]":                     `"one,two,three"`,
		"[length('One Two Three')]":                       `13`,
		"[length(variables('o'))]":                        `2`,
		"[padLeft('123', 10, '0')]":                       `"0000000123"`,
		"[replace('123-123-1234', '-', '')]":              `"1231231234"`,
		"[skip('one two three', 4)]":                      `"two three"`,
		"[take(variables('l'), 2)]":                       `["one","two"]`,
		"[split('one;two,three', createArray(',', ';'))]": `["one","two","three"]`,
		"[string(variables('o'))]":                        `"{\"one\":1,\"Two\":{\"a\":\"x\"}}"`,
		"[substring('one two three', 4, 3)]":              `"two"`,
		"[toUpper(toLower('One'))]":                       `"ONE"`,
		"[trim('    one two   ')]":                        `"one two"`,
		"[uniqueString('/subscriptions/00000000-0000-0000-0000-000000000000', 'resource-id')]": `"cwvxuqg24sifi"`,
		"[uri('http://contoso.org/firstpath', 'myscript.sh')]":                                 `"http://contoso.org/myscript.sh"`,
		"[uri('http://contoso.com/resources/', 'nested/azuredeploy.json')]":                    `"http://contoso.com/resources/nested/azuredeploy.json"`,
		"[uriComponent('http://contoso.com/a b')]":                                             `"http%3A%2F%2Fcontoso.com%2Fa%20b"`,
		"[uriComponentToString('a%20b')]":                                                      `"a b"`,
		"[range(5, 3)]":                                                                        `[5,6,7]`,
		"[union(createArray('one', 'two'), createArray('two', 'four'))]":                       `["one","two","four"]`,
		"[union(variables('o'), createObject('two', createObject('b', 2)))]":                   `{"one":1,"Two":{"a":"x","b":2}}`,
		"[intersection(createArray(1, 2, 3), createArray(2, 3))]":                              `[2,3]`,
		"[intersection(createObject('a', 1, 'b', 2), createObject('a', 1, 'b', 3))]":           `{"a":1}`,
		"[items(createObject('b', 2, 'a', 1))]":                                                `[{"key":"a","value":1},{"key":"b","value":2}]`,
		"[objectKeys(createObject('b', 2, 'a', 1))]":                                           `["a","b"]`,
		"[shallowMerge(createArray(createObject('a', 1), createObject('b', 2)))]":              `{"a":1,"b":2}`,
		"[flatten(createArray(createArray(1), createArray(2, 3)))]":                            `[1,2,3]`,
		"[min(0, 3, 2)]":              `0`,
		"[max(createArray(0, 5, 2))]": `5`,
		"[map(variables('dogs'), lambda('dog', 'i', format('{0}{1}', lambdaVariables('i'), lambdaVariables('dog').name)))]":                                       `["0Evie","1Casper","2Indy","3Kira"]`,
		"[filter(range(0, 5), lambda('x', greater(lambdaVariables('x'), 2)))]":                                                                                    `[3,4]`,
		"[reduce(map(variables('dogs'), lambda('d', lambdaVariables('d').age)), 0, lambda('cur', 'next', add(lambdaVariables('cur'), lambdaVariables('next'))))]": `18`,
		"[map(sort(variables('dogs'), lambda('a', 'b', less(lambdaVariables('a').age, lambdaVariables('b').age))), lambda('d', lambdaVariables('d').name))]":      `["Indy","Casper","Evie","Kira"]`,
		"[toObject(variables('dogs'), lambda('d', lambdaVariables('d').name), lambda('d', lambdaVariables('d').age))]":                                            `{"Evie":5,"Casper":3,"Indy":2,"Kira":8}`,
		"[groupBy(createArray('foo', 'bar', 'baz'), lambda('x', substring(lambdaVariables('x'), 0, 1)))]":                                                         `{"f":["foo"],"b":["bar","baz"]}`,
		"[tryGet(variables('o'), 'two', 'a')]":                           `"x"`,
		"[tryGet(variables('o'), 'three', 'a')]":                         `null`,
		"[tryIndexFromEnd(variables('l'), 1)]":                           `"three"`,
		"[coalesce(null(), 'x')]":                                        `"x"`,
		"[if(equals(1, 2), variables('none'), 'no')]":                    `"no"`,
		"[and(true(), false(), variables('none'))]":                      `false`,
		"[or(not(true()), equals('a', 'a'))]":                            `true`,
		"[bool('1')]":                                                    `true`,
		"[int('4')]":                                                     `4`,
		"[div(8, 3)]":                                                    `2`,
		"[mod(7, 3)]":                                                    `1`,
		"[mul(5, sub(7, 3))]":                                            `20`,
		"[less('A', 'a')]":                                               `true`,
		"[json('{\"a\": 1.50}').a]":                                      `1.50`,
		"[json('null')]":                                                 `null`,
		"[dateTimeAdd('2020-04-07 14:53:14Z', 'P3Y')]":                   `"2023-04-07T14:53:14Z"`,
		"[dateTimeAdd('2020-04-07 14:53:14Z', '-P9D')]":                  `"2020-03-29T14:53:14Z"`,
		"[dateTimeAdd('2020-01-31 14:53:14Z', 'P1M', 'yyyy-MM-dd')]":     `"2020-02-29"`,
		"[dateTimeToEpoch('1970-01-02T00:00:00Z')]":                      `86400`,
		"[dateTimeFromEpoch(1683040573)]":                                `"2023-05-02T15:16:13Z"`,
		"[resourceId('Microsoft.ApiManagement/service/apis', 's', 'a')]": `"/subscriptions/` + sub + `/resourceGroups/demo/providers/Microsoft.ApiManagement/service/s/apis/a"`,
		"[resourceId('other', 'A.B/c', 'd')]":                            `"/subscriptions/` + sub + `/resourceGroups/other/providers/A.B/c/d"`,
		"[subscriptionResourceId('A.B/c', 'd')]":                         `"/subscriptions/` + sub + `/providers/A.B/c/d"`,
		"[tenantResourceId('A.B/c', 'd')]":                               `"/providers/A.B/c/d"`,
		"[extensionResourceId('/x/y', 'A.B/c', 'd')]":                    `"/x/y/providers/A.B/c/d"`,
		"[reference('/x/y/z').of]":                                       `"/x/y/z"`,
		"[reference('/x/y/z', '2020-01-01', 'Full').id]":                 `"/x/y/z"`,
		"[listKeys('/x/y', '2020-01-01').fn]":                            `"listKeys"`,
		"[resourceGroup().location]":                                     `"westeurope"`,
		"[deployment().name]":                                            `"main"`,
		"[parseCidr('10.144.0.0/20').lastUsable]":                        `"10.144.15.254"`,
		"[cidrSubnet('10.144.0.0/20', 24, 1)]":                           `"10.144.1.0/24"`,
		"[cidrHost('10.144.3.0/24', 0)]":                                 `"10.144.3.1"`,
		"[[not an expression]":                                           `"[not an expression]"`,
		"['it''s']":                                                      `"it's"`,
		"[variables('l')[sub(length(variables('l')), 1)]]":               `"three"`,
		"[variables('o')['TWO'].a]":                                      `"x"`,
	} {
		t.Run(expression, func(t *testing.T) {
			t.Parallel()
			if got, err := evaluate(t, expression); err != nil || got != want {
				t.Errorf("got %s, %v; want %s", got, err, want)
			}
		})
	}
}

// nameGUID gives the values of guid() that were made elsewhere: UUIDs of version 5.
func nameGUID(name string) string {
	return map[string]string{"a-b-c": "a98fa280-e03f-5afa-8d8e-92d0a9c201e8"}[name]
}

func TestBadExpressions(t *testing.T) {
	t.Parallel()
	for expression, want := range map[string]string{
		"[nothing()]":                     "'nothing' is not valid",
		"[concat('a']":                    "',' or ')' is expected",
		"[concat('a)]":                    "has no end",
		"[add(1)]":                        "called with 1 arguments",
		"[add(1, 'a')]":                   "to be an integer",
		"[add(9223372036854775807, 1)]":   "larger than an integer",
		"[div(1, 0)]":                     "divide by zero",
		"[variables('x')]":                "'x' is not found",
		"[variables('o').three]":          "available properties are 'one, Two'",
		"[variables('l')[3]]":             "out of bounds",
		"[newGuid()]":                     "default value of a parameter",
		"[copyIndex()]":                   "not expected at this location",
		"[resourceId('A.B/c/d', 'x')]":    "needs 2 names",
		"[lambda('x', 1)]":                "",
		"[fail('because')]":               "because",
		"[range(0, 100000)]":              "at most",
		"[padLeft('a', 99999999)]":        "padLeft",
		"[" + strings.Repeat("not(", 200): "",
	} {
		got, err := evaluate(t, expression)
		if strings.HasPrefix(expression, "[not(not") && err == nil {
			continue // it has no end and is a text
		}
		if e, ok := errors.AsType[*armtemplate.Error](err); !ok || !strings.Contains(e.Message, want) {
			t.Errorf("%s: got %s, %v; want an error with %q", expression, got, err, want)
		}
	}
}

func TestErrorsHaveAPlace(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		template, path string
		line           int
	}{
		{"{\n \"resources\": [],\n \"outputs\": {\"a\": {\"type\": \"string\",\n  \"value\": \"[concat('x']\"}}}", "outputs.a.value", 4},
		{"{\n \"resources\": [,]}", "", 2},
		{"{\"resources\": [\n{\"type\": \"A.B/c\", \"name\": \"x/y\", \"apiVersion\": \"2020-01-01\"}]}", "resources[0].name", 2},
		{"{\"resources\": [\n{\"type\": \"A.B/c\", \"name\": \"x\"}]}", "resources[0].apiVersion", 0},
	} {
		d, err := open(t, c.template, "")
		if err == nil {
			_, err = d.Plan()
		}
		e, ok := errors.AsType[*armtemplate.Error](err)
		if !ok || e.Code != armtemplate.CodeInvalidTemplate || e.Path != c.path || e.Line != c.line {
			t.Errorf("%s: got %#v", c.template, err)
		}
	}
}

func TestParameters(t *testing.T) {
	t.Parallel()
	const template = `{"resources": [], "definitions": {"color": {"type": "string", "allowedValues": ["red", "green"]}},
	"parameters": {
		"name": {"type": "string", "minLength": 2, "maxLength": 4},
		"key": {"type": "secureString", "defaultValue": "hidden"},
		"n": {"type": "int", "defaultValue": 3, "maxValue": 5},
		"now": {"type": "string", "defaultValue": "[utcNow('yyyy-MM-dd HH:mm')]"},
		"id": {"type": "string", "defaultValue": "[newGuid()]"},
		"color": {"$ref": "#/definitions/color", "nullable": true},
		"o": {"type": "object", "defaultValue": {"x": "[parameters('name')]"}, "properties": {"x": {"type": "string"}}, "additionalProperties": false}
	}}`
	d, err := open(t, template, `{"name": {"value": "[ab]"}}`)
	if err != nil {
		t.Fatal(err)
	}
	b, _ := d.Parameters().MarshalJSON()
	want := `{"name":{"type":"String","value":"[ab]"},"key":{"type":"SecureString"},"n":{"type":"Int","value":3},"now":{"type":"String","value":"2026-03-04 15:06"},` +
		`"id":{"type":"String","value":"11111111-2222-4333-8444-555555555555"},"color":{"type":"String","value":null},"o":{"type":"Object","value":{"x":"[ab]"}}}`
	if string(b) != want {
		t.Errorf("got  %s\nwant %s", b, want)
	}
	for params, want := range map[string]string{
		`{}`:                       "'name' is not provided",
		`{"name": {"value": "a"}}`: "below the minimum 2",
		`{"name": {"value": 1}}`:   "not of the expected type 'String'",
		`{"name": {"value": "ab"}, "n": {"value": 6}}`:                             "above the maximum 5",
		`{"name": {"value": "ab"}, "color": {"value": "blue"}}`:                    "not part of the allowed values",
		`{"name": {"value": "ab"}, "o": {"value": {"y": 1}}}`:                      "'x' is missing",
		`{"name": {"value": "ab"}, "zzz": {"value": 1}}`:                           "do not correspond to any parameters",
		`{"name": {"reference": {"keyVault": {"id": "/x/y"}, "secretName": "s"}}}`: "Azure Key Vault",
	} {
		if _, err := open(t, template, params); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", params, err, want)
		}
	}
}

func plan(t *testing.T, template string) []*armtemplate.Resource {
	t.Helper()
	d, err := open(t, template, "")
	if err != nil {
		t.Fatal(err)
	}
	list, err := d.Plan()
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func TestPlan(t *testing.T) {
	t.Parallel()
	list := plan(t, `{"resources": [
		{"type": "A.B/c/d", "apiVersion": "2020-01-01", "name": "[concat('x/', copyIndex(1))]", "copy": {"name": "loop", "count": 3, "mode": "serial"},
		 "properties": {"ref": "[reference('later').of]", "copy": [{"name": "list", "count": 2, "input": "[copyIndex('list', 10)]"}], "i": "[copyIndex()]"}},
		{"type": "A.B/last", "apiVersion": "2020-01-01", "name": "last", "dependsOn": ["loop"]},
		{"type": "A.B/later", "apiVersion": "2020-01-01", "name": "later"},
		{"type": "A.B/c", "apiVersion": "2020-01-01", "name": "x", "resources": [{"type": "e", "apiVersion": "2020-01-01", "name": "inner", "condition": "[equals(1, 2)]"}]}
	]}`)
	var got []string
	for _, r := range list {
		name := r.Type + ":" + r.Name
		if r.Skipped {
			name += "-"
		}
		got = append(got, name)
	}
	if s := strings.Join(got, " "); s != "A.B/later:later A.B/c:x A.B/c/d:x/1 A.B/c/d:x/2 A.B/c/d:x/3 A.B/last:last A.B/c/e:x/inner-" {
		t.Error(s)
	}
	body, err := list[3].Body(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	b, _ := body.MarshalJSON()
	if want := `{"properties":{"ref":"/subscriptions/` + sub + `/resourceGroups/demo/providers/A.B/later/later","list":[10,11],"i":1}}`; string(b) != want {
		t.Errorf("got %s, want %s", b, want)
	}
}

func TestSymbolicNames(t *testing.T) {
	t.Parallel()
	list := plan(t, `{"languageVersion": "2.0", "resources": {
		"apis": {"copy": {"name": "apis", "count": 2}, "type": "A.B/c/d", "apiVersion": "2020-01-01", "name": "[format('x/{0}', copyIndex())]", "dependsOn": ["svc"]},
		"lock": {"type": "Microsoft.Authorization/locks", "apiVersion": "2020-05-01", "scope": "[resourceId('A.B/c', 'x')]", "name": "l", "dependsOn": ["apis"]},
		"link": {"type": "A.B/c/e", "apiVersion": "2020-01-01", "name": "x/l", "properties": {"to": "[reference(format('apis[{0}]', 1)).of]"}},
		"svc": {"existing": true, "type": "A.B/c", "apiVersion": "2020-01-01", "name": "x"}
	}}`)
	var got []string
	for _, r := range list {
		got = append(got, r.ID[strings.Index(r.ID, "/providers/")+11:])
	}
	if s := strings.Join(got, " "); s != "A.B/c/x A.B/c/x/d/0 A.B/c/x/d/1 A.B/c/x/providers/Microsoft.Authorization/locks/l A.B/c/x/e/l" || !list[0].Existing {
		t.Error(s)
	}
	if d := list[4].DependsOn; len(d) != 2 || d[0].Name != "x/1" {
		t.Errorf("the link depends on %v", d)
	}
}

func TestPlanErrors(t *testing.T) {
	t.Parallel()
	const head = `{"resources": [{"type": "A.B/c", "apiVersion": "2020-01-01", `
	for template, want := range map[string]string{
		head + `"name": "a", "dependsOn": ["b"]}, {"type": "A.B/c", "apiVersion": "2020-01-01", "name": "b", "dependsOn": ["a"]}]}`: "circular dependency",
		head + `"name": "a", "dependsOn": ["zzz"]}]}`:                                                                     "'zzz' is not defined",
		head + `"name": "a"}, {"type": "A.B/c", "apiVersion": "2020-01-01", "name": "A"}]}`:                               "more than once",
		head + `"name": "[concat('a', copyIndex())]", "copy": {"name": "l", "count": 801}}]}`:                             "from 0 to 800",
		head + `"name": "[reference('x').y]"}]}`:                                                                          "is not defined",
		`{"variables": {"a": "[variables('b')]", "b": "[variables('a')]"}, ` + head[1:] + `"name": "[variables('a')]"}]}`: "refers to itself",
	} {
		d, err := open(t, template, "")
		if err == nil {
			_, err = d.Plan()
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", template, err, want)
		}
	}
}

func TestUserFunctionsAndOutputs(t *testing.T) {
	t.Parallel()
	d, err := open(t, `{"resources": [], "functions": [{"namespace": "contoso", "members": {"name": {
		"parameters": [{"name": "prefix", "type": "string"}], "output": {"type": "string", "value": "[concat(toLower(parameters('prefix')), '-x')]"}}}}],
		"outputs": {
			"one": {"type": "string", "value": "[contoso.name('AB')]"},
			"many": {"type": "array", "copy": {"count": 2, "input": "[copyIndex()]"}},
			"secret": {"type": "securestring", "value": "s3cret"},
			"none": {"condition": false, "type": "int", "value": 1}}}`, "")
	if err != nil {
		t.Fatal(err)
	}
	shown, secret, err := d.Outputs(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	b, _ := shown.MarshalJSON()
	if want := `{"one":{"type":"String","value":"ab-x"},"many":{"type":"Array","value":[0,1]},"secret":{"type":"SecureString"}}`; string(b) != want {
		t.Errorf("got %s", b)
	}
	if secret.Object("secret").Text("value") != "s3cret" {
		t.Error("the value of the secure output is lost")
	}
}

// A template must not take more work than the limits allow, whatever it says.
func TestWorkIsBounded(t *testing.T) {
	t.Parallel()
	const v = `"a": "[concat('0123456789', '0123456789')]"`
	doubling := v
	for c := 'b'; c <= 'z'; c++ {
		p := string(c - 1)
		doubling += `, "` + string(c) + `": "[concat(variables('` + p + `'), variables('` + p + `'))]"`
	}
	loops := `"[copyIndex('l')]"`
	for range 6 {
		loops = `{"copy": [{"name": "l", "count": 800, "input": ` + loops + `}]}`
	}
	for _, template := range []string{
		`{"resources": [{"type": "A.B/c", "apiVersion": "2020-01-01", "name": "x", "properties": ` + loops + `}]}`,
		`{"resources": [], "variables": {` + doubling + `}, "outputs": {"o": {"type": "string", "value": "[variables('z')]"}}}`,
		`{"resources": [], "outputs": {"o": {"type": "array", "value": "[map(range(0, 10000), lambda('x', map(range(0, 10000), lambda('y', 1))))]"}}}`,
	} {
		d, err := open(t, template, "")
		if err == nil {
			_, err = d.Plan()
		}
		if err == nil {
			_, _, err = d.Outputs(t.Context())
		}
		if err == nil {
			t.Error("no error")
		}
	}
}

func FuzzTemplate(f *testing.F) {
	for _, s := range []string{
		"[concat('a', variables('b')[0].c, 1)]", "[[x]", "[if(true(), 'it''s', -1)]", "[map(range(0, 3), lambda('x', lambdaVariables('x')))]",
		"[format('{0:N0}', 1)]", "[substring('äö', 1, 1)]", "[a.b(1)]", "[cidrSubnet('10.0.0.0/8', 16, 2)]", "[dateTimeAdd('2020-01-01', 'P1D')]",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		_, err := evaluate(t, s)
		if err == nil {
			return
		}
		if _, ok := errors.AsType[*armtemplate.Error](err); !ok {
			t.Errorf("%q: %v is no error of the language", s, err)
		}
	})
}

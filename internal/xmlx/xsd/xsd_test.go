package xsd_test

import (
	"strings"
	"testing"

	"github.com/causeway-apim/causeway/internal/xmlx"
	"github.com/causeway-apim/causeway/internal/xmlx/xsd"
)

// shelf finds documents by name, and by the namespaces that they define.
type shelf map[string]string

func (s shelf) Located(location string) ([]byte, bool) {
	text, ok := s[strings.TrimPrefix(location, "/schemas/")]
	return []byte(text), ok
}

func (s shelf) Defining(namespace string) (list [][]byte) {
	for _, text := range s {
		if strings.Contains(text, `targetNamespace="`+namespace+`"`) {
			list = append(list, []byte(text))
		}
	}
	return list
}

const (
	open  = `<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:o="urn:o" xmlns:c="urn:c" targetNamespace="urn:o" elementFormDefault="qualified">`
	order = `<xs:element name="order"><xs:complexType><xs:sequence><xs:element name="id" type="xs:int"/>` +
		`<xs:element name="code" minOccurs="0"><xs:simpleType><xs:restriction base="xs:string"><xs:pattern value="[A-Z]{2}\d+"/></xs:restriction></xs:simpleType></xs:element>` +
		`<xs:element name="when" type="xs:dateTime" minOccurs="0" nillable="true"/></xs:sequence><xs:attribute name="v" use="required"/></xs:complexType></xs:element>`
	end    = `</xs:schema>`
	common = `<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:c"><xs:simpleType name="Money"><xs:restriction base="xs:decimal"><xs:minInclusive value="0"/></xs:restriction></xs:simpleType></xs:schema>`
)

func TestValidate(t *testing.T) {
	t.Parallel()
	money := `<xs:element name="price" type="c:Money"/>`
	wsdl := `<d:definitions xmlns:d="http://schemas.xmlsoap.org/wsdl/" xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:c="urn:c" xmlns:o="urn:o"><d:types>` +
		`<xs:schema targetNamespace="urn:o"><xs:import namespace="urn:c"/>` + money + `</xs:schema>` + common + `</d:types></d:definitions>`
	for _, c := range []struct{ name, schema, document, want string }{
		{"valid", open + order + end, `<order xmlns="urn:o" v="1"><id>1</id><code>AB1</code><when xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:nil="true"/></order>`, ""},
		{"type", open + order + end, `<order xmlns="urn:o" v="1"><id>x</id></order>`, "invalid integer (at '/order/id')"},
		{"pattern", open + order + end, `<order xmlns="urn:o" v="1"><id>1</id><code>ab</code></order>`, "pattern violation (at '/order/code')"},
		{"attribute", open + order + end, `<order xmlns="urn:o"><id>1</id></order>`, "required attribute missing (at '/order')"},
		{"missing", open + order + end, `<order xmlns="urn:o" v="1"/>`, "/order"},
		{"unexpected", open + order + end, `<order xmlns="urn:o" v="1"><id>1</id><x/></order>`, "'/order"},
		{"root", open + order + end, `<order v="1"><id>1</id></order>`, "the element 'order' is not declared (at '/order')"},
		{"import by location", open + `<xs:import namespace="urn:c" schemaLocation="/schemas/common"/>` + money + end, `<price xmlns="urn:o">-1</price>`, "price"},
		{"import by location, valid", open + `<xs:import namespace="urn:c" schemaLocation="/schemas/common"/>` + money + end, `<price xmlns="urn:o">1</price>`, ""},
		{"import by namespace", open + `<xs:import namespace="urn:c" schemaLocation="http://else.test/x.xsd"/>` + money + end, `<price xmlns="urn:o">-1</price>`, "price"},
		{"include", open + `<xs:include schemaLocation="/schemas/part"/><xs:element name="r" type="o:Part"/>` + end, `<r xmlns="urn:o">x</r>`, "'/r'"},
		{"include of each other", open + `<xs:include schemaLocation="/schemas/part"/><xs:element name="r" type="o:Part"/>` + end, `<r xmlns="urn:o">7</r>`, ""},
		{"description", wsdl, `<o:price xmlns:o="urn:o">-1</o:price>`, "price"},
		{"description, valid", wsdl, `<o:price xmlns:o="urn:o">1</o:price>`, ""},
		{"many repetitions", open + `<xs:element name="l"><xs:complexType><xs:sequence><xs:element name="i" maxOccurs="99999"/></xs:sequence></xs:complexType></xs:element>` + end, `<l xmlns="urn:o"/>`, "'/l'"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s, err := xsd.Compile([]byte(c.schema), shelf{
				"common": common,
				"part":   open + `<xs:include schemaLocation="/schemas/part"/><xs:simpleType name="Part"><xs:restriction base="xs:int"/></xs:simpleType>` + end,
			})
			if err != nil {
				t.Fatal(err)
			}
			d, err := xmlx.Parse([]byte(c.document))
			if err != nil {
				t.Fatal(err)
			}
			err = s.Validate(d.Root)
			if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

func TestCompileRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, schema, want string }{
		{"other", `<a/>`, "holds no XML schema"},
		{"broken", `<a>`, "no end"},
		{"document type", `<!DOCTYPE a><a/>`, "document type"},
		{"unknown include", open + `<xs:include schemaLocation="file:///etc/passwd"/>` + end, "is not there"},
		{"redefine", open + `<xs:redefine schemaLocation="x"/>` + end, "redefine"},
		{"type", open + `<xs:element name="a" type="o:nothing"/>` + end, "nothing"},
		{"large model", open + `<xs:element name="a"><xs:complexType><xs:sequence maxOccurs="100"><xs:element name="b" minOccurs="0" maxOccurs="99"/></xs:sequence></xs:complexType></xs:element>` + end, "content model"},
		{"large model of groups", open + `<xs:group name="g"><xs:sequence><xs:group ref="o:h" maxOccurs="100"/></xs:sequence></xs:group><xs:group name="h"><xs:choice><xs:element name="b" maxOccurs="100"/></xs:choice></xs:group>` +
			`<xs:element name="a"><xs:complexType><xs:group ref="o:g"/></xs:complexType></xs:element>` + end, "content model"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := xsd.Compile([]byte(c.schema), shelf{})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

// FuzzCompile looks for schemas and documents that make the validator fall over, or that it does not finish with.
func FuzzCompile(f *testing.F) {
	f.Add(open+order+end, `<order xmlns="urn:o" v="1"><id>1</id></order>`)
	f.Add(open+`<xs:import namespace="urn:c" schemaLocation="/schemas/common"/><xs:element name="price" type="c:Money"/>`+end, `<price xmlns="urn:o">1</price>`)
	f.Add(open+`<xs:group name="g"><xs:choice><xs:element name="a"/><xs:group ref="o:g" minOccurs="0"/></xs:choice></xs:group>`+end, `<a/>`)
	f.Fuzz(func(t *testing.T, schema, document string) {
		s, err := xsd.Compile([]byte(schema), shelf{"common": common})
		if err != nil {
			return
		}
		d, err := xmlx.Parse([]byte(document))
		if err != nil {
			return
		}
		if err := s.Validate(d.Root); err != nil && err.Error() == "" {
			t.Error("a fault without words")
		}
	})
}

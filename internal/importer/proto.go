package importer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/bufbuild/protocompile"
	"github.com/bufbuild/protocompile/ast"
	"github.com/bufbuild/protocompile/parser"
	"github.com/bufbuild/protocompile/reporter"
)

// protoName is what error messages of the compiler call the file.
const protoName = "api.proto"

// maxProtoBytes bounds a Protocol Buffers file.
const maxProtoBytes = 8 << 20

// grpcType is the media type of gRPC messages.
const grpcType = "application/grpc"

// importProto reads a Protocol Buffers file: each method becomes the operation POST /package.Service/Method, as gRPC sends it.
func importProto(ctx context.Context, data []byte, o Options) (*Result, *Error) {
	if most := min(o.MaxBytes, maxProtoBytes); int64(len(data)) > most {
		return nil, tooLarge(len(data), most)
	}
	if at := invalidUTF8(data); at >= 0 {
		line := bytes.Count(data[:at], []byte("\n")) + 1
		return nil, &Error{Line: line, Column: columnAt(data, at), Reason: "the document is not UTF-8", Advice: "Save it as UTF-8."}
	}
	if err := checkBraces(data, o.MaxDepth); err != nil {
		return nil, err
	}
	file, err := parseProto(data)
	if err != nil {
		return nil, err
	}
	r := &Result{Kind: FormatGRPC, Syntax: SyntaxText, Type: TypeGRPC, Original: data}
	p := protoFile{file: file, result: r, ids: unique{}, methods: map[string]bool{}}
	if err := p.services(); err != nil {
		return nil, err
	}
	if err := p.link(ctx, data); err != nil {
		return nil, err
	}
	id := first(o.SchemaID, digestID(data))
	r.Schemas = []Schema{{ID: id, ContentType: ContentTypeProto, Document: valueDocument(string(data))}}
	for i := range r.Operations {
		op := &r.Operations[i]
		op.Request.Representations[0].SchemaID, op.Responses[0].Representations[0].SchemaID = id, id
		if o.Progress != nil {
			o.Progress(i+1, len(r.Operations))
		}
	}
	return r, nil
}

// checkBraces bounds how deep blocks nest before the parser sees them. Braces in comments and texts count too.
func checkBraces(data []byte, most int) *Error {
	depth := 0
	for i, c := range data {
		switch c {
		case '{', '<', '[':
			depth++
		case '}', '>', ']':
			depth = max(depth-1, 0)
		}
		if depth > most {
			line := bytes.Count(data[:i], []byte("\n")) + 1
			return &Error{Line: line, Column: columnAt(data, i), Reason: fmt.Sprintf("the document nests deeper than %d", most), Advice: "Simplify it."}
		}
	}
	return nil
}

func parseProto(data []byte) (*ast.FileNode, *Error) {
	file, err := parser.Parse(protoName, bytes.NewReader(data), reporter.NewHandler(nil))
	if err != nil {
		return nil, protoError(err)
	}
	return file, nil
}

// protoError gives an error of the compiler its place.
func protoError(err error) *Error {
	e := &Error{Reason: err.Error(), Advice: "Correct the file."}
	var placed reporter.ErrorWithPos
	if errors.As(err, &placed) {
		e.Line, e.Column, e.Reason = placed.GetPosition().Line, placed.GetPosition().Col, placed.Unwrap().Error()
	}
	return e
}

// protoFile maps one file.
type protoFile struct {
	file    *ast.FileNode
	result  *Result
	ids     unique
	methods map[string]bool
	imports []string // of files that do not come with the compiler
}

// services visits the services.
func (p *protoFile) services() *Error {
	pkg := ""
	count := 0
	for _, d := range p.file.Decls {
		switch d := d.(type) {
		case *ast.PackageNode:
			pkg = string(d.Name.AsIdentifier()) + "."
		case *ast.ImportNode:
			if name := d.Name.AsString(); !strings.HasPrefix(name, "google/protobuf/") {
				p.imports = append(p.imports, name)
			}
		}
	}
	for _, d := range p.file.Decls {
		s, ok := d.(*ast.ServiceNode)
		if !ok {
			continue
		}
		count++
		p.result.Title = first(p.result.Title, s.Name.Val)
		p.result.Description = first(p.result.Description, p.comment(s))
		for _, e := range s.Decls {
			if rpc, ok := e.(*ast.RPCNode); ok {
				if err := p.method(pkg+s.Name.Val, rpc); err != nil {
					return err
				}
			}
		}
	}
	if count == 0 {
		return &Error{Line: 1, Column: 1, Reason: "the file has no service", Advice: "Add one."}
	}
	return nil
}

func (p *protoFile) method(service string, rpc *ast.RPCNode) *Error {
	path := "/" + service + "/" + rpc.Name.Val
	if p.methods[path] || len(path) > maxTemplate {
		at := p.file.NodeInfo(rpc).Start()
		return &Error{Line: at.Line, Column: at.Col, Reason: fmt.Sprintf("the method %q is there twice or its name is too long", clip(path)), Advice: "Rename it."}
	}
	p.methods[path] = true
	p.result.Operations = append(p.result.Operations, Operation{
		ID:          p.ids.name(first(normalID(service[strings.LastIndexByte(service, '.')+1:]+"-"+rpc.Name.Val), "operation")),
		DisplayName: displayName(rpc.Name.Val, "", "", ""), Description: p.comment(rpc),
		Method: "POST", URLTemplate: path, TemplateParameters: []Parameter{},
		Request: Request{
			Description: streaming(rpc.Input), QueryParameters: []Parameter{}, Headers: []Header{},
			Representations: []Representation{{ContentType: grpcType, TypeName: messageName(rpc.Input)}},
		},
		Responses: []Response{{
			StatusCode: 200, Description: streaming(rpc.Output), Headers: []Header{},
			Representations: []Representation{{ContentType: grpcType, TypeName: messageName(rpc.Output)}},
		}},
	})
	return nil
}

func messageName(t *ast.RPCTypeNode) string {
	return strings.TrimPrefix(string(t.MessageType.AsIdentifier()), ".")
}

func streaming(t *ast.RPCTypeNode) string {
	if t.Stream != nil {
		return "A stream of messages."
	}
	return ""
}

// comment is what stands above a declaration.
func (p *protoFile) comment(n ast.Node) string {
	comments := p.file.NodeInfo(n).LeadingComments()
	var lines []string
	for i := range comments.Len() {
		text := comments.Index(i).RawText()
		text = strings.TrimSuffix(strings.TrimPrefix(strings.TrimPrefix(text, "//"), "/*"), "*/")
		for line := range strings.Lines(text) {
			lines = append(lines, strings.TrimPrefix(strings.TrimSpace(line), "* "))
		}
	}
	return firstLine(strings.Join(lines, " "))
}

// link resolves the types of a file that refers to nothing but the types that come with Protocol Buffers.
func (p *protoFile) link(ctx context.Context, data []byte) *Error {
	if len(p.imports) > 0 {
		p.result.Warnings = append(p.result.Warnings, Warning{1, 1, "types of imported files are not checked: " + clip(strings.Join(p.imports, ", "))})
		return nil
	}
	source := &protocompile.SourceResolver{Accessor: func(name string) (io.ReadCloser, error) {
		if name != protoName {
			return nil, fmt.Errorf("there is no file %q", clip(name))
		}
		return io.NopCloser(bytes.NewReader(data)), nil
	}}
	compiler := protocompile.Compiler{Resolver: protocompile.WithStandardImports(source), MaxParallelism: 1}
	if _, err := compiler.Compile(ctx, protoName); err != nil {
		if ctx.Err() != nil {
			return &Error{Reason: "the import was stopped", Err: ctx.Err()}
		}
		return protoError(err)
	}
	return nil
}

package policies

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"

	"github.com/causeway-apim/causeway/internal/csharp/clr"
	"github.com/causeway-apim/causeway/internal/message"
	"github.com/causeway-apim/causeway/internal/policy"
)

// CosmosDBDataSource is the cosmosdb-data-source resolver policy.
var CosmosDBDataSource = policy.Define[cosmosDataSource](policy.Spec{
	Name: "cosmosdb-data-source", Scopes: policy.ScopeResolver,
	Doc: "Resolves a field of a GraphQL schema with a request to a container of Azure Cosmos DB for NoSQL, by its REST API.",
})

type cosmosDataSource struct {
	Connection cosmosConnection `elem:"connection-info,required" section:"inbound" doc:"The container."`
	Query      *cosmosQuery     `elem:"query-request" section:"inbound" doc:"Queries the container. One of the four requests must be there."`
	Read       *cosmosRead      `elem:"read-request" section:"inbound" doc:"Reads an item."`
	Delete     *cosmosDelete    `elem:"delete-request" section:"inbound" doc:"Deletes an item."`
	Write      *cosmosWrite     `elem:"write-request" section:"inbound" doc:"Writes an item."`
	Response   *sourceResponse  `elem:"response" section:"outbound" doc:"Policies that make the value of the field out of the answer."`
}

type cosmosConnection struct {
	String    cosmosConnectionString `elem:"connection-string,required" doc:"Account."`
	Database  policy.Value[string]   `elem:"database-name,required" doc:"Name of the database."`
	Container policy.Value[string]   `elem:"container-name,required" doc:"Name of the container."`
}

type cosmosConnectionString struct {
	Identity policy.Value[bool]   `attr:"use-managed-identity" default:"false" doc:"Whether the gateway's managed identity signs in instead of the account key."`
	Text     policy.Value[string] `text:"required" doc:"AccountEndpoint=…;AccountKey=…;"`
}

type cosmosQuery struct {
	LowPrecision policy.Value[bool]   `attr:"enable-low-precision-order-by" doc:"Whether ORDER BY may compare numbers with low precision."`
	Statement    policy.Value[string] `elem:"sql-statement" doc:"Query; all items without one."`
	Parameters   *sqlParameters       `elem:"parameters" doc:"Values of the query's parameters."`
	Partition    *cosmosPartition     `elem:"partition-key" doc:"Partition to look in; all without one."`
	Paging       *cosmosPaging        `elem:"paging" doc:"Which page of the items is wanted."`
}

type cosmosPaging struct {
	Max   templateText `elem:"max-item-count,required" doc:"Most items of the page; -1 for no limit."`
	Token templateText `elem:"continuation-token,required" doc:"Where the page begins: what the page before said, empty for the first."`
}

type cosmosRead struct {
	ID        templateText     `elem:"id,required" doc:"ID of the item."`
	Partition *cosmosPartition `elem:"partition-key" doc:"Partition of the item."`
}

type cosmosDelete struct {
	Conditions cosmosConditions
	ID         templateText     `elem:"id,required" doc:"ID of the item."`
	Partition  *cosmosPartition `elem:"partition-key" doc:"Partition of the item."`
	ETag       *cosmosETag      `elem:"etag" doc:"Entity tag that the item must have."`
}

type cosmosWrite struct {
	Type       policy.Value[string] `attr:"type" default:"upsert" enum:"insert,replace,upsert" doc:"What happens when there is such an item already, or none."`
	Indexing   policy.Value[string] `attr:"indexing-directive" default:"default" enum:"default,include,exclude" doc:"Whether the item is indexed."`
	Conditions cosmosConditions
	ID         *templateText    `elem:"id" doc:"ID of the item; replace needs it."`
	Partition  *cosmosPartition `elem:"partition-key" doc:"Partition of the item."`
	ETag       *cosmosETag      `elem:"etag" doc:"Entity tag that the item must have, or must not have."`
	Body       policy.Block     `only:"set-body"`
}

type cosmosConditions struct {
	Consistency policy.Value[string] `attr:"consistency-level" enum:"bounded-staleness,consistent-prefix,eventual,session,strong" doc:"Consistency level of the request."`
	PreTrigger  policy.Value[string] `attr:"pre-trigger" doc:"Trigger of the container that runs before."`
	PostTrigger policy.Value[string] `attr:"post-trigger" doc:"Trigger of the container that runs after."`
}

type cosmosPartition struct {
	DataType policy.Value[string] `attr:"data-type" default:"string" enum:"string,number,bool,none,null" doc:"Type of the key."`
	Text     templateText
}

// Compile reads the template.
func (p *cosmosPartition) Compile(c *policy.Compiler) error { return p.Text.Compile(c) }

type cosmosETag struct {
	Type policy.Value[string] `attr:"type" default:"match" enum:"match,no-match" doc:"Whether the item must have the tag or must not."`
	Text templateText
}

// Compile reads the template.
func (e *cosmosETag) Compile(c *policy.Compiler) error { return e.Text.Compile(c) }

// templateText is a text that may be a Liquid template.
type templateText struct {
	Template string               `attr:"template" enum:"liquid" doc:"Template language of the content."`
	Content  policy.Value[[]byte] `text:"" doc:"The text."`

	body setBody
}

// Compile reads the template.
func (t *templateText) Compile(c *policy.Compiler) error {
	t.body = setBody{Template: t.Template, Content: t.Content, ParseDate: true}
	return t.body.Compile(c)
}

func (t *templateText) get(x *policy.Exec) (string, error) {
	text, err := t.body.content(x, true)
	return strings.TrimSpace(string(text)), err
}

// Compile refuses a policy without exactly one request.
func (p *cosmosDataSource) Compile(c *policy.Compiler) error {
	requests := 0
	for _, there := range []bool{p.Query != nil, p.Read != nil, p.Delete != nil, p.Write != nil} {
		if there {
			requests++
		}
	}
	if requests != 1 {
		c.Errorf("InvalidRequest", "cosmosdb-data-source needs exactly one of query-request, read-request, delete-request and write-request")
	}
	if w := p.Write; w != nil {
		if kind, ok := w.Type.Constant(); ok && kind == "replace" && w.ID == nil {
			c.Errorf("MissingElement", "<write-request> of the type replace must have an element <id>")
		}
		once(c, w.Body.Names())
	}
	if p.Response != nil {
		once(c, p.Response.Steps.Names(), "include-fragment")
	}
	return nil
}

func (p *cosmosDataSource) Run(x *policy.Exec) error {
	call, err := p.call(x)
	if err != nil {
		return err
	}
	resp, err := x.Host.Send(x.Context(), call.request, policy.SendOptions{Timeout: sqlTimeout})
	if err != nil {
		return err
	}
	body, err := message.ReadAll(resp.Body, policy.MaxBody, resp.ContentLength)
	if err != nil {
		return err
	}
	if resp.Status == 404 && p.Read != nil {
		body = nil
	} else if resp.Status >= 400 {
		return dataSourceFailed(resp.Status)
	}
	if p.Query != nil {
		if body, err = cosmosItems(body, resp.Header.Get("x-ms-continuation")); err != nil {
			return err
		}
	}
	return answerWith(x, body, p.Response)
}

// cosmosItems makes the value of a query: an object with the items, and where the next page begins.
func cosmosItems(body []byte, continuation string) ([]byte, error) {
	var answer struct {
		Documents []json.RawMessage
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return nil, &policy.Error{Reason: "DataSourceError", Message: "The answer of Cosmos DB cannot be read.", Err: err}
	}
	if answer.Documents == nil {
		answer.Documents = []json.RawMessage{}
	}
	return json.Marshal(struct {
		Items        []json.RawMessage `json:"items"`
		Continuation string            `json:"continuationToken,omitempty"`
	}{answer.Documents, continuation})
}

// call makes the request.
func (p *cosmosDataSource) call(x *policy.Exec) (*cosmosCall, error) {
	call, err := p.Connection.open(x)
	if err != nil {
		return nil, err
	}
	switch {
	case p.Query != nil:
		err = p.Query.fill(x, call)
	case p.Read != nil:
		call.request.Method = "GET"
		err = errors.Join(call.item(x, &p.Read.ID), call.partition(x, p.Read.Partition))
	case p.Delete != nil:
		call.request.Method = "DELETE"
		d := p.Delete
		err = errors.Join(call.item(x, &d.ID), call.partition(x, d.Partition), call.etag(x, d.ETag), d.Conditions.fill(x, call))
	default:
		err = p.Write.fill(x, call)
	}
	if err != nil {
		return nil, err
	}
	return call, call.sign(x)
}

func (q *cosmosQuery) fill(x *policy.Exec, call *cosmosCall) error {
	statement, err := q.Statement.Get(x)
	if err != nil {
		return err
	}
	if statement == "" {
		statement = "SELECT * FROM c"
	}
	type parameter struct {
		Name  string `json:"name"`
		Value any    `json:"value"`
	}
	body := struct {
		Query      string      `json:"query"`
		Parameters []parameter `json:"parameters"`
	}{statement, []parameter{}}
	if q.Parameters != nil {
		for _, given := range q.Parameters.List {
			value, err := given.Value.Get(x)
			if err != nil {
				return err
			}
			body.Parameters = append(body.Parameters, parameter{"@" + strings.TrimPrefix(given.Name, "@"), jsonValue(value)})
		}
	}
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	call.request.Method = "POST"
	policy.ReplaceRequestBody(call.request, text)
	h := &call.request.Header
	h.Set("Content-Type", "application/query+json")
	h.Set("x-ms-documentdb-isquery", "True")
	if q.Partition == nil {
		h.Set("x-ms-documentdb-query-enablecrosspartition", "True")
	}
	if low, err := q.LowPrecision.Get(x); err != nil {
		return err
	} else if low {
		h.Set("x-ms-documentdb-query-enable-low-precision-order-by", "True")
	}
	if q.Paging != nil {
		if err := errors.Join(call.set(x, "x-ms-max-item-count", &q.Paging.Max), call.set(x, "x-ms-continuation", &q.Paging.Token)); err != nil {
			return err
		}
	}
	return call.partition(x, q.Partition)
}

// jsonValue is the value of an expression for JSON: objects and arrays stay what they are.
func jsonValue(v any) any {
	switch v := v.(type) {
	case *clr.JObject, *clr.JArray:
		if text := v.(clr.JToken).ToString(); json.Valid([]byte(text)) {
			return json.RawMessage(text)
		}
	}
	return plainValue(v)
}

func (w *cosmosWrite) fill(x *policy.Exec, call *cosmosCall) error {
	kind, err := w.Type.Get(x)
	if err != nil {
		return err
	}
	h := &call.request.Header
	call.request.Method = "POST"
	switch kind {
	case "replace":
		if w.ID == nil {
			return &policy.Error{Message: "A replacement in Cosmos DB needs the ID of the item."}
		}
		call.request.Method = "PUT"
		err = call.item(x, w.ID)
	case "upsert":
		h.Set("x-ms-documentdb-is-upsert", "True")
	}
	indexing, ierr := w.Indexing.Get(x)
	switch indexing {
	case "include":
		h.Set("x-ms-indexing-directive", "Include")
	case "exclude":
		h.Set("x-ms-indexing-directive", "Exclude")
	}
	if err = errors.Join(err, ierr, call.partition(x, w.Partition), call.etag(x, w.ETag), w.Conditions.fill(x, call)); err != nil {
		return err
	}
	body, err := w.item(x)
	if err != nil {
		return err
	}
	h.Set("Content-Type", "application/json")
	policy.ReplaceRequestBody(call.request, body)
	return nil
}

// item is the body of a write: what set-body makes, or the arguments of the field.
func (w *cosmosWrite) item(x *policy.Exec) ([]byte, error) {
	if w.Body.Len() > 0 {
		if err := x.Run(w.Body); err != nil {
			return nil, err
		}
		body, err := x.ReadRequestBody()
		return bytes.Clone(body), err
	}
	return x.GraphQL.Arguments, nil
}

func (c *cosmosConditions) fill(x *policy.Exec, call *cosmosCall) error {
	for _, f := range []struct {
		name  string
		value policy.Value[string]
	}{
		{"x-ms-consistency-level", c.Consistency},
		{"x-ms-documentdb-pre-trigger-include", c.PreTrigger},
		{"x-ms-documentdb-post-trigger-include", c.PostTrigger},
	} {
		text, err := f.value.Get(x)
		if err != nil {
			return err
		}
		if spelled, ok := map[string]string{
			"bounded-staleness": "Bounded", "consistent-prefix": "ConsistentPrefix", "eventual": "Eventual", "session": "Session", "strong": "Strong",
		}[text]; ok && f.name == "x-ms-consistency-level" {
			text = spelled
		}
		if text != "" {
			call.request.Header.Set(f.name, text)
		}
	}
	return nil
}

// open reads the connection string and begins a request for the items of the container.
func (c *cosmosConnection) open(x *policy.Exec) (*cosmosCall, error) {
	text, err := c.String.Text.Get(x)
	if err != nil {
		return nil, err
	}
	call := &cosmosCall{date: strings.ToLower(x.Now().UTC().Format("Mon, 02 Jan 2006 15:04:05 GMT"))}
	for part := range strings.SplitSeq(text, ";") {
		name, value, _ := strings.Cut(part, "=")
		switch strings.ToLower(strings.TrimSpace(name)) {
		case "accountendpoint":
			call.endpoint = strings.TrimSpace(strings.Join(strings.Fields(value), ""))
		case "accountkey":
			call.key = strings.TrimSpace(value)
		}
	}
	if call.identity, err = c.String.Identity.Get(x); err != nil {
		return nil, err
	}
	database, err := c.Database.Get(x)
	if err != nil {
		return nil, err
	}
	container, err := c.Container.Get(x)
	if err != nil {
		return nil, err
	}
	return call, call.begin(database, container)
}

package live

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/causeway-apim/causeway/internal/causewaytest"
	"github.com/causeway-apim/causeway/internal/store/pgtest"
)

func TestMain(m *testing.M) { os.Exit(run(m)) }

// run builds the binary once for all tests.
func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "live-")
	if err == nil {
		defer os.RemoveAll(dir)
		var bin string
		if bin, err = causewaytest.Build(context.Background(), dir); err == nil {
			err = os.Setenv("CAUSEWAY_BIN", bin)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return pgtest.Run(m)
}

// database returns the connection string of an empty database: the test's server listens on a socket only, which a port
// leads to here.
func database(t *testing.T) string {
	t.Helper()
	u, err := url.Parse(pgtest.Database(t))
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	socket := u.Query().Get("host") + "/.s.PGSQL.5432"
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			go join(t.Context(), c, socket)
		}
	}()
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	return "Host=127.0.0.1;Port=" + port + ";Username=postgres;Database=" + strings.TrimPrefix(u.Path, "/")
}

func join(ctx context.Context, c net.Conn, socket string) {
	defer c.Close()
	server, err := (&net.Dialer{}).DialContext(ctx, "unix", socket)
	if err != nil {
		return
	}
	defer server.Close()
	go func() { _, _ = io.Copy(c, server) }()
	_, _ = io.Copy(server, c)
}

const (
	familySchema = `type Family { id: Int! name: String! members: Members }
type Member { first: String! born: String }
type Members { items: [Member] }
type Query { family(id: Int!): Family }
type Mutation { create(id: Int!, name: String!): Family }`

	createFamily = `<sql-data-source>
  <connection-info><connection-string>{{database}}</connection-string></connection-info>
  <request single-result="true">
    <sql-statement>
      CREATE TABLE IF NOT EXISTS family (id int PRIMARY KEY, name text);
      CREATE TABLE IF NOT EXISTS member (family int, first text, born date);
      INSERT INTO family VALUES (@id, @name);
      INSERT INTO member VALUES (@id, 'Ann', '1990-01-02'), (@id, 'Bob', NULL);
      SELECT id, name FROM family WHERE id = @id
    </sql-statement>
    <parameters>
      <parameter name="@id" sql-type="int">@(context.GraphQL.Arguments["id"])</parameter>
      <parameter name="@name">@(context.GraphQL.Arguments["name"])</parameter>
    </parameters>
  </request>
</sql-data-source>`
	readFamily = `<sql-data-source>
  <connection-info><connection-string>{{database}}</connection-string></connection-info>
  <request single-result="true">
    <sql-statement>SELECT id, name FROM family WHERE id = @id</sql-statement>
    <parameters><parameter name="@id">@(context.GraphQL.Arguments["id"])</parameter></parameters>
  </request>
</sql-data-source>`
	readMembers = `<sql-data-source>
  <connection-info><connection-string>{{database}}</connection-string></connection-info>
  <request>
    <sql-statement>SELECT upper(first) AS f, born FROM member WHERE family = @id ORDER BY first</sql-statement>
    <parameters><parameter name="id" sql-type="int">@(context.GraphQL.Parent["id"])</parameter></parameters>
  </request>
  <response>
    <set-body>@{
      var rows = context.Response.Body.As<JObject>();
      foreach (var row in (JArray)rows["items"]) { row["first"] = "*" + (string)row["f"]; }
      return rows.ToString();
    }</set-body>
  </response>
</sql-data-source>`
)

// TestSQLResolvers resolves fields of a GraphQL API from a real PostgreSQL, through the real binary.
func TestSQLResolvers(t *testing.T) {
	t.Parallel()
	w := &world{tb: t, system: causewaytest.NewSystem(t)}
	w.plane = w.system.Start("plane", "dev", "--empty")
	w.put("namedValues/database", map[string]any{"displayName": "database", "secret": true, "value": database(t)})
	w.put("apis/families", map[string]any{
		"displayName": "Families", "path": "families", "type": "graphql", "protocols": []string{"http"}, "subscriptionRequired": false,
	})
	w.put("apis/families/schemas/graphql", map[string]any{
		"contentType": "application/vnd.ms-azure-apim.graphql.schema", "document": map[string]any{"value": familySchema},
	})
	for _, r := range []struct{ name, path, policy string }{
		{"create", "Mutation/create", createFamily}, {"family", "Query/family", readFamily}, {"members", "Family/members", readMembers},
	} {
		w.put("apis/families/resolvers/"+r.name, map[string]any{"displayName": r.name, "path": r.path})
		w.put("apis/families/resolvers/"+r.name+"/policies/policy", map[string]any{"format": "rawxml", "value": r.policy})
	}
	for _, c := range []struct{ query, want string }{
		{`mutation { create(id: 7, name: "O'Hara") { id name members { items { first born } } } }`,
			`{"data":{"create":{"id":7,"name":"O'Hara","members":{"items":[{"first":"*ANN","born":"1990-01-02"},{"first":"*BOB","born":null}]}}}}`},
		{`{ family(id: 7) { name } none: family(id: 8) { name } }`, `{"data":{"family":{"name":"O'Hara"},"none":null}}`},
	} {
		if got := w.ask("families", c.query); got != c.want {
			t.Errorf("%s: got %s, want %s", c.query, got, c.want)
		}
	}
	// What the database refuses is an error of the field.
	if got := w.ask("families", `mutation { create(id: 7, name: "Again") { id } }`); !strings.Contains(got, `"errors"`) || !strings.Contains(got, `{"create":null}`) {
		t.Errorf("a second family 7: got %s", got)
	}
}

// ask sends a GraphQL request to the plane's gateway and returns the answer.
func (w *world) ask(path, query string) string {
	w.tb.Helper()
	body, err := json.Marshal(map[string]string{"query": query})
	if err != nil {
		w.tb.Fatal(err)
	}
	response, err := http.Post(w.plane.Listen["gateway"]+"/"+path, "application/json", strings.NewReader(string(body)))
	if err != nil {
		w.tb.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		w.tb.Fatal(err)
	}
	return strings.TrimSpace(string(text))
}

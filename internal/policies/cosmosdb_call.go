package policies

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"strconv"
	"strings"

	"github.com/causeway-apim/causeway/internal/message"
	"github.com/causeway-apim/causeway/internal/policy"
)

// cosmosVersion is the version of Cosmos DB's REST API.
const cosmosVersion = "2018-12-31"

// cosmosCall is one request of the REST API (Microsoft's pages "Access control on Azure Cosmos DB resources" and "Common request headers").
type cosmosCall struct {
	endpoint, key string
	identity      bool
	date          string // in lower case, as it is signed
	link          string // of the resource that is signed: the container, or the item
	request       *message.Request
}

// begin makes the request for the items of a container.
func (c *cosmosCall) begin(database, container string) error {
	u, err := message.ParseURL(c.endpoint)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" {
		return &policy.Error{Message: "The connection string of Cosmos DB has no valid AccountEndpoint.", Err: err}
	}
	if database == "" || container == "" {
		return &policy.Error{Message: "The database or the container of Cosmos DB has no name."}
	}
	c.link = "dbs/" + database + "/colls/" + container
	u.Path = "/dbs/" + url.PathEscape(database) + "/colls/" + url.PathEscape(container) + "/docs"
	c.request = &message.Request{Proto: "HTTP/1.1", URL: u}
	c.request.Header.Set("Accept", "application/json")
	c.request.Header.Set("x-ms-version", cosmosVersion)
	c.request.Header.Set("x-ms-date", c.date)
	return nil
}

// item makes it the request for one item.
func (c *cosmosCall) item(x *policy.Exec, id *templateText) error {
	name, err := id.get(x)
	if err != nil {
		return err
	}
	if name == "" || strings.ContainsAny(name, "/\\?#") { // Cosmos DB allows no such IDs
		return &policy.Error{Message: "The ID of the item of Cosmos DB is not valid."}
	}
	c.link += "/docs/" + name
	c.request.URL.Path += "/" + url.PathEscape(name)
	return nil
}

// set sends a text as a header, unless it is empty.
func (c *cosmosCall) set(x *policy.Exec, name string, text *templateText) error {
	value, err := text.get(x)
	if err == nil && value != "" {
		c.request.Header.Set(name, value)
	}
	return err
}

// partition names the partition: a JSON array with the key.
func (c *cosmosCall) partition(x *policy.Exec, p *cosmosPartition) error {
	if p == nil {
		return nil
	}
	kind, err := p.DataType.Get(x)
	if err != nil {
		return err
	}
	text, err := p.Text.get(x)
	if err != nil {
		return err
	}
	var key any = text
	switch kind {
	case "number":
		if _, err := strconv.ParseFloat(text, 64); err != nil || !json.Valid([]byte(text)) {
			return &policy.Error{Message: "The partition key is not a number."}
		}
		key = json.Number(text)
	case "bool":
		b, err := strconv.ParseBool(strings.ToLower(text))
		if err != nil {
			return &policy.Error{Message: "The partition key is not a boolean."}
		}
		key = b
	case "null":
		key = nil
	case "none": // an item without the property
		key = struct{}{}
	}
	value, err := json.Marshal([]any{key})
	if err != nil {
		return err
	}
	c.request.Header.Set("x-ms-documentdb-partitionkey", asciiJSON(value))
	return nil
}

// asciiJSON escapes what may not stand in a header.
func asciiJSON(text []byte) string {
	var b strings.Builder
	for _, r := range string(text) {
		switch {
		case r < 0x80:
			b.WriteRune(r)
		case r < 0x10000:
			writeEscape(&b, r)
		default:
			r -= 0x10000
			writeEscape(&b, 0xd800+r>>10)
			writeEscape(&b, 0xdc00+r&0x3ff)
		}
	}
	return b.String()
}

func writeEscape(b *strings.Builder, unit rune) {
	const digits = "0123456789abcdef"
	b.WriteString(`\u`)
	for shift := 12; shift >= 0; shift -= 4 {
		b.WriteByte(digits[unit>>shift&15])
	}
}

func (c *cosmosCall) etag(x *policy.Exec, e *cosmosETag) error {
	if e == nil {
		return nil
	}
	kind, err := e.Type.Get(x)
	if err != nil {
		return err
	}
	name := "If-Match"
	if kind == "no-match" {
		name = "If-None-Match"
	}
	return c.set(x, name, &e.Text)
}

// sign authorises the request with the account key or the gateway's identity.
func (c *cosmosCall) sign(x *policy.Exec) error {
	if c.identity {
		token, err := managedToken(x, c.request.URL.Scheme+"://"+c.request.URL.Host)
		if err != nil {
			return err
		}
		c.request.Header.Set("Authorization", url.QueryEscape("type=aad&ver=1.0&sig="+token))
		return nil
	}
	key, err := base64.StdEncoding.DecodeString(c.key)
	if err != nil || len(key) == 0 {
		return &policy.Error{Message: "The connection string of Cosmos DB has no valid AccountKey."}
	}
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(strings.ToLower(c.request.Method) + "\ndocs\n" + c.link + "\n" + c.date + "\n\n"))
	signature := base64.StdEncoding.EncodeToString(mac.Sum(nil))
	c.request.Header.Set("Authorization", url.QueryEscape("type=master&ver=1.0&sig="+signature))
	return nil
}

// managedToken is an access token of the gateway's identity.
func managedToken(x *policy.Exec, resource string) (string, error) {
	access, err := x.Host.Trust().Identity.AccessToken(x.Context(), resource, "")
	x.HideInTrace(access.Token)
	if err != nil {
		return "", &policy.Error{Reason: "ManagedIdentityTokenFailure", Message: "An access token of the managed identity cannot be obtained: " + err.Error() + ".", Err: err}
	}
	return access.Token, nil
}

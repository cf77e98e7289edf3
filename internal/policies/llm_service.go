package policies

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/causeway-apim/causeway/internal/message"
	"github.com/causeway-apim/causeway/internal/policy"
)

// cognitiveServices is the resource that tokens for Azure's AI services are made for.
const cognitiveServices = "https://cognitiveservices.azure.com"

const (
	// serviceTimeout is how long a service beside the model may take.
	serviceTimeout = 30 * time.Second
	// maxServiceAnswer is how large its answer may be.
	maxServiceAnswer = 8 << 20
)

// askService sends JSON to a backend entity and reads its answer into out. The gateway's managed identity signs in when the entity has no credentials and
// the gateway has an identity.
func askService(x *policy.Exec, backend, path, query string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	r := &message.Request{
		Method: "POST", Proto: "HTTP/1.1", URL: message.URL{Path: path, RawQuery: query}, Body: message.BytesBody(body), ContentLength: int64(len(body)),
		Header: message.NewHeader("Content-Type", "application/json", "Accept", "application/json", "Accept-Encoding", "identity"),
	}
	if token := identityToken(x, backend); token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := x.Host.Send(x.Context(), r, policy.SendOptions{Timeout: serviceTimeout, BackendID: backend})
	if err != nil {
		return err
	}
	defer resp.Release()
	data, err := message.ReadAll(resp.Body, maxServiceAnswer, resp.ContentLength)
	if err != nil {
		return err
	}
	if resp.Status < 200 || resp.Status > 299 {
		return &serviceError{backend, resp.Status, data}
	}
	if err := json.Unmarshal(data, out); err != nil {
		return fmt.Errorf("the answer of backend %s is not the JSON that was expected: %w", backend, err)
	}
	return nil
}

// serviceError is an answer that is no success.
type serviceError struct {
	backend string
	status  int
	body    []byte
}

func (e *serviceError) Error() string {
	return fmt.Sprintf("backend %s answered with status %d", e.backend, e.status)
}

// identityToken is an access token of the managed identity, "" when the entity has credentials of its own or the gateway has no identity.
func identityToken(x *policy.Exec, backend string) string {
	b, ok := x.Host.Backend(backend)
	if !ok {
		return ""
	}
	if c := b.Credentials; c != nil && (c.Scheme != "" || len(c.Header) > 0 || len(c.Query) > 0 || len(c.Certificates)+len(c.CertificateIDs) > 0) {
		return ""
	}
	access, err := x.Host.Trust().Identity.AccessToken(x.Context(), cognitiveServices, "")
	x.HideInTrace(access.Token)
	if err != nil {
		x.Trace("managed-identity", "The call goes without an access token of the managed identity.", "backend", strings.ToLower(backend), "error", err)
		return ""
	}
	return access.Token
}

package resources_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/causeway-apim/causeway/internal/resource/resourcetest"
)

// TestHandshakeOperation looks for the one operation of WebSocket APIs, which comes and goes with them, holds their policies and stays as it is.
func TestHandshakeOperation(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	const handshake = "apis/chat/operations/onHandshake"
	api := map[string]any{"path": "chat", "type": "websocket", "protocols": []string{"wss"}, "serviceUrl": "wss://chat.example/ws"}
	srv.Must(http.StatusCreated, "PUT", "apis/chat", props(t, api))
	srv.Must(http.StatusOK, "PUT", "apis/chat", props(t, api))
	if names := itemNames(t, srv, "apis/chat/operations"); names != "onHandshake" {
		t.Errorf("operations %q", names)
	}
	op := srv.Must(http.StatusOK, "GET", handshake, "")
	if method, template := property(t, op, "method"), property(t, op, "urlTemplate"); method != "GET" || template != "/" {
		t.Errorf("the operation is %v %v", method, template)
	}
	srv.Must(http.StatusOK, "PUT", handshake, string(op.Body)) // as exports have it
	putPolicy(t, srv, http.StatusCreated, handshake, document(`<rate-limit calls="1" renewal-period="60" /><base />`))
	if messages := details(t, putPolicy(t, srv, http.StatusBadRequest, handshake, document(`<cors><allowed-origins><origin>*</origin></allowed-origins></cors>`))); len(messages) != 1 || !strings.Contains(messages[0], "<cors>") {
		t.Errorf("a policy that WebSocket APIs do not have: %q", messages)
	}
	for _, c := range []struct{ method, id, body string }{
		{"DELETE", handshake, ""},
		{"PUT", handshake, props(t, map[string]any{"displayName": "x", "method": "POST", "urlTemplate": "/"})},
		{"PUT", "apis/chat/operations/own", props(t, map[string]any{"displayName": "x", "method": "GET", "urlTemplate": "/x"})},
	} {
		if r := srv.Must(http.StatusBadRequest, c.method, c.id, c.body); !strings.Contains(string(r.Body), "ValidationError") {
			t.Errorf("%s %s: %s", c.method, c.id, r.Body)
		}
	}
	srv.Must(http.StatusCreated, "PUT", "apis/chat;rev=2", props(t, map[string]any{
		"path": "chat", "type": "websocket", "serviceUrl": "wss://chat.example/ws", "sourceApiId": resourcetest.Service + "/apis/chat", "apiRevision": "2",
	}))
	srv.Must(http.StatusOK, "GET", "apis/chat;rev=2/operations/onHandshake/policies/policy", "")
	srv.Must(http.StatusNoContent, "DELETE", "apis/chat;rev=2", "")
	srv.Must(http.StatusNoContent, "DELETE", "apis/chat", "")
	srv.Must(http.StatusNotFound, "GET", handshake, "")

	srv.Must(http.StatusCreated, "PUT", "apis/plain", props(t, map[string]any{"path": "plain"}))
	srv.Must(http.StatusCreated, "PUT", "apis/plain/operations/onHandshake", props(t, map[string]any{"displayName": "x", "method": "POST", "urlTemplate": "/"}))
	putPolicy(t, srv, http.StatusCreated, "apis/plain/operations/onHandshake", document(`<set-body>x</set-body>`))
	srv.Must(http.StatusOK, "DELETE", "apis/plain/operations/onHandshake", "")
}

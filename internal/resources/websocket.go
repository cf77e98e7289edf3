package resources

import (
	"reflect"
	"strings"

	"github.com/causeway-apim/causeway/internal/arm"
	"github.com/causeway-apim/causeway/internal/resource"
	"github.com/causeway-apim/causeway/internal/snapshot"
)

// typeWebSocket is the type of APIs that pass WebSocket connections through.
const typeWebSocket = "websocket"

// handshakeOperation is the operation that each WebSocket API has from the start, and no other one: its policies see every handshake. Nobody can
// change or delete it (https://learn.microsoft.com/azure/api-management/websocket-api, "onHandshake operation").
func handshakeOperation(api arm.ID) *resource.Doc[Operation] {
	d := &resource.Doc[Operation]{Props: Operation{DisplayName: snapshot.HandshakeOperation, Method: "GET", URLTemplate: "/"}}
	d.ID = api.Child("operations", snapshot.HandshakeOperation)
	d.Props.complete()
	return d
}

// isHandshake says whether id is the operation of handshakes.
func isHandshake(id arm.ID) bool { return strings.EqualFold(id.Name(), snapshot.HandshakeOperation) }

// saveHandshake gives a WebSocket API its operation. One that older versions let somebody write for all of its requests stays.
func saveHandshake(x *resource.Tx, api *resource.Doc[API]) error {
	if api.Props.Type != typeWebSocket {
		return nil
	}
	d := handshakeOperation(api.ID)
	for old, err := range resource.All[Operation](&x.Reader, api.ID, "operations") {
		if err != nil {
			return err
		}
		if isHandshake(old.ID) || operationKey(old) == operationKey(d) {
			return nil
		}
	}
	return resource.Save(x, d)
}

// ofWebSocket says whether an operation is one of a WebSocket API. It is one of none when there is no such API.
func ofWebSocket(x *resource.Reader, operation arm.ID) (bool, error) {
	api, err := resource.Get[API](x, operation.Parent())
	if arm.IsNotFound(err) {
		return false, nil
	}
	return err == nil && api.Props.Type == typeWebSocket, err
}

// checkHandshake refuses operations that somebody writes in a WebSocket API. The one that is there may be written as it is, as exports do.
func checkHandshake(x *resource.Tx, d *resource.Doc[Operation]) error {
	if !x.ID.Equal(d.ID) {
		return nil
	}
	system := handshakeOperation(d.ID.Parent())
	own := d.Props
	own.Policies, own.Description = nil, ""
	if isHandshake(d.ID) && reflect.DeepEqual(own, system.Props) {
		return nil
	}
	if sockets, err := ofWebSocket(&x.Reader, d.ID); err != nil || !sockets {
		return err
	}
	return arm.Invalid("", "Operations of WebSocket APIs cannot be defined: there is only %s.", snapshot.HandshakeOperation)
}

// keepHandshake refuses to delete the operation of handshakes from its API.
func keepHandshake(x *resource.Tx, old *resource.Doc[Operation]) error {
	if !isHandshake(old.ID) {
		return nil
	}
	if sockets, err := ofWebSocket(&x.Reader, old.ID); err != nil || !sockets {
		return err
	}
	return arm.Invalid("", "The operation %s of a WebSocket API cannot be deleted.", snapshot.HandshakeOperation)
}

package resources

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"

	"github.com/causeway-apim/causeway/internal/arm"
)

// gatewayKeyBytes is the length of a gateway's keys: that of the hash that they sign with.
const gatewayKeyBytes = 64

// newSubscriptionKey makes a key in the form that API Management gives keys: 32 hexadecimal characters.
func newSubscriptionKey() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}

// newGatewayKey makes a key of a self-hosted gateway.
func newGatewayKey() string {
	var b [gatewayKeyBytes]byte
	_, _ = rand.Read(b[:]) // never fails
	return base64.StdEncoding.EncodeToString(b[:])
}

// keyHash is the form in which a subscription key is looked up and sent to gateways (snapshot.Subscription).
func keyHash(hashKey []byte, key string) []byte {
	mac := hmac.New(sha256.New, hashKey)
	mac.Write([]byte(key))
	return mac.Sum(nil)
}

// readInput decodes the body of an action, which has to be there.
func readInput(body json.RawMessage, in any) error {
	if len(body) == 0 {
		return arm.Errorf(arm.CodeInvalidJSON, "The request needs a body.")
	}
	if err := json.Unmarshal(body, in); err != nil {
		return arm.Errorf(arm.CodeInvalidJSON, "The request's body does not have the form that the action takes.")
	}
	return nil
}

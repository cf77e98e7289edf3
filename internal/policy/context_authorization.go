package policy

import (
	"encoding/json"
	"errors"
)

// NewAuthorization makes an Authorization of a token and of what else the token end point has answered, a JSON object or nothing.
func NewAuthorization(accessToken string, claims []byte) (*Authorization, error) {
	a := &Authorization{AccessToken: accessToken, Claims: make(map[string]any)}
	if len(claims) == 0 {
		return a, nil
	}
	object, _, ok := decodeObject(claims)
	if !ok {
		return nil, errors.New("the claims of the authorization are not a JSON object")
	}
	for name, value := range object {
		a.Claims[name] = claimValue(value)
	}
	return a, nil
}

// claimValue is the C# form of a claim: what is neither text, number nor boolean is its JSON.
func claimValue(value any) any {
	switch v := value.(type) {
	case nil, string, bool:
		return v
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return n
		}
		if f, err := v.Float64(); err == nil {
			return f
		}
		return v.String()
	}
	text, err := json.Marshal(value)
	if err != nil {
		return nil // it came from JSON
	}
	return string(text)
}

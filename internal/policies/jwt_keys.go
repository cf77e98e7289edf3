package policies

import (
	"slices"

	"github.com/causeway-apim/causeway/internal/auth"
	"github.com/causeway-apim/causeway/internal/policy"
)

// signingKeys are the keys that verify tokens. A nil pointer has none.
type signingKeys struct {
	Keys []jwtKey `elem:"key,required" doc:"Key: a secret in Base64, a certificate, or modulus and exponent."`
}

func (k *signingKeys) get(x *policy.Exec) ([]auth.Key, error) {
	if k == nil {
		return nil, nil
	}
	return getKeys(x, k.Keys, false)
}

// isConstant says whether the keys are the same for all requests, whatever the certificates of the service are.
func (k *signingKeys) isConstant() bool {
	return k == nil || !slices.ContainsFunc(k.Keys, func(key jwtKey) bool { return key.ready == nil })
}

// decryptionKeys are the keys that decrypt tokens. A nil pointer has none.
type decryptionKeys struct {
	Keys []jwtKey `elem:"key,required" doc:"Key: a secret in Base64, or a certificate with its private key."`
}

func (k *decryptionKeys) get(x *policy.Exec) ([]auth.Key, error) {
	if k == nil {
		return nil, nil
	}
	return getKeys(x, k.Keys, true)
}

func getKeys(x *policy.Exec, list []jwtKey, private bool) ([]auth.Key, error) {
	keys := make([]auth.Key, len(list))
	for i := range list {
		var err error
		if keys[i], err = list[i].get(x, private); err != nil {
			return nil, err
		}
	}
	return keys, nil
}

type jwtKey struct {
	ID          policy.Value[string] `attr:"id" doc:"ID that a token's kid must be equal to."`
	Certificate policy.Value[string] `attr:"certificate-id" doc:"Certificate with the key."`
	Modulus     policy.Value[string] `attr:"n,const" doc:"Modulus of an RSA key in Base64url."`
	Exponent    policy.Value[string] `attr:"e,const" doc:"Exponent of an RSA key in Base64url."`
	Secret      policy.Value[string] `text:"" doc:"Symmetric key in Base64."`

	ready *auth.Key // when it does not depend on the request or on the configuration
}

func (k *jwtKey) Compile(c *policy.Compiler) error {
	kinds := 0
	for _, set := range []bool{k.Certificate.IsSet(), k.Modulus.IsSet() || k.Exponent.IsSet(), k.Secret.IsSet()} {
		if set {
			kinds++
		}
	}
	switch {
	case kinds != 1:
		c.Errorf("InvalidKey", "a key needs exactly one of a secret in Base64, certificate-id, and n with e")
		return nil
	case k.Modulus.IsSet() != k.Exponent.IsSet():
		c.Errorf("InvalidKey", "a key needs both n and e")
		return nil
	}
	if name, ok := k.Certificate.Constant(); ok {
		c.Certificate(name)
	}
	if k.Certificate.IsSet() || !isConstant(k.ID) || !isConstant(k.Modulus) || !isConstant(k.Exponent) || !isConstant(k.Secret) {
		return nil
	}
	key, err := k.get(nil, false) // constants need no request
	if err != nil {
		c.Errorf("InvalidKey", "%s", err)
		return nil
	}
	k.ready = &key
	return nil
}

// isConstant says whether a value, set or not, is the same for all requests.
func isConstant(v policy.Value[string]) bool {
	_, ok := v.Constant()
	return ok || !v.IsSet()
}

// get makes the key; private makes it of a certificate's private key.
func (k *jwtKey) get(x *policy.Exec, private bool) (auth.Key, error) {
	if k.ready != nil {
		return *k.ready, nil
	}
	id, err := k.ID.Get(x)
	if err != nil {
		return auth.Key{}, err
	}
	if k.Certificate.IsSet() {
		name, err := k.Certificate.Get(x)
		if err != nil {
			return auth.Key{}, err
		}
		return certificateKey(x, id, name, private)
	}
	if k.Modulus.IsSet() {
		n, err := k.Modulus.Get(x)
		if err != nil {
			return auth.Key{}, err
		}
		e, err := k.Exponent.Get(x)
		if err != nil {
			return auth.Key{}, err
		}
		return auth.NewRSAKey(id, n, e)
	}
	secret, err := k.Secret.Get(x)
	if err != nil {
		return auth.Key{}, err
	}
	return auth.NewSecretKey(id, secret)
}

func certificateKey(x *policy.Exec, id, name string, private bool) (auth.Key, error) {
	pair, err := x.Host.KeyPair(name)
	if err != nil {
		return auth.Key{}, &policy.Error{Message: "The certificate of a key cannot be used: " + err.Error() + ".", Err: err}
	}
	material := any(pair.Leaf.PublicKey)
	if private {
		material = pair.PrivateKey
	}
	return auth.NewKey(id, material)
}

// requiredClaims are the claims that a token must have. A nil pointer wants none.
type requiredClaims struct {
	List []requiredClaim `elem:"claim,required" doc:"Claim."`
}

type requiredClaim struct {
	Name      policy.Value[string]   `attr:"name,required" doc:"Name of the claim."`
	Match     policy.Value[string]   `attr:"match" default:"all" enum:"all,any" doc:"Whether the claim must have all values or one of them."`
	Separator policy.Value[string]   `attr:"separator" doc:"What stands between the values in one text."`
	Values    []policy.Value[string] `elem:"value" doc:"Value; without any the claim must be there."`
}

func (c *requiredClaims) isConstant() bool {
	return c == nil || !slices.ContainsFunc(c.List, func(claim requiredClaim) bool {
		return !isConstant(claim.Name) || !isConstant(claim.Match) || !isConstant(claim.Separator) || !areConstant(claim.Values)
	})
}

func (c *requiredClaims) get(x *policy.Exec) ([]auth.ClaimRule, error) {
	if c == nil {
		return nil, nil
	}
	rules := make([]auth.ClaimRule, len(c.List))
	for i := range c.List {
		var err error
		if rules[i], err = c.List[i].rule(x); err != nil {
			return nil, err
		}
	}
	return rules, nil
}

func (c *requiredClaim) rule(x *policy.Exec) (r auth.ClaimRule, err error) {
	if r.Name, err = c.Name.Get(x); err != nil {
		return r, err
	}
	match, err := c.Match.Get(x)
	if err != nil {
		return r, err
	}
	r.Any = match == "any"
	if r.Separator, err = c.Separator.Get(x); err != nil {
		return r, err
	}
	r.Values, err = texts(x, c.Values)
	return r, err
}

package resources

import (
	"context"
	"time"

	"github.com/causeway-apim/causeway/internal/arm"
	"github.com/causeway-apim/causeway/internal/resource"
)

// RefreshSecret is the action that reads a secret from its vault again.
const RefreshSecret = "refreshSecret"

// vaultIndex with the value vaultIndexValue finds what is kept in a vault.
const (
	vaultIndex      = "keyVault"
	vaultIndexValue = "yes"
)

// KeyVaultContract names a secret that is kept in a vault.
type KeyVaultContract struct {
	SecretIdentifier string          `json:"secretIdentifier,omitempty" rule:"required,max=2000" doc:"Identifier of the secret: that of an Azure Key Vault's (https://HOST/secrets/NAME), the URL of a HashiCorp vault's with a field (https://HOST/v1/MOUNT/data/PATH#FIELD), or file:NAME. The operator says which places may be asked."`
	IdentityClientID string          `json:"identityClientId,omitempty" rule:"max=100" doc:"Client ID of the identity that reads it; the plane's own by default."`
	LastStatus       *KeyVaultStatus `json:"lastStatus,omitempty" rule:"readonly" doc:"How reading it went the last time."`
}

// KeyVaultStatus says how reading a secret went.
type KeyVaultStatus struct {
	Code         string    `json:"code"`
	Message      string    `json:"message,omitempty"`
	TimeStampUTC time.Time `json:"timeStampUtc"`
}

// read reads the secret and notes how it went. A secret that was read before stays when it cannot be read again; value
// is what is kept of it, empty when there is none.
func (k *KeyVaultContract) read(ctx context.Context, env Env, x *resource.Request, value string) (string, error) {
	if k.SecretIdentifier == "" {
		return value, nil // the rules say so
	}
	if env.Vault == nil {
		return "", arm.Invalid("keyVault.secretIdentifier", "No vault may be asked. Say in the settings of the server which ones there are, or give the value itself.")
	}
	read, err := env.Vault(ctx, k.SecretIdentifier, k.IdentityClientID)
	switch {
	case err == nil:
		k.LastStatus = &KeyVaultStatus{Code: "Success", TimeStampUTC: x.Now}
		return read, nil
	case ctx.Err() != nil:
		return "", ctx.Err()
	case value == "":
		return "", arm.Invalid("keyVault.secretIdentifier", "The secret cannot be read: %v.", err)
	}
	k.LastStatus = &KeyVaultStatus{Code: "Failed", Message: err.Error(), TimeStampUTC: x.Now}
	return value, nil
}

// kept is the value to fall back to: that of the stored resource if it is still the same secret.
func kept(old, k *KeyVaultContract, value string) string {
	if old == nil || old.SecretIdentifier != k.SecretIdentifier {
		return ""
	}
	return value
}

// vaultIndexes are the rows of a resource that may be kept in a vault.
func vaultIndexes(k *KeyVaultContract) []resource.Index {
	if k == nil {
		return nil
	}
	return []resource.Index{{Name: vaultIndex, Value: vaultIndexValue}}
}

// InVaults returns the resources of a service that are kept in vaults, for those that read them again now and then.
func InVaults(x *resource.Reader) (ids []arm.ID, err error) {
	keys, err := x.Lookup(vaultIndex, vaultIndexValue)
	if err != nil {
		return nil, err
	}
	for _, key := range keys {
		id, err := arm.ParseID(key)
		if err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, nil
}

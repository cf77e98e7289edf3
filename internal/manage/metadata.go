package manage

import (
	"net/http"

	"github.com/causeway-apim/causeway/internal/arm"
)

// Versions of the metadata at which its shape changes.
const (
	metadataList   = "2019-05-01" // a list of clouds
	metadataObject = "2022-09-01" // one cloud
)

// metadata tells clients where things are: Terraform, az cloud register, SDKs. It is anonymous. The answer of 2022-09-01
// is one object, those from 2019-05-01 on are a list of it; the oldest, which az still asks for, is an object of other
// members, which stand in it as well.
func (s *Server) metadata(w http.ResponseWriter, r *http.Request) {
	base := arm.BaseURL(r)
	authentication := map[string]any{
		"loginEndpoint": base, "audiences": []string{base, "https://management.azure.com/", "https://management.core.windows.net/"},
		"tenant": "common", "identityProvider": "AAD", // Terraform takes clouds with another tenant for Azure Stack
	}
	cloud := map[string]any{
		"name": "Causeway", "resourceManager": base, "microsoftGraphResourceId": base, "portal": base + "/console/",
		"graphAudience": base, "graph": base, "gallery": base, "batch": base, "media": base, "sqlManagement": base,
		"activeDirectoryDataLake": base, "vmImageAliasDoc": base, "appInsightsResourceId": base, "logAnalyticsResourceId": base,
		"authentication": authentication,
		"suffixes": map[string]string{
			"keyVaultDns": "vault.localhost", "storage": "core.localhost", "acrLoginServer": "azurecr.localhost", "sqlServerHostname": "database.localhost",
			"azureDataLakeStoreFileSystem": "datalake.localhost", "azureDataLakeAnalyticsCatalogAndJob": "datalakeanalytics.localhost",
			"mhsmDns": "managedhsm.localhost", "attestationEndpoint": "attest.localhost",
		},
		"galleryEndpoint": base, "graphEndpoint": base, "portalEndpoint": base + "/console/",
	}
	if v := arm.Param(r.URL.Query(), "api-version"); v >= metadataList && v < metadataObject {
		arm.WriteJSON(w, http.StatusOK, []any{cloud})
		return
	}
	arm.WriteJSON(w, http.StatusOK, cloud)
}

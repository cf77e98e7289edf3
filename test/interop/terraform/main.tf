# Every azurerm_api_management_* resource that can work without Azure: custom_domain needs a key vault.

variable "metadata_host" {}
variable "client_secret" {}
variable "note" { default = "first" }

provider "azurerm" {
  features {}
  metadata_host                   = var.metadata_host
  resource_provider_registrations = "none"
  subscription_id                 = "00000000-0000-0000-0000-000000000000"
  tenant_id                       = "00000000-0000-0000-0000-000000000000"
  client_id                       = "00000000-0000-0000-0000-000000000001"
  client_secret                   = var.client_secret
}

locals {
  group       = azurerm_resource_group.tf.name
  service     = azurerm_api_management.tf.name
  service_id  = azurerm_api_management.tf.id
  certificate = "MIIB4DCCAYegAwIBAgIUXwFUhSBoH2+vdTdQ7XUMNpOMGtUwCgYIKoZIzj0EAwIwRTELMAkGA1UEBhMCREUxFTATBgNVBAoMDENvbnRvc28sIEx0ZDEfMB0GA1UEAwwWY2xpZW50LmNvbnRvc28uZXhhbXBsZTAgFw0yNjExMjMwMjMxMTdaGA8yMTI2MTAzMDAyMzExN1owRTELMAkGA1UEBhMCREUxFTATBgNVBAoMDENvbnRvc28sIEx0ZDEfMB0GA1UEAwwWY2xpZW50LmNvbnRvc28uZXhhbXBsZTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABOK2kBxO7pexuFPwoC3MyFWYm8IhAWppAZcncduV+6Ug5VqAWMZLYtOAcJWRBD4s7ea9KuRnT0DldMMEsA7/YeSjUzBRMB0GA1UdDgQWBBRpAL1YDGu03V2ylniXnh1qh2fGjjAfBgNVHSMEGDAWgBRpAL1YDGu03V2ylniXnh1qh2fGjjAPBgNVHRMBAf8EBTADAQH/MAoGCCqGSM49BAMCA0cAMEQCIH3lDs/E5ivJINpNgCL1UWFbajAO9AUnCRVUJ/NSejiVAiA56S+G5UoO/k1CyfHq+BD5b0UcTXZkv8LcAFr54KwpIQ=="
  policy      = <<-XML
    <policies>
      <inbound><base /><set-header name="X-Note" exists-action="override"><value>${var.note}</value></set-header></inbound>
      <backend><base /></backend>
      <outbound><base /></outbound>
      <on-error><base /></on-error>
    </policies>
  XML
}

resource "azurerm_resource_group" "tf" {
  name     = "terraform"
  location = "westeurope"
}

resource "azurerm_api_management" "tf" {
  name                = "terraform-interop"
  location            = azurerm_resource_group.tf.location
  resource_group_name = local.group
  publisher_name      = "Publisher ${var.note}"
  publisher_email     = "publisher@example.com"
  sku_name            = "Developer_1"
  tags                = { team = "a" }
  identity { type = "SystemAssigned" }
  sign_up {
    enabled = true
    terms_of_service {
      enabled          = true
      consent_required = true
      text             = "Terms."
    }
  }
}

data "azurerm_api_management" "tf" {
  name                = local.service
  resource_group_name = local.group
  depends_on          = [azurerm_api_management.tf]
}

resource "azurerm_api_management_certificate" "client" {
  name                = "client"
  resource_group_name = local.group
  api_management_name = local.service
  data                = local.certificate
}

resource "azurerm_api_management_backend" "web" {
  name                = "web"
  resource_group_name = local.group
  api_management_name = local.service
  protocol            = "http"
  url                 = "https://web.example"
  title               = "Web"
  description         = var.note
  credentials {
    header = { "X-A" = "1,2" }
    query  = { "code" = "k" }
    authorization {
      scheme    = "Basic"
      parameter = "eDp5"
    }
  }
  proxy {
    url      = "http://proxy.example:8080"
    username = "u"
    password = "{{${azurerm_api_management_named_value.secret.display_name}}}"
  }
  tls {
    validate_certificate_chain = false
    validate_certificate_name  = false
  }
  circuit_breaker_rule {
    name                       = "r"
    trip_duration              = "PT1M"
    accept_retry_after_enabled = true
    failure_condition {
      count             = 3
      interval_duration = "PT1H"
      error_reasons     = ["Timeout"]
      status_code_range {
        min = 500
        max = 599
      }
    }
  }
}

resource "azurerm_api_management_redis_cache" "tf" {
  name              = "cache"
  api_management_id = local.service_id
  connection_string = "cache.example:6379,password=secret,ssl=true"
  description       = var.note
  cache_location    = "westeurope"
}

resource "azurerm_api_management_named_value" "plain" {
  name                = "plain"
  resource_group_name = local.group
  api_management_name = local.service
  display_name        = "plain"
  value               = var.note
  tags                = ["a", "b"]
}

resource "azurerm_api_management_named_value" "secret" {
  name                = "secret"
  resource_group_name = local.group
  api_management_name = local.service
  display_name        = "secret"
  value               = "secret ${var.note}"
  secret              = true
}

resource "azurerm_api_management_authorization_server" "tf" {
  name                         = "server"
  resource_group_name          = local.group
  api_management_name          = local.service
  display_name                 = "Server"
  description                  = var.note
  authorization_endpoint       = "https://id.example/authorize"
  token_endpoint               = "https://id.example/token"
  client_id                    = "client"
  client_secret                = "secret"
  client_registration_endpoint = "https://id.example/register"
  grant_types                  = ["authorizationCode"]
  authorization_methods        = ["GET"]
  bearer_token_sending_methods = ["authorizationHeader"]
  client_authentication_method = ["Basic"]
  default_scope                = "read"
}

resource "azurerm_api_management_openid_connect_provider" "tf" {
  name                = "openid"
  resource_group_name = local.group
  api_management_name = local.service
  display_name        = "OpenID"
  description         = var.note
  client_id           = "client"
  client_secret       = "secret"
  metadata_endpoint   = "https://id.example/.well-known/openid-configuration"
}

resource "azurerm_api_management_identity_provider_aad" "tf" {
  resource_group_name = local.group
  api_management_name = local.service
  client_id           = "00000000-0000-0000-0000-00000000000a"
  client_secret       = "secret"
  allowed_tenants     = ["00000000-0000-0000-0000-00000000000b"]
  signin_tenant       = "00000000-0000-0000-0000-00000000000b"
  client_library      = "MSAL-2"
}

resource "azurerm_api_management_identity_provider_aadb2c" "tf" {
  resource_group_name    = local.group
  api_management_name    = local.service
  client_id              = "00000000-0000-0000-0000-00000000000a"
  client_secret          = "secret"
  allowed_tenant         = "example.onmicrosoft.com"
  signin_tenant          = "example.onmicrosoft.com"
  authority              = "example.b2clogin.com"
  signin_policy          = "B2C_1_in"
  signup_policy          = "B2C_1_up"
  profile_editing_policy = "B2C_1_edit"
  password_reset_policy  = "B2C_1_reset"
}

resource "azurerm_api_management_identity_provider_facebook" "tf" {
  resource_group_name = local.group
  api_management_name = local.service
  app_id              = "app"
  app_secret          = "secret"
}

resource "azurerm_api_management_identity_provider_google" "tf" {
  resource_group_name = local.group
  api_management_name = local.service
  client_id           = "00000000.apps.googleusercontent.com"
  client_secret       = "secret"
}

resource "azurerm_api_management_identity_provider_microsoft" "tf" {
  resource_group_name = local.group
  api_management_name = local.service
  client_id           = "00000000-0000-0000-0000-00000000000a"
  client_secret       = "secret"
}

resource "azurerm_api_management_identity_provider_twitter" "tf" {
  resource_group_name = local.group
  api_management_name = local.service
  api_key             = "key"
  api_secret_key      = "secret"
}

resource "azurerm_api_management_gateway" "edge" {
  name              = "edge"
  api_management_id = local.service_id
  description       = var.note
  location_data {
    name     = "Berlin"
    city     = "Berlin"
    district = "Mitte"
    region   = "Germany"
  }
}

resource "azurerm_api_management_gateway_api" "edge" {
  gateway_id = azurerm_api_management_gateway.edge.id
  api_id     = local.echo
}

resource "azurerm_api_management_gateway_certificate_authority" "edge" {
  api_management_id = local.service_id
  gateway_name      = azurerm_api_management_gateway.edge.name
  certificate_name  = azurerm_api_management_certificate.client.name
  is_trusted        = true
}

resource "azurerm_api_management_gateway_host_name_configuration" "edge" {
  name                               = "main"
  api_management_id                  = local.service_id
  gateway_name                       = azurerm_api_management_gateway.edge.name
  certificate_id                     = azurerm_api_management_certificate.client.id
  host_name                          = "edge.example"
  request_client_certificate_enabled = true
  http2_enabled                      = true
  tls10_enabled                      = false
  tls11_enabled                      = false
}

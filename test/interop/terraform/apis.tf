resource "azurerm_api_management_api_version_set" "tf" {
  name                = "versions"
  resource_group_name = local.group
  api_management_name = local.service
  display_name        = "Versions"
  versioning_scheme   = "Query"
  version_query_name  = "v"
  description         = var.note
}

resource "azurerm_api_management_api" "echo" {
  name                  = "echo"
  resource_group_name   = local.group
  api_management_name   = local.service
  revision              = "1"
  display_name          = "Echo"
  description           = var.note
  path                  = "echo"
  protocols             = ["https"]
  service_url           = "https://echo.example"
  version               = "v1"
  version_set_id        = azurerm_api_management_api_version_set.tf.id
  subscription_required = true
  subscription_key_parameter_names {
    header = "X-Key"
    query  = "key"
  }
  contact {
    name  = "Us"
    email = "us@example.com"
    url   = "https://example.com"
  }
  license {
    name = "MIT"
    url  = "https://example.com/license"
  }
}

resource "azurerm_api_management_api" "imported" {
  name                = "imported"
  resource_group_name = local.group
  api_management_name = local.service
  revision            = "1"
  display_name        = "Imported"
  path                = "imported"
  protocols           = ["https"]
  import {
    content_format = "openapi+json"
    content_value = jsonencode({
      openapi = "3.0.1", info = { title = "Imported", version = "1" }, servers = [{ url = "https://imported.example" }],
      paths   = { "/pets" = { get = { operationId = "pets", responses = { "200" = { description = "All" } } } } }
    })
  }
}

resource "azurerm_api_management_api_operation" "find" {
  operation_id        = "find"
  api_name            = azurerm_api_management_api.echo.name
  resource_group_name = local.group
  api_management_name = local.service
  display_name        = "Find"
  method              = "POST"
  url_template        = "/pets/{id}"
  description         = var.note
  template_parameter {
    name     = "id"
    type     = "string"
    required = true
  }
  request {
    description = "What to find."
    query_parameter {
      name          = "limit"
      type          = "integer"
      required      = false
      default_value = "10"
      values        = ["10", "20"]
    }
    header {
      name     = "X-Trace"
      type     = "string"
      required = false
    }
    representation {
      content_type = "application/json"
      example {
        name  = "default"
        value = jsonencode({ name = "Rex" })
      }
    }
  }
  response {
    status_code = 200
    description = "Found."
  }
}

resource "azurerm_api_management_api_operation_policy" "find" {
  api_name            = azurerm_api_management_api_operation.find.api_name
  operation_id        = azurerm_api_management_api_operation.find.operation_id
  resource_group_name = local.group
  api_management_name = local.service
  xml_content         = local.policy
}

resource "azurerm_api_management_api_operation_tag" "find" {
  name             = "found"
  api_operation_id = azurerm_api_management_api_operation.find.id
  display_name     = "Found"
}

resource "azurerm_api_management_api_policy" "echo" {
  api_name            = azurerm_api_management_api.echo.name
  resource_group_name = local.group
  api_management_name = local.service
  xml_content         = local.policy
}

resource "azurerm_api_management_api_release" "echo" {
  name   = "release"
  api_id = azurerm_api_management_api.echo.id
  notes  = var.note
}

resource "azurerm_api_management_api_schema" "echo" {
  schema_id           = "pet"
  api_name            = azurerm_api_management_api.echo.name
  resource_group_name = local.group
  api_management_name = local.service
  content_type        = "application/vnd.oai.openapi.components+json"
  components          = jsonencode({ schemas = { Pet = { type = "object" } } })
}

resource "azurerm_api_management_global_schema" "json" {
  schema_id           = "json"
  resource_group_name = local.group
  api_management_name = local.service
  type                = "json"
  value               = jsonencode({ type = "object" })
  description         = var.note
}

resource "azurerm_api_management_tag" "tf" {
  name              = "pets"
  api_management_id = local.service_id
  display_name      = "Pets"
}

locals { # some resources of the provider know an API without its revision only, and would be replaced at every plan
  echo = replace(azurerm_api_management_api.echo.id, ";rev=1", "")
}

resource "azurerm_api_management_api_tag" "echo" {
  name   = azurerm_api_management_tag.tf.name
  api_id = local.echo
}

resource "azurerm_api_management_api_tag_description" "echo" {
  api_tag_id                = azurerm_api_management_api_tag.echo.id
  description               = var.note
  external_documentation_url         = "https://pets.example"
  external_documentation_description = "More."
}

resource "azurerm_api_management_logger" "insights" {
  name                = "insights"
  resource_group_name = local.group
  api_management_name = local.service
  description         = var.note
  application_insights {
    instrumentation_key = "11111111-2222-3333-4444-555555555555"
  }
}

resource "azurerm_api_management_api_diagnostic" "echo" {
  identifier                = "applicationinsights"
  resource_group_name       = local.group
  api_management_name       = local.service
  api_name                  = azurerm_api_management_api.echo.name
  api_management_logger_id  = azurerm_api_management_logger.insights.id
  sampling_percentage       = 5.0
  always_log_errors         = true
  log_client_ip             = true
  verbosity                 = "verbose"
  http_correlation_protocol = "W3C"
  frontend_request {
    body_bytes     = 32
    headers_to_log = ["content-type", "accept"]
    data_masking {
      headers {
        mode  = "Mask"
        value = "authorization"
      }
    }
  }
  backend_response {
    body_bytes     = 32
    headers_to_log = ["content-type"]
  }
}

resource "azurerm_api_management_diagnostic" "insights" {
  identifier               = "applicationinsights"
  resource_group_name      = local.group
  api_management_name      = local.service
  api_management_logger_id = azurerm_api_management_logger.insights.id
  sampling_percentage      = 10
}

resource "azurerm_api_management_policy" "tf" {
  api_management_id = local.service_id
  xml_content       = "<policies><inbound /><backend><forward-request /></backend><outbound /><on-error /></policies>"
}

resource "azurerm_api_management_policy_fragment" "tf" {
  name              = "fragment"
  api_management_id = local.service_id
  format            = "rawxml"
  value             = "<fragment><set-header name=\"X\" exists-action=\"override\"><value>y</value></set-header></fragment>"
  description       = var.note
}

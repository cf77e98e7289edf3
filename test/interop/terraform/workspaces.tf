resource "azurerm_api_management_workspace" "team" {
  name              = "team"
  api_management_id = local.service_id
  display_name      = "Team"
  description       = var.note
}

resource "azurerm_api_management_workspace_api_version_set" "tf" {
  name                        = "versions"
  api_management_workspace_id = azurerm_api_management_workspace.team.id
  display_name                = "Versions"
  versioning_scheme           = "Segment"
  description                 = var.note
}

resource "azurerm_api_management_workspace_certificate" "tf" {
  name                        = "client"
  api_management_workspace_id = azurerm_api_management_workspace.team.id
  certificate_data_base64     = local.certificate
}

resource "azurerm_api_management_workspace_named_value" "tf" {
  name                        = "plain"
  api_management_workspace_id = azurerm_api_management_workspace.team.id
  display_name                = "plain"
  value                       = var.note
  tags                        = ["a"]
}

resource "azurerm_api_management_workspace_policy" "tf" {
  api_management_workspace_id = azurerm_api_management_workspace.team.id
  xml_content                 = local.policy
}

resource "azurerm_api_management_workspace_policy_fragment" "tf" {
  name                        = "fragment"
  api_management_workspace_id = azurerm_api_management_workspace.team.id
  xml_format                  = "rawxml"
  xml_content                 = "<fragment><set-header name=\"X\" exists-action=\"override\"><value>y</value></set-header></fragment>"
  description                 = var.note
}

resource "azurerm_api_management_standalone_gateway" "edge" {
  name                 = "terraform-edge"
  resource_group_name  = local.group
  location             = azurerm_resource_group.tf.location
  virtual_network_type = "External"
  backend_subnet_id    = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/terraform/providers/Microsoft.Network/virtualNetworks/v/subnets/s"
  tags                 = { team = "edge" }
  sku {
    name     = "WorkspaceGatewayPremium"
    capacity = var.note == "first" ? 1 : 2
  }
}

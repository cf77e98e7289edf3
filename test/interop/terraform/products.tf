resource "azurerm_api_management_product" "gold" {
  product_id            = "gold"
  resource_group_name   = local.group
  api_management_name   = local.service
  display_name          = "Gold"
  description           = var.note
  terms                 = "Pay."
  subscription_required = true
  approval_required     = true
  subscriptions_limit   = 3
  published             = true
}

resource "azurerm_api_management_product_api" "gold" {
  product_id          = azurerm_api_management_product.gold.product_id
  api_name            = azurerm_api_management_api.echo.name
  resource_group_name = local.group
  api_management_name = local.service
}

resource "azurerm_api_management_group" "partners" {
  name                = "partners"
  resource_group_name = local.group
  api_management_name = local.service
  display_name        = "Partners"
  description         = var.note
}

resource "azurerm_api_management_product_group" "gold" {
  product_id          = azurerm_api_management_product.gold.product_id
  group_name          = azurerm_api_management_group.partners.name
  resource_group_name = local.group
  api_management_name = local.service
}

resource "azurerm_api_management_product_policy" "gold" {
  product_id          = azurerm_api_management_product.gold.product_id
  resource_group_name = local.group
  api_management_name = local.service
  xml_content         = local.policy
}

resource "azurerm_api_management_product_tag" "gold" {
  name                      = azurerm_api_management_tag.tf.name
  api_management_product_id = azurerm_api_management_product.gold.product_id
  resource_group_name       = local.group
  api_management_name       = local.service
}

resource "azurerm_api_management_user" "jane" {
  user_id             = "jane"
  resource_group_name = local.group
  api_management_name = local.service
  first_name          = "Jane"
  last_name           = "Doe"
  email               = "jane@example.com"
  state               = "active"
  note                = var.note
}

resource "azurerm_api_management_group_user" "jane" {
  user_id             = azurerm_api_management_user.jane.user_id
  group_name          = azurerm_api_management_group.partners.name
  resource_group_name = local.group
  api_management_name = local.service
}

resource "azurerm_api_management_subscription" "jane" {
  subscription_id     = "jane"
  resource_group_name = local.group
  api_management_name = local.service
  user_id             = azurerm_api_management_user.jane.id
  product_id          = azurerm_api_management_product.gold.id
  display_name        = "Jane ${var.note}"
  state               = "active"
  allow_tracing       = false
}

resource "azurerm_api_management_subscription" "all" {
  resource_group_name = local.group
  api_management_name = local.service
  display_name        = "All APIs"
  state               = "active"
}

resource "azurerm_api_management_notification_recipient_email" "tf" {
  api_management_id = local.service_id
  notification_type = "AccountClosedPublisher"
  email             = "closed@example.com"
}

resource "azurerm_api_management_notification_recipient_user" "tf" {
  api_management_id = local.service_id
  notification_type = "AccountClosedPublisher"
  user_id           = azurerm_api_management_user.jane.user_id
}

resource "azurerm_api_management_email_template" "tf" {
  template_name       = "ConfirmSignUpIdentityDefault"
  resource_group_name = local.group
  api_management_name = local.service
  subject             = "Confirm ${var.note}"
  body                = "<p>Dear $DevFirstName</p>"
}

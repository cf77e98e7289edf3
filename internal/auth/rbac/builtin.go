package rbac

// IDs of the built-in roles that the program itself refers to. They are Azure's.
const (
	OwnerRole       = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
	ContributorRole = "b24988ac-6180-42a0-ab88-20f7382dd24c"
	ReaderRole      = "acdd72a7-3385-48ef-bd42-f606fba81ae7"
)

const service = "Microsoft.ApiManagement/service/"

// BuiltIn returns Azure's built-in roles that mean something here: the general ones and those of API Management, with
// their IDs and actions (learn.microsoft.com, "Azure built-in roles").
func BuiltIn() []Role {
	return append(generalRoles(), append(serviceRoles(), workspaceRoles()...)...)
}

func generalRoles() []Role {
	return []Role{
		builtIn(OwnerRole, "Owner", "Everything, roles of others included.", []string{"*"}, nil),
		builtIn(ContributorRole, "Contributor", "Everything but giving roles to others.", []string{"*"}, []string{
			"Microsoft.Authorization/*/Delete", "Microsoft.Authorization/*/Write", "Microsoft.Authorization/elevateAccess/Action",
		}),
		builtIn(ReaderRole, "Reader", "Reads everything but secrets.", []string{"*/read"}, nil),
		builtIn("18d7d88d-d35e-4fb5-a5c3-7773c20a72d9", "User Access Administrator", "Reads everything and gives roles to others.",
			[]string{"*/read", "Microsoft.Authorization/*", "Microsoft.Support/*"}, nil),
		builtIn("f58310d9-a9f6-439a-9e8d-f62e7b41a168", "Role Based Access Control Administrator", "Reads everything and assigns roles to others.",
			[]string{"Microsoft.Authorization/roleAssignments/write", "Microsoft.Authorization/roleAssignments/delete", "*/read", "Microsoft.Support/*"}, nil),
	}
}

func serviceRoles() []Role {
	// What every role of a service has besides.
	around := []string{
		"Microsoft.Authorization/*/read", "Microsoft.Insights/alertRules/*", "Microsoft.ResourceHealth/availabilityStatuses/read",
		"Microsoft.Resources/deployments/*", "Microsoft.Resources/subscriptions/resourceGroups/read", "Microsoft.Support/*",
	}
	noKeys := []string{service + "users/keys/read"}
	return []Role{
		builtIn("312a565d-c81f-4fd8-895a-4e21e48d571c", "API Management Service Contributor", "Manages services and everything in them.",
			append([]string{service + "*"}, around...), nil),
		builtIn("e022efe7-f5ba-4159-bbe4-b44f577e9b61", "API Management Service Operator Role", "Manages services, not the APIs in them.",
			append([]string{
				service + "*/read", service + "backup/action", service + "delete", service + "managedeployments/action", service + "read",
				service + "restore/action", service + "updatecertificate/action", service + "updatehostname/action", service + "write",
			}, around...), noKeys),
		builtIn("71522526-b88f-4d52-b57f-d31fc3546d0d", "API Management Service Reader Role", "Reads services and everything in them.",
			append([]string{service + "*/read", service + "read"}, around...), noKeys),
		builtIn("c031e6a8-4391-4de0-8d69-4706a7ed3729", "API Management Developer Portal Content Editor", "Edits the developer portal and publishes it.",
			[]string{
				service + "portalRevisions/read", service + "portalRevisions/write",
				service + "contentTypes/read", service + "contentTypes/delete", service + "contentTypes/write",
				service + "contentTypes/contentItems/read", service + "contentTypes/contentItems/write", service + "contentTypes/contentItems/delete",
			}, nil),
		builtIn("9565a273-41b9-4368-97d2-aeb0c976a9b3", "API Management Service Workspace API Developer",
			"At the service, for those who develop APIs in a workspace: puts their APIs into products and under tags.", workspaceMember(), nil),
		builtIn("d59a3e9c-6d52-4a5a-aeed-6bf3cf0e31da", "API Management Service Workspace API Product Manager",
			"At the service, for those who publish APIs of a workspace: as the API developer, and puts users into groups.",
			append([]string{service + "users/read", service + "groups/read", service + "groups/users/*"}, workspaceMember()...), nil),
	}
}

func workspaceMember() []string {
	return []string{
		service + "tags/read", service + "tags/apiLinks/*", service + "tags/operationLinks/*", service + "tags/productLinks/*",
		service + "products/read", service + "products/apiLinks/*", service + "read", "Microsoft.Authorization/*/read",
	}
}

func workspaceRoles() []Role {
	const in = service + "workspaces/"
	return []Role{
		builtIn("56328988-075d-4c6a-8766-d93edd6725b6", "API Management Workspace API Developer", "Reads a workspace and edits its APIs.",
			[]string{
				in + "*/read", in + "apis/*", in + "apiVersionSets/*", in + "policies/*", in + "schemas/*", in + "products/*",
				in + "policyFragments/*", in + "namedValues/*", in + "tags/*", "Microsoft.Authorization/*/read",
			}, nil),
		builtIn("73c2c328-d004-4c5e-938c-35c6f5679a1f", "API Management Workspace API Product Manager", "Reads a workspace and publishes its APIs.",
			[]string{
				in + "*/read", in + "products/*", in + "subscriptions/*", in + "groups/*", in + "tags/*", in + "notifications/*",
				"Microsoft.Authorization/*/read",
			}, nil),
		builtIn("0c34c906-8d99-4cb7-8bb7-33f5b0a1a799", "API Management Workspace Contributor", "Manages a workspace, not who is in it.",
			[]string{in + "*", "Microsoft.Authorization/*/read"}, nil),
		builtIn("ef1c2c96-4a77-49e8-b9a4-6179fe1d2fd2", "API Management Workspace Reader", "Reads a workspace.",
			[]string{in + "*/read", "Microsoft.Authorization/*/read"}, nil),
	}
}

func builtIn(id, name, description string, actions, notActions []string) Role {
	if notActions == nil {
		notActions = []string{}
	}
	return Role{
		ID: id, Name: name, Description: description, BuiltIn: true, AssignableScopes: []string{"/"},
		Permissions: []Permission{{Actions: actions, NotActions: notActions, DataActions: []string{}, NotDataActions: []string{}}},
	}
}

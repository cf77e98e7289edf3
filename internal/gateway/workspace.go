package gateway

import "strings"

// Resources of a workspace have names of their own: the API echo of a workspace
// and that of the service are two. Wherever the config names resources, those of
// a workspace bear its name before a slash, which no name holds: "team/echo".

const workspacePrefix = "workspaces/"

// splitWorkspace splits the ID of a part into the workspace, "" for the
// service's own parts, and the rest.
func splitWorkspace(id string) (workspace, rest string) {
	after, ok := strings.CutPrefix(id, workspacePrefix)
	if !ok {
		return "", id
	}
	workspace, rest, _ = strings.Cut(after, "/")
	return workspace, rest
}

// qualify makes the name of a workspace's resource; the service's stay as they are.
func qualify(workspace, name string) string {
	if workspace == "" || name == "" {
		return name
	}
	return workspace + "/" + name
}

// workspaceOfName is the inverse of qualify: the workspace of a name.
func workspaceOfName(name string) string {
	workspace, _, ok := strings.Cut(name, "/")
	if !ok {
		return ""
	}
	return workspace
}

// localName is the name of a part's resource.
func localName(id string) string {
	workspace, rest := splitWorkspace(id)
	return qualify(workspace, lastSegment(rest))
}

// parentName is the name of the resource at the top of a part's ID: of "apis/a/operations/o" the API's.
func parentName(id string) string {
	workspace, rest := splitWorkspace(id)
	_, rest, _ = strings.Cut(rest, "/")
	name, _, _ := strings.Cut(rest, "/")
	return qualify(workspace, name)
}

// pathOf is the ID of the part of a resource of a kind: "apis", "team/echo" is
// "workspaces/team/apis/echo".
func pathOf(segment, name string) string {
	workspace, rest, ok := strings.Cut(name, "/")
	if !ok {
		return segment + "/" + name
	}
	return workspacePrefix + workspace + "/" + segment + "/" + rest
}

// workspace is that of the API that a request was matched to, "" outside of workspaces.
func (r *request) workspace() string {
	if r.matched.api == nil { // no API is at the path
		return ""
	}
	return r.matched.api.workspace
}

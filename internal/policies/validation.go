package policies

import (
	"encoding/json"
	"strings"

	"github.com/causeway-apim/causeway/internal/message"
	"github.com/causeway-apim/causeway/internal/policy"
)

// What validation policies do about what they find.
const (
	actionIgnore  = "ignore"
	actionPrevent = "prevent"
	actionDetect  = "detect"
)

// internalFault is what clients are told about faults that are not theirs.
const internalFault = "The request could not be processed due to an internal error. Contact the API owner."

// violation is one finding, in the form in which the errors variable holds it.
type violation struct {
	Name           string
	Type           string
	ValidationRule string
	Details        string
	Action         string

	public string // for the client; empty: internalFault
}

// findings are what a validation policy has found in one run.
type findings struct {
	list    []violation
	prevent bool
}

// add notes a violation unless it is to be ignored.
func (f *findings) add(action string, v violation) {
	if action == actionIgnore {
		return
	}
	v.Action = action
	f.prevent = f.prevent || action == actionPrevent
	f.list = append(f.list, v)
}

// finish puts the findings into the variable, logs them, and makes the error of the first that prevents.
func (f *findings) finish(x *policy.Exec, variable string, value policy.JSONValue) error {
	if len(f.list) == 0 {
		return nil
	}
	if variable != "" {
		text, err := json.Marshal(f.list)
		if err != nil {
			return err
		}
		list, err := value(x, string(text))
		if err != nil {
			return err
		}
		x.SetVariable(variable, list)
	}
	for _, v := range f.list {
		x.Trace("validation", v.Details, "name", v.Name, "type", v.Type, "rule", v.ValidationRule, "action", v.Action)
		x.Host.Log(x.Context(), policy.LogInformation, v.Details, "type", v.Type, "rule", v.ValidationRule, "action", v.Action)
	}
	if !f.prevent {
		return nil
	}
	return f.refusal(x)
}

// refusal is the error of the first violation that prevents.
func (f *findings) refusal(x *policy.Exec) error {
	for _, v := range f.list {
		if v.Action != actionPrevent {
			continue
		}
		e := &policy.Error{Reason: "Bad request", Message: v.Details, Status: 400, Public: v.public}
		if isResponseSection(x) {
			e.Reason, e.Status = "Response not allowed", 502
		}
		if e.Public == "" || isResponseSection(x) {
			e.Public = internalFault
		}
		return e
	}
	return nil
}

// isResponseSection says whether the section works on the response.
func isResponseSection(x *policy.Exec) bool { return x.Section&(policy.Outbound|policy.OnError) != 0 }

// namedAction is the action for one parameter or header.
type namedAction struct {
	Name   string `attr:"name,required" doc:"Name."`
	Action string `attr:"action,required" enum:"ignore,prevent,detect" doc:"What to do about errors of it."`
}

// actionFor is the action of the entry of that name, or a fallback.
func actionFor(list []namedAction, name, fallback string) string {
	for _, a := range list {
		if strings.EqualFold(a.Name, name) {
			return a.Action
		}
	}
	return fallback
}

// actionForUnspecified is the action for a header that the description does not have: those of HTTP itself are let through unless an entry
// names them.
func actionForUnspecified(list []namedAction, name, fallback string) string {
	if isMechanical(name) {
		fallback = actionIgnore
	}
	return actionFor(list, name, fallback)
}

// isMechanical says whether a header belongs to the exchange itself, so that no description of an API lists it. OpenAPI ignores parameters
// named Accept, Content-Type and Authorization likewise.
func isMechanical(name string) bool {
	switch strings.ToLower(name) {
	case "accept", "accept-encoding", "accept-language", "authorization", "connection", "content-encoding", "content-length", "content-type", "date",
		"expect", "forwarded", "host", "keep-alive", "origin", "proxy-connection", "referer", "request-id", "server", "te", "traceparent", "tracestate",
		"trailer", "transfer-encoding", "upgrade", "user-agent", "via", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-request-id":
		return true
	}
	return strings.HasPrefix(strings.ToLower(name), "ocp-apim-") || strings.HasPrefix(strings.ToLower(name), "apim-")
}

// differentNames are the names of a header's fields, each once.
func differentNames(h *message.Header) []string {
	var list []string
	seen := make(map[string]bool)
	for name := range h.All() {
		if folded := strings.ToLower(name); !seen[folded] {
			seen[folded] = true
			list = append(list, name)
		}
	}
	return list
}

package resources

import (
	"encoding/json"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/causeway-apim/causeway/internal/arm"
	"github.com/causeway-apim/causeway/internal/resource"
)

// actionLogEntry says what a deployment did to a resource.
type actionLogEntry struct {
	ObjectType string `json:"objectType"`
	Action     string `json:"action"`
	ObjectKey  string `json:"objectKey"`
}

// What a deployment does to resources.
const (
	actionCreated = "Created"
	actionUpdated = "Updated"
	actionDeleted = "Deleted"
)

// treeDeployer makes the configuration that is stored equal to one of the repository, in one transaction. It goes on
// after what cannot be written, so that everything that is wrong is known at the end.
type treeDeployer struct {
	x        *resource.Tx
	want     *tree
	force    bool // subscriptions of products that go are deleted, too
	log      []actionLogEntry
	problems []arm.Detail
}

func (d *treeDeployer) run() error {
	// APIs and operations that go make room for others with their paths.
	for _, kind := range []string{treeOperations, treeAPIs} {
		if err := d.discard(kind); err != nil {
			return err
		}
	}
	for _, kind := range treeKinds() {
		if err := d.apply(kind); err != nil {
			return err
		}
	}
	for _, kind := range slices.Backward(treeKinds()) {
		if kind == treeTemplates || kind == treeSettings { // are there from the start
			continue
		}
		if err := d.discard(kind); err != nil {
			return err
		}
	}
	return nil
}

// apply writes what differs of a kind.
func (d *treeDeployer) apply(kind string) error {
	have, err := readTree(&d.x.Reader, kind)
	if err != nil {
		return err
	}
	for _, item := range d.want.sorted(kind) {
		old, exists := have.items[kind][strings.ToLower(item.rel)]
		body, merge := item.props, false
		switch {
		case exists && kind == treeLinks:
			continue
		case exists && kind == treePolicies:
			if old.props["value"] == item.props["value"] {
				continue
			}
		case exists:
			patch := mergePatch(old.props, item.props, kind == treeSettings)
			if len(patch) == 0 {
				continue
			}
			if kind == treeSettings {
				body, merge = patch, true
			}
		}
		if err := d.write(item, body, merge); err != nil {
			return err
		}
		d.record(map[bool]string{true: actionUpdated, false: actionCreated}[exists], item.rel)
	}
	return nil
}

func (d *treeDeployer) write(item treeItem, props map[string]any, merge bool) error {
	body, err := json.Marshal(map[string]any{"properties": props})
	if err != nil {
		return err
	}
	return d.note(item.file, d.x.Apply(arm.Below(d.x.Service, item.rel), body, merge))
}

// discard deletes what is not in the repository. Handshakes of WebSocket APIs are missing in old ones.
func (d *treeDeployer) discard(kind string) error {
	have, err := readTree(&d.x.Reader, kind)
	if err != nil {
		return err
	}
	query := url.Values{"deleteRevisions": {"true"}, "deleteSubscriptions": {strconv.FormatBool(d.force)}}
	for _, item := range slices.Backward(have.sorted(kind)) {
		if _, stays := d.want.items[kind][strings.ToLower(item.rel)]; stays || item.rel == "policies/"+policyName || isHandshake(arm.Below(d.x.Service, item.rel)) {
			continue
		}
		err := d.x.Discard(arm.Below(d.x.Service, item.rel), query)
		if err := d.note(treeRoot+"/"+relNamesFolder(kind, item.rel), err); err != nil {
			return err
		}
		d.record(actionDeleted, item.rel)
	}
	return nil
}

// relNamesFolder is the folder in which an item that is not there any more would stand.
func relNamesFolder(kind, rel string) string {
	switch kind {
	case treeOperations, treePolicies, treeLinks:
		kind, _, _ = strings.Cut(rel, "/")
	}
	return kind + "/" + fileName(relNames(rel)[0])
}

func (d *treeDeployer) record(action, rel string) {
	segs := strings.Split(rel, "/")
	d.log = append(d.log, actionLogEntry{ObjectType: segs[len(segs)-2], Action: action, ObjectKey: "/" + rel})
}

// note keeps what is wrong with the configuration; other errors are returned.
func (d *treeDeployer) note(file string, err error) error {
	if err == nil {
		return nil
	}
	ae, known := arm.AsError(err)
	if !known {
		return err
	}
	if len(ae.Details) == 0 {
		d.problems = append(d.problems, arm.Detail{Code: ae.Code, Target: file, Message: withTarget(ae.Target, ae.Message)})
	}
	for _, detail := range ae.Details {
		d.problems = append(d.problems, arm.Detail{Code: detail.Code, Target: file, Message: withTarget(detail.Target, detail.Message)})
	}
	return nil
}

func withTarget(target, message string) string {
	if target == "" || strings.HasPrefix(target, "/") {
		return message
	}
	return target + ": " + message
}

// mergePatch is the JSON merge patch (RFC 7386) from one object to another; nil when they are equal. A text that is
// empty is like one that is missing. With keep, what to does not mention stays.
func mergePatch(from, to map[string]any, keep bool) map[string]any {
	patch := make(map[string]any)
	for key, v := range to {
		old, exists := from[key]
		before, isObject := old.(map[string]any)
		after, toObject := v.(map[string]any)
		switch {
		case !exists && (v == nil || v == ""):
		case isObject && toObject:
			if p := mergePatch(before, after, keep); len(p) > 0 {
				patch[key] = p
			}
		case !reflect.DeepEqual(old, v):
			patch[key] = v
		}
	}
	for key, old := range from {
		if _, stays := to[key]; !stays && !keep && old != nil {
			patch[key] = nil
		}
	}
	return patch
}

package resources_test

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/causeway-apim/causeway/internal/resource/resourcetest"
	"github.com/causeway-apim/causeway/internal/resources"
	"github.com/causeway-apim/causeway/internal/snapshot"
)

func backupServer(t *testing.T, dir string) *resourcetest.Server {
	t.Helper()
	c, err := resources.New(resources.Env{BackupDir: dir})
	if err != nil {
		t.Fatal(err)
	}
	return resourcetest.NewService(t, c)
}

// finish follows an asynchronous operation to its result.
func finish(t *testing.T, srv *resourcetest.Server, r resourcetest.Response) resourcetest.Response {
	t.Helper()
	if r.Status != http.StatusAccepted {
		t.Fatalf("status %d: %s", r.Status, r.Body)
	}
	srv.Engine.Wait()
	state := srv.Do("GET", strings.TrimPrefix(r.Header.Get("Azure-AsyncOperation"), "http://manage.test"), "")
	result := srv.Do("GET", strings.TrimPrefix(r.Header.Get("Location"), "http://manage.test"), "")
	if ended := state.JSON(t)["status"]; (ended == "Succeeded") != (result.Status == http.StatusOK) {
		t.Errorf("the operation is %v, its result %d", ended, result.Status)
	}
	return result
}

const backupTo = `{"storageAccount":"backups","containerName":"nightly","backupName":"2026/monday.apimbackup","accessType":"AccessKey","accessKey":"x"}`

// A restored service is as it was: documents, keys, uploads and what gateways get.
func TestBackupRestore(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	srv := backupServer(t, dir)
	srv.Must(http.StatusCreated, "PUT", "products/p", `{"properties":{"displayName":"P"}}`)
	srv.Must(http.StatusCreated, "PUT", "subscriptions/s", `{"properties":{"displayName":"S","scope":"/products/p","primaryKey":"first-key"}}`)
	srv.Must(http.StatusCreated, "PUT", "namedValues/n", `{"properties":{"displayName":"n","value":"hidden","secret":true}}`)
	before := publish(t, srv)

	done := finish(t, srv, srv.Do("POST", "backup", backupTo)).JSON(t)
	if done["name"] != "contoso" || done["id"] != resourcetest.Service {
		t.Errorf("backup answers %v", done)
	}
	file := filepath.Join(dir, "backups", "nightly", "2026", "monday.apimbackup")
	info, err := os.Stat(file)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("%v: %v", info, err)
	}

	srv.Must(http.StatusOK, "DELETE", "subscriptions/s", "", "If-Match", "*")
	srv.Must(http.StatusOK, "PUT", "products/p", `{"properties":{"displayName":"Q"}}`)
	srv.Must(http.StatusCreated, "PUT", "tags/new", `{"properties":{"displayName":"new"}}`)
	srv.Must(http.StatusOK, "PATCH", "", `{"properties":{"publisherName":"B"}}`)
	done = finish(t, srv, srv.Do("POST", "restore", backupTo)).JSON(t)
	if name := done["properties"].(map[string]any)["publisherName"]; name != "A" {
		t.Errorf("publisher %v", name)
	}
	srv.Must(http.StatusNotFound, "GET", "tags/new", "")
	if name := srv.Must(http.StatusOK, "GET", "products/p", "").JSON(t)["properties"].(map[string]any)["displayName"]; name != "P" {
		t.Errorf("product %v", name)
	}
	for path, want := range map[string]string{"subscriptions/s/listSecrets": "first-key", "namedValues/n/listValue": "hidden"} {
		if r := srv.Must(http.StatusOK, "POST", path, ""); !strings.Contains(string(r.Body), want) {
			t.Errorf("%s: %s", path, r.Body)
		}
	}
	after := publish(t, srv)
	if before.Len() != after.Len() {
		t.Errorf("%d parts, %d before", after.Len(), before.Len())
	}
}

// The backup of one service makes another with the same keys.
func TestRestoreIntoOtherService(t *testing.T) {
	t.Parallel()
	srv := backupServer(t, t.TempDir())
	srv.Must(http.StatusCreated, "PUT", "subscriptions/s", `{"properties":{"displayName":"S","scope":"/apis","primaryKey":"first-key"}}`)
	finish(t, srv, srv.Do("POST", "backup", backupTo))
	other := resourcetest.Group + "/providers/Microsoft.ApiManagement/service/Fabrikam"
	srv.Must(http.StatusCreated, "PUT", other, `{"location":"northeurope","sku":{"name":"Premium"},"properties":{"publisherEmail":"b@example.com","publisherName":"B"}}`)
	done := finish(t, srv, srv.Do("POST", other+"/restore", backupTo)).JSON(t)
	if done["id"] != other || done["location"] != "northeurope" {
		t.Errorf("restore answers %v", done)
	}
	r := srv.Must(http.StatusOK, "GET", other+"/subscriptions/s", "").JSON(t)
	if scope := r["properties"].(map[string]any)["scope"]; scope != other+"/apis" {
		t.Errorf("scope %v", scope)
	}
	srv.Must(http.StatusConflict, "PUT", other+"/subscriptions/t", `{"properties":{"displayName":"T","scope":"/apis","primaryKey":"first-key"}}`)
	own := part[snapshot.Service](t, publish(t, srv), snapshot.KindService, "")
	if own.Name != "contoso" {
		t.Errorf("service %s", own.Name)
	}
}

// What cannot work is refused at once, with its place.
func TestBackupRefused(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	srv := backupServer(t, dir)
	name := func(account, container, backup string) string {
		b, err := json.Marshal(resources.BackupRequest{StorageAccount: account, ContainerName: container, BackupName: backup})
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	for body, target := range map[string]string{
		`{}`: "storageAccount", `[]`: "", ``: "",
		name("..", "nightly", "b"):            "storageAccount",
		name("backups", "../up", "b"):         "containerName",
		name("backups", "nightly", "../../b"): "backupName",
		name("backups", "nightly", "/b"):      "backupName",
		name("backups", "nightly", "a//b"):    "backupName",
		name("backups", "nightly", ".hidden"): "backupName",
		name("backups", "nightly", "a\x00b"):  "backupName",
		`{"storageAccount":"backups","containerName":"nightly","backupName":"b","accessType":"Anonymous"}`: "accessType",
	} {
		for _, action := range []string{"backup", "restore"} {
			r := srv.Must(http.StatusBadRequest, "POST", action, body)
			if target != "" && !strings.Contains(string(r.Body), `"target":"`+target+`"`) {
				t.Errorf("%s %s: %s", action, body, r.Body)
			}
		}
	}
	srv.Must(http.StatusBadRequest, "POST", "restore", backupTo) // there is none
	none := backupServer(t, "")
	none.Must(http.StatusNotImplemented, "POST", "backup", backupTo)

	// A link that leads out of the folder is not followed, and a damaged archive changes nothing.
	if err := os.Symlink(t.TempDir(), filepath.Join(dir, "backups")); err != nil {
		t.Fatal(err)
	}
	if r := finish(t, srv, srv.Do("POST", "backup", backupTo)); r.Status < 500 {
		t.Errorf("status %d: %s", r.Status, r.Body)
	}
	if err := os.MkdirAll(filepath.Join(dir, "other", "nightly"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "other", "nightly", "b"), []byte("CWBACKUP\x01 and so on"), 0o600); err != nil {
		t.Fatal(err)
	}
	if r := finish(t, srv, srv.Do("POST", "restore", name("other", "nightly", "b"))); r.Status != http.StatusBadRequest {
		t.Errorf("status %d: %s", r.Status, r.Body)
	}
}

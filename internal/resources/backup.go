package resources

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"regexp"

	"github.com/causeway-apim/causeway/internal/arm"
	"github.com/causeway-apim/causeway/internal/resource"
)

// BackupRequest says where a backup is written to or read from. Azure's storage is a folder of the management plane
// here: the archive is the file storageAccount/containerName/backupName in it.
type BackupRequest struct {
	StorageAccount string `json:"storageAccount"`
	ContainerName  string `json:"containerName"`
	BackupName     string `json:"backupName"`
	// AccessType, AccessKey and ClientID are for Azure's storage and not looked at.
	AccessType string `json:"accessType,omitempty"`
	AccessKey  string `json:"accessKey,omitempty"`
	ClientID   string `json:"clientId,omitempty"`
}

// Names as Azure's storage has them; but those of blobs, which may be paths, are held to what all file systems take.
const (
	accountNames   = `^[a-z0-9]{3,24}$`
	containerNames = `^[A-Za-z0-9]([A-Za-z0-9]|-[A-Za-z0-9]){2,62}$`
	backupNames    = `^[A-Za-z0-9_][A-Za-z0-9 ._()-]*(/[A-Za-z0-9_][A-Za-z0-9 ._()-]*)*$`
	maxBackupName  = 200
)

// errNoBackups is the answer of a plane without a folder for backups.
func errNoBackups() error {
	return arm.Errorf(arm.CodeNotImplemented, "This management plane has no folder for backups: start it with --backup-dir.")
}

// parseBackup reads and checks a request.
func parseBackup(dir string, body json.RawMessage) (r BackupRequest, err error) {
	if dir == "" {
		return r, errNoBackups()
	}
	if err := json.Unmarshal(body, &r); err != nil {
		return r, arm.Errorf(arm.CodeInvalidJSON, "The request's body must be an object with storageAccount, containerName and backupName.")
	}
	for _, f := range []struct{ name, value, pattern string }{
		{"storageAccount", r.StorageAccount, accountNames},
		{"containerName", r.ContainerName, containerNames},
		{"backupName", r.BackupName, backupNames},
	} {
		if ok, err := regexp.MatchString(f.pattern, f.value); err != nil || !ok {
			return r, arm.Invalid(f.name, "%s must have the form %s.", f.name, f.pattern)
		}
	}
	if len(r.BackupName) > maxBackupName {
		return r, arm.Invalid("backupName", "backupName must have at most %d characters.", maxBackupName)
	}
	switch r.AccessType {
	case "", "AccessKey", "SystemAssignedManagedIdentity", "UserAssignedManagedIdentity":
		return r, nil
	}
	return r, arm.Invalid("accessType", "accessType must be AccessKey, SystemAssignedManagedIdentity or UserAssignedManagedIdentity.")
}

// file is the archive's path below the folder for backups.
func (r BackupRequest) file() string {
	return path.Join(r.StorageAccount, r.ContainerName, r.BackupName)
}

// openBackups opens the folder for backups, from which no path leads out, and makes it when it is missing.
func openBackups(dir string) (*os.Root, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the folder for backups: %w", err)
	}
	return os.OpenRoot(dir)
}

// backupActions are backup and restore. Both answer the service when they have ended.
func backupActions(env Env) []resource.Action[Service] {
	return []resource.Action[Service]{
		{
			Name: "backup", Async: true, Input: BackupRequest{}, Output: Service{},
			Doc:   "Writes everything of the service into a file below the folder of --backup-dir, encrypted with the master key. Azure's storage accounts are not used.",
			Valid: func(body json.RawMessage) error { _, err := parseBackup(env.BackupDir, body); return err },
			Read: func(x *resource.Reader, d *resource.Doc[Service], body json.RawMessage) (any, error) {
				r, err := parseBackup(env.BackupDir, body)
				if err != nil {
					return nil, err
				}
				if err := writeBackup(x, env.BackupDir, r.file()); err != nil {
					return nil, err
				}
				return resource.Answer(x, d.ID)
			},
		},
		{
			Name: "restore", Async: true, Input: BackupRequest{}, Output: Service{},
			Doc: "Replaces everything of the service by a backup: of itself or of another service whose backup was made with the same master key. " +
				"Of another one's, the settings of the service itself, such as SKU, tags and host names, are not taken over.",
			Valid: func(body json.RawMessage) error { return backupExists(env.BackupDir, body) },
			Write: func(x *resource.Tx, d *resource.Doc[Service], body json.RawMessage) (any, error) {
				r, err := parseBackup(env.BackupDir, body)
				if err != nil {
					return nil, err
				}
				if err := readBackup(x, d, env.BackupDir, r.file()); err != nil {
					return nil, err
				}
				return resource.Answer(&x.Reader, d.ID)
			},
		},
	}
}

// writeBackup writes the archive under another name and renames it, so that no half one is ever there.
func writeBackup(x *resource.Reader, dir, name string) (err error) {
	root, err := openBackups(dir)
	if err != nil {
		return err
	}
	defer func() { _ = root.Close() }()
	if err := root.MkdirAll(path.Dir(name), 0o700); err != nil {
		return fmt.Errorf("back up to %s: %w", name, err)
	}
	tmp := path.Join(path.Dir(name), ".backup-"+arm.NewGUID())
	f, err := root.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("back up to %s: %w", name, err)
	}
	defer func() {
		if err != nil {
			_ = root.Remove(tmp)
		}
	}()
	err = resource.Backup(x, f)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	return root.Rename(tmp, name)
}

// backupExists refuses a restore of what is not there.
func backupExists(dir string, body json.RawMessage) error {
	r, err := parseBackup(dir, body)
	if err != nil {
		return err
	}
	root, err := openBackups(dir)
	if err != nil {
		return err
	}
	defer func() { _ = root.Close() }()
	info, err := root.Stat(r.file())
	if errors.Is(err, fs.ErrNotExist) || err == nil && !info.Mode().IsRegular() {
		return arm.Invalid("backupName", "There is no backup %s.", r.file())
	}
	return err
}

func readBackup(x *resource.Tx, d *resource.Doc[Service], dir, name string) error {
	root, err := openBackups(dir)
	if err != nil {
		return err
	}
	defer func() { _ = root.Close() }()
	f, err := root.Open(name)
	if err != nil {
		return fmt.Errorf("restore from %s: %w", name, err)
	}
	defer func() { _ = f.Close() }()
	return resource.Restore(x, d, f, func(archived *resource.Doc[Service]) {
		if archived.ID.Equal(d.ID) {
			d.Props = archived.Props
			return
		}
		// The hashes of subscription keys were made with it.
		d.Props.Properties.KeyHashKey = archived.Props.Properties.KeyHashKey
	})
}

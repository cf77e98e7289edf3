package main

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/causeway-apim/causeway/internal/store"
)

// databaseURL is the database of a server.
func (c serverConfig) databaseURL() string {
	return cmp.Or(c.text("database"), "sqlite://"+absolute(filepath.Join(c.text("data"), "causeway.db")))
}

// backupDir is the folder of the backups of services.
func (c serverConfig) backupDir() string {
	return cmp.Or(c.text("backup-dir"), filepath.Join(c.text("data"), "backups"))
}

// serverBackupCommands copy the whole database; file names the file with options of the server.
func serverBackupCommands(file *string) []*cobra.Command {
	backup := &cobra.Command{
		Use:   "backup FILE",
		Short: "Copy the SQLite database, also while a server uses it",
		Long: `Copy the SQLite database into FILE, also while a server uses it. The copy is
consistent and appears whole or not at all. Secrets in it are encrypted with the
master key, which is not in it: keep that in another place. PostgreSQL has
pg_dump for this.`,
		Example: "  causeway server backup --data /var/lib/causeway /backups/causeway.db",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := loadServerConfig(cmd, *file)
			if err != nil {
				return err
			}
			if err := store.CopyDatabase(cmd.Context(), c.databaseURL(), args[0]); err != nil {
				return err
			}
			info, err := os.Stat(args[0])
			if err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "Wrote %s, %d bytes. The master key is not in it.\n", args[0], info.Size())
			return nil
		},
	}
	restore := &cobra.Command{
		Use:   "restore FILE",
		Short: "Replace the SQLite database by a copy; no server may use it",
		Long: `Replace the SQLite database by a copy that 'causeway server backup' made. No
server may use it meanwhile. What is in the database now is lost. Gateways take
the restored configuration when the server is back.`,
		Example: "  causeway server restore --data /var/lib/causeway /backups/causeway.db",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := loadServerConfig(cmd, *file)
			if err != nil {
				return err
			}
			err = store.ReplaceDatabase(cmd.Context(), c.databaseURL(), args[0])
			if errors.Is(err, store.ErrLocked) {
				return fmt.Errorf("%w; stop the server first", err)
			}
			if err == nil {
				fmt.Fprintf(cmd.OutOrStdout(), "Restored %s. Start the server with the master key of then.\n", args[0])
			}
			return err
		},
	}
	return []*cobra.Command{backup, restore}
}

// Package pgtest runs a private PostgreSQL server for a test binary, from the programs installed on the machine.
//
// The server listens on a socket in a temporary folder only, trusts whoever may open it, and trades durability for
// speed. It ends with the test binary, however that ends.
//
//	func TestMain(m *testing.M) { os.Exit(pgtest.Run(m)) }
//
//	func TestX(t *testing.T) { url := pgtest.Database(t) … }
package pgtest

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// envSocket and envError hand the server, or why there is none, from Run to Database; the environment spares a
// package variable and serves helper processes of a test, too.
const (
	envSocket = "CAUSEWAY_PGTEST_SOCKET"
	envError  = "CAUSEWAY_PGTEST_ERROR"

	startLimit = 60 * time.Second
)

const howToInstall = "PostgreSQL's server programs (initdb, postgres) are needed by this test: " +
	"install them (Debian, Ubuntu: apt-get install postgresql; macOS: brew install postgresql) or put them in PATH"

// Run starts a server, runs the tests and stops the server. It returns the exit code for os.Exit. When no server can
// be started, the tests that ask for a database fail and say why; the others run.
func Run(m *testing.M) int {
	stop, err := start()
	if err != nil {
		_ = os.Setenv(envError, err.Error())
		return m.Run()
	}
	defer stop()
	return m.Run()
}

// Database makes an empty database and returns its URL. It is dropped when the test ends.
func Database(t testing.TB) string {
	t.Helper()
	if reason := os.Getenv(envError); reason != "" {
		t.Fatal(reason)
	}
	dir := os.Getenv(envSocket)
	if dir == "" {
		t.Fatal("no PostgreSQL server: the package's TestMain must call pgtest.Run")
	}
	name := "test_" + strings.ToLower(rand.Text())
	if err := execute(t.Context(), dir, "CREATE DATABASE "+name); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := execute(context.WithoutCancel(t.Context()), dir, "DROP DATABASE "+name+" WITH (FORCE)"); err != nil {
			t.Error(err)
		}
	})
	return socketURL(dir, name)
}

func socketURL(dir, database string) string {
	return "postgres://postgres@/" + database + "?" + url.Values{"host": {dir}}.Encode()
}

func execute(ctx context.Context, dir, statement string) error {
	c, err := pgx.Connect(ctx, socketURL(dir, "postgres"))
	if err != nil {
		return fmt.Errorf("pgtest: %w", err)
	}
	defer func() { _ = c.Close(ctx) }()
	if _, err := c.Exec(ctx, statement); err != nil {
		return fmt.Errorf("pgtest: %s: %w", statement, err)
	}
	return nil
}

// watchdog runs the server until its standard input is closed, which the end of the test binary does, then ends it as a crash
// would. $1 is the folder, $2 "remove" when the server's folder goes with it, the rest starts the server.
const watchdog = `dir=$1; then=$2; shift 2
"$@" >"$dir/log" 2>&1 </dev/null & pid=$!
cat >/dev/null
kill -QUIT $pid; wait $pid
[ "$then" = keep ] || rm -rf "$dir"`

func start() (stop func(), err error) {
	bin, err := programs()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "pgtest-")
	if err != nil {
		return nil, fmt.Errorf("pgtest: %w", err)
	}
	if stop, err = startIn(dir, bin); err != nil {
		_ = os.RemoveAll(dir)
	}
	return stop, err
}

func startIn(dir, bin string) (stop func(), err error) {
	server, err := initialise(dir, bin)
	if err != nil {
		return nil, err
	}
	if stop, err = run(dir, "remove", append(server, "-c", "synchronous_commit=off", "-c", "full_page_writes=off", "-c", "max_connections=300")); err != nil {
		return nil, err
	}
	return stop, os.Setenv(envSocket, dir)
}

// initialise makes a server's files in a folder and returns the command that starts it.
func initialise(dir, bin string) ([]string, error) {
	as, err := unprivileged(dir)
	if err != nil {
		return nil, err
	}
	data := filepath.Join(dir, "data")
	initdb := command(as, filepath.Join(bin, "initdb"), "--pgdata="+data, "--username=postgres", "--auth=trust",
		"--encoding=UTF8", "--locale=C", "--no-sync", "--no-instructions")
	if out, err := initdb.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("pgtest: initdb: %w: %s", err, out)
	}
	return slices.Concat(as, []string{filepath.Join(bin, "postgres"), "-D", data, "-k", dir, "-c", "listen_addresses=", "-c", "fsync=off"}), nil
}

// run starts a server and waits until it answers.
func run(dir, then string, server []string) (stop func(), err error) {
	dog := exec.Command("sh", append([]string{"-c", watchdog, "watchdog", dir, then}, server...)...)
	dog.Dir = os.TempDir() // the working folder may be closed to the server's user
	leash, err := dog.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("pgtest: %w", err)
	}
	if err := dog.Start(); err != nil {
		return nil, fmt.Errorf("pgtest: start the server: %w", err)
	}
	stop = func() {
		_ = leash.Close()
		_ = dog.Wait()
	}
	if err := ready(dir); err != nil {
		stop()
		return nil, err
	}
	return stop, nil
}

// ready waits until the server answers.
func ready(dir string) error {
	ctx, cancel := context.WithTimeout(context.Background(), startLimit)
	defer cancel()
	for {
		err := execute(ctx, dir, "SELECT 1")
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			log, _ := os.ReadFile(filepath.Join(dir, "log"))
			return fmt.Errorf("pgtest: the server does not answer: %w\n%s", err, log)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// programs returns the folder of the newest installed server. Debian keeps it out of PATH.
func programs() (string, error) {
	if p, err := exec.LookPath("initdb"); err == nil {
		return filepath.Dir(p), nil
	}
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil || len(found) == 0 {
		return "", fmt.Errorf("pgtest: %s", howToInstall)
	}
	version := func(path string) int {
		n, _ := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(path)))) // 0 for what is no version
		return n
	}
	newest := slices.MaxFunc(found, func(a, b string) int { return version(a) - version(b) })
	return filepath.Dir(newest), nil
}

// unprivileged returns the words that run a command as a user that PostgreSQL accepts, for it refuses root, and gives
// dir to that user.
func unprivileged(dir string) ([]string, error) {
	if runtime.GOOS == "windows" || os.Getuid() != 0 {
		return nil, nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		if u, err = user.Lookup("nobody"); err != nil {
			return nil, fmt.Errorf("pgtest: running as root, and there is no user postgres or nobody for the server: %w", err)
		}
	}
	uid, _ := strconv.Atoi(u.Uid) // numbers on every system that has root
	gid, _ := strconv.Atoi(u.Gid)
	if err := os.Chown(dir, uid, gid); err != nil {
		return nil, fmt.Errorf("pgtest: %w", err)
	}
	if _, err := exec.LookPath("setpriv"); err != nil {
		return nil, fmt.Errorf("pgtest: running as root needs setpriv (package util-linux): %w", err)
	}
	return []string{"setpriv", "--reuid=" + u.Uid, "--regid=" + u.Gid, "--clear-groups"}, nil
}

func command(as []string, words ...string) *exec.Cmd {
	words = slices.Concat(as, words)
	cmd := exec.Command(words[0], words[1:]...)
	cmd.Dir = os.TempDir()
	return cmd
}

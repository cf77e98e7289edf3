//go:build interop

package sdk

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The Terraform and the provider that are built when nothing else is said; both are Go modules.
const (
	terraformModule = "github.com/hashicorp/terraform@v1.5.7"
	providerModule  = "github.com/hashicorp/terraform-provider-azurerm@v1.44.1-0.20260824201233-fae580791926" // 5.2.0
)

// command prepares a program that runs in dir with env added to our environment.
func command(t *testing.T, dir string, env []string, name string, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), env...)
	return cmd
}

// output runs a program and fails the test with what it wrote unless it ends with 0.
func output(t *testing.T, cmd *exec.Cmd) string {
	t.Helper()
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(cmd.Args, " "), err, out)
	}
	return string(out)
}

// TestInteropJavaScript runs ../js with Microsoft's packages from npm.
func TestInteropJavaScript(t *testing.T) {
	t.Parallel()
	s, dir := Start(t), t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("../js")); err != nil {
		t.Fatal(err)
	}
	output(t, command(t, dir, nil, "npm", "install", "--no-audit", "--no-fund"))
	t.Log(output(t, command(t, dir, []string{"NODE_EXTRA_CA_CERTS=" + s.CA}, "node", "suite.mjs", s.URL, secret)))
}

// TestInteropTerraform applies ../terraform with the azurerm provider, plans again, changes every resource that has
// something to change, plans again and destroys all. CAUSEWAY_TERRAFORM names a folder with the programs terraform and
// terraform-provider-azurerm; without it they are built, which takes many minutes.
func TestInteropTerraform(t *testing.T) {
	s, dir := Start(t), t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("../terraform")); err != nil {
		t.Fatal(err)
	}
	bin := os.Getenv("CAUSEWAY_TERRAFORM")
	if bin == "" {
		bin = filepath.Join(dir, "bin")
		for _, module := range []string{terraformModule, providerModule} {
			output(t, command(t, dir, []string{"GOBIN=" + bin, "GOFLAGS=-mod=mod"}, "go", "install", module))
		}
	}
	settings := filepath.Join(dir, "cli.tfrc")
	text := "provider_installation {\n  dev_overrides { \"hashicorp/azurerm\" = \"" + bin + "\" }\n  direct {}\n}\n"
	if err := os.WriteFile(settings, []byte(text), fs.FileMode(0o600)); err != nil {
		t.Fatal(err)
	}
	env := []string{
		"TF_CLI_CONFIG_FILE=" + settings, "SSL_CERT_FILE=" + s.CA, "CHECKPOINT_DISABLE=1", "TF_IN_AUTOMATION=1",
		"TF_VAR_metadata_host=" + strings.TrimPrefix(s.URL, "https://"), "TF_VAR_client_secret=" + secret,
	}
	run := func(args ...string) string {
		return output(t, command(t, dir, env, filepath.Join(bin, "terraform"), append(args, "-no-color")...))
	}
	for _, note := range []string{"first", "second"} {
		run("apply", "-auto-approve", "-var", "note="+note)
		run("plan", "-detailed-exitcode", "-var", "note="+note) // ends with 2 when there is anything to change
	}
	run("destroy", "-auto-approve")
}

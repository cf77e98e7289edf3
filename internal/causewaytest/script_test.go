package causewaytest

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"causeway": toy})
}

// TestCommands runs scripts about the commands themselves against a toy in place of the real binary.
func TestCommands(t *testing.T) {
	t.Parallel()
	bin, err := exec.LookPath("causeway")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, Params("testdata/script", bin))
}

// toy is just enough of causeway to test the harness: documents in a file, a gateway that answers its own request line.
func toy() {
	// Before anything says that it is ready: a script may stop it at once.
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM, os.Interrupt)
	flags := flag.NewFlagSet("toy", flag.ExitOnError)
	data := flags.String("data", "", "")
	flags.String("config-backup", "", "")
	listen := map[string]*string{}
	for _, name := range []string{"management", "management-tls", "gateway", "gateway-tls", "portal"} {
		listen[name] = flags.String(name+"-listen", "off", "")
	}
	if len(os.Args) < 2 || flags.Parse(os.Args[2:]) != nil {
		os.Exit(2)
	}
	t := toyServer{file: filepath.Join(*data, "log"), token: os.Getenv("CAUSEWAY_DEV_TOKEN"), documents: map[string][]byte{}}
	t.load()
	addrs := map[string]string{}
	for name, addr := range listen {
		if *addr == "off" {
			continue
		}
		l, err := net.Listen("tcp", *addr)
		if err != nil {
			fmt.Fprintln(os.Stderr, "toy:", err)
			os.Exit(1)
		}
		addrs[name] = l.Addr().String()
		go func() { _ = http.Serve(l, &t) }()
	}
	if *data != "" {
		text, err := json.Marshal(addrs)
		if err != nil || os.WriteFile(filepath.Join(*data, "listen.json"), text, 0o600) != nil {
			os.Exit(1)
		}
	}
	fmt.Println("toy: ready", os.Getenv("GREETING"))
	<-signals
	os.Exit(0)
}

type toyServer struct {
	file, token string

	mu        sync.Mutex
	documents map[string][]byte
}

func (t *toyServer) load() {
	text, err := os.ReadFile(t.file)
	if err != nil {
		return
	}
	for line := range bytes.Lines(text) {
		path, body, _ := bytes.Cut(line, []byte(" "))
		t.documents[string(path)] = body
	}
}

func (t *toyServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !strings.HasPrefix(r.URL.Path, "/subscriptions/") {
		w.Header().Set("X-Toy", "yes")
		fmt.Fprintf(w, "%s %s", r.Method, r.RequestURI)
		return
	}
	if r.Header.Get("Authorization") != "Bearer "+t.token {
		http.Error(w, `{"error":{"code":"Unauthorized"}}`, http.StatusUnauthorized)
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if r.Method == http.MethodPut {
		body, err := io.ReadAll(r.Body)
		var doc bytes.Buffer
		if err != nil || json.Compact(&doc, body) != nil || t.append(r.URL.Path, doc.Bytes()) != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		t.documents[r.URL.Path] = doc.Bytes()
	}
	doc, ok := t.documents[r.URL.Path]
	if !ok {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	_, _ = w.Write(doc)
}

func (t *toyServer) append(path string, doc []byte) error {
	f, err := os.OpenFile(t.file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = fmt.Fprintf(f, "%s %s\n", path, doc)
	return err
}

func TestJSONAt(t *testing.T) {
	t.Parallel()
	const text = `{"a":{"b":[{"c":"x"},2.50,true]},"n":null}`
	f := func(path, want string, ok bool) {
		t.Helper()
		got, err := jsonAt(text, path)
		if got != want || (err == nil) != ok {
			t.Errorf("jsonAt(%s) = %q, %v", path, got, err)
		}
	}
	f("a.b.0.c", "x", true)
	f("a.b.1", "2.50", true)
	f("a.b.#", "3", true)
	f("a.b.2", "true", true)
	f("a.b.0", `{"c":"x"}`, true)
	f("n", "null", true)
	f("a.x", "", false)
	f("a.b.9", "", false)
	f("a.b.0.c.d", "", false)
}

func TestARMPath(t *testing.T) {
	t.Parallel()
	f := func(path, want string) {
		t.Helper()
		if got := armPath("/subscriptions/s", path); got != want {
			t.Errorf("armPath(%s) = %s, want %s", path, got, want)
		}
	}
	f("apis/x", "/subscriptions/s/apis/x?api-version=2024-05-01")
	f("apis?$top=1", "/subscriptions/s/apis?$top=1&api-version=2024-05-01")
	f("/subscriptions/other?api-version=1", "/subscriptions/other?api-version=1")
}

func TestParseAnswers(t *testing.T) {
	t.Parallel()
	answers, err := parseAnswers([]byte(`[{"status":201,"header":["A: 1"],"chunks":["a"],"trailer":["T: 2"],"delay":"5ms","cut":"body"},{"echo":true}]`))
	if err != nil || len(answers) != 2 {
		t.Fatalf("answers %+v, error %v", answers, err)
	}
	a := answers[0]
	if a.Status != 201 || !slices.Equal(a.Header, []Field{{"A", "1"}}) || !slices.Equal(a.Trailer, []Field{{"T", "2"}}) || a.Delay != 5*time.Millisecond || a.Cut != CutInBody {
		t.Errorf("answer %+v", a)
	}
	for _, bad := range []string{`[{"stauts":1}]`, `[{"cut":"off"}]`, `[{"delay":"soon"}]`, `[{"header":["x"]}]`, `{}`} {
		if _, err := parseAnswers([]byte(bad)); err == nil {
			t.Errorf("%s is accepted", bad)
		}
	}
}

func TestReadListen(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "listen.json")
	if err := os.WriteFile(file, []byte(`{"management":"127.0.0.1:1","gateway-tls":"127.0.0.1:2"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := readListen(file)
	if err != nil || got["management"] != "http://127.0.0.1:1" || got["gateway-tls"] != "https://127.0.0.1:2" {
		t.Errorf("listeners %v, error %v", got, err)
	}
}

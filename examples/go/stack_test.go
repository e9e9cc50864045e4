// Package consent shows how tests in Go use the local stack.
package consent

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// The fault board of examples/stack.json, and what concerns the whole stack.
const board = "http://127.0.0.1:8710"

// The state of the stack, as far as these tests need it.
type state struct {
	Parts struct {
		Providers map[string]string
	}
	Environment map[string]map[string]string
}

var running state

// TestMain starts the stack once for all tests.
func TestMain(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	root, err := filepath.Abs("../..")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	command := exec.Command("npm", "run", "--silent", "stack", "--", "--config", "examples/stack.json")
	command.Dir, command.Stderr = root, os.Stderr
	command.Env = append(os.Environ(), "LOCAL_PORT=")
	if answer, err := http.Get(board + "/__stack"); err == nil {
		answer.Body.Close()
		fmt.Fprintf(os.Stderr, "another stack answers at %s: stop it first, because these tests reset theirs\n", board)
		return 1
	}
	if err := command.Start(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	ended := make(chan struct{})
	go func() {
		_ = command.Wait()
		close(ended)
	}()
	defer func() {
		_ = command.Process.Signal(syscall.SIGTERM)
		<-ended
	}()
	if err := ready(ended); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	// AWS's clients need nothing but the environment.
	for _, name := range []string{"AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SESSION_TOKEN"} {
		os.Unsetenv(name)
	}
	for name, value := range running.Environment["aws"] {
		os.Setenv(name, value)
	}
	return m.Run()
}

func ready(ended <-chan struct{}) error {
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		select {
		case <-ended:
			return errors.New("the stack has ended; its lines above say why")
		default:
		}
		answer, err := http.Get(board + "/__stack")
		if err != nil {
			continue
		}
		defer answer.Body.Close()
		return json.NewDecoder(answer.Body).Decode(&running)
	}
	return errors.New("the stack did not start within 30 seconds")
}

// control asks the stack itself: its clock, its faults, what it was asked.
func control(t *testing.T, method, path string, body any) []byte {
	t.Helper()
	var sent bytes.Buffer
	if body != nil {
		if err := json.NewEncoder(&sent).Encode(body); err != nil {
			t.Fatal(err)
		}
	}
	request, err := http.NewRequest(method, board+path, &sent)
	if err != nil {
		t.Fatal(err)
	}
	if body != nil {
		request.Header.Set("content-type", "application/json")
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode >= 300 {
		t.Fatalf("%s %s: %s %s %v", method, path, answer.Status, text, err)
	}
	return text
}

package main

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestFreeNumberSkipsEveryRouteThatTouches(t *testing.T) {
	routes := "default via 10.0.0.1 dev eth0\n10.77.0.0/24 dev tny-a proto kernel\nlocal 10.77.1.1 dev tny-b table local\n"
	number, err := freeNumber(routes)
	if err != nil || number != 2 {
		t.Errorf("got %d, %v", number, err)
	}
}

func TestFreeNumberGivesUpWhenAllAreTaken(t *testing.T) {
	var routes strings.Builder
	for number := range 256 {
		routes.WriteString(fmt.Sprintf("10.77.%d.0/24 dev x\n", number))
	}
	if _, err := freeNumber(routes.String()); err == nil {
		t.Error("a taken network was given away")
	}
}

func TestHierarchiesAreMountedAsTheMachineHasThem(t *testing.T) {
	const mounts = `31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,nosuid shared:9 - cgroup cgroup rw,cpu,cpuacct
40 31 0:37 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,release_agent=/lib/agent,name=systemd
41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw
`
	wanted := []hierarchy{
		{"/sys/fs/cgroup/cpu,cpuacct", "cpu,cpuacct"},
		{"/sys/fs/cgroup/systemd", "name=systemd"},
	}
	found := hierarchies(mounts)
	if len(found) != len(wanted) {
		t.Fatalf("found %v", found)
	}
	for index := range wanted {
		if found[index] != wanted[index] {
			t.Errorf("found %v, wanted %v", found[index], wanted[index])
		}
	}
}

func TestLinkNamesFitTheKernel(t *testing.T) {
	outer, inner := linkNames(Settings{ID: "tenantry-abcdefgh-0123abcd"})
	if outer == inner || len(outer) > 15 || len(inner) > 15 {
		t.Errorf("%q and %q", outer, inner)
	}
}

func TestImagesAreTheSameEachTime(t *testing.T) {
	program := filepath.Join(t.TempDir(), "program")
	if err := os.WriteFile(program, []byte("content"), 0o600); err != nil {
		t.Fatal(err)
	}
	made := image{
		reference: "localhost/x:1", entrypoint: []string{"/program", "serve"},
		files: map[string]string{"/program": program}, order: []string{"/program"},
	}
	var first, second bytes.Buffer
	if err := errors.Join(made.write(&first), made.write(&second)); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(first.Bytes(), second.Bytes()) {
		t.Error("two archives of one image differ")
	}
	entries := read(t, first.Bytes())
	var manifest []struct {
		Config           string
		RepoTags, Layers []string
	}
	if err := json.Unmarshal(entries["manifest.json"], &manifest); err != nil {
		t.Fatal(err)
	}
	layer := entries[manifest[0].Layers[0]]
	if !strings.Contains(string(entries[manifest[0].Config]), hexDigest(layer)) {
		t.Error("the configuration does not name its layer")
	}
	if got := read(t, layer)["program"]; string(got) != "content" {
		t.Errorf("the layer holds %q", got)
	}
}

func read(t *testing.T, archive []byte) map[string][]byte {
	t.Helper()
	entries := map[string][]byte{}
	reader := tar.NewReader(bytes.NewReader(archive))
	for {
		header, err := reader.Next()
		if err == io.EOF {
			return entries
		}
		if err != nil {
			t.Fatal(err)
		}
		if entries[header.Name], err = io.ReadAll(reader); err != nil {
			t.Fatal(err)
		}
	}
}

func TestCertificatesAreOfOneAuthority(t *testing.T) {
	made, err := makeCertificates(t.TempDir(), Settings{Number: 7})
	if err != nil {
		t.Fatal(err)
	}
	access, err := made.client("apiserver")
	if err != nil {
		t.Fatal(err)
	}
	if err := access.Certificates[0].Leaf.VerifyHostname("10.77.7.2"); err != nil {
		t.Error(err)
	}
	kept, err := os.Stat(filepath.Join(made.directory, "admin.kubeconfig"))
	if err != nil {
		t.Fatal(err)
	}
	if kept.Mode().Perm() != 0o600 {
		t.Errorf("the administrator's kubeconfig has mode %v", kept.Mode())
	}
}

func TestForwardPassesBothWaysAndTheEnd(t *testing.T) {
	server, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	go func() {
		connection, err := server.Accept()
		if err != nil {
			return
		}
		defer connection.Close()
		request, _ := io.ReadAll(connection) // until the client's end has come through
		_, _ = connection.Write(bytes.ToUpper(request))
	}()
	front, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer front.Close()
	go forward(front, server.Addr().String())

	client, err := net.Dial("tcp", front.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if err := client.SetDeadline(time.Now().Add(5 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := client.Write([]byte("hello")); err != nil {
		t.Fatal(err)
	}
	if err := client.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(client)
	if err != nil || string(answer) != "HELLO" {
		t.Errorf("got %q, %v", answer, err)
	}
}

func TestFollowTellsTheReasonOfAFailure(t *testing.T) {
	directory := t.TempDir()
	newProgress(Settings{Directory: directory}).failed(errors.New("first\nsecond"))
	if err := follow([]string{directory}); !errors.Is(err, errReported) {
		t.Errorf("got %v", err)
	}
	if err := os.Remove(filepath.Join(directory, "progress")); err != nil {
		t.Fatal(err)
	}
	if err := follow([]string{directory}); err == nil || errors.Is(err, errReported) {
		t.Errorf("nobody supervises, and it says %v", err)
	}
}

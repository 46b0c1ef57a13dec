package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// supervise makes the surroundings of a node, starts it, forwards the ingress
// port to it, and ends with it. When the supervisor is killed, the kernel kills
// the node's first process and with it everything inside.
func supervise(arguments []string) error {
	settings := Settings{StartedAt: time.Now().UnixNano()}
	flags := flag.NewFlagSet("supervise", flag.ContinueOnError)
	flags.StringVar(&settings.Name, "name", "", "name of the cluster")
	flags.StringVar(&settings.ID, "id", "", "name of its cgroup, ending in a hash: tenantry-NAME-HASH")
	flags.StringVar(&settings.Directory, "directory", "", "where its state goes")
	flags.StringVar(&settings.Kube, "kube", "", "the program that holds all components")
	flags.StringVar(&settings.Images, "images", "", "folder of image archives")
	flags.StringVar(&settings.Addons, "addons", "", "folder of manifests")
	lock := flags.Int("lock", -1, "open file whose lock tells that this process lives")
	flags.IntVar(&settings.IngressPort, "ingress-port", 0, "loopback port of the ingress; 0 takes a free one")
	flags.DurationVar(&settings.Patience, "patience", 3*time.Minute, "how long the start may take")
	if err := flags.Parse(arguments); err != nil {
		return errReported
	}
	signal.Ignore(syscall.SIGHUP, syscall.SIGINT, syscall.SIGPIPE) // the terminal's affairs

	syscall.CloseOnExec(*lock)
	shown := newProgress(settings)
	if err := superviseNode(settings, shown); err != nil {
		shown.failed(err)
		return err
	}
	return nil
}

func superviseNode(settings Settings, shown progress) error {
	listener, err := net.Listen("tcp4", net.JoinHostPort("127.0.0.1", strconv.Itoa(settings.IngressPort)))
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("port %d of 127.0.0.1 is taken: choose another with --ingress-port, or none for a free one", settings.IngressPort)
	}
	if err != nil {
		return err
	}
	settings.IngressPort = listener.Addr().(*net.TCPAddr).Port

	if settings.CgroupV2, err = isCgroupV2(); err != nil {
		return err
	}
	if err := enterCgroups(settings, filepath.Dir(settings.Directory)); err != nil {
		return fmt.Errorf("make the cluster's cgroup: %w", err)
	}
	if err := prepareBridges(); err != nil {
		return err
	}
	if err := connect(&settings); err != nil {
		return fmt.Errorf("make the cluster's network: %w", err)
	}
	node, handed, err := startNode()
	if err != nil {
		return fmt.Errorf("make the cluster's namespaces: %w", err)
	}
	defer node.Wait()         // nothing to learn: the reason is told elsewhere
	defer node.Process.Kill() // gone already, when all is well
	if err := settleCgroup(settings); err != nil {
		return fmt.Errorf("divide the cluster's cgroup: %w", err)
	}
	if err := handOver(settings, node.Process.Pid); err != nil {
		return err
	}
	if err := describe(settings, node.Process.Pid); err != nil {
		return err
	}
	shown.step("network 10.77.%d.0/24, ingress on %s", settings.Number, listener.Addr())
	if err := json.NewEncoder(handed).Encode(settings); err != nil {
		return fmt.Errorf("hand the settings over: %w", err)
	}
	if err := handed.Close(); err != nil {
		return err
	}
	go forward(listener, net.JoinHostPort(settings.nodeAddress(), "80"))
	if err := node.Wait(); err != nil {
		// It told its own reason, unless somebody killed it.
		return errors.New("the node ended")
	}
	return nil
}

// startNode starts the first process of new namespaces. It waits for its
// settings, so that everything around it can be made first.
func startNode() (*exec.Cmd, interface {
	Write([]byte) (int, error)
	Close() error
}, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, nil, err
	}
	node := exec.Command(program, "init")
	node.Stdout, node.Stderr = os.Stdout, os.Stderr
	node.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWNET | syscall.CLONE_NEWPID |
			syscall.CLONE_NEWIPC | syscall.CLONE_NEWCGROUP,
		Pdeathsig: syscall.SIGKILL,
	}
	handed, err := node.StdinPipe()
	if err != nil {
		return nil, nil, err
	}
	return node, handed, node.Start()
}

// describe writes what `cluster` tells about a running cluster, as lines that a
// shell can read.
func describe(settings Settings, first int) error {
	var facts bytes.Buffer
	for _, fact := range [][2]string{
		{"first_process", strconv.Itoa(first)},
		{"node_address", settings.nodeAddress()},
		{"ingress_address", net.JoinHostPort("127.0.0.1", strconv.Itoa(settings.IngressPort))},
		{"kube", settings.Kube},
	} {
		fmt.Fprintf(&facts, "%s=%s\n", fact[0], fact[1])
	}
	scratch := settings.path("facts.new")
	if err := os.WriteFile(scratch, facts.Bytes(), 0o644); err != nil {
		return err
	}
	return os.Rename(scratch, settings.path("facts"))
}

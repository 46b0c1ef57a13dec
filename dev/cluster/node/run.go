package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// run is the node: it makes its surroundings, starts everything, tells when all
// of it answers, and keeps it running until it is killed.
func run([]string) error {
	var settings Settings
	if err := json.NewDecoder(os.Stdin).Decode(&settings); err != nil {
		return fmt.Errorf("read settings: %w", err)
	}
	shown := newProgress(settings)
	if err := mountNode(settings); err != nil {
		shown.failed(err)
		return err
	}
	shown.path = "/run/progress" // its own path may be hidden now
	started := &node{settings: settings, shown: shown, failures: make(chan error, 16)}
	ready := make(chan error, 1)
	go func() { ready <- started.bringUp() }()
	var err error
	select {
	case err = <-ready:
	case err = <-started.failures:
	case <-time.After(settings.Patience):
		err = fmt.Errorf("not ready within %s", settings.Patience)
	}
	if err != nil {
		shown.failed(err)
		return err
	}
	started.wasReady.Store(true)
	shown.ready()
	select {} // components are kept running by goroutines of their own
}

func (n *node) bringUp() error {
	if err := configureNetwork(n.settings); err != nil {
		return err
	}
	if err := writeConfigurations(n.settings); err != nil {
		return err
	}
	n.start(containerd())
	n.start(etcd())
	authority, err := makeCertificates(certificates, n.settings)
	if err != nil {
		return fmt.Errorf("make certificates: %w", err)
	}
	n.start(apiServer(n.settings))
	n.shown.step("containerd, etcd and API server started")

	imported := make(chan error, 1)
	go func() { imported <- n.importImages() }()

	server, err := newServer(n.settings, authority)
	if err != nil {
		return err
	}
	if err := n.wait("the API server", "kube-apiserver", server.isReady); err != nil {
		return err
	}
	n.shown.step("API server answers")
	n.start(controllerManager())
	n.start(scheduler())
	n.start(kubelet(n.settings))
	n.start(proxy())
	n.start(policy())
	if err := n.applyAddons(); err != nil {
		return err
	}
	if err := <-imported; err != nil {
		return err
	}
	return n.waitForAll(server)
}

// waitForAll waits for what a user relies on, all at once, telling each as it comes.
func (n *node) waitForAll(server *server) error {
	conditions := []struct {
		title, log string
		met        func() error
	}{
		{"node ready", "kubelet", server.nodeIsReady},
		{"DNS answers", "kubelet", dnsAnswers},
		{"ingress answers", "kubelet", n.ingressAnswers},
		{"network policies enforced", "kube-policy", policiesEnforced},
	}
	var waiting sync.WaitGroup
	failures := make([]error, len(conditions))
	for index, condition := range conditions {
		waiting.Go(func() {
			failures[index] = n.wait(condition.title, condition.log, condition.met)
			if failures[index] == nil {
				n.shown.step("%s", condition.title)
			}
		})
	}
	waiting.Wait()
	return errors.Join(failures...)
}

// wait asks until a condition is met. What it says last is the reason when it
// never is, with the end of the log that tells most about it.
func (n *node) wait(title, log string, met func() error) error {
	limit := n.settings.Patience / 2
	deadline := time.Now().Add(limit)
	for {
		err := met()
		if err == nil {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%s: not within %s: %w; the end of %s's log:\n%s", title, limit, err, log, logEnd(log))
		}
		time.Sleep(50 * time.Millisecond)
	}
}

const containerdSocket = "/run/containerd/containerd.sock"

func (n *node) importImages() error {
	if err := n.wait("containerd", "containerd", func() error {
		_, err := output("ctr", "--address", containerdSocket, "version")
		return err
	}); err != nil {
		return err
	}
	archives, err := filepath.Glob("/run/images/*.tar")
	if err != nil {
		return err
	}
	var names []string
	var importing sync.WaitGroup
	failures := make([]error, len(archives))
	for index, archive := range archives {
		names = append(names, strings.TrimSuffix(filepath.Base(archive), ".tar"))
		importing.Go(func() {
			_, failures[index] = output("ctr", "--address", containerdSocket, "--namespace", "k8s.io", "images", "import", archive)
		})
	}
	importing.Wait()
	if err := errors.Join(failures...); err != nil {
		return fmt.Errorf("import images: %w", err)
	}
	n.shown.step("images imported: %s", strings.Join(names, ", "))
	return nil
}

func (n *node) applyAddons() error {
	return n.wait("the add-ons", "kube-apiserver", func() error {
		_, err := output("/run/bin/kube", "kubectl", "--kubeconfig", kubeconfig("admin"),
			"apply", "--server-side", "--filename", "/run/addons")
		return err
	})
}

package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"
)

// component is a program that runs for as long as the cluster.
type component struct {
	name      string
	program   string
	arguments []string
}

// node runs components and starts again what ends. What ends too often before
// the cluster was ready once is a failure.
type node struct {
	settings Settings
	shown    progress
	wasReady atomic.Bool
	failures chan error
}

const (
	// restartPause keeps a component that cannot start from filling its log.
	restartPause = 500 * time.Millisecond
	// attempts are more than one because the API server gives up by itself where
	// the machine is too slow for its own limits, and succeeds when it is not cold.
	attempts = 3
)

func (n *node) start(started component) {
	go func() {
		for ends := 1; ; ends++ {
			err := runComponent(started)
			if ends >= attempts && !n.wasReady.Load() {
				n.failures <- fmt.Errorf("%s ended (%v); the end of its log:\n%s", started.name, err, logEnd(started.name))
				return
			}
			fmt.Fprintf(os.Stderr, "%s ended (%v), starting it again\n", started.name, err)
			time.Sleep(restartPause)
		}
	}()
}

func runComponent(started component) error {
	log, err := os.OpenFile(logPath(started.name), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer log.Close()
	command := exec.Command(started.program, started.arguments...)
	command.Stdout, command.Stderr = log, log
	return command.Run()
}

func logPath(name string) string { return filepath.Join("/run/log", name+".log") }

// logEnd is the last lines of a component's log, for an error message.
func logEnd(name string) string {
	const most = 1500
	file, err := os.Open(logPath(name))
	if err != nil {
		return "  (no log)"
	}
	defer file.Close()
	if size, err := file.Seek(0, io.SeekEnd); err == nil {
		_, _ = file.Seek(max(0, size-most), io.SeekStart) // on failure the text is only longer or empty
	}
	content, err := io.ReadAll(io.LimitReader(file, most))
	if err != nil {
		return "  (no log)"
	}
	lines := strings.Split(strings.TrimSpace(string(content)), "\n")
	return "  " + strings.Join(lines[max(0, len(lines)-6):], "\n  ")
}

const certificates = inside + "/certificates"

func kubeconfig(name string) string { return filepath.Join(certificates, name+".kubeconfig") }

func kubeComponent(name string, arguments ...string) component {
	return component{name: name, program: "/run/bin/kube", arguments: append([]string{name}, arguments...)}
}

func containerd() component {
	return component{name: "containerd", program: "containerd", arguments: []string{"--config", inside + "/containerd.toml"}}
}

func etcd() component {
	return kubeComponent("etcd",
		"--name="+nodeName, "--data-dir="+inside+"/etcd", "--log-level=warn",
		"--unsafe-no-fsync", // the cluster does not outlive a crash of the machine anyway
		"--listen-client-urls=http://127.0.0.1:2379", "--advertise-client-urls=http://127.0.0.1:2379",
		"--listen-peer-urls=http://127.0.0.1:2380", "--initial-advertise-peer-urls=http://127.0.0.1:2380",
		"--initial-cluster="+nodeName+"=http://127.0.0.1:2380")
}

func apiServer(settings Settings) component {
	in := func(name string) string { return filepath.Join(certificates, name) }
	return kubeComponent("kube-apiserver",
		"--etcd-servers=http://127.0.0.1:2379",
		"--secure-port=6443", "--bind-address=0.0.0.0", "--advertise-address="+settings.nodeAddress(),
		"--tls-cert-file="+in("apiserver.crt"), "--tls-private-key-file="+in("apiserver.key"),
		"--client-ca-file="+in("ca.crt"),
		"--authorization-mode=Node,RBAC", "--enable-admission-plugins=NodeRestriction",
		"--service-account-issuer=https://kubernetes.default.svc.cluster.local",
		"--service-account-key-file="+in("service-accounts.pub"),
		"--service-account-signing-key-file="+in("service-accounts.key"),
		"--service-cluster-ip-range="+serviceNet,
		"--kubelet-client-certificate="+in("kubelet-client.crt"), "--kubelet-client-key="+in("kubelet-client.key"),
		"--kubelet-preferred-address-types=InternalIP",
		"--allow-privileged=true", "--shutdown-delay-duration=0s")
}

// controllerManager works faster than by default: one node serves tests that
// make and remove many namespaces at once.
func controllerManager() component {
	return kubeComponent("kube-controller-manager", append(clientFlags("kube-controller-manager"),
		"--service-account-private-key-file="+filepath.Join(certificates, "service-accounts.key"),
		"--root-ca-file="+filepath.Join(certificates, "ca.crt"),
		"--use-service-account-credentials=true",
		"--cluster-cidr="+podNet, "--allocate-node-cidrs=true", "--node-cidr-mask-size=20",
		"--kube-api-qps=200", "--kube-api-burst=400",
		"--concurrent-namespace-syncs=20", "--concurrent-resource-quota-syncs=10")...)
}

func scheduler() component {
	return kubeComponent("kube-scheduler", append(clientFlags("kube-scheduler"), "--kube-api-qps=200", "--kube-api-burst=400")...)
}

func clientFlags(name string) []string {
	path := kubeconfig(name)
	return []string{
		"--kubeconfig=" + path, "--authentication-kubeconfig=" + path, "--authorization-kubeconfig=" + path,
		"--leader-elect=false", "--bind-address=127.0.0.1",
	}
}

func kubelet(settings Settings) component {
	return kubeComponent("kubelet", "--config="+inside+"/kubelet.yaml", "--kubeconfig="+kubeconfig("kubelet"),
		"--hostname-override="+nodeName, "--node-ip="+settings.nodeAddress(),
		"--root-dir="+inside+"/kubelet", "--cert-dir="+inside+"/kubelet/pki")
}

func proxy() component {
	return kubeComponent("kube-proxy", "--config="+inside+"/kube-proxy.yaml")
}

func policy() component {
	return kubeComponent("kube-policy", "--kubeconfig="+kubeconfig("kube-policy"), "--hostname-override="+nodeName,
		"--service-cluster-ip-range="+serviceNet, "--metrics-port=0")
}

package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

const cniConfiguration = `{"cniVersion": "1.0.0", "name": "local", "plugins": [
  {"type": "bridge", "bridge": "cni0", "isGateway": true, "ipMasq": true, "hairpinMode": true,
   "ipam": {"type": "host-local", "ranges": [[{"subnet": "` + podNet + `"}]], "routes": [{"dst": "0.0.0.0/0"}]}},
  {"type": "portmap", "capabilities": {"portMappings": true}}
]}
`

// Without CAP_SYS_RESOURCE nobody may lower an oom score, hence restrict_oom_score_adj.
const containerdConfiguration = `version = 2
root = "` + inside + `/containerd"
state = "/run/containerd"
[grpc]
  address = "/run/containerd/containerd.sock"
[plugins."io.containerd.internal.v1.opt"]
  path = "` + inside + `/containerd-opt"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "localhost/pause:1"
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "SNAPSHOTTER"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "CNI_PROGRAMS"
    conf_dir = "` + inside + `/cni"
`

const kubeletConfiguration = `apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
cgroupDriver: cgroupfs
oomScoreAdj: 0
containerRuntimeEndpoint: unix:///run/containerd/containerd.sock
clusterDomain: cluster.local
clusterDNS: [` + dnsAddress + `]
failSwapOn: false
maxPods: 400
kubeAPIQPS: 200
kubeAPIBurst: 400
authentication:
  anonymous: {enabled: false}
  webhook: {enabled: true}
  x509: {clientCAFile: ` + certificates + `/ca.crt}
authorization: {mode: Webhook}
podLogsDir: ` + inside + `/pod-logs
volumePluginDir: ` + inside + `/volume-plugins
nodeStatusUpdateFrequency: 4s
evictionHard: {nodefs.available: 1%, imagefs.available: 1%, memory.available: 50Mi}
imageGCHighThresholdPercent: 100
imageGCLowThresholdPercent: 99
resolvConf: ` + inside + `/resolv.conf
`

// All four conntrack settings belong to the whole machine: 0 leaves them alone.
const proxyConfiguration = `apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
mode: iptables
clientConnection: {kubeconfig: ` + certificates + `/kube-proxy.kubeconfig}
clusterCIDR: ` + podNet + `
hostnameOverride: ` + nodeName + `
oomScoreAdj: 0
conntrack: {maxPerCore: 0, min: 0, tcpEstablishedTimeout: 0s, tcpCloseWaitTimeout: 0s}
`

// cniDirectories are where distributions put the network plugins.
var cniDirectories = []string{"/usr/lib/cni", "/opt/cni/bin", "/usr/libexec/cni"}

// writeConfigurations writes what the components are started with.
func writeConfigurations(settings Settings) error {
	programs, err := findCNI()
	if err != nil {
		return err
	}
	snapshotter, err := chooseSnapshotter(inside)
	if err != nil {
		return err
	}
	kubelet := kubeletConfiguration
	if !settings.CgroupV2 {
		kubelet += "failCgroupV1: false\n"
	}
	for name, content := range map[string]string{
		"cni/10-local.conflist": cniConfiguration,
		"containerd.toml":       strings.NewReplacer("CNI_PROGRAMS", programs, "SNAPSHOTTER", snapshotter).Replace(containerdConfiguration),
		"kubelet.yaml":          kubelet,
		"kube-proxy.yaml":       proxyConfiguration,
		"resolv.conf":           "", // pods that want the machine's DNS get none: nothing leads outside
	} {
		path := filepath.Join(inside, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			return err
		}
	}
	return nil
}

func findCNI() (string, error) {
	for _, directory := range cniDirectories {
		if _, err := os.Stat(filepath.Join(directory, "bridge")); err == nil {
			return directory, nil
		}
	}
	return "", errors.New("no CNI plugins in " + strings.Join(cniDirectories, ", "))
}

// chooseSnapshotter copies layers where they cannot be laid over each other,
// which is on a file system that is an overlay itself, as in a container.
func chooseSnapshotter(directory string) (string, error) {
	const overlayMagic = 0x794c7630
	var found syscall.Statfs_t
	if err := syscall.Statfs(directory, &found); err != nil {
		return "", err
	}
	if found.Type == overlayMagic {
		return "native", nil
	}
	return "overlayfs", nil
}

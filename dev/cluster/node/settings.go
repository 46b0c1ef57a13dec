package main

import (
	"fmt"
	"path/filepath"
	"time"
)

// Settings describe one cluster. The supervisor fills them and hands them to
// the processes inside as JSON on standard input.
type Settings struct {
	Name        string // as the user calls it
	ID          string // name of its cgroup, unique on the machine
	Directory   string // everything it writes; removed when it is taken down
	Kube        string // the program with every component in it
	Images      string // folder of image archives to import
	Addons      string // folder of manifests to apply
	Number      int    // N of its network 10.77.N.0/24
	IngressPort int    // on the machine's loopback
	CgroupV2    bool
	StartedAt   int64         // Unix nanoseconds
	Patience    time.Duration // bounds the start
}

const (
	nodeName   = "node1"
	inside     = "/run/node" // where Directory/node is mounted inside: short, and the same for all
	serviceNet = "10.96.0.0/16"
	podNet     = "10.244.0.0/20"
	dnsAddress = "10.96.0.10"
)

func (s Settings) outerAddress() string { return fmt.Sprintf("10.77.%d.1", s.Number) }
func (s Settings) nodeAddress() string  { return fmt.Sprintf("10.77.%d.2", s.Number) }
func (s Settings) serverURL() string    { return fmt.Sprintf("https://%s:6443", s.nodeAddress()) }
func (s Settings) path(parts ...string) string {
	return filepath.Join(append([]string{s.Directory}, parts...)...)
}

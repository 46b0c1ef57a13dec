package main

import (
	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/coremain"

	_ "github.com/coredns/coredns/plugin/cache"
	_ "github.com/coredns/coredns/plugin/errors"
	_ "github.com/coredns/coredns/plugin/health"
	_ "github.com/coredns/coredns/plugin/kubernetes"
	_ "github.com/coredns/coredns/plugin/log"
	_ "github.com/coredns/coredns/plugin/ready"
	_ "github.com/coredns/coredns/plugin/template"
)

// runCoreDNS serves the names of a cluster that reaches nothing outside: no
// forwarding, so only the plugins imported here exist. Their order in
// Directives is the order in which a query passes them.
func runCoreDNS() {
	dnsserver.Directives = []string{"ready", "health", "errors", "log", "cache", "template", "kubernetes"}
	coremain.Run()
}

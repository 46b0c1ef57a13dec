package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
)

// linkNames are the two ends of the cluster's link, made from the hash in its
// ID: a name may have 15 characters and must be unique on the machine.
func linkNames(settings Settings) (outer, inner string) {
	hash := settings.ID[strings.LastIndexByte(settings.ID, '-')+1:]
	return "tny-" + hash, "tni-" + hash
}

// connect finds a free network 10.77.N.0/24 and makes the cluster's link with
// an address of it on this side. One cluster of the machine does so at a time.
func connect(settings *Settings) error {
	lock, err := os.Open("/sys/class/net")
	if err != nil {
		return err
	}
	defer lock.Close()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return fmt.Errorf("wait for the lock of the machine's network: %w", err)
	}
	routes, err := output("ip", "-4", "route", "show", "table", "all")
	if err != nil {
		return err
	}
	if settings.Number, err = freeNumber(routes); err != nil {
		return err
	}
	outer, inner := linkNames(*settings)
	for _, arguments := range [][]string{
		{"link", "add", outer, "type", "veth", "peer", "name", inner},
		{"address", "add", settings.outerAddress() + "/24", "dev", outer},
		{"link", "set", outer, "up"},
	} {
		if _, err := output("ip", arguments...); err != nil {
			return err
		}
	}
	return nil
}

// freeNumber is the least N for which no route touches 10.77.N.0/24.
func freeNumber(routes string) (int, error) {
	for number := range 250 {
		if !strings.Contains(routes, fmt.Sprintf("10.77.%d.", number)) {
			return number, nil
		}
	}
	return 0, errors.New("no free network among 10.77.0.0/24 to 10.77.249.0/24: take clusters down")
}

// handOver moves the inner end of the link into the namespace of a process.
func handOver(settings Settings, process int) error {
	_, inner := linkNames(settings)
	_, err := output("ip", "link", "set", inner, "netns", strconv.Itoa(process), "name", "eth0")
	return err
}

// prepareBridges loads what shows bridged packets to iptables, without letting
// it change the machine's own bridges. Where it is built in, nothing is done.
func prepareBridges() error {
	const settings = "/proc/sys/net/bridge"
	if _, err := os.Stat(settings); err == nil {
		return nil
	}
	if _, err := output("modprobe", "br_netfilter"); err != nil {
		return fmt.Errorf("network policies need the kernel module br_netfilter: %w", err)
	}
	switches, err := filepath.Glob(settings + "/bridge-nf-call-*")
	if err != nil {
		return err
	}
	for _, name := range switches {
		if err := writeControl(name, "0"); err != nil {
			return err
		}
	}
	return nil
}

// configureNetwork sets up the node's side of the link.
func configureNetwork(settings Settings) error {
	for _, arguments := range [][]string{
		{"link", "set", "lo", "up"},
		{"address", "add", settings.nodeAddress() + "/24", "dev", "eth0"},
		{"link", "set", "eth0", "up"},
		{"route", "add", "default", "via", settings.outerAddress()},
	} {
		if _, err := output("ip", arguments...); err != nil {
			return err
		}
	}
	// Without the second, packets between pods of one node never meet a policy.
	for _, name := range []string{"net/ipv4/ip_forward", "net/bridge/bridge-nf-call-iptables"} {
		if err := writeControl(filepath.Join("/proc/sys", name), "1"); err != nil {
			return err
		}
	}
	return nil
}

// forward passes connections on to an address until the listener is closed.
func forward(listener net.Listener, address string) {
	for {
		connection, err := listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, "ingress:", err)
			continue
		}
		go passOn(connection.(*net.TCPConn), address)
	}
}

func passOn(client *net.TCPConn, address string) {
	defer client.Close()
	connection, err := net.Dial("tcp", address)
	if err != nil {
		return // the client sees its connection closed, as it would without us
	}
	server := connection.(*net.TCPConn)
	defer server.Close()
	var both sync.WaitGroup
	for _, way := range [][2]*net.TCPConn{{client, server}, {server, client}} {
		both.Go(func() {
			if _, err := io.Copy(way[1], way[0]); err != nil {
				// Half a connection that broke is of no use to the other half.
				client.Close()
				server.Close()
			}
			_ = way[1].CloseWrite() // fails only when it is closed already
		})
	}
	both.Wait()
}

// output runs a program and returns what it prints; an error holds what it
// prints about it.
func output(program string, arguments ...string) (string, error) {
	var complaint strings.Builder
	command := exec.Command(program, arguments...)
	command.Stderr = &complaint
	printed, err := command.Output()
	if err != nil {
		return "", fmt.Errorf("%s %s: %w: %s", program, strings.Join(arguments, " "), err, strings.TrimSpace(complaint.String()))
	}
	return string(printed), nil
}

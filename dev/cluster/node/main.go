// Command node runs one local Kubernetes node in namespaces of its own.
//
//	node supervise FLAGS   outside: cgroup, network link, namespaces, ingress port; ends with the node
//	node init              first process inside: reaps what others leave
//	node run               inside: starts the components, waits until they answer, keeps them running
//	node follow DIRECTORY  prints the progress of a supervised node until it is ready or has failed
//	node image FLAGS       writes an image archive, without a registry or an engine
//	node pause             what the pause image of every pod runs
package main

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"syscall"
)

func init() {
	// The kernel kills a child when the *thread* that made it ends, so the thread
	// of main, which starts every child, has to stay.
	runtime.LockOSThread()
}

func main() {
	commands := map[string]func([]string) error{
		"supervise": supervise,
		"init":      initialize,
		"run":       run,
		"follow":    follow,
		"image":     writeImageCommand,
		"pause":     pause,
	}
	if len(os.Args) < 2 || commands[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "usage: node supervise|init|run|follow|image|pause")
		os.Exit(2)
	}
	if err := commands[os.Args[1]](os.Args[2:]); err != nil {
		if !errors.Is(err, errReported) {
			fmt.Fprintf(os.Stderr, "node %s: %v\n", os.Args[1], err)
		}
		os.Exit(1)
	}
}

// pause holds a pod's namespaces until the pod is stopped.
func pause([]string) error {
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGINT, syscall.SIGTERM)
	<-stop
	return nil
}

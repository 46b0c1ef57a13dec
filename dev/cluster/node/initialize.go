package main

import (
	"fmt"
	"os"
	"os/exec"
	"syscall"
)

// initialize is process 1 of the node. Containers' shims outlive who started
// them and become its children; it buries them. It ends when `run` does.
func initialize([]string) error {
	program, err := os.Executable()
	if err != nil {
		return err
	}
	node := exec.Command(program, "run")
	node.Stdin, node.Stdout, node.Stderr = os.Stdin, os.Stdout, os.Stderr
	if err := node.Start(); err != nil {
		return err
	}
	for {
		var status syscall.WaitStatus
		ended, err := syscall.Wait4(-1, &status, 0, nil)
		if err == syscall.EINTR {
			continue
		}
		if err != nil {
			return fmt.Errorf("wait for children: %w", err)
		}
		if ended == node.Process.Pid {
			return fmt.Errorf("the node's program ended with %d", status.ExitStatus())
		}
	}
}

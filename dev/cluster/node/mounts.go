package main

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// untouched are settings of the whole machine that kubelet would change, with
// the values it wants to find: it then writes nothing.
var untouched = map[string]string{
	"kernel/keys/root_maxbytes": "25000000",
	"kernel/keys/root_maxkeys":  "1000000",
	"kernel/panic":              "10",
	"kernel/panic_on_oops":      "1",
	"vm/overcommit_memory":      "1",
	"vm/panic_on_oom":           "0",
}

// mountNode makes the node's own view of the file system. All that the
// components write lands in the cluster's directory.
func mountNode(settings Settings) error {
	if err := mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
		return err
	}
	var found []hierarchy
	if !settings.CgroupV2 {
		var err error
		if found, err = readHierarchies(); err != nil {
			return err
		}
	}
	if err := mountRun(settings); err != nil {
		return err
	}
	if err := mountVar(settings); err != nil {
		return err
	}
	if err := mount("proc", "/proc", "proc", 0, ""); err != nil {
		return err
	}
	if err := mount("sysfs", "/sys", "sysfs", 0, ""); err != nil {
		return err
	}
	if err := mountCgroups(settings, found); err != nil {
		return err
	}
	for name, value := range untouched {
		target := filepath.Join("/proc/sys", name)
		if _, err := os.Stat(target); err != nil {
			continue // a kernel without it
		}
		source := filepath.Join("/run/untouched", name)
		if err := os.MkdirAll(filepath.Dir(source), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(source, []byte(value+"\n"), 0o644); err != nil {
			return err
		}
		if err := mount(source, target, "", syscall.MS_BIND, ""); err != nil {
			return err
		}
	}
	return nil
}

// mountRun prepares an empty /run that holds the cluster's directory under a
// short name: paths of sockets may have 107 characters. It is moved to its
// place last, so that the directory itself may lie anywhere.
func mountRun(settings Settings) error {
	scratch := settings.path("run")
	if err := os.MkdirAll(scratch, 0o755); err != nil {
		return err
	}
	if err := mount("tmpfs", scratch, "tmpfs", 0, "mode=755"); err != nil {
		return err
	}
	for name, source := range map[string]string{
		"node":   settings.path("node"),
		"log":    settings.path("log"),
		"images": settings.Images,
		"addons": settings.Addons,
		"bin":    filepath.Dir(settings.Kube),
	} {
		if err := os.MkdirAll(source, 0o755); err != nil {
			return err
		}
		target := filepath.Join(scratch, name)
		if err := os.Mkdir(target, 0o755); err != nil {
			return err
		}
		if err := mount(source, target, "", syscall.MS_BIND, ""); err != nil {
			return err
		}
	}
	// `follow` and the supervisor read and write this file too.
	target := filepath.Join(scratch, "progress")
	if err := os.WriteFile(target, nil, 0o644); err != nil {
		return err
	}
	if err := mount(settings.path("progress"), target, "", syscall.MS_BIND, ""); err != nil {
		return err
	}
	return mount(scratch, "/run", "", syscall.MS_MOVE, "")
}

// mountVar lays the node's own changes over the machine's /var, where network
// plugins and kubelet keep files at places that cannot be configured.
func mountVar(settings Settings) error {
	upper, work := filepath.Join(inside, "var"), filepath.Join(inside, "var.work")
	for _, directory := range []string{upper, work} {
		if err := os.MkdirAll(directory, 0o755); err != nil {
			return err
		}
	}
	return mount("overlay", "/var", "overlay", 0, fmt.Sprintf("lowerdir=/var,upperdir=%s,workdir=%s", upper, work))
}

func mount(source, target, kind string, flags uintptr, options string) error {
	if err := syscall.Mount(source, target, kind, flags, options); err != nil {
		return fmt.Errorf("mount %s on %s: %w", source, target, err)
	}
	return nil
}

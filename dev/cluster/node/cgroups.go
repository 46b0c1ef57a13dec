package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

const (
	cgroupRoot   = "/sys/fs/cgroup"
	cgroup2Magic = 0x63677270
	// leaf holds the node's own processes on version 2: a cgroup that passes
	// controllers on to others may hold no process itself.
	leaf = "init"
)

// controllers2 are what kubelet needs of version 2.
var controllers2 = []string{"cpuset", "cpu", "memory", "pids"}

func isCgroupV2() (bool, error) {
	var found syscall.Statfs_t
	if err := syscall.Statfs(cgroupRoot, &found); err != nil {
		return false, fmt.Errorf("look at %s: %w", cgroupRoot, err)
	}
	return found.Type == cgroup2Magic, nil
}

// hierarchy is a mounted version 1 hierarchy.
type hierarchy struct {
	directory string // where it is mounted
	options   string // what to mount it by: its controllers, or its name
}

// hierarchies reads the version 1 hierarchies from a mountinfo file.
func hierarchies(mountinfo string) []hierarchy {
	var found []hierarchy
	for line := range strings.Lines(mountinfo) {
		before, after, separated := strings.Cut(strings.TrimSpace(line), " - ")
		fields, kind := strings.Fields(before), strings.Fields(after)
		if !separated || len(fields) < 5 || len(kind) < 3 || kind[0] != "cgroup" {
			continue
		}
		var options []string
		for option := range strings.SplitSeq(kind[2], ",") {
			switch {
			case option == "rw", option == "ro", option == "xattr", strings.HasPrefix(option, "release_agent="):
			default:
				options = append(options, option)
			}
		}
		found = append(found, hierarchy{directory: fields[4], options: strings.Join(options, ",")})
	}
	return found
}

func readHierarchies() ([]hierarchy, error) {
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return nil, err
	}
	found := hierarchies(string(mounts))
	if len(found) == 0 {
		return nil, errors.New("no cgroup is mounted")
	}
	return found, nil
}

// enterCgroups makes the cluster's cgroup, in each hierarchy, and moves this
// process there. Everything started later is inside, and so can be found.
func enterCgroups(settings Settings, sharedDirectory string) error {
	self := strconv.Itoa(os.Getpid())
	if settings.CgroupV2 {
		if err := passControllers(sharedDirectory); err != nil {
			return err
		}
		directory := filepath.Join(cgroupRoot, settings.ID)
		if err := os.MkdirAll(filepath.Join(directory, leaf), 0o755); err != nil {
			return err
		}
		return writeControl(filepath.Join(directory, "cgroup.procs"), self)
	}
	found, err := readHierarchies()
	if err != nil {
		return err
	}
	for _, hierarchy := range found {
		directory := filepath.Join(hierarchy.directory, settings.ID)
		if err := os.MkdirAll(directory, 0o755); err != nil {
			return err
		}
		if strings.Contains(","+hierarchy.options+",", ",cpuset,") {
			// A new cpuset has no processor and no memory node, and then takes no process.
			for _, name := range []string{"cpuset.cpus", "cpuset.mems"} {
				all, err := os.ReadFile(filepath.Join(hierarchy.directory, name))
				if err != nil {
					return err
				}
				if err := writeControl(filepath.Join(directory, name), strings.TrimSpace(string(all))); err != nil {
					return err
				}
			}
		}
		if err := writeControl(filepath.Join(directory, "cgroup.procs"), self); err != nil {
			return err
		}
	}
	return nil
}

// passControllers lets the root pass on what kubelet needs. What was added is
// written down, for taking it back when the last cluster has gone.
func passControllers(sharedDirectory string) error {
	control := filepath.Join(cgroupRoot, "cgroup.subtree_control")
	passed, err := os.ReadFile(control)
	if err != nil {
		return err
	}
	for _, controller := range controllers2 {
		if strings.Contains(" "+strings.TrimSpace(string(passed))+" ", " "+controller+" ") {
			continue
		}
		if err := writeControl(control, "+"+controller); err != nil {
			return fmt.Errorf("pass on controller %s: %w", controller, err)
		}
		added, err := os.OpenFile(filepath.Join(sharedDirectory, ".controllers"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
		if err != nil {
			return err
		}
		_, err = added.WriteString(controller + "\n")
		if err := errors.Join(err, added.Close()); err != nil {
			return err
		}
	}
	return nil
}

// settleCgroup moves everything that runs so far to the leaf, and only then
// passes the controllers on: the other way round is refused. The namespace's
// root stays the cluster's cgroup, because that is where its first process was
// when it was made.
func settleCgroup(settings Settings) error {
	if !settings.CgroupV2 {
		return nil
	}
	directory := filepath.Join(cgroupRoot, settings.ID)
	for {
		listed, err := os.ReadFile(filepath.Join(directory, "cgroup.procs"))
		if err != nil {
			return err
		}
		processes := strings.Fields(string(listed))
		if len(processes) == 0 {
			break // what is started from now on is started from the leaf
		}
		for _, process := range processes {
			err := writeControl(filepath.Join(directory, leaf, "cgroup.procs"), process)
			if err != nil && !errors.Is(err, syscall.ESRCH) {
				return err
			}
		}
	}
	return writeControl(filepath.Join(directory, "cgroup.subtree_control"), "+"+strings.Join(controllers2, " +"))
}

// mountCgroups gives the node a view that begins at its own cgroup.
func mountCgroups(settings Settings, found []hierarchy) error {
	if settings.CgroupV2 {
		return mount("cgroup2", cgroupRoot, "cgroup2", 0, "")
	}
	if err := mount("tmpfs", cgroupRoot, "tmpfs", 0, "mode=755"); err != nil {
		return err
	}
	for _, hierarchy := range found {
		directory := filepath.Join(cgroupRoot, filepath.Base(hierarchy.directory))
		if err := os.Mkdir(directory, 0o755); err != nil {
			return err
		}
		options := hierarchy.options
		if strings.HasPrefix(options, "name=") {
			options = "none," + options
		}
		if err := mount("cgroup", directory, "cgroup", 0, options); err != nil {
			return err
		}
		// Controllers mounted together are also looked for one by one.
		for controller := range strings.SplitSeq(hierarchy.options, ",") {
			link := filepath.Join(cgroupRoot, strings.TrimPrefix(controller, "name="))
			if err := os.Symlink(filepath.Base(directory), link); err != nil && !errors.Is(err, os.ErrExist) {
				return err
			}
		}
	}
	return nil
}

// writeControl writes to a file of the kernel, which must exist.
func writeControl(path, value string) error {
	file, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = file.WriteString(value)
	return errors.Join(err, file.Close())
}

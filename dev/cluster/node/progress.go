package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// errReported marks an error that the user has already read.
var errReported = errors.New("already reported")

// The progress file has one line for each step. Its last line is one of these,
// the second with the reason behind it.
const (
	readyLine  = "ready"
	failedLine = "failed: "
)

// progress appends to the file that `follow` prints.
type progress struct {
	path  string
	start time.Time
}

func newProgress(settings Settings) progress {
	return progress{path: settings.path("progress"), start: time.Unix(0, settings.StartedAt)}
}

func (p progress) step(format string, arguments ...any) {
	p.write(fmt.Sprintf("%5.1f s  %s\n", time.Since(p.start).Seconds(), fmt.Sprintf(format, arguments...)))
}

func (p progress) ready() {
	p.step("everything answers")
	p.write(readyLine + "\n")
}

// failed keeps a reason of several lines on one, as the file is read by lines.
func (p progress) failed(reason error) {
	p.write(failedLine + strings.ReplaceAll(reason.Error(), "\n", "\\n") + "\n")
}

func (p progress) write(line string) {
	file, err := os.OpenFile(p.path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		fmt.Fprintln(os.Stderr, "progress:", err)
		return
	}
	defer file.Close()
	if _, err := file.WriteString(line); err != nil {
		fmt.Fprintln(os.Stderr, "progress:", err)
	}
}

// follow prints what happens from now on or has happened already, until the
// node is ready (no error) or has failed, or its supervisor has gone.
func follow(arguments []string) error {
	if len(arguments) != 1 {
		return errors.New("wants the directory of a cluster")
	}
	directory := arguments[0]
	shown := 0
	for {
		supervised := isSupervised(directory)
		written, err := os.ReadFile(filepath.Join(directory, "progress"))
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
		for {
			length := bytes.IndexByte(written[shown:], '\n')
			if length < 0 {
				break
			}
			line := string(written[shown : shown+length])
			shown += length + 1
			if line == readyLine {
				return nil
			}
			if reason, found := strings.CutPrefix(line, failedLine); found {
				fmt.Fprintln(os.Stderr, strings.ReplaceAll(reason, "\\n", "\n"))
				return errReported
			}
			fmt.Fprintln(os.Stderr, line)
		}
		if !supervised {
			return fmt.Errorf("the cluster ended before it was ready; its logs are in %s", filepath.Join(directory, "log"))
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// isSupervised tells whether the supervisor of a cluster lives: it holds a lock
// on its file for as long as it does.
func isSupervised(directory string) bool {
	file, err := os.Open(filepath.Join(directory, "supervisor"))
	if err != nil {
		return false
	}
	defer file.Close()
	return syscall.Flock(int(file.Fd()), syscall.LOCK_SH|syscall.LOCK_NB) != nil
}

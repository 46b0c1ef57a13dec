package main

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"time"
)

// imageUser is the user of every image made here: nobody in particular, never root.
const imageUser = "65532:65532"

// image is what an archive of one layer is made from.
type image struct {
	reference  string
	entrypoint []string
	files      map[string]string // path in the image → file on this machine
	order      []string          // the paths, in the order given
}

func writeImageCommand(arguments []string) error {
	flags := flag.NewFlagSet("image", flag.ContinueOnError)
	output := flags.String("output", "", "archive to write")
	reference := flags.String("reference", "", "name:tag of the image")
	entrypoint := flags.String("entrypoint", "", "program and its first arguments, separated by commas")
	flags.Usage = func() {
		fmt.Fprintln(flags.Output(), "usage: node image --output FILE --reference NAME:TAG --entrypoint /PROGRAM[,ARGUMENT]... FILE=/PATH...")
		flags.PrintDefaults()
	}
	if err := flags.Parse(arguments); err != nil {
		return errReported
	}
	made := image{reference: *reference, entrypoint: strings.Split(*entrypoint, ","), files: map[string]string{}}
	for _, pair := range flags.Args() {
		source, target, found := strings.Cut(pair, "=")
		if !found || !strings.HasPrefix(target, "/") {
			return fmt.Errorf("%q is not FILE=/PATH", pair)
		}
		made.files[target] = source
		made.order = append(made.order, target)
	}
	if *output == "" || *reference == "" || *entrypoint == "" || len(made.order) == 0 {
		flags.Usage()
		return errReported
	}
	file, err := os.Create(*output)
	if err != nil {
		return err
	}
	return errors.Join(made.write(file), file.Close())
}

// write makes an archive in the format of `docker save`. The same input gives
// the same bytes, so an image that has not changed keeps its digest.
func (i image) write(archive io.Writer) error {
	layer, err := i.layer()
	if err != nil {
		return err
	}
	digest := hexDigest(layer)
	config, err := json.Marshal(map[string]any{
		"architecture": runtime.GOARCH,
		"os":           "linux",
		"config":       map[string]any{"Entrypoint": i.entrypoint, "User": imageUser, "WorkingDir": "/"},
		"rootfs":       map[string]any{"type": "layers", "diff_ids": []string{"sha256:" + digest}},
		"history":      []map[string]string{{"created_by": "tenantry dev/cluster"}},
	})
	if err != nil {
		return err
	}
	configName := hexDigest(config) + ".json"
	layerName := digest + "/layer.tar"
	manifest, err := json.Marshal([]map[string]any{{
		"Config": configName, "RepoTags": []string{i.reference}, "Layers": []string{layerName},
	}})
	if err != nil {
		return err
	}
	writer := tar.NewWriter(archive)
	for _, entry := range []struct {
		name    string
		content []byte
	}{{configName, config}, {layerName, layer}, {"manifest.json", manifest}} {
		if err := addFile(writer, entry.name, 0o644, entry.content); err != nil {
			return err
		}
	}
	return writer.Close()
}

// layer is the root file system: mount points, and the files.
func (i image) layer() ([]byte, error) {
	var layer bytes.Buffer
	writer := tar.NewWriter(&layer)
	for _, directory := range []struct {
		name string
		mode int64
	}{{"dev", 0o755}, {"etc", 0o755}, {"proc", 0o755}, {"sys", 0o755}, {"tmp", 0o1777}} {
		header := tar.Header{Typeflag: tar.TypeDir, Name: directory.name + "/", Mode: directory.mode, ModTime: time.Unix(0, 0)}
		if err := writer.WriteHeader(&header); err != nil {
			return nil, err
		}
	}
	for _, target := range i.order {
		content, err := os.ReadFile(i.files[target])
		if err != nil {
			return nil, err
		}
		if err := addFile(writer, strings.TrimPrefix(target, "/"), 0o755, content); err != nil {
			return nil, err
		}
	}
	if err := writer.Close(); err != nil {
		return nil, err
	}
	return layer.Bytes(), nil
}

func addFile(writer *tar.Writer, name string, mode int64, content []byte) error {
	header := tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: mode, Size: int64(len(content)), ModTime: time.Unix(0, 0)}
	if err := writer.WriteHeader(&header); err != nil {
		return err
	}
	_, err := writer.Write(content)
	return err
}

func hexDigest(content []byte) string {
	digest := sha256.Sum256(content)
	return hex.EncodeToString(digest[:])
}

// Command collection is the sample product: a small web program that shows
// whose tenant it is. It keeps nothing and writes nothing.
//
//	collection serve         serves the page and /health on $PORT (8080)
//	collection get URL       prints an answer's status and body; fails unless it is 200
//	collection resolve NAME  prints the addresses of a name
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

const (
	// clientPatience bounds `get` and `resolve`.
	clientPatience = 3 * time.Second
	// farewell is how long open requests may take when the program is told to stop.
	farewell = 10 * time.Second
)

func main() {
	err := errors.New("usage: collection serve | get URL | resolve NAME")
	switch arguments := os.Args[1:]; {
	case len(arguments) == 1 && arguments[0] == "serve":
		err = serve()
	case len(arguments) == 2 && arguments[0] == "get":
		err = get(arguments[1])
	case len(arguments) == 2 && arguments[0] == "resolve":
		err = resolve(arguments[1])
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "collection:", err)
		os.Exit(1)
	}
}

func serve() error {
	slog.SetDefault(slog.New(slog.NewJSONHandler(os.Stdout, nil)))
	stop, cancel := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer cancel()
	port := os.Getenv("PORT")
	if port == "" {
		port = "8080"
	}
	server := http.Server{
		Addr:              net.JoinHostPort("", port),
		Handler:           newHandler(tenantFrom(os.Getenv, time.Now())),
		ReadHeaderTimeout: 5 * time.Second,
		IdleTimeout:       time.Minute,
	}
	ended := make(chan error, 1)
	go func() { ended <- server.ListenAndServe() }()
	slog.Info("serving", "port", port)
	select {
	case err := <-ended:
		return err
	case <-stop.Done():
	}
	slog.Info("stopping")
	limit, release := context.WithTimeout(context.Background(), farewell)
	defer release()
	return server.Shutdown(limit)
}

func get(url string) error {
	client := http.Client{Timeout: clientPatience}
	response, err := client.Get(url)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	if err != nil {
		return err
	}
	fmt.Printf("%s\n%s\n", response.Status, body)
	if response.StatusCode != http.StatusOK {
		return errors.New(response.Status)
	}
	return nil
}

func resolve(name string) error {
	limit, cancel := context.WithTimeout(context.Background(), clientPatience)
	defer cancel()
	addresses, err := net.DefaultResolver.LookupHost(limit, name)
	if err != nil {
		return err
	}
	fmt.Println(strings.Join(addresses, "\n"))
	return nil
}

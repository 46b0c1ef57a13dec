package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

// attempt bounds one question; it is asked again until the answer is right.
const attempt = 2 * time.Second

// server asks the API server as administrator.
type server struct {
	url    string
	client *http.Client
}

func newServer(settings Settings, authority *authority) (*server, error) {
	access, err := authority.client("kubelet-client")
	if err != nil {
		return nil, err
	}
	transport := &http.Transport{TLSClientConfig: access}
	return &server{url: settings.serverURL(), client: &http.Client{Timeout: attempt, Transport: transport}}, nil
}

func (s *server) get(path string) ([]byte, error) {
	response, err := s.client.Get(s.url + path)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	if err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("GET %s: %s", path, response.Status)
	}
	return body, nil
}

func (s *server) isReady() error {
	_, err := s.get("/readyz")
	return err
}

func (s *server) nodeIsReady() error {
	body, err := s.get("/api/v1/nodes/" + nodeName)
	if err != nil {
		return err
	}
	var found struct {
		Status struct {
			Conditions []struct{ Type, Status, Message string }
		}
	}
	if err := json.Unmarshal(body, &found); err != nil {
		return err
	}
	for _, condition := range found.Status.Conditions {
		if condition.Type == "Ready" && condition.Status == "True" {
			return nil
		} else if condition.Type == "Ready" {
			return errors.New(condition.Message)
		}
	}
	return errors.New("the node has no status yet")
}

// dnsAnswers asks as a pod would: through the service's virtual address.
func dnsAnswers() error {
	resolver := net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, net.JoinHostPort(dnsAddress, "53"))
	}}
	limit, cancel := context.WithTimeout(context.Background(), attempt)
	defer cancel()
	found, err := resolver.LookupHost(limit, "kubernetes.default.svc.cluster.local.")
	if err != nil {
		return err
	}
	if len(found) != 1 {
		return fmt.Errorf("kubernetes.default has addresses %v", found)
	}
	return nil
}

// ingressAnswers wants the 404 that the ingress controller gives for a host that
// it has no rule for: only it speaks for the port.
func (n *node) ingressAnswers() error {
	client := http.Client{Timeout: attempt, Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Get("http://" + n.settings.nodeAddress() + "/")
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusNotFound {
		return fmt.Errorf("answered %s", response.Status)
	}
	return nil
}

// policiesEnforced wants the chain that the enforcer makes for each pod that
// runs: there is one as soon as it has looked at the cluster once.
func policiesEnforced() error {
	rules, err := output("iptables", "--list-rules")
	if err != nil {
		return err
	}
	if !strings.Contains(rules, "-N KUBE-POD-FW-") {
		return errors.New("no pod has a chain yet")
	}
	return nil
}

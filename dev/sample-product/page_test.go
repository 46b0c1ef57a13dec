package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func answer(t *testing.T, environment map[string]string, method, path string) *httptest.ResponseRecorder {
	t.Helper()
	started := time.Date(2026, 11, 21, 8, 30, 0, 0, time.UTC)
	served := tenantFrom(func(name string) string { return environment[name] }, started)
	recorder := httptest.NewRecorder()
	newHandler(served).ServeHTTP(recorder, httptest.NewRequest(method, path, nil))
	return recorder
}

func TestPageNamesItsTenant(t *testing.T) {
	shown := answer(t, map[string]string{
		"TENANT_NAME": "museum", "TENANT_ORGANIZATION": "Museum of Examples", "PLAN_NAME": "Starter",
	}, "GET", "/")
	for _, wanted := range []string{"museum", "Museum of Examples", "Starter", "21 November 2026, 08:30:00 UTC"} {
		if !strings.Contains(shown.Body.String(), wanted) {
			t.Errorf("the page misses %q", wanted)
		}
	}
}

func TestPageEscapesWhatCustomersChoose(t *testing.T) {
	shown := answer(t, map[string]string{"TENANT_ORGANIZATION": `"; {{ x }}<script>alert(1)</script>`}, "GET", "/")
	if strings.Contains(shown.Body.String(), "<script>") {
		t.Error("a name became a script")
	}
}

func TestHealthTellsOfASecretButNotTheSecret(t *testing.T) {
	const password = "correct horse battery staple"
	shown := answer(t, map[string]string{"ADMIN_PASSWORD": password}, "GET", "/health")
	var health struct {
		Status string
		Secret bool
	}
	if err := json.Unmarshal(shown.Body.Bytes(), &health); err != nil {
		t.Fatal(err)
	}
	if health.Status != "ok" || !health.Secret {
		t.Errorf("health is %s", shown.Body)
	}
	for _, path := range []string{"/health", "/"} {
		if strings.Contains(answer(t, map[string]string{"ADMIN_PASSWORD": password}, "GET", path).Body.String(), password) {
			t.Errorf("%s shows the secret", path)
		}
	}
}

func TestOtherPathsAndMethodsAreRefused(t *testing.T) {
	if got := answer(t, nil, "GET", "/elsewhere").Code; got != http.StatusNotFound {
		t.Errorf("GET /elsewhere: %d", got)
	}
	if got := answer(t, nil, "POST", "/").Code; got != http.StatusMethodNotAllowed {
		t.Errorf("POST /: %d", got)
	}
}

package main

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"html/template"
	"log/slog"
	"net/http"
	"time"
)

//go:embed page.html
var pageSource string

var page = template.Must(template.New("page").Parse(pageSource))

// tenant is what the program was started for.
type tenant struct {
	Name         string
	Organization string
	Plan         string
	StartedAt    time.Time
	hasSecret    bool
}

// tenantFrom reads the environment. The secret itself is not kept: all that is
// told is whether there was one.
func tenantFrom(environment func(string) string, now time.Time) tenant {
	or := func(name, otherwise string) string {
		if value := environment(name); value != "" {
			return value
		}
		return otherwise
	}
	return tenant{
		Name:         or("TENANT_NAME", "unnamed"),
		Organization: or("TENANT_ORGANIZATION", "nobody yet"),
		Plan:         or("PLAN_NAME", "none"),
		StartedAt:    now.UTC(),
		hasSecret:    environment("ADMIN_PASSWORD") != "",
	}
}

// Started is the start for people; StartedISO is it for programs.
func (t tenant) Started() string    { return t.StartedAt.Format("2 January 2006, 15:04:05 UTC") }
func (t tenant) StartedISO() string { return t.StartedAt.Format(time.RFC3339) }

func newHandler(served tenant) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(answer http.ResponseWriter, _ *http.Request) { showPage(answer, served) })
	mux.HandleFunc("GET /health", func(answer http.ResponseWriter, _ *http.Request) { showHealth(answer, served) })
	return withSafeHeaders(mux)
}

func showPage(answer http.ResponseWriter, served tenant) {
	var rendered bytes.Buffer
	if err := page.Execute(&rendered, served); err != nil {
		slog.Error("render page", "error", err)
		http.Error(answer, "the page cannot be shown", http.StatusInternalServerError)
		return
	}
	answer.Header().Set("Content-Type", "text/html; charset=utf-8")
	write(answer, rendered.Bytes())
}

func showHealth(answer http.ResponseWriter, served tenant) {
	body, err := json.Marshal(map[string]any{
		"status":     "ok",
		"tenant":     served.Name,
		"plan":       served.Plan,
		"started_at": served.StartedISO(),
		"secret":     served.hasSecret,
	})
	if err != nil {
		http.Error(answer, "no health", http.StatusInternalServerError)
		return
	}
	answer.Header().Set("Content-Type", "application/json")
	write(answer, append(body, '\n'))
}

func write(answer http.ResponseWriter, body []byte) {
	if _, err := answer.Write(body); err != nil {
		slog.Info("the client went away", "error", err)
	}
}

func withSafeHeaders(next http.Handler) http.Handler {
	return http.HandlerFunc(func(answer http.ResponseWriter, request *http.Request) {
		header := answer.Header()
		header.Set("Cache-Control", "no-store")
		header.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'")
		header.Set("X-Content-Type-Options", "nosniff")
		header.Set("Referrer-Policy", "no-referrer")
		next.ServeHTTP(answer, request)
	})
}

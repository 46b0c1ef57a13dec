// Verifies a product token: go run . ISSUER CLIENT_ID [ORGANIZATION [TENANT]] < TOKEN
package main

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// Claims say who calls, on whose behalf, and what that organization has bought.
type Claims struct {
	jwt.RegisteredClaims
	Session      string `json:"sid"`
	Organization struct {
		ID   string `json:"id"`
		Slug string `json:"slug"`
		Name string `json:"name"`
	} `json:"organization"`
	Tenant      string   `json:"tenant,omitempty"`
	Roles       []string `json:"roles"`
	Plan        string   `json:"plan"`
	Entitlement struct {
		Access  string `json:"access"`
		Version int64  `json:"version"`
	} `json:"entitlement"`
}

// Verifier keeps the issuer's keys, and reads them again when a token names one that it does not have, but not for
// everybody who makes names up. Make one and keep it.
type Verifier struct {
	Issuer, ClientID string
	// What an instance of a dedicated product serves: all instances share the client, so the audience does not tell
	// their tokens apart. Empty in a product that serves many organizations.
	Organization, Tenant string

	mutex  sync.Mutex
	keys   map[string]ed25519.PublicKey
	readAt time.Time
}

// Verify returns the claims of a token that this product may believe.
func (v *Verifier) Verify(text string) (*Claims, error) {
	claims := new(Claims)
	token, err := jwt.ParseWithClaims(text, claims, v.key,
		jwt.WithValidMethods([]string{"EdDSA"}),
		jwt.WithIssuer(v.Issuer),
		jwt.WithAudience(v.ClientID),
		jwt.WithExpirationRequired(),
		jwt.WithIssuedAt(),
		jwt.WithLeeway(30*time.Second),
	)
	if err != nil {
		return nil, err
	}
	// The access token of the sign-in has the same audience; only this kind says what somebody may do.
	if token.Header["typ"] != "product+jwt" || claims.Organization.ID == "" {
		return nil, errors.New("not a product token")
	}
	if v.Organization != "" && claims.Organization.ID != v.Organization {
		return nil, errors.New("on behalf of another organization")
	}
	if v.Tenant != "" && claims.Tenant != v.Tenant {
		return nil, errors.New("for another tenant")
	}
	return claims, nil
}

func (v *Verifier) key(token *jwt.Token) (any, error) {
	kid, _ := token.Header["kid"].(string)
	v.mutex.Lock()
	defer v.mutex.Unlock()
	if _, known := v.keys[kid]; !known && time.Since(v.readAt) > 5*time.Second {
		if err := v.read(); err != nil {
			return nil, err
		}
	}
	if key, known := v.keys[kid]; known {
		return key, nil
	}
	return nil, errors.New("no such key")
}

func (v *Verifier) read() error {
	client := http.Client{Timeout: 10 * time.Second}
	answer, err := client.Get(v.Issuer + "/.well-known/jwks.json")
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("the keys cannot be read: %s", answer.Status)
	}
	var list struct {
		Keys []struct{ Kid, Kty, Crv, X string }
	}
	if err := json.NewDecoder(io.LimitReader(answer.Body, 1<<20)).Decode(&list); err != nil {
		return err
	}
	keys := make(map[string]ed25519.PublicKey)
	for _, key := range list.Keys {
		bytes, err := base64.RawURLEncoding.DecodeString(key.X)
		if key.Kty == "OKP" && key.Crv == "Ed25519" && err == nil && len(bytes) == ed25519.PublicKeySize {
			keys[key.Kid] = bytes
		}
	}
	v.keys, v.readAt = keys, time.Now()
	return nil
}

func main() {
	if len(os.Args) < 3 || len(os.Args) > 5 {
		fmt.Fprintln(os.Stderr, "usage: verify-product-token ISSUER CLIENT_ID [ORGANIZATION [TENANT]] < TOKEN")
		os.Exit(2)
	}
	serves := append(os.Args[3:], "", "")
	verifier := Verifier{Issuer: os.Args[1], ClientID: os.Args[2], Organization: serves[0], Tenant: serves[1]}
	text, err := io.ReadAll(io.LimitReader(os.Stdin, 1<<16))
	if err == nil {
		var claims *Claims
		if claims, err = verifier.Verify(strings.TrimSpace(string(text))); err == nil {
			err = json.NewEncoder(os.Stdout).Encode(claims)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "refused:", err)
		os.Exit(1)
	}
}

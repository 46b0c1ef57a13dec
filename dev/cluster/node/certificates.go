package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// authority signs every certificate of one cluster.
type authority struct {
	directory   string
	certificate *x509.Certificate
	encoded     []byte // PEM
	key         *ecdsa.PrivateKey
}

// validity is longer than any local cluster lives.
const validity = 365 * 24 * time.Hour

func newAuthority(directory string) (*authority, error) {
	if err := os.MkdirAll(directory, 0o700); err != nil {
		return nil, err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := x509.Certificate{
		SerialNumber:          big.NewInt(1),
		Subject:               pkix.Name{CommonName: "local-cluster"},
		NotBefore:             time.Now().Add(-time.Hour),
		NotAfter:              time.Now().Add(validity),
		IsCA:                  true,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign | x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, &template, &template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	made := &authority{directory: directory, certificate: certificate, encoded: encode("CERTIFICATE", der), key: key}
	return made, os.WriteFile(filepath.Join(directory, "ca.crt"), made.encoded, 0o644)
}

// issue writes NAME.crt and NAME.key and returns both, in PEM.
func (a *authority) issue(name string, subject pkix.Name, hosts []string) (certificate, key []byte, err error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, nil, err
	}
	template := x509.Certificate{
		SerialNumber: serial,
		Subject:      subject,
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(validity),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	for _, host := range hosts {
		if address := net.ParseIP(host); address != nil {
			template.IPAddresses = append(template.IPAddresses, address)
		} else {
			template.DNSNames = append(template.DNSNames, host)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, &template, a.certificate, private.Public(), a.key)
	if err != nil {
		return nil, nil, err
	}
	certificate = encode("CERTIFICATE", der)
	if key, err = encodeKey(private); err != nil {
		return nil, nil, err
	}
	return certificate, key, errors.Join(
		os.WriteFile(filepath.Join(a.directory, name+".crt"), certificate, 0o644),
		os.WriteFile(filepath.Join(a.directory, name+".key"), key, 0o600),
	)
}

// kubeconfig writes NAME.kubeconfig for a user of the API server.
func (a *authority) kubeconfig(name, server string, subject pkix.Name) error {
	certificate, key, err := a.issue(name, subject, nil)
	if err != nil {
		return err
	}
	base64 := base64.StdEncoding.EncodeToString
	content := fmt.Sprintf(`apiVersion: v1
kind: Config
clusters: [{name: local, cluster: {server: %q, certificate-authority-data: %s}}]
users: [{name: %s, user: {client-certificate-data: %s, client-key-data: %s}}]
contexts: [{name: local, context: {cluster: local, user: %s}}]
current-context: local
`, server, base64(a.encoded), name, base64(certificate), base64(key), name)
	return os.WriteFile(filepath.Join(a.directory, name+".kubeconfig"), []byte(content), 0o600)
}

// serviceAccountKeys writes the pair that signs and checks service account tokens.
func (a *authority) serviceAccountKeys() error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	private, err := encodeKey(key)
	if err != nil {
		return err
	}
	public, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return err
	}
	return errors.Join(
		os.WriteFile(filepath.Join(a.directory, "service-accounts.key"), private, 0o600),
		os.WriteFile(filepath.Join(a.directory, "service-accounts.pub"), encode("PUBLIC KEY", public), 0o644),
	)
}

// client is the TLS side of a client that uses the named certificate.
func (a *authority) client(name string) (*tls.Config, error) {
	pair, err := tls.LoadX509KeyPair(filepath.Join(a.directory, name+".crt"), filepath.Join(a.directory, name+".key"))
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	roots.AddCert(a.certificate)
	return &tls.Config{RootCAs: roots, Certificates: []tls.Certificate{pair}}, nil
}

// makeCertificates makes everything that the components need to know each other.
func makeCertificates(directory string, settings Settings) (*authority, error) {
	made, err := newAuthority(directory)
	if err != nil {
		return nil, err
	}
	if err := made.serviceAccountKeys(); err != nil {
		return nil, err
	}
	hosts := []string{
		"localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc",
		"kubernetes.default.svc.cluster.local", "127.0.0.1", "10.96.0.1", settings.nodeAddress(),
	}
	if _, _, err := made.issue("apiserver", pkix.Name{CommonName: "kube-apiserver"}, hosts); err != nil {
		return nil, err
	}
	masters := []string{"system:masters"}
	if _, _, err := made.issue("kubelet-client", pkix.Name{CommonName: "apiserver-kubelet-client", Organization: masters}, nil); err != nil {
		return nil, err
	}
	for name, subject := range map[string]pkix.Name{
		"admin":                   {CommonName: "admin", Organization: masters},
		"kube-controller-manager": {CommonName: "system:kube-controller-manager"},
		"kube-scheduler":          {CommonName: "system:kube-scheduler"},
		"kube-proxy":              {CommonName: "system:kube-proxy"},
		"kube-policy":             {CommonName: "system:kube-policy"},
		"kubelet":                 {CommonName: "system:node:" + nodeName, Organization: []string{"system:nodes"}},
	} {
		if err := made.kubeconfig(name, settings.serverURL(), subject); err != nil {
			return nil, err
		}
	}
	return made, nil
}

func encode(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

func encodeKey(key *ecdsa.PrivateKey) ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	return encode("PRIVATE KEY", der), nil
}

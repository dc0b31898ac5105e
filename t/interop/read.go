// Reads a certificate with Go's parser and prints what it means, as JSON; verifies it below a root.
// usage: read CERTIFICATE ROOT
package main

import (
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"os"
	"time"
)

func read(file string) *x509.Certificate {
	text, err := os.ReadFile(file)
	if err == nil {
		if block, rest := pem.Decode(text); block != nil && len(rest) == 0 {
			certificate, err := x509.ParseCertificate(block.Bytes)
			if err == nil {
				return certificate
			}
			fail(file, err)
		}
	}
	fail(file, err)
	return nil
}

func fail(what string, err error) {
	fmt.Fprintln(os.Stderr, what, err)
	os.Exit(1)
}

var usages = []string{"digitalSignature", "nonRepudiation", "keyEncipherment", "dataEncipherment", "keyAgreement", "keyCertSign", "cRLSign"}
var purposes = map[x509.ExtKeyUsage]string{x509.ExtKeyUsageServerAuth: "serverAuth", x509.ExtKeyUsageClientAuth: "clientAuth",
	x509.ExtKeyUsageEmailProtection: "emailProtection"}

func main() {
	certificate, roots := read(os.Args[1]), x509.NewCertPool()
	roots.AddCert(read(os.Args[2]))
	if _, err := certificate.Verify(x509.VerifyOptions{Roots: roots, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}}); err != nil {
		fail(os.Args[1], err)
	}
	sans := []string{}
	for _, one := range certificate.DNSNames {
		sans = append(sans, "DNS:"+one)
	}
	for _, one := range certificate.IPAddresses {
		sans = append(sans, "IP:"+one.String())
	}
	for _, one := range certificate.EmailAddresses {
		sans = append(sans, "EMAIL:"+one)
	}
	for _, one := range certificate.URIs {
		sans = append(sans, "URI:"+one.String())
	}
	key, extended := []string{}, []string{}
	for i, name := range usages {
		if certificate.KeyUsage&(1<<i) != 0 {
			key = append(key, name)
		}
	}
	for _, one := range certificate.ExtKeyUsage {
		extended = append(extended, purposes[one])
	}
	json.NewEncoder(os.Stdout).Encode(map[string]any{
		"serial": fmt.Sprintf("%038x", certificate.SerialNumber), "subject": certificate.Subject.String(), "issuer": certificate.Issuer.String(),
		"not_before": certificate.NotBefore.UTC().Format(time.RFC3339), "not_after": certificate.NotAfter.UTC().Format(time.RFC3339),
		"sans": sans, "key_usage": key, "extended_key_usage": extended, "is_ca": certificate.IsCA,
		"subject_key_id": hex.EncodeToString(certificate.SubjectKeyId), "authority_key_id": hex.EncodeToString(certificate.AuthorityKeyId),
		"crl": certificate.CRLDistributionPoints, "issuers": certificate.IssuingCertificateURL, "ocsp": certificate.OCSPServer})
}

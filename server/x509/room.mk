# server/x509

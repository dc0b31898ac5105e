# server/crypto

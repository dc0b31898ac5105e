# server/signer

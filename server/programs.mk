# chanceryd and chancery-signer

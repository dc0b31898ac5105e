#include "server/crypto/key.h"
#include "server/x509/foreign.h"
#include "t/fuzz/target.h"

using namespace chancery;

/// Another program's CRL, DER or PEM: without a key nothing is this CA's, whatever it says.
FUZZ_TARGET(foreign_crl) { fuzz::hold(!x509::read_foreign_crl(input, crypto::PublicKey()).ok()); }

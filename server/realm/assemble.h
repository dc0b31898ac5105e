#pragma once

#include "server/realm/policy.h"
#include "server/x509/lint.h"
#include "server/x509/tbs.h"

namespace chancery::realm {

/// Everything of a TBSCertificate (RFC 5280 4.1), from the profile and the grant. The same grant gives the same bytes.
x509::TbsSpec assemble(const config::RealmConfig& realm, const config::Profile& profile, const Authority& authority,
                       const Grant& grant);

/// What the lint holds a TBSCertificate of that profile against.
x509::LintContext lint_context(const config::Profile& profile, const Authority& authority);

/// What the lint will say of the certificate, for a preview: the signer lints the very octets that it signs.
Check lint_check(const config::RealmConfig& realm, const config::Profile& profile, const Authority& authority,
                 const Grant& grant);

}  // namespace chancery::realm

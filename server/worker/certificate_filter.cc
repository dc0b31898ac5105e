#include "server/worker/certificate_filter.h"

#include "server/x509/general_name.h"

namespace chancery::worker {

Result<store::CertificateFilter> filter_from(const Params& params, Seconds now) {
  store::CertificateFilter filter;
  filter.cn_prefix = params.text("subject");
  filter.profile = params.text("profile");
  filter.state = params.text("state");
  filter.requester = params.text("requester");
  filter.expires_before = params.time("expires_before");
  filter.expires_after = params.time("expires_after");
  filter.issued_before = params.time("issued_before");
  filter.issued_after = params.time("issued_after");
  filter.now = now;
  if (params.has("serial")) {
    PKI_TRY(filter.serial, params.serial());
  }
  if (params.has("san")) {
    PKI_TRY(const auto name, x509::GeneralName::parse(params.text("san")));
    filter.san = name.to_text();
  }
  return filter;
}

}  // namespace chancery::worker

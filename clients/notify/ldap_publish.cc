#include "clients/notify/ldap_publish.h"

#include "server/base/clock.h"
#include "server/x509/pem.h"

namespace chancery::notify {
namespace {

constexpr const char* kFullCrl = "certificateRevocationList;binary";
constexpr const char* kDeltaCrl = "deltaRevocationList;binary";
constexpr const char* kCaCertificate = "cACertificate;binary";
constexpr const char* kUserCertificate = "userCertificate;binary";
constexpr std::int64_t kPage = 200;
/// A certificate's row may come into the store so much later than its time of issue.
constexpr std::chrono::minutes kOverlap{10};

/// A generation without it has none yet.
Status add_crl(client::Client& client, const std::string& ca, const char* kind, const char* attribute,
               std::vector<Published>& values) {
  const auto crl = client.call("crl.get", Json::object({{"ca", ca}, {"kind", kind}}));
  if (!crl.ok()) return crl.error().code() == Code::NotFound ? Status() : Status(crl.error());
  PKI_TRY(auto der, x509::from_pem(x509::kCrlLabel, crl->text("crl")));
  values.push_back({attribute, std::move(der)});
  return {};
}

/// What an entry of a CA has to have, in the order in which it is written: the certificate first, which its CRLs are checked
/// with, a delta CRL after the full one that it adds to.
Result<std::vector<Published>> authority_values(client::Client& client, const std::string& ca, bool makes_deltas) {
  std::vector<Published> values;
  const auto chain = client.call("ca.chain", Json::object({{"ca", ca}}));
  if (!chain.ok() && chain.error().code() != Code::NotFound && chain.error().code() != Code::Unavailable) return chain.error();
  if (!chain.ok()) return values;  // it waits for its certificate
  constexpr std::size_t kMostInChain = 16;
  PKI_TRY(auto certificates, x509::all_from_pem(x509::kCertificateLabel, chain->text("chain"), kMostInChain));
  if (certificates.empty()) return values;
  values.push_back({kCaCertificate, std::move(certificates.front())});
  PKI_TRY_VOID(add_crl(client, ca, "full", kFullCrl, values));
  if (makes_deltas && values.size() > 1) PKI_TRY_VOID(add_crl(client, ca, "delta", kDeltaCrl, values));
  return values;
}

/// The common name of a DN in slash form, whose values have '/' and '\\' escaped by '\\'; empty: it has none.
std::string common_name(std::string_view subject) {
  constexpr std::string_view kMark = "CN=";
  std::string part, found;
  const auto end_part = [&] {
    if (part.starts_with(kMark)) found = part.substr(kMark.size());
    part.clear();
  };
  for (std::size_t i = 0; i < subject.size(); ++i) {
    if (subject[i] == '/') {
      end_part();
      continue;
    }
    if (subject[i] == '\\' && i + 1 < subject.size()) ++i;
    part += subject[i];
  }
  end_part();
  return found;
}

bool is_servers_fault(const Status& status) { return !status.ok() && status.error().code() == Code::Unavailable; }

}  // namespace

Status LdapPublisher::publish_authority(client::Client& client, Directory& directory, const std::string& ca) {
  PKI_TRY(const auto values, authority_values(client, ca, realm_.makes_delta_crls));
  if (values.empty()) return {};
  const auto dn = fill_dn(realm_.ldap.ca_dn, "ca", ca);
  for (const auto& value : values) {
    const auto there = directory.values(dn, value.attribute);
    if (!there.ok() && there.error().code() == Code::NotFound) return directory.make_authority(dn, values);
    if (!there.ok()) return there.error();
    if (there->size() != 1 || there->front() != value.der) PKI_TRY_VOID(directory.replace(dn, value));
  }
  return {};
}

/// @return also when the holder has no entry.
Status LdapPublisher::publish_certificate(client::Client& client, Directory& directory, const Json& row) {
  const auto name = common_name(row.text("subject"));
  if (name.empty()) return {};
  PKI_TRY(const auto whole, client.call("certificate.get", Json::object({{"serial", row.text("serial")}})));
  PKI_TRY(auto der, x509::from_pem(x509::kCertificateLabel, whole.text("certificate")));
  const auto written = directory.add(fill_dn(realm_.ldap.certificate_dn, "cn", name), {kUserCertificate, std::move(der)});
  return !written.ok() && written.error().code() == Code::NotFound ? Status() : written;
}

/// Those in force that were issued since the last time, all of them after a restart.
Status LdapPublisher::publish_certificates(client::Client& client, Directory& directory, const Publisher::Complain& complain) {
  const auto began = base::to_rfc3339(base::SystemClock().now() - kOverlap);
  auto asked = Json::object({{"state", "valid"}, {"limit", kPage}});
  if (!certificates_since_.empty()) asked.set("issued_after", certificates_since_);
  for (;;) {
    PKI_TRY(const auto page, client.call("certificate.search", asked));
    const auto* rows = page.find("certificates");
    if (rows == nullptr || !rows->is_array()) return Error(Code::Malformed, "certificate.search without certificates");
    for (const auto& row : *rows->as_array()) {
      const auto done = publish_certificate(client, directory, row);
      if (is_servers_fault(done) || !client.connected()) return done;
      if (!done.ok()) complain(row.text("subject"), done.error());
    }
    const auto next = page.text("next");
    if (next.empty()) break;
    asked.set("after", next);
  }
  certificates_since_ = began;
  return {};
}

Status LdapPublisher::take_turn(client::Client& client, const Publisher::Complain& complain) {
  const auto now = BackOff::Clock::now();
  if (!server_.may_try(now)) return {};
  auto directory = Directory::open(realm_.ldap);
  auto outcome = directory.ok() ? Status() : Status(directory.error());
  if (outcome.ok()) {
    outcome = for_each_generation(client, [&](const std::string& ca) {
      const auto done = publish_authority(client, *directory, ca);
      if (!done.ok() && !is_servers_fault(done)) complain(ca, done.error());
      return is_servers_fault(done) ? done : Status();
    });
  }
  if (outcome.ok() && !realm_.ldap.certificate_dn.empty()) outcome = publish_certificates(client, *directory, complain);
  if (outcome.ok()) {
    server_.succeeded();
  } else {
    server_.failed(now);
  }
  return outcome;
}

}  // namespace chancery::notify

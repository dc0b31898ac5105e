#include <algorithm>

#include "server/base/log.h"
#include "server/worker/administrator.h"
#include "server/worker/handlers.h"

/// The realm's list of administrators.
namespace chancery::worker {
namespace {

Result<std::string> normalised(const std::string& dn) {
  PKI_TRY(const auto name, x509::Name::parse_any(dn));
  if (name.empty()) return Error(Code::InvalidParams, "the DN is empty");
  return name.to_slash();
}

/// The key of the certificate that says which one is meant. @errors NotFound.
Result<std::string> key_of(const std::string& dn, const Serial& serial, const NamedCertificates& certificates) {
  const auto found = std::ranges::find(certificates.good, serial.hex(), &NamedCertificate::serial);
  if (found != certificates.good.end() && !found->key.empty()) return found->key;
  return Error(Code::NotFound, "certificate " + serial.hex() + " is no valid one of " + dn + ", expected one that is");
}

/// Whoever may revoke could have had the name's own certificate revoked, and the name certified for another key since.
Status check_nobody_was_replaced(const std::string& dn, const NamedCertificates& certificates, const std::string& key) {
  const auto other = std::ranges::find_if(certificates.revoked, [&](const NamedCertificate& one) { return one.key != key; });
  if (other == certificates.revoked.end()) return {};
  return Error(Code::Conflict, "certificate " + other->serial + " of " + dn + ", now revoked, had another key than the valid one",
               "admin.add with the serial of the administrator's own");
}

/// What was issued under a name before it came onto the list counts for the one key that has all of it, or the one that is named:
/// until then anybody could have had it certified.
Result<std::optional<std::string>> key_to_bind(store::Store& store, const std::string& dn, const Params& params, Seconds now) {
  PKI_TRY(const auto certificates, certificates_of_name(store, dn, now));
  if (!params.has("serial")) {
    PKI_TRY(auto key, only_key_of(dn, certificates));
    if (key) PKI_TRY_VOID(check_nobody_was_replaced(dn, certificates, *key));
    return key;
  }
  PKI_TRY(const auto serial, params.serial());
  PKI_TRY(auto key, key_of(dn, serial, certificates));
  return std::optional(std::move(key));
}

Result<Json> describe(store::Store& store, const std::string& dn, Seconds now) {
  PKI_TRY(const auto admin, store.admin(dn));
  PKI_TRY(const auto certificates, certificates_of_name(store, dn, now));
  Json serials = Json::array();
  Json others = Json::array();
  for (const auto& one : certificates.good) (one.bound ? serials : others).push_back(one.serial);
  return Json::object(
      {{"dn", dn}, {"keys", Json::strings(admin.keys)}, {"serials", std::move(serials)}, {"others", std::move(others)}});
}

}  // namespace

/// Who is on the list already gets another key only where the certificate is named: saying the same once more must not make an
/// administrator of whoever has had the name certified meanwhile.
Result<Json> admin_add(Session& session, const Params& params) {
  const auto now = session.clock().now();
  PKI_TRY(const auto dn, normalised(params.text("dn")));
  PKI_TRY(auto* store, session.store());
  PKI_TRY(const auto before, store->admin(dn));
  store::NewAdmin admin{dn, {}, now, session.requester()};
  if (!before.listed || params.has("serial")) {
    PKI_TRY(auto key, key_to_bind(*store, dn, params, now));
    if (key) admin.keys.push_back(std::move(*key));
  }
  PKI_TRY(const auto added, store->add_admin(admin));
  if (added == store::Added::Already && params.has("serial")) {
    PKI_TRY([[maybe_unused]] const bool bound, store->bind_admin_keys(admin));
  }
  base::log_info("administrator " + dn + (admin.keys.empty() ? "" : " with key " + admin.keys.front()) + " added by " +
                 session.requester());
  return describe(*store, dn, now);
}

Result<Json> admin_list(Session& session, const Params& /*params*/) {
  PKI_TRY(auto* store, session.store());
  PKI_TRY(const auto admins, store->admins());
  Json rows = Json::array();
  for (const auto& dn : admins) {
    PKI_TRY(auto row, describe(*store, dn, session.clock().now()));
    rows.push_back(std::move(row));
  }
  return Json::object({{"admins", Json::strings(admins)}, {"administrators", std::move(rows)}});
}

Result<Json> admin_remove(Session& session, const Params& params) {
  PKI_TRY(const auto dn, normalised(params.text("dn")));
  PKI_TRY(auto* store, session.store());
  PKI_TRY(const bool removed, store->remove_admin(dn));
  if (removed) base::log_info("administrator " + dn + " removed by " + session.requester());
  return Json::object({{"removed", removed}});
}

}  // namespace chancery::worker

#include "server/signer/records.h"

namespace chancery::signer {
namespace {

constexpr std::string_view kFirst = "ca";

/// The first CA's first generation is not named: records from before there were others say nothing either.
Json with_ca(Json body, const std::string& ca) {
  if (ca != kFirst) body.set("ca", ca);
  return body;
}

}  // namespace

Json to_json(const Genesis& genesis) {
  return Json::object(
      {{"kind", kGenesis}, {"realm", genesis.realm.text()}, {"key", genesis.key_sha256}, {"at", base::to_epoch(genesis.at)}});
}

Result<Genesis> genesis_from(const Json& body) {
  PKI_TRY(auto realm, RealmName::parse(body.text("realm")));
  return Genesis{std::move(realm), body.text("key"), base::from_epoch(body.integer("at"))};
}

Json to_json(const Anchor& anchor) {
  auto body = Json::object({{"kind", kAnchor}, {"serial", anchor.serial.hex()}, {"at", base::to_epoch(anchor.at)}});
  if (!anchor.tbs.empty()) body.set("tbs", base::to_base64(anchor.tbs));
  if (!anchor.fingerprint.empty()) body.set("fingerprint", anchor.fingerprint);
  return with_ca(std::move(body), anchor.ca);
}

Json to_json(const Intent& intent) {
  auto body = Json::object({{"kind", kIntent},
                            {"serial", intent.serial.hex()},
                            {"profile", intent.profile},
                            {"digest", intent.digest},
                            {"tbs", base::to_base64(intent.tbs)},
                            {"spki", intent.spki_sha256},
                            {"requester", intent.requester},
                            {"front_end", intent.front_end},
                            {"rule", intent.rule},
                            {"evidence", intent.evidence},
                            {"idempotency_key", intent.idempotency_key},
                            {"at", base::to_epoch(intent.at)}});
  return with_ca(std::move(body), intent.ca);
}

Result<Intent> intent_from(const Json& body) {
  PKI_TRY(auto serial, Serial::from_hex(body.text("serial")));
  PKI_TRY(auto tbs, base::from_base64(body.text("tbs")));
  return Intent{.serial = std::move(serial),
                .profile = body.text("profile"),
                .digest = body.text("digest"),
                .tbs = std::move(tbs),
                .spki_sha256 = body.text("spki"),
                .requester = body.text("requester"),
                .front_end = body.text("front_end"),
                .rule = body.text("rule"),
                .evidence = body.text("evidence"),
                .idempotency_key = body.text("idempotency_key"),
                .at = base::from_epoch(body.integer("at")),
                .ca = body.text("ca", kFirst)};
}

Json to_json(const Imported& imported) {
  return Json::object({{"kind", kImported},
                       {"serial", imported.facts.serial.hex()},
                       {"facts", to_json(imported.facts)},
                       {"certificate", base::to_base64(imported.certificate)},
                       {"profile", imported.profile},
                       {"spki", imported.spki_sha256},
                       {"requester", imported.requester},
                       {"evidence", imported.evidence},
                       {"at", base::to_epoch(imported.at)}});
}

Result<Imported> imported_from(const Json& body) {
  const auto* facts = body.find("facts");
  if (facts == nullptr) return Error(Code::Malformed, "an imported certificate without its facts");
  PKI_TRY(auto read, taken_over_from_json(*facts));
  PKI_TRY(auto der, base::from_base64(body.text("certificate")));
  return Imported{.facts = std::move(read),
                  .certificate = std::move(der),
                  .profile = body.text("profile"),
                  .spki_sha256 = body.text("spki"),
                  .requester = body.text("requester"),
                  .evidence = body.text("evidence"),
                  .at = base::from_epoch(body.integer("at"))};
}

Json to_json(const Signature& signature) {
  return Json::object(
      {{"kind", kSignature}, {"serial", signature.serial.hex()}, {"signature", base::to_base64(signature.octets)}});
}

Result<Signature> signature_from(const Json& body) {
  PKI_TRY(auto serial, Serial::from_hex(body.text("serial")));
  PKI_TRY(auto octets, base::from_base64(body.text("signature")));
  return Signature{std::move(serial), std::move(octets)};
}

Json to_json(const CrlClaim& claim) {
  auto out = Json::object({{"kind", kCrl},
                           {"number", static_cast<std::int64_t>(claim.number)},
                           {"this_update", base::to_epoch(claim.this_update)},
                           {"digest", claim.digest},
                           {"requester", claim.requester},
                           {"at", base::to_epoch(claim.at)}});
  if (claim.base > 0) out.set("base", static_cast<std::int64_t>(claim.base));
  return with_ca(std::move(out), claim.ca);
}

Json to_json(const StateChangeOfCa& change) {
  return Json::object({{"kind", kGeneration},
                       {"ca", change.ca},
                       {"state", change.state},
                       {"key", change.key_sha256},
                       {"requester", change.requester},
                       {"at", base::to_epoch(change.at)}});
}

}  // namespace chancery::signer

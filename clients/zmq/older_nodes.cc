#include "clients/zmq/older_nodes.h"

#include <algorithm>
#include <array>

#include "clients/zmq/params.h"
#include "clients/zmq/view.h"
#include "server/base/clock.h"

namespace chancery::zmq_gateway {
namespace {

struct State {
  std::string_view ours;
  std::string_view theirs;
};
constexpr std::array kStates{State{"valid", "Valid"}, State{"revoked", "Revoked"}, State{"held", "Revoked"},
                             State{"expired", "Expired"}};

/// A time twice: as seconds and for people.
void add_time(Json& out, const std::string& name, const std::string& text) {
  const auto time = base::from_rfc3339(text);
  out.set(name, time.ok() ? Json(base::to_epoch(*time)) : Json());
  out.set(name + "_human", time.ok() ? Json(python_time(text)) : Json());
}

/// "DNS:a.example.com" without its kind, as the older dialect lists names.
Json plain_names(const Json& object) {
  Json out = Json::array();
  for (const auto& text : object.texts("sans")) out.push_back(text.substr(text.find(':') + 1));
  return out;
}

/// Both bounds are part of the validity (RFC 5280 4.1.2.5): 60 days end a second before they would be over.
std::int64_t days_between(const std::string& from, const std::string& to) {
  const auto start = base::from_rfc3339(from);
  const auto end = base::from_rfc3339(to);
  return start.ok() && end.ok() ? std::chrono::floor<std::chrono::days>(*end - *start + std::chrono::seconds{1}).count() : 0;
}

}  // namespace

std::string older_state(const std::string& state) {
  const auto found = std::ranges::find(kStates, state, &State::ours);
  return found == kStates.end() ? "Init" : std::string(found->theirs);
}

std::string colon_serial(const std::string& hex) {
  std::string out;
  for (std::size_t i = 0; i < hex.size(); ++i) {
    if (i > 0 && i % 2 == 0) out += ':';
    const char digit = hex[i];
    out += digit >= 'a' ? static_cast<char>(digit - 'a' + 'A') : digit;
  }
  return out;
}

Result<Json> OlderNodes::profile(const std::string& name) {
  const auto known = profiles_.find(name);
  if (known != profiles_.end()) return known->second;
  const auto found = backend_.call("profile.get", Json::object({{"profile", name}}));
  // One that the realm has no more says nothing.
  if (!found.ok() && found.error().code() != Code::NotFound) return found.error();
  return profiles_.emplace(name, found.ok() ? value_of(*found, "profile") : Json::object()).first->second;
}

Result<bool> OlderNodes::is_admin(const std::string& dn) {
  if (!has_admins_) {
    PKI_TRY(const auto list, backend_.call("admin.list"));
    for (const auto& one : list.texts("admins")) admins_.insert(one);
    has_admins_ = true;
  }
  return admins_.contains(dn);
}

/// What follows from the DN and the profile.
Result<Json> OlderNodes::basics(const std::string& dn, const std::string& profile_name) {
  PKI_TRY(const auto profile_view, profile(profile_name));
  PKI_TRY(const bool admin, is_admin(dn));
  return Json::object({{"Admin", admin},
                       {"DN", dn},
                       {"CN", common_name_of(dn)},
                       {"Profile", profile_name},
                       {"Domain", profile_view.text("domain")},
                       {"Altnames", profile_view.boolean("altnames")},
                       {"KeyType", profile_view.text("keyType")},
                       {"KeyLen", profile_view.integer("keyLen")},
                       {"Digest", profile_view.text("digest")}});
}

Result<Json> OlderNodes::of_certificate(const Json& certificate, bool local) {
  PKI_TRY(auto out, basics(certificate.text("subject"), certificate.text("profile")));
  out.set("Sans", plain_names(certificate)).set("State", older_state(certificate.text("state")));
  add_time(out, "Created", certificate.text("issued_at"));
  add_time(out, "Start", certificate.text("not_before"));
  add_time(out, "Expire", certificate.text("not_after"));
  out.set("Duration", days_between(certificate.text("not_before"), certificate.text("not_after")))
      .set("Serial", colon_serial(certificate.text("serial")))
      .set("Remote", !local)
      .set("Local", local);
  const auto revoked = base::from_rfc3339(certificate.text("revoked_at"));
  if (revoked.ok()) out.set("Reason", certificate.text("reason")).set("Revoke_Date", base::to_epoch(*revoked));
  return out;
}

Result<Json> OlderNodes::of_announcement(const Json& announced) {
  PKI_TRY(auto out, basics(announced.text("dn"), announced.text("profile")));
  out.set("Sans", plain_names(announced)).set("State", "Init");
  add_time(out, "Created", announced.text("announced_at"));
  add_time(out, "Start", {});
  add_time(out, "Expire", {});
  out.set("Duration", announced.integer("days")).set("Serial", Json()).set("Remote", true).set("Local", false);
  return out;
}

}  // namespace chancery::zmq_gateway

#include "clients/notify/publish.h"

#include <algorithm>
#include <filesystem>

#include "clients/notify/hook.h"
#include "server/base/file.h"
#include "server/base/text.h"
#include "server/x509/pem.h"

namespace chancery::notify {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxCrlBytes = 64 << 20;
constexpr mode_t kMode = 0644;

/// Names of generations are the server's own words; nothing else becomes part of a path.
bool is_label(std::string_view text) {
  const auto allowed = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_'; };
  return !text.empty() && text.size() <= 80 && std::ranges::all_of(text, allowed);
}

struct Files {
  fs::path der, pem, untold;
};
Files files_of(const RealmSettings& realm, const std::string& name) {
  const fs::path directory(realm.crl_directory);
  return {directory / (name + ".crl"), directory / (name + ".crl.pem"), directory / (name + ".crl.untold")};
}

bool holds(const fs::path& file, std::string_view text) {
  const auto there = base::read_file(file, kMaxCrlBytes);
  return there.ok() && *there == text;
}

bool is_there(const fs::path& file) {
  std::error_code ignored;
  return fs::exists(file, ignored);
}

}  // namespace

Status for_each_generation(client::Client& client, const std::function<Status(const std::string& ca)>& call) {
  PKI_TRY(const auto cas, client.call("ca.list"));
  const auto* rows = cas.find("cas");
  if (rows == nullptr || !rows->is_array()) return Error(Code::Malformed, "ca.list without cas");
  for (const auto& row : *rows->as_array()) {
    const auto ca = row.text("name");
    if (!is_label(ca)) continue;
    PKI_TRY_VOID(call(ca));
    if (!client.connected()) return Error(Code::Closed, "the connection to chanceryd ended");
  }
  return {};
}

Status Publisher::take_turn(client::Client& client, const Complain& complain) {
  return for_each_generation(client, [&](const std::string& ca) {
    for (const auto* kind : {"full", "delta"}) {
      if (kind == std::string_view("delta") && !realm_.makes_delta_crls) continue;
      const auto published = publish(client, {ca, kind});
      if (!published.ok()) complain(ca, published.error());
      if (!client.connected()) break;
    }
    return Status();
  });
}

Status Publisher::publish(client::Client& client, const Which& which) {
  const auto crl = client.call("crl.get", Json::object({{"ca", which.ca}, {"kind", which.kind}}));
  if (!crl.ok() && crl.error().code() == Code::NotFound) return {};  // it has none yet
  if (!crl.ok()) return crl.error();
  const auto files = files_of(realm_, which.name());
  const auto pem = crl->text("crl");
  if (!holds(files.pem, pem)) {
    PKI_TRY(const auto der, x509::from_pem(x509::kCrlLabel, pem));
    // In this order: whoever is killed in between does all of it again, and the program hears of it.
    if (!realm_.crl_program.empty()) PKI_TRY_VOID(base::replace_file(files.untold, base::as_bytes(""), kMode));
    PKI_TRY_VOID(base::replace_file(files.der, der, kMode));
    PKI_TRY_VOID(base::replace_file(files.pem, base::as_bytes(pem), kMode));
    attempts_.erase(which.name());
  }
  return realm_.crl_program.empty() || !is_there(files.untold) ? Status() : tell(which, crl->integer("number"));
}

Status Publisher::tell(const Which& which, std::int64_t number) {
  auto& attempts = attempts_[which.name()];
  const auto now = BackOff::Clock::now();
  if (!attempts.may_try(now)) return {};
  const auto files = files_of(realm_, which.name());
  const auto about = Json::object({{"realm", realm_.realm},
                                   {"ca", which.ca},
                                   {"kind", which.kind},
                                   {"number", number},
                                   {"crl", files.der.string()},
                                   {"crl_pem", files.pem.string()}});
  const auto told = run_hook(realm_.crl_program, wire::to_text(about) + "\n", realm_.crl_timeout);
  if (!told.ok()) {
    attempts.failed(now);
    return told;
  }
  attempts_.erase(which.name());
  std::error_code failure;
  fs::remove(files.untold, failure);
  return failure ? Status(Error(Code::Io, files.untold.string() + ": " + failure.message())) : Status();
}

}  // namespace chancery::notify

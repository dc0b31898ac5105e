// What the audit members of an issuance cost: the signer's journal, as the signer uses it, with who asked, through whom, by which
// right and on which evidence, and with none of that.

#include <atomic>
#include <stdexcept>
#include <thread>
#include <vector>

#include "bench/load.h"
#include "server/signer/journal.h"

namespace {

using namespace chancery;

constexpr std::size_t kTbsOctets = 700;
constexpr std::size_t kSignatureOctets = 72;

signer::Intent intent_of(bool with_audit) {
  signer::Intent intent{.serial = Serial::random(),
                        .profile = "server",
                        .digest = std::string(64, 'd'),
                        .tbs = Bytes(kTbsOctets, 0x30),
                        .spki_sha256 = std::string(64, 'k'),
                        .requester = {},
                        .front_end = {},
                        .rule = {},
                        .evidence = {},
                        .idempotency_key = {},
                        .at = {}};
  if (!with_audit) return intent;
  intent.requester = "acme:3Zr5Kq0m6fPb1cQ2v8y4t7wXnLhJdGsAeUiOyRzTkMg";
  intent.front_end = "http";
  intent.rule = "front end, for an account that has proved the names";
  intent.evidence = "order 7fH2kQ, http-01 of host-1.example.com from 192.0.2.7 at 2026-01-01T00:00:00Z";
  return intent;
}

}  // namespace

double bench::journal_rate(const std::string& directory, bool with_audit, double seconds, int threads) {
  const signer::Genesis owner{RealmName::parse("bench").value(), std::string(64, 'a'), {}};
  if (!signer::Journal::create(directory, owner).ok()) throw std::runtime_error("no journal in " + directory);
  const auto journal = signer::Journal::open(directory, owner).value();
  std::atomic<bool> ends = false;
  std::atomic<std::uint64_t> count = 0;
  std::vector<std::jthread> writers;
  for (int i = 0; i < threads; ++i) {
    writers.emplace_back([&] {
      while (!ends) {
        const auto intent = intent_of(with_audit);
        if (!journal->begin(intent).ok() || !journal->finish(intent.serial, Bytes(kSignatureOctets, 0x42)).ok()) return;
        ++count;
      }
    });
  }
  std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
  ends = true;
  writers.clear();
  return static_cast<double>(count) / seconds;
}

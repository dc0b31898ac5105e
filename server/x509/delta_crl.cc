#include "server/x509/delta_crl.h"

#include <map>

namespace chancery::x509 {

std::vector<RevokedEntry> changes_since(const std::vector<RevokedEntry>& full, const std::vector<RevokedEntry>& now, Seconds at) {
  std::map<Serial, const RevokedEntry*> before;
  for (const auto& entry : full) before.emplace(entry.serial, &entry);
  std::vector<RevokedEntry> changes;
  for (const auto& entry : now) {
    const auto found = before.find(entry.serial);
    if (found == before.end() || *found->second != entry) changes.push_back(entry);
    if (found != before.end()) before.erase(found);
  }
  for (const auto& [serial, entry] : before) {
    if (entry->reason == kReasonCertificateHold) changes.push_back({serial, at, kReasonRemoveFromCrl});
  }
  return changes;
}

}  // namespace chancery::x509

#include "server/config/rollover_settings.h"

#include <array>

#include "server/config/key_settings.h"

namespace chancery::config {
namespace {

constexpr std::int64_t kDay = 86400;

constexpr std::array kRollover{
    row<&RolloverConfig::publish_for>(
        {.name = "publish_for",
         .unit = "s",
         .least = 0,
         .most = 366 * kDay,
         .doc = "How long everybody can fetch a new generation's certificates before `chancery ca rollover REALM CA` has it "
                "issue. A step that somebody takes by itself (ca.rollover.switch) does not wait."}),
    row<&RolloverConfig::retire>(
        {.name = "retire",
         .words = "upkeep people",
         .doc = "Who ends a generation that drains, once its last certificate has expired: upkeep, within half a minute, or "
                "people (ca.rollover.retire)."}),
    row<&RolloverConfig::key_store>(
        {.name = "key_store",
         .words = "file pkcs11",
         .doc = "Where the key of the first CA's next generation is made: file, or pkcs11, a token that `pkcs11:` beside it "
                "describes, or the realm's where it names none. Empty: as `key_store` of the realm. Keys that there are stay "
                "where they are."}),
};

}  // namespace

std::span<const Setting<RolloverConfig>> rollover_settings() { return kRollover; }

void read_rollover(const Node& section, RolloverConfig& rollover, Report& report) {
  if (!is_section(section, report)) return;
  auto names = names_of(rollover_settings());
  names.emplace_back(kTokenSection);
  check_names(section, names, report);
  read_settings(rollover_settings(), section, rollover, report);
  read_further_token(section, rollover.pkcs11, report);
}

Node write_rollover(const RolloverConfig& rollover) {
  Node section = map(std::string(kRolloverSection));
  write_settings(rollover_settings(), rollover, section);
  write_further_token(rollover.pkcs11, section);
  return section;
}

}  // namespace chancery::config

#include "server/config/publishing_settings.h"

#include <unistd.h>

#include <array>
#include <filesystem>

#include "server/config/text_checks.h"

namespace chancery::config {
namespace {

constexpr std::array kPublishing{
    row<&PublishingConfig::directory>(
        {.name = "directory",
         .check = check_absolute_path,
         .doc = "A directory into which each CRL is put as soon as it is made, as CA.crl (DER, RFC 2585) and CA.crl.pem, in one "
                "step "
                "each; CA is the generation's name, ca, ca-2. Front end chancery-notify does it, as its user. Empty: nowhere.",
         .type = "path"}),
    row<&PublishingConfig::program>(
        {.name = "program",
         .check = check_absolute_path,
         .doc =
             "A program that is run once a CRL is in the directory, with JSON on its standard input: realm, ca, number, crl and "
             "crl_pem, the files. It is run again until it ends with status 0. Empty: none.",
         .type = "program"}),
    row<&PublishingConfig::timeout>(
        {.name = "timeout", .unit = "s", .least = 1, .most = 300, .doc = "How long the program may take."}),
};

}  // namespace

std::span<const Setting<PublishingConfig>> publishing_settings() { return kPublishing; }

void read_publishing(const Node& section, PublishingConfig& publishing, Report& report) {
  if (!is_section(section, report)) return;
  check_names(section, names_of(publishing_settings()), report);
  read_settings(publishing_settings(), section, publishing, report);
}

Node write_publishing(const PublishingConfig& publishing) {
  Node section = map(std::string(kPublishingSection));
  write_settings(publishing_settings(), publishing, section);
  return section;
}

void check_publishing(const RealmConfig& realm, const Node& root, Report& report) {
  const Node* section = root.find(kPublishingSection);
  if (section == nullptr || section->kind != Node::Kind::Map) return;
  const auto& publishing = realm.publishing;
  std::error_code ignored;
  if (publishing.directory.empty() && !publishing.program.empty())
    return report.error(place_of(*section, "program"), "found a program without a directory, expected where the CRLs go");
  if (!publishing.directory.empty() && !std::filesystem::is_directory(publishing.directory, ignored))
    report.error(place_of(*section, "directory"), "found no directory " + publishing.directory);
  if (publishing.program.empty()) return;
  if (!std::filesystem::is_regular_file(publishing.program, ignored) || ::access(publishing.program.c_str(), X_OK) != 0)
    return report.error(place_of(*section, "program"), "found no program that can be run: " + publishing.program);
  check_trusted(publishing.program, {realm.directory}, report, place_of(*section, "program"));
}

void check_publishing_in_server(const ServerConfig& server, const RealmConfig& realm, const Node& root, Report& report) {
  const Node* section = root.find(kPublishingSection);
  if (section == nullptr || realm.publishing.directory.empty()) return;
  if (server.notifier_of(realm.name.text()) != nullptr) return;
  report.error(place_of(*section, "directory"),
               "found a directory, but no front end of chancery.xml publishes for this realm, expected one there: <front-end "
               "name=\"notify\" program=\"chancery-notify\" realms=\"" +
                   realm.name.text() + "\" roles=\"user\"/>");
}

}  // namespace chancery::config

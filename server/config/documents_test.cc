#include "server/config/documents.h"
#include "server/config/enrolment_settings.h"

#include <gtest/gtest.h>

#include "server/base/file.h"
#include "server/config/acme_policy.h"
#include "server/config/approval_settings.h"
#include "server/config/ca_section.h"
#include "server/config/key_settings.h"
#include "server/config/print.h"
#include "server/config/profile_settings.h"
#include "server/config/publishing_settings.h"
#include "server/config/realm_settings.h"
#include "server/config/rollover_settings.h"
#include "server/config/server_settings.h"
#include "server/config/testing.h"
#include "server/config/upkeep_settings.h"

/// The manual, the samples and the shipped configurations agree with the tables and with the loader.
namespace chancery::config {
namespace {

using testing::lines;
using testing::new_realm;
using testing::Place;
using testing::profile_name;
using testing::realm_from;
using testing::server_from;

std::string shipped(std::string_view name) {
  return base::read_file(std::filesystem::path(CHANCERY_SOURCE_DIR) / name, kMaxSourceBytes).value();
}

TEST(Documents, AreWhatTheTablesSay) {
  EXPECT_EQ(shipped("doc/settings.md"), settings_manual()) << "make docs";
  EXPECT_EQ(shipped("etc/chancery.xml.sample"), server_sample()) << "make docs";
  EXPECT_EQ(shipped("etc/ca.config.yml.sample"), realm_sample()) << "make docs";
}

TEST(Documents, TheServerSampleIsTheDefault) {
  std::vector<Finding> findings;
  EXPECT_TRUE(server_from(server_sample(), findings) == ServerConfig());
  EXPECT_EQ(lines(findings), "");
}

TEST(Documents, TheRealmSampleIsTheDefault) {
  std::string uncommented;
  std::istringstream sample(realm_sample());
  for (std::string line; std::getline(sample, line);) {
    const bool is_setting = line.size() > 1 && line[0] == '#' && (line[1] != ' ' || line.starts_with("#  "));
    uncommented += (is_setting ? line.substr(1) : line) + "\n";
  }
  std::vector<Finding> findings;
  EXPECT_TRUE(realm_from(uncommented, new_realm(), findings) == new_realm()) << uncommented;
  EXPECT_EQ(lines(findings), "");
}

TEST(Documents, EverySettingIsExplained) {
  const auto manual = settings_manual();
  const auto expect_rows = [&](const std::vector<SettingLine>& rows) {
    for (const auto& row : rows) {
      EXPECT_FALSE(row.info.doc.empty()) << row.info.name;
      EXPECT_NE(manual.find("`" + std::string(row.info.name) + "`"), std::string::npos) << row.info.name;
    }
  };
  for (const auto& element : server_elements()) {
    expect_rows(element.attributes());
    if (!element.item.empty()) expect_rows(element.item_attributes());
  }
  expect_rows(describe(realm_settings(), new_realm()));
  expect_rows(describe(key_settings(), KeysConfig()));
  expect_rows(describe(secret_settings(), SecretConfig()));
  expect_rows(describe(token_settings(), TokenConfig()));
  expect_rows(describe(further_token_settings(), TokenConfig()));
  expect_rows(describe(acme_settings(), AcmeConfig()));
  expect_rows(describe(acme_policy_settings(), AcmePolicy()));
  expect_rows(describe(request_settings(), RequestsConfig()));
  expect_rows(describe(enrolment_settings(), EnrolmentConfig()));
  expect_rows(describe(enrolment_secret_settings(), EnrolmentSecret()));
  expect_rows(describe(enrolment_signer_settings(), EnrolmentSigners()));
  expect_rows(describe(look_up_settings(), LookUp()));
  expect_rows(describe(publishing_settings(), PublishingConfig()));
  expect_rows(describe(rollover_settings(), RolloverConfig()));
  expect_rows(describe(ldap_publishing_settings(), LdapPublishing()));
  expect_rows(describe(retention_settings(), RetentionConfig()));
  expect_rows(describe(self_audit_settings(), SelfAuditConfig()));
  expect_rows(describe(ca_settings(), CaConfig()));
  expect_rows(describe(profile_settings(), Profile(profile_name("new"))));
}

TEST(Documents, ShippedRealmsAndServerHold) {
  const Place place;
  auto xml = shipped("etc/chancery.xml");
  const auto replace = [&](std::string_view from, std::string_view to) {
    const auto at = xml.find(from);
    ASSERT_NE(at, std::string::npos) << from;
    xml.replace(at, from.size(), to);
  };
  replace("/run/chancery", "run");
  replace("/var/lib/chancery/realms", "realms");
  for (const auto* user : {"\"chancery\"", "\"chancery-sign\"", "\"chancery-web\""})
    replace(user, "\"\"");  // a package makes them
  place.write("chancery.xml", xml);
  for (const auto* file :
       {"realms/default/ca.config.yml", "realms/devices/ca.config.yml", "realms/devices/profiles/device.yml"}) {
    place.write(file, shipped(file));
  }
  for (const auto* realm : {"default", "devices"}) place.write("realms/" + std::string(realm) + "/passphrase", "x");
  auto loaded = place.load();
  ASSERT_TRUE(loaded.snapshot) << lines(loaded.findings);
  std::erase_if(loaded.findings, [](const Finding& one) { return one.path.ends_with("@group"); });
  EXPECT_EQ(lines(loaded.findings), "");
  const auto& device = loaded.snapshot->find("devices")->profiles.at(profile_name("device"));
  EXPECT_EQ(device.validity, std::chrono::days{90});
  EXPECT_EQ(device.extended_key_usage, (std::vector<std::string>{"clientAuth", "serverAuth"}));
  EXPECT_FALSE(device.subject_from_request);
}

TEST(Documents, ThePrintedServerLoadsAgain) {
  const Place place;
  const auto first = place.load();
  ASSERT_TRUE(first.snapshot);
  place.write("chancery.xml", print_config(*first.snapshot));
  const auto second = place.load();
  ASSERT_TRUE(second.snapshot) << lines(second.findings);
  EXPECT_TRUE(second.snapshot->server == first.snapshot->server);
}

}  // namespace
}  // namespace chancery::config

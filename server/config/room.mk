noinst_LIBRARIES += libconfig.a
libconfig_a_SOURCES = \
  server/config/acme_policy.cc server/config/acme_policy.h \
  server/config/approval.h \
  server/config/approval_checks.cc \
  server/config/approval_settings.cc server/config/approval_settings.h \
  server/config/builtin_profiles.cc server/config/builtin_profiles.h \
  server/config/ca_config.h \
  server/config/ca_section.cc server/config/ca_section.h \
  server/config/challenge_methods.h \
  server/config/checks.h \
  server/config/diff.cc server/config/diff.h \
  server/config/documents.cc server/config/documents.h \
  server/config/file_checks.cc \
  server/config/finding.cc server/config/finding.h \
  server/config/front_end_checks.cc \
  server/config/key_checks.cc server/config/key_checks.h \
  server/config/key_file_checks.cc \
  server/config/keys.h \
  server/config/ldap_dn.cc server/config/ldap_dn.h \
  server/config/key_settings.cc server/config/key_settings.h \
  server/config/listening_checks.cc \
  server/config/load.cc server/config/load.h \
  server/config/next_key.cc server/config/next_key.h \
  server/config/next_key_checks.cc \
  server/config/node.h \
  server/config/notice_checks.cc \
  server/config/paths.cc server/config/paths.h \
  server/config/notice_settings.cc server/config/notice_settings.h \
  server/config/notices.h \
  server/config/publishing.h \
  server/config/publishing_settings.cc server/config/publishing_settings.h \
  server/config/retention.h \
  server/config/self_audit.h \
  server/config/upkeep_settings.cc server/config/upkeep_settings.h \
  server/config/enrolment.cc server/config/enrolment.h \
  server/config/enrolment_checks.cc \
  server/config/enrolment_settings.cc server/config/enrolment_settings.h \
  server/config/rollover.h \
  server/config/rollover_settings.cc server/config/rollover_settings.h \
  server/config/policy_checks.cc \
  server/config/policy_codecs.h \
  server/config/policy_config.h \
  server/config/policy_settings.cc server/config/policy_settings.h \
  server/config/print.cc server/config/print.h \
  server/config/profile_dialects.cc server/config/profile_dialects.h \
  server/config/profile_settings.cc server/config/profile_settings.h \
  server/config/reach.cc server/config/reach.h \
  server/config/realm_checks.cc \
  server/config/realm_config.h \
  server/config/rules_text.cc server/config/rules_text.h \
  server/config/people.h \
  server/config/people_checks.cc \
  server/config/people_settings.cc server/config/people_settings.h \
  server/config/realm_settings.cc server/config/realm_settings.h \
  server/config/realms_apart.cc server/config/realms_apart.h \
  server/config/report.h \
  server/config/server_checks.cc \
  server/config/server_context.h \
  server/config/server_config.h \
  server/config/server_settings.cc server/config/server_settings.h \
  server/config/setting.cc server/config/setting.h \
  server/config/snapshot_checks.cc \
  server/config/source.cc server/config/source.h \
  server/config/text_checks.cc server/config/text_checks.h \
  server/config/upki_view.cc server/config/upki_view.h \
  server/config/value.cc server/config/value.h \
  server/config/vantage.h
libconfig_a_CPPFLAGS = $(AM_CPPFLAGS) $(PUGIXML_CFLAGS) $(YAML_CFLAGS)
CONFIG_LIBS = libconfig.a $(BASE_LIBS) $(PUGIXML_LIBS) $(YAML_LIBS)

noinst_PROGRAMS += config-docs
config_docs_SOURCES = server/config/config_docs.cc
config_docs_LDADD = $(CONFIG_LIBS)

# The manual of the settings and the sample files come from the tables; the unit test compares.
.PHONY: docs docs-config
docs: docs-config
docs-config: config-docs
	$(AM_V_GEN)./config-docs manual > $(top_srcdir)/doc/settings.md
	$(AM_V_at)./config-docs server-sample > $(top_srcdir)/etc/chancery.xml.sample
	$(AM_V_at)./config-docs realm-sample > $(top_srcdir)/etc/ca.config.yml.sample

EXTRA_DIST += etc/chancery.xml etc/chancery.xml.sample etc/ca.config.yml.sample \
  realms/default/ca.config.yml realms/devices/ca.config.yml realms/devices/profiles/device.yml

UNIT_TESTS += config_test
config_test_SOURCES = \
  server/config/bad_config_cases.inc \
  server/config/bad_config_test.cc \
  server/config/checks_test.cc \
  server/config/config_test.cc \
  server/config/print_test.cc \
  server/config/dialects_test.cc \
  server/config/diff_test.cc \
  server/config/documents_test.cc \
  server/config/listening_checks_test.cc \
  server/config/enrolment_settings_test.cc \
  server/config/ldap_dn_test.cc \
  server/config/policy_settings_test.cc \
  server/config/snapshot_checks_test.cc \
  server/config/source_test.cc \
  server/config/testing.h
config_test_CPPFLAGS = $(AM_CPPFLAGS) $(GTEST_CFLAGS) -DCHANCERY_SOURCE_DIR='"$(abs_top_srcdir)"'
config_test_LDADD = $(CONFIG_LIBS) $(GTEST_LIBS)

noinst_LIBRARIES += librealm.a
librealm_a_SOURCES = \
  server/realm/acme_policy.cc server/realm/acme_policy.h \
  server/realm/acme_states.cc server/realm/acme_states.h \
  server/realm/assemble.cc server/realm/assemble.h \
  server/realm/auto_approval.cc server/realm/auto_approval.h \
  server/realm/authority.cc server/realm/authority.h \
  server/realm/generations.cc server/realm/generations.h \
  server/realm/hosts.cc server/realm/hosts.h \
  server/realm/issuable.cc server/realm/issuable.h \
  server/realm/lockout.cc server/realm/lockout.h \
  server/realm/names.cc server/realm/names.h \
  server/realm/policy.cc server/realm/policy.h \
  server/realm/policy_tests.cc \
  server/realm/proofs.cc server/realm/proofs.h \
  server/realm/renewal.cc server/realm/renewal.h \
  server/realm/rollover.cc server/realm/rollover.h \
  server/realm/request_content.cc server/realm/request_content.h \
  server/realm/request_history.cc server/realm/request_history.h \
  server/realm/request_states.cc server/realm/request_states.h \
  server/realm/rule_templates.cc server/realm/rule_templates.h \
  server/realm/rules.cc server/realm/rules.h \
  server/realm/ruling.h \
  server/realm/access.cc server/realm/access.h
librealm_a_CPPFLAGS = $(AM_CPPFLAGS) $(OPENSSL_CFLAGS)
REALM_LIBS = librealm.a $(X509_LIBS)

UNIT_TESTS += realm_test
realm_test_SOURCES = server/realm/acme_policy_test.cc server/realm/acme_states_test.cc server/realm/generations_test.cc server/realm/rollover_test.cc server/realm/auto_approval_test.cc server/realm/hosts_test.cc server/realm/issuable_test.cc server/realm/names_test.cc server/realm/policy_test.cc server/realm/proofs_test.cc server/realm/renewal_test.cc server/realm/request_content_test.cc server/realm/request_history_test.cc server/realm/request_states_test.cc server/realm/rules_test.cc server/realm/testing.h server/realm/validity_test.cc server/x509/testing.cc server/x509/testing.h server/realm/access_test.cc server/realm/lockout_test.cc
realm_test_CPPFLAGS = $(AM_CPPFLAGS) $(OPENSSL_CFLAGS) $(GTEST_CFLAGS)
realm_test_LDADD = $(REALM_LIBS) $(CONFIG_LIBS) $(GTEST_LIBS)

noinst_LIBRARIES += librealm.a
librealm_a_SOURCES = \
  server/realm/acme_policy.cc server/realm/acme_policy.h \
  server/realm/assemble.cc server/realm/assemble.h \
  server/realm/authority.cc server/realm/authority.h \
  server/realm/generations.cc server/realm/generations.h \
  server/realm/hosts.cc server/realm/hosts.h \
  server/realm/issuable.cc server/realm/issuable.h \
  server/realm/names.cc server/realm/names.h \
  server/realm/policy.cc server/realm/policy.h \
  server/realm/renewal.cc server/realm/renewal.h \
  server/realm/rollover.cc server/realm/rollover.h
librealm_a_CPPFLAGS = $(AM_CPPFLAGS) $(OPENSSL_CFLAGS)
REALM_LIBS = librealm.a $(X509_LIBS)

UNIT_TESTS += realm_test
realm_test_SOURCES = server/realm/acme_policy_test.cc server/realm/generations_test.cc server/realm/rollover_test.cc server/realm/hosts_test.cc server/realm/issuable_test.cc server/realm/names_test.cc server/realm/policy_test.cc server/realm/renewal_test.cc server/realm/testing.h server/realm/validity_test.cc server/x509/testing.cc server/x509/testing.h
realm_test_CPPFLAGS = $(AM_CPPFLAGS) $(OPENSSL_CFLAGS) $(GTEST_CFLAGS)
realm_test_LDADD = $(REALM_LIBS) $(CONFIG_LIBS) $(GTEST_LIBS)

# The SQL text becomes part of the library: sql/embed.awk makes one C++ file of it in the build directory.
sql_files = \
  $(srcdir)/sql/query/acme_account.sql \
  $(srcdir)/sql/query/acme_authorization.sql \
  $(srcdir)/sql/query/acme_binding.sql \
  $(srcdir)/sql/query/acme_limit.sql \
  $(srcdir)/sql/query/acme_order.sql \
  $(srcdir)/sql/query/acme_replacement.sql \
  $(srcdir)/sql/query/acme_reservation.sql \
  $(srcdir)/sql/query/admin.sql \
  $(srcdir)/sql/query/ca_rollover.sql \
  $(srcdir)/sql/query/certificate.sql \
  $(srcdir)/sql/query/certificate_search.sql \
  $(srcdir)/sql/query/compromised_key.sql \
  $(srcdir)/sql/query/crl.sql \
  $(srcdir)/sql/query/crl_delta.sql \
  $(srcdir)/sql/query/meta.sql \
  $(srcdir)/sql/query/node.sql \
  $(srcdir)/sql/query/notice.sql \
  $(srcdir)/sql/query/own_renewal.sql \
  $(srcdir)/sql/query/request.sql \
  $(srcdir)/sql/query/retention.sql \
  $(srcdir)/sql/query/person.sql \
  $(srcdir)/sql/query/policy_record.sql \
  $(srcdir)/sql/query/schema.sql \
  $(srcdir)/sql/query/seed.sql \
  $(srcdir)/sql/query/self_audit.sql \
  $(srcdir)/sql/schema/0001_realms.sql \
  $(srcdir)/sql/schema/0002_compromised_keys.sql \
  $(srcdir)/sql/schema/0003_seeds.sql \
  $(srcdir)/sql/schema/0004_admin_keys.sql \
  $(srcdir)/sql/schema/0005_own_renewals.sql \
  $(srcdir)/sql/schema/0006_key_sweeps.sql \
  $(srcdir)/sql/schema/0007_acme_external_accounts.sql \
  $(srcdir)/sql/schema/0008_acme_limits.sql \
  $(srcdir)/sql/schema/0009_acme_replacements.sql \
  $(srcdir)/sql/schema/0010_acme_origins.sql \
  $(srcdir)/sql/schema/0011_acme_reservations.sql \
  $(srcdir)/sql/schema/0012_people.sql \
  $(srcdir)/sql/schema/0013_requests.sql \
  $(srcdir)/sql/schema/0014_ca_rollovers.sql \
  $(srcdir)/sql/schema/0015_notices.sql \
  $(srcdir)/sql/schema/0016_delta_crls.sql \
  $(srcdir)/sql/schema/0017_policy_records.sql \
  $(srcdir)/sql/schema/0018_acme_validations.sql \
  $(srcdir)/sql/schema/0019_folded_subjects.sql
EXTRA_DIST += sql/embed.awk $(sql_files)
CLEANFILES += server/store/embedded_sql.cc

server/store/embedded_sql.cc: $(srcdir)/sql/embed.awk $(sql_files)
	$(AM_V_GEN)$(MKDIR_P) server/store && $(AWK) -f $(srcdir)/sql/embed.awk $(sql_files) > $@.new && mv $@.new $@

noinst_LIBRARIES += libstore.a
libstore_a_SOURCES = \
  server/store/acme_accounts.cc \
  server/store/acme_allowance.h \
  server/store/acme_bindings.cc \
  server/store/acme_grant.h \
  server/store/acme_limits.cc \
  server/store/acme_orders.cc \
  server/store/acme_reservation.h \
  server/store/acme_reservations.cc \
  server/store/acme_rows.h \
  server/store/acme_search.cc \
  server/store/administrators.cc \
  server/store/ca_rollovers.cc server/store/ca_rollovers.h \
  server/store/certificate_rows.cc server/store/certificate_rows.h \
  server/store/certificate_search.cc \
  server/store/certificates.cc \
  server/store/compromised_keys.cc \
  server/store/crl_rows.h \
  server/store/crls.cc \
  server/store/delta_crls.cc \
  server/store/policy_records.cc server/store/policy_records.h \
  server/store/database_file.cc server/store/database_file.h \
  server/store/driver.h \
  server/store/foreign_database.h \
  server/store/hold.cc server/store/hold.h \
  server/store/lock_wait.cc server/store/lock_wait.h \
  server/store/notices.cc server/store/notices.h \
  server/store/own_renewals.cc \
  server/store/logins.cc \
  server/store/people.cc \
  server/store/people_records.h \
  server/store/realm_rows.cc \
  server/store/records.h \
  server/store/request_rows.h \
  server/store/requests.cc \
  server/store/revocations.cc \
  server/store/retention.cc \
  server/store/rows.cc server/store/rows.h \
  server/store/schema.cc server/store/schema.h \
  server/store/seeds.cc \
  server/store/self_audit.cc \
  server/store/shared_sync.cc server/store/shared_sync.h \
  server/store/shared_words.cc server/store/shared_words.h \
  server/store/sharing.h \
  server/store/sqlite_driver.cc server/store/sqlite_driver.h \
  server/store/statement.cc server/store/statement.h \
  server/store/store.cc server/store/store.h \
  server/store/transaction.cc server/store/transaction.h \
  server/store/turn.cc server/store/turn.h
nodist_libstore_a_SOURCES = server/store/embedded_sql.cc
libstore_a_CPPFLAGS = $(AM_CPPFLAGS) $(SQLITE_CFLAGS)
STORE_LIBS = libstore.a librealm.a $(BASE_LIBS) $(SQLITE_LIBS)

UNIT_TESTS += store_test
store_test_SOURCES = \
  server/store/acme_bindings_test.cc \
  server/store/acme_limits_test.cc \
  server/store/acme_search_test.cc \
  server/store/acme_test.cc \
  server/store/ca_rollovers_test.cc \
  server/store/certificate_search_test.cc \
  server/store/certificates_test.cc \
  server/store/compromised_keys_test.cc \
  server/store/concurrency_test.cc \
  server/store/crls_test.cc \
  server/store/delta_crls_test.cc \
  server/store/faults_test.cc \
  server/store/hold_test.cc \
  server/store/notices_test.cc \
  server/store/own_renewals_test.cc \
  server/store/policy_records_test.cc \
  server/store/requests_test.cc \
  server/store/retention_test.cc \
  server/store/people_test.cc \
  server/store/seeds_test.cc \
  server/store/shared_sync_test.cc \
  server/store/sql_lint_test.cc \
  server/store/sqlite_driver_test.cc \
  server/store/testing.cc server/store/testing.h \
  server/store/turn_test.cc \
  server/store/view_test.cc
store_test_CPPFLAGS = $(AM_CPPFLAGS) $(GTEST_CFLAGS)
store_test_LDADD = $(STORE_LIBS) $(GTEST_LIBS)

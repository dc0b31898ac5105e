noinst_LIBRARIES += libworker.a
libworker_a_SOURCES = \
  server/worker/acme_accounts.cc \
  server/worker/acme_agreement.cc server/worker/acme_agreement.h \
  server/worker/acme_authorizations.cc \
  server/worker/acme_caa.cc server/worker/acme_caa.h \
  server/worker/acme_blocking.cc server/worker/acme_blocking.h \
  server/worker/acme_certificates.cc \
  server/worker/acme_common.cc server/worker/acme_common.h \
  server/worker/acme_documents.cc server/worker/acme_documents.h \
  server/worker/acme_follow.h \
  server/worker/acme_eab.cc \
  server/worker/acme_external.cc server/worker/acme_external.h \
  server/worker/acme_grants.cc server/worker/acme_grants.h \
  server/worker/acme_limits.cc server/worker/acme_limits.h \
  server/worker/acme_moves.cc server/worker/acme_moves.h \
  server/worker/acme_operators.cc \
  server/worker/acme_orders.cc \
  server/worker/acme_preauthorization.cc \
  server/worker/acme_refusals.cc server/worker/acme_refusals.h \
  server/worker/acme_renewal.cc server/worker/acme_renewal.h \
  server/worker/acme_retention.cc server/worker/acme_retention.h \
  server/worker/acme_sync.cc \
  server/worker/acme_terms.cc server/worker/acme_terms.h \
  server/worker/admin_commands.cc \
  server/worker/administrator.cc server/worker/administrator.h \
  server/worker/announce.h \
  server/worker/announce_commands.cc \
  server/worker/attest.cc server/worker/attest.h \
  server/worker/audit.cc server/worker/audit.h \
  server/worker/audit_notices.cc server/worker/audit_notices.h \
  server/worker/audit_commands.cc \
  server/worker/bulk_revocation.cc \
  server/worker/ca_notices.cc server/worker/ca_notices.h \
  server/worker/authorities.cc server/worker/authorities.h \
  server/worker/ca_commands.cc \
  server/worker/certificate_commands.cc \
  server/worker/certificate_filter.cc server/worker/certificate_filter.h \
  server/worker/clients_mode.cc server/worker/clients_mode.h \
  server/worker/confine.cc server/worker/confine.h \
  server/worker/conversation.cc server/worker/conversation.h \
  server/worker/crl_commands.cc \
  server/worker/describe.cc server/worker/describe.h \
  server/worker/dispatch.cc server/worker/dispatch.h \
  server/worker/enrol_commands.cc \
  server/worker/enrolment_proofs.cc server/worker/enrolment_proofs.h \
  server/worker/front_end_settings.cc \
  server/worker/curl_calls.h \
  server/worker/ldap_calls.h \
  server/worker/http_look_up.cc \
  server/worker/handlers.h \
  server/worker/issue.cc server/worker/issue.h \
  server/worker/issue_commands.cc \
  server/worker/key_demand.cc server/worker/key_demand.h \
  server/worker/identity_commands.cc \
  server/worker/ldap_login.cc \
  server/worker/ldap_text.cc server/worker/ldap_text.h \
  server/worker/login.cc server/worker/login.h \
  server/worker/login_count.cc server/worker/login_count.h \
  server/worker/login_methods.cc \
  server/worker/login_runner.cc server/worker/login_runner.h \
  server/worker/people.h \
  server/worker/person_login.h \
  server/worker/look_ups.cc server/worker/look_ups.h \
  server/worker/program_login.cc \
  server/worker/program_look_up.cc \
  server/worker/token_commands.cc \
  server/worker/tokens.cc server/worker/tokens.h \
  server/worker/key_pool.cc server/worker/key_pool.h \
  server/worker/key_source.cc server/worker/key_source.h \
  server/worker/key_sweep.cc server/worker/key_sweep.h \
  server/worker/keymaker.cc \
  server/worker/node_commands.cc \
  server/worker/ocsp_commands.cc \
  server/worker/node_key.cc server/worker/node_key.h \
  server/worker/own_commands.cc \
  server/worker/notice_commands.cc \
  server/worker/notice_plan.cc server/worker/notice_plan.h \
  server/worker/params.h \
  server/worker/service_commands.cc \
  server/worker/services.h \
  server/worker/prompt.cc server/worker/prompt.h \
  server/worker/realm_commands.cc \
  server/worker/policy_commands.cc \
  server/worker/policy_facts.cc server/worker/policy_facts.h \
  server/worker/journal_states.cc server/worker/journal_states.h \
  server/worker/policy_room.cc server/worker/policy_room.h \
  server/worker/refusals.cc server/worker/refusals.h \
  server/worker/policy_text.cc server/worker/policy_text.h \
  server/worker/reconcile.cc server/worker/reconcile.h \
  server/worker/repair.cc \
  server/worker/rollover_commands.cc server/worker/rollover_commands.h \
  server/worker/rollover_steps.cc server/worker/rollover_steps.h \
  server/worker/rules_gate.cc server/worker/rules_gate.h \
  server/worker/request_commands.cc \
  server/worker/request_decisions.cc \
  server/worker/request_describe.cc \
  server/worker/request_files.cc server/worker/request_files.h \
  server/worker/request_orders.cc server/worker/request_orders.h \
  server/worker/request_realm.cc server/worker/request_realm.h \
  server/worker/request_upkeep.cc server/worker/request_upkeep.h \
  server/worker/request_work.cc server/worker/request_work.h \
  server/worker/requests.cc server/worker/requests.h \
  server/worker/retention.cc server/worker/retention.h \
  server/worker/revocation.cc server/worker/revocation.h \
  server/worker/run_worker.cc \
  server/worker/secret_commands.cc \
  server/worker/seeds.cc server/worker/seeds.h \
  server/worker/server_commands.cc \
  server/worker/self_audit.cc server/worker/self_audit.h \
  server/worker/self_audit_certificates.cc \
  server/worker/self_audit_commands.cc \
  server/worker/self_audit_crls.cc \
  server/worker/self_audit_journal.cc \
  server/worker/self_audit_nightly.cc \
  server/worker/self_audit_realm.cc \
  server/worker/session.cc server/worker/session.h \
  server/worker/session_commands.cc \
  server/worker/start.h \
  server/worker/stop_signal.cc server/worker/stop_signal.h \
  server/worker/upkeep.cc \
  server/worker/access.cc server/worker/access.h server/worker/ask_signer.h \
  server/worker/narrowed_page.h \
  server/worker/access_commands.cc
libworker_a_CPPFLAGS = $(AM_CPPFLAGS) $(OPENSSL_CFLAGS) $(CURL_CFLAGS) $(LDAP_CFLAGS) \
  -DCURL_SONAME='"$(CURL_SONAME)"' -DLDAP_SONAME='"$(LDAP_SONAME)"'
WORKER_LIBS = libworker.a $(STORE_LIBS) $(SIGNER_CLIENT_LIBS) $(REALM_LIBS) $(CONFIG_LIBS) $(WIRE_LIBS)

# Two programs: dispatch_test has a stand-in for every handler, worker_test has the room's own.
UNIT_TESTS += worker_test dispatch_test
worker_test_SOURCES = \
  server/worker/attest_test.cc \
  server/worker/commands_test.cc \
  server/worker/confine_test.cc \
  server/worker/key_demand_test.cc \
  server/worker/key_pool_test.cc \
  server/worker/narrowed_page_test.cc \
  server/worker/notices_test.cc \
  server/worker/login_count_test.cc server/worker/login_test.cc \
  server/worker/look_ups_test.cc \
  server/worker/session_test.cc \
  server/worker/testing.cc server/worker/testing.h \
  server/x509/testing.cc server/x509/testing.h
worker_test_CPPFLAGS = $(AM_CPPFLAGS) $(OPENSSL_CFLAGS) $(GTEST_CFLAGS)
worker_test_LDADD = $(WORKER_LIBS) $(GTEST_LIBS) -lpthread

dispatch_test_SOURCES = \
  server/worker/dispatch_audit_test.cc \
  server/worker/dispatch_params_test.cc \
  server/worker/dispatch_test.cc \
  server/worker/stand_in_handlers.cc server/worker/stand_in_handlers.h \
  server/worker/testing.cc server/worker/testing.h \
  server/x509/testing.cc server/x509/testing.h
dispatch_test_CPPFLAGS = $(AM_CPPFLAGS) $(OPENSSL_CFLAGS) $(GTEST_CFLAGS)
dispatch_test_LDADD = $(WORKER_LIBS) $(GTEST_LIBS) -lpthread

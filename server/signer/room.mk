# What a worker may see of the signer: its client and the messages.
noinst_LIBRARIES += libsignerclient.a libsigner.a
libsignerclient_a_SOURCES = \
  server/signer/client.cc server/signer/client.h \
  server/signer/messages.cc server/signer/messages.h \
  server/signer/secret_messages.cc \
  server/signer/service_messages.cc server/signer/service_messages.h \
  server/signer/approved_request.cc server/signer/approved_request.h
libsignerclient_a_CPPFLAGS = $(AM_CPPFLAGS) $(OPENSSL_CFLAGS)
SIGNER_CLIENT_LIBS = libsignerclient.a $(X509_LIBS) $(WIRE_LIBS)

libsigner_a_SOURCES = \
  server/signer/ca_files.cc server/signer/ca_files.h \
  server/signer/ca_secret.cc server/signer/ca_secret.h \
  server/signer/ceremony.cc server/signer/ceremony.h \
  server/signer/ceremony_cas.cc server/signer/ceremony_cas.h \
  server/signer/ceremony_plan.cc server/signer/ceremony_plan.h \
  server/signer/check.cc server/signer/check.h \
  server/signer/confine.cc server/signer/confine.h \
  server/signer/conversations.cc server/signer/conversations.h \
  server/signer/create.cc server/signer/create.h \
  server/signer/create_options.h \
  server/signer/foreign_fields.cc server/signer/foreign_fields.h \
  server/signer/generations.cc server/signer/generations.h \
  server/signer/generation_keys.cc server/signer/generation_keys.h \
  server/signer/create_token.cc server/signer/create_token.h \
  server/signer/create_secret.cc server/signer/create_secret.h \
  server/signer/import.cc server/signer/import.h \
  server/signer/import_ceremony.cc \
  server/signer/import_files.cc \
  server/signer/import_openssl.cc \
  server/signer/import_openxpki.cc \
  server/signer/import_parts.cc server/signer/import_parts.h \
  server/signer/import_pem.cc \
  server/signer/import_reader.cc server/signer/import_reader.h \
  server/signer/import_source.h \
  server/signer/import_step.cc \
  server/signer/issuer.cc server/signer/issuer.h \
  server/signer/issuer_crls.cc \
  server/signer/issuer_generations.cc \
  server/signer/issuer_secret.cc \
  server/signer/issuer_services.cc \
  server/signer/journal.cc server/signer/journal.h \
  server/signer/journal_file.cc server/signer/journal_file.h \
  server/signer/journal_index.cc \
  server/signer/openssl_config.cc server/signer/openssl_config.h \
  server/signer/openssl_index.cc server/signer/openssl_index.h \
  server/signer/openxpki_records.cc server/signer/openxpki_records.h \
  server/signer/operations.cc server/signer/operations.h \
  server/signer/owners.cc server/signer/owners.h \
  server/signer/records.cc server/signer/records.h \
  server/signer/secret_box.cc server/signer/secret_box.h \
  server/signer/serve.cc server/signer/serve.h \
  server/signer/services.cc server/signer/services.h \
  server/signer/signing_key.cc server/signer/signing_key.h \
  server/signer/staging.cc server/signer/staging.h \
  server/signer/transcript.cc server/signer/transcript.h \
  server/signer/pkcs11_module.cc server/signer/pkcs11_module.h \
  server/signer/token_key.cc server/signer/token_key.h \
  server/signer/token_place.cc server/signer/token_place.h \
  server/signer/token_process.cc server/signer/token_process.h \
  server/signer/token_session.cc server/signer/token_session.h \
  server/signer/tokens.cc server/signer/tokens.h \
  server/signer/unlocking.cc server/signer/unlocking.h \
  server/signer/upki_parts.cc server/signer/upki_parts.h \
  server/signer/upki_records.cc server/signer/upki_records.h \
  server/signer/upki_source.cc \
  server/signer/approvals.cc server/signer/approvals.h
libsigner_a_CPPFLAGS = $(AM_CPPFLAGS) $(OPENSSL_CFLAGS) $(P11KIT_CFLAGS) $(SECCOMP_CFLAGS)
SIGNER_LIBS = libsigner.a libsignerclient.a $(REALM_LIBS) $(CONFIG_LIBS) $(WIRE_LIBS) $(SECCOMP_LIBS) -lpthread

UNIT_TESTS += signer_test
signer_test_SOURCES = server/signer/ca_secret_test.cc server/signer/ceremony_test.cc server/signer/client_test.cc server/signer/confine_test.cc server/signer/generations_test.cc server/signer/history_test.cc server/signer/issuer_test.cc server/signer/journal_test.cc server/signer/journal_testing.h server/signer/secret_box_test.cc server/signer/secret_generations_test.cc server/signer/services_test.cc server/signer/testing.h server/signer/openssl_index_test.cc server/signer/openxpki_records_test.cc server/signer/upki_records_test.cc server/signer/approvals_test.cc server/signer/token_place_test.cc
signer_test_CPPFLAGS = $(AM_CPPFLAGS) $(OPENSSL_CFLAGS) $(GTEST_CFLAGS)
signer_test_LDADD = $(SIGNER_LIBS) $(GTEST_LIBS)

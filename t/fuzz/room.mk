# One target for each reader of foreign octets. fuzz_test runs them over t/fuzz/corpus; make fuzz gives them to libFuzzer.
FUZZ_NAMES = \
  acme_order \
  certificate \
  crl \
  csr \
  dns_records \
  foreign_certificate \
  foreign_crl \
  general_name \
  http_head \
  journal_file \
  journal_record \
  jwk \
  jws \
  login_program \
  name_pattern \
  name_text \
  ocsp_request \
  openssl_index \
  openxpki_records \
  profile_yaml \
  realm_yaml \
  request_signature \
  secret_share \
  server_xml \
  signer_message \
  tls_alpn_certificate \
  upki_records \
  vantage_message \
  wire_line \
  zmq_dialect \
  zmtp \
  ceremony
FUZZ_CPPFLAGS = $(AM_CPPFLAGS) $(OPENSSL_CFLAGS)
FUZZ_LIBS = libzmqgateway.a $(WORKER_LIBS) libsigner.a libsignerclient.a $(REALM_LIBS) $(ACME_LIBS) $(CLIENT_LIBS) $(CONFIG_LIBS) $(WIRE_LIBS) $(EVENT_LIBS) $(OPENSSL_LIBS) -lpthread

UNIT_TESTS += fuzz_test
fuzz_test_SOURCES = \
  t/fuzz/replay_test.cc \
  t/fuzz/target.h \
  t/fuzz/ceremony.cc \
  t/fuzz/acme_order.cc \
  t/fuzz/certificate.cc \
  t/fuzz/crl.cc \
  t/fuzz/csr.cc \
  t/fuzz/dns_records.cc \
  t/fuzz/foreign_certificate.cc \
  t/fuzz/foreign_crl.cc \
  t/fuzz/general_name.cc \
  t/fuzz/http_head.cc \
  t/fuzz/journal_file.cc \
  t/fuzz/journal_record.cc \
  t/fuzz/jwk.cc \
  t/fuzz/jws.cc \
  t/fuzz/login_program.cc \
  server/worker/login_runner.cc \
  t/fuzz/name_pattern.cc \
  t/fuzz/name_text.cc \
  t/fuzz/ocsp_request.cc \
  t/fuzz/openssl_index.cc \
  t/fuzz/openxpki_records.cc \
  t/fuzz/profile_yaml.cc \
  t/fuzz/realm_yaml.cc \
  t/fuzz/request_signature.cc \
  t/fuzz/secret_share.cc \
  t/fuzz/server_xml.cc \
  t/fuzz/signer_message.cc \
  t/fuzz/tls_alpn_certificate.cc \
  t/fuzz/upki_records.cc \
  t/fuzz/vantage_message.cc \
  t/fuzz/wire_line.cc \
  t/fuzz/zmq_dialect.cc \
  t/fuzz/zmtp.cc
fuzz_test_CPPFLAGS = $(FUZZ_CPPFLAGS) $(GTEST_CFLAGS) -DCHANCERY_SOURCE_DIR='"$(abs_top_srcdir)"'
fuzz_test_LDADD = $(FUZZ_LIBS) $(GTEST_LIBS)

# In the build that `make fuzz` makes, each of them is a program of its own.
FUZZERS = \
  fuzz-acme_order \
  fuzz-certificate \
  fuzz-crl \
  fuzz-csr \
  fuzz-dns_records \
  fuzz-foreign_certificate \
  fuzz-foreign_crl \
  fuzz-general_name \
  fuzz-http_head \
  fuzz-journal_file \
  fuzz-journal_record \
  fuzz-jwk \
  fuzz-jws \
  fuzz-login_program \
  fuzz-name_pattern \
  fuzz-name_text \
  fuzz-ocsp_request \
  fuzz-openssl_index \
  fuzz-openxpki_records \
  fuzz-profile_yaml \
  fuzz-realm_yaml \
  fuzz-request_signature \
  fuzz-secret_share \
  fuzz-server_xml \
  fuzz-signer_message \
  fuzz-tls_alpn_certificate \
  fuzz-upki_records \
  fuzz-vantage_message \
  fuzz-wire_line \
  fuzz-zmq_dialect \
  fuzz-zmtp \
  fuzz-ceremony
EXTRA_PROGRAMS += $(FUZZERS)
fuzz_ceremony_SOURCES = t/fuzz/ceremony.cc
fuzz_ceremony_CPPFLAGS = $(FUZZ_CPPFLAGS) -DCHANCERY_FUZZING
fuzz_ceremony_LDFLAGS = -fsanitize=fuzzer
fuzz_ceremony_LDADD = $(FUZZ_LIBS)
fuzz_acme_order_SOURCES = t/fuzz/acme_order.cc
fuzz_acme_order_CPPFLAGS = $(FUZZ_CPPFLAGS) -DCHANCERY_FUZZING
fuzz_acme_order_LDFLAGS = -fsanitize=fuzzer
fuzz_acme_order_LDADD = $(FUZZ_LIBS)
fuzz_certificate_SOURCES = t/fuzz/certificate.cc
fuzz_certificate_CPPFLAGS = $(FUZZ_CPPFLAGS) -DCHANCERY_FUZZING
fuzz_certificate_LDFLAGS = -fsanitize=fuzzer
fuzz_certificate_LDADD = $(FUZZ_LIBS)
fuzz_crl_SOURCES = t/fuzz/crl.cc
fuzz_crl_CPPFLAGS = $(FUZZ_CPPFLAGS) -DCHANCERY_FUZZING
fuzz_crl_LDFLAGS = -fsanitize=fuzzer
fuzz_crl_LDADD = $(FUZZ_LIBS)
fuzz_csr_SOURCES = t/fuzz/csr.cc
fuzz_csr_CPPFLAGS = $(FUZZ_CPPFLAGS) -DCHANCERY_FUZZING
fuzz_csr_LDFLAGS = -fsanitize=fuzzer
fuzz_csr_LDADD = $(FUZZ_LIBS)
fuzz_dns_records_SOURCES = t/fuzz/dns_records.cc
fuzz_dns_records_CPPFLAGS = $(FUZZ_CPPFLAGS) -DCHANCERY_FUZZING
fuzz_dns_records_LDFLAGS = -fsanitize=fuzzer
fuzz_dns_records_LDADD = $(FUZZ_LIBS)
fuzz_foreign_certificate_SOURCES = t/fuzz/foreign_certificate.cc
fuzz_foreign_certificate_CPPFLAGS = $(FUZZ_CPPFLAGS) -DCHANCERY_FUZZING
fuzz_foreign_certificate_LDFLAGS = -fsanitize=fuzzer
fuzz_foreign_certificate_LDADD = $(FUZZ_LIBS)
fuzz_foreign_crl_SOURCES = t/fuzz/foreign_crl.cc
fuzz_foreign_crl_CPPFLAGS = $(FUZZ_CPPFLAGS) -DCHANCERY_FUZZING
fuzz_foreign_crl_LDFLAGS = -fsanitize=fuzzer
fuzz_foreign_crl_LDADD = $(FUZZ_LIBS)
fuzz_general_name_SOURCES = t/fuzz/general_name.cc
fuzz_general_name_CPPFLAGS = $(FUZZ_CPPFLAGS) -DCHANCERY_FUZZING
fuzz_general_name_LDFLAGS = -fsanitize=fuzzer
fuzz_general_name_LDADD = $(FUZZ_LIBS)
fuzz_http_head_SOURCES = t/fuzz/http_head.cc
fuzz_http_head_CPPFLAGS = $(FUZZ_CPPFLAGS) -DCHANCERY_FUZZING
fuzz_http_head_LDFLAGS = -fsanitize=fuzzer
fuzz_http_head_LDADD = $(FUZZ_LIBS)
fuzz_journal_file_SOURCES = t/fuzz/journal_file.cc
fuzz_journal_file_CPPFLAGS = $(FUZZ_CPPFLAGS) -DCHANCERY_FUZZING
fuzz_journal_file_LDFLAGS = -fsanitize=fuzzer
fuzz_journal_file_LDADD = $(FUZZ_LIBS)
fuzz_journal_record_SOURCES = t/fuzz/journal_record.cc
fuzz_journal_record_CPPFLAGS = $(FUZZ_CPPFLAGS) -DCHANCERY_FUZZING
fuzz_journal_record_LDFLAGS = -fsanitize=fuzzer
fuzz_journal_record_LDADD = $(FUZZ_LIBS)
fuzz_jwk_SOURCES = t/fuzz/jwk.cc
fuzz_jwk_CPPFLAGS = $(FUZZ_CPPFLAGS) -DCHANCERY_FUZZING
fuzz_jwk_LDFLAGS = -fsanitize=fuzzer
fuzz_jwk_LDADD = $(FUZZ_LIBS)
fuzz_jws_SOURCES = t/fuzz/jws.cc
fuzz_jws_CPPFLAGS = $(FUZZ_CPPFLAGS) -DCHANCERY_FUZZING
fuzz_jws_LDFLAGS = -fsanitize=fuzzer
fuzz_jws_LDADD = $(FUZZ_LIBS)
fuzz_login_program_SOURCES = t/fuzz/login_program.cc server/worker/login_runner.cc
fuzz_login_program_CPPFLAGS = $(FUZZ_CPPFLAGS) -DCHANCERY_FUZZING
fuzz_login_program_LDFLAGS = -fsanitize=fuzzer
fuzz_login_program_LDADD = $(FUZZ_LIBS)
fuzz_name_pattern_SOURCES = t/fuzz/name_pattern.cc
fuzz_name_pattern_CPPFLAGS = $(FUZZ_CPPFLAGS) -DCHANCERY_FUZZING
fuzz_name_pattern_LDFLAGS = -fsanitize=fuzzer
fuzz_name_pattern_LDADD = $(FUZZ_LIBS)
fuzz_name_text_SOURCES = t/fuzz/name_text.cc
fuzz_name_text_CPPFLAGS = $(FUZZ_CPPFLAGS) -DCHANCERY_FUZZING
fuzz_name_text_LDFLAGS = -fsanitize=fuzzer
fuzz_name_text_LDADD = $(FUZZ_LIBS)
fuzz_ocsp_request_SOURCES = t/fuzz/ocsp_request.cc
fuzz_ocsp_request_CPPFLAGS = $(FUZZ_CPPFLAGS) -DCHANCERY_FUZZING
fuzz_ocsp_request_LDFLAGS = -fsanitize=fuzzer
fuzz_ocsp_request_LDADD = $(FUZZ_LIBS)
fuzz_openssl_index_SOURCES = t/fuzz/openssl_index.cc
fuzz_openssl_index_CPPFLAGS = $(FUZZ_CPPFLAGS) -DCHANCERY_FUZZING
fuzz_openssl_index_LDFLAGS = -fsanitize=fuzzer
fuzz_openssl_index_LDADD = $(FUZZ_LIBS)
fuzz_openxpki_records_SOURCES = t/fuzz/openxpki_records.cc
fuzz_openxpki_records_CPPFLAGS = $(FUZZ_CPPFLAGS) -DCHANCERY_FUZZING
fuzz_openxpki_records_LDFLAGS = -fsanitize=fuzzer
fuzz_openxpki_records_LDADD = $(FUZZ_LIBS)
fuzz_profile_yaml_SOURCES = t/fuzz/profile_yaml.cc
fuzz_profile_yaml_CPPFLAGS = $(FUZZ_CPPFLAGS) -DCHANCERY_FUZZING
fuzz_profile_yaml_LDFLAGS = -fsanitize=fuzzer
fuzz_profile_yaml_LDADD = $(FUZZ_LIBS)
fuzz_realm_yaml_SOURCES = t/fuzz/realm_yaml.cc
fuzz_realm_yaml_CPPFLAGS = $(FUZZ_CPPFLAGS) -DCHANCERY_FUZZING
fuzz_realm_yaml_LDFLAGS = -fsanitize=fuzzer
fuzz_realm_yaml_LDADD = $(FUZZ_LIBS)
fuzz_request_signature_SOURCES = t/fuzz/request_signature.cc
fuzz_request_signature_CPPFLAGS = $(FUZZ_CPPFLAGS) -DCHANCERY_FUZZING
fuzz_request_signature_LDFLAGS = -fsanitize=fuzzer
fuzz_request_signature_LDADD = $(FUZZ_LIBS)
fuzz_secret_share_SOURCES = t/fuzz/secret_share.cc
fuzz_secret_share_CPPFLAGS = $(FUZZ_CPPFLAGS) -DCHANCERY_FUZZING
fuzz_secret_share_LDFLAGS = -fsanitize=fuzzer
fuzz_secret_share_LDADD = $(FUZZ_LIBS)
fuzz_server_xml_SOURCES = t/fuzz/server_xml.cc
fuzz_server_xml_CPPFLAGS = $(FUZZ_CPPFLAGS) -DCHANCERY_FUZZING
fuzz_server_xml_LDFLAGS = -fsanitize=fuzzer
fuzz_server_xml_LDADD = $(FUZZ_LIBS)
fuzz_signer_message_SOURCES = t/fuzz/signer_message.cc
fuzz_signer_message_CPPFLAGS = $(FUZZ_CPPFLAGS) -DCHANCERY_FUZZING
fuzz_signer_message_LDFLAGS = -fsanitize=fuzzer
fuzz_signer_message_LDADD = $(FUZZ_LIBS)
fuzz_tls_alpn_certificate_SOURCES = t/fuzz/tls_alpn_certificate.cc
fuzz_tls_alpn_certificate_CPPFLAGS = $(FUZZ_CPPFLAGS) -DCHANCERY_FUZZING
fuzz_tls_alpn_certificate_LDFLAGS = -fsanitize=fuzzer
fuzz_tls_alpn_certificate_LDADD = $(FUZZ_LIBS)
fuzz_upki_records_SOURCES = t/fuzz/upki_records.cc
fuzz_upki_records_CPPFLAGS = $(FUZZ_CPPFLAGS) -DCHANCERY_FUZZING
fuzz_upki_records_LDFLAGS = -fsanitize=fuzzer
fuzz_upki_records_LDADD = $(FUZZ_LIBS)
fuzz_vantage_message_SOURCES = t/fuzz/vantage_message.cc
fuzz_vantage_message_CPPFLAGS = $(FUZZ_CPPFLAGS) -DCHANCERY_FUZZING
fuzz_vantage_message_LDFLAGS = -fsanitize=fuzzer
fuzz_vantage_message_LDADD = $(FUZZ_LIBS)
fuzz_wire_line_SOURCES = t/fuzz/wire_line.cc
fuzz_wire_line_CPPFLAGS = $(FUZZ_CPPFLAGS) -DCHANCERY_FUZZING
fuzz_wire_line_LDFLAGS = -fsanitize=fuzzer
fuzz_wire_line_LDADD = $(FUZZ_LIBS)
fuzz_zmq_dialect_SOURCES = t/fuzz/zmq_dialect.cc
fuzz_zmq_dialect_CPPFLAGS = $(FUZZ_CPPFLAGS) -DCHANCERY_FUZZING
fuzz_zmq_dialect_LDFLAGS = -fsanitize=fuzzer
fuzz_zmq_dialect_LDADD = $(FUZZ_LIBS)
fuzz_zmtp_SOURCES = t/fuzz/zmtp.cc
fuzz_zmtp_CPPFLAGS = $(FUZZ_CPPFLAGS) -DCHANCERY_FUZZING
fuzz_zmtp_LDFLAGS = -fsanitize=fuzzer
fuzz_zmtp_LDADD = $(FUZZ_LIBS)

.PHONY: fuzz fuzz-programs
fuzz-programs: $(FUZZERS)
# Builds with clang below this build; then each target for FUZZ_SECONDS, with what it finds below fuzz/.
FUZZ_SECONDS = 60
fuzz:
	$(MKDIR_P) fuzz
	cd fuzz && { test -f Makefile || $(abs_top_srcdir)/configure --quiet --with-sanitizers=address,undefined CXX=clang++ \
	  CXXFLAGS="-O1 -g1 -fsanitize=fuzzer-no-link -Wno-unknown-warning-option"; }
	cd fuzz && $(MAKE) fuzz-programs
	cd fuzz && for name in $(FUZZ_NAMES); do \
	  $(MKDIR_P) corpus/$$name found && \
	  ./fuzz-$$name -max_total_time=$(FUZZ_SECONDS) -max_len=8192 -print_final_stats=1 -artifact_prefix=found/$$name- \
	    corpus/$$name $(abs_top_srcdir)/t/fuzz/corpus/$$name || exit 1; \
	done

# The corpora go into a distribution, for fuzz_test.
dist-hook: dist-corpora
.PHONY: dist-corpora
dist-corpora:
	$(MKDIR_P) $(distdir)/t/fuzz
	cp -Rp $(srcdir)/t/fuzz/corpus $(distdir)/t/fuzz/

noinst_LIBRARIES += libx509.a
libx509_a_SOURCES = \
  server/x509/a_label.cc server/x509/a_label.h \
  server/x509/attribute_types.cc server/x509/attribute_types.h \
  server/x509/certificate.cc server/x509/certificate.h \
  server/x509/crl.cc server/x509/crl.h \
  server/x509/csr.cc server/x509/csr.h \
  server/x509/delta_crl.cc server/x509/delta_crl.h \
  server/x509/der.h \
  server/x509/der_read.cc \
  server/x509/der_write.cc \
  server/x509/extension.cc server/x509/extension.h \
  server/x509/foreign.cc server/x509/foreign.h \
  server/x509/general_name.cc server/x509/general_name.h \
  server/x509/lint.cc server/x509/lint.h \
  server/x509/lint_alternative_names.cc \
  server/x509/lint_constraints.cc \
  server/x509/lint_crl.cc \
  server/x509/lint_crl_encoding.cc \
  server/x509/lint_crl_entries.cc \
  server/x509/lint_crl_fields.cc \
  server/x509/lint_delta_crl.cc \
  server/x509/lint_encoding.cc \
  server/x509/lint_extensions.cc \
  server/x509/lint_keys.cc \
  server/x509/lint_locations.cc \
  server/x509/lint_names.cc \
  server/x509/lint_ocsp.cc server/x509/lint_ocsp.h \
  server/x509/lint_read.cc \
  server/x509/lint_usage.cc \
  server/x509/lint_validity.cc \
  server/x509/lint_rules.h \
  server/x509/name.cc server/x509/name.h \
  server/x509/name_constraints.cc server/x509/name_constraints.h \
  server/x509/name_der.cc \
  server/x509/ocsp.cc server/x509/ocsp.h \
  server/x509/pem.cc server/x509/pem.h \
  server/x509/ra_message.cc server/x509/ra_message.h \
  server/x509/reasons.cc server/x509/reasons.h \
  server/x509/renewal.h \
  server/x509/signed_request.cc server/x509/signed_request.h \
  server/x509/tbs.cc server/x509/tbs.h
libx509_a_CPPFLAGS = $(AM_CPPFLAGS) $(OPENSSL_CFLAGS) $(IDN2_CFLAGS)
X509_LIBS = libx509.a $(CRYPTO_LIBS) $(IDN2_LIBS)

UNIT_TESTS += x509_test
x509_test_SOURCES = \
  server/x509/certificate_test.cc \
  server/x509/crl_test.cc \
  server/x509/csr_test.cc \
  server/x509/delta_crl_test.cc \
  server/x509/foreign_test.cc \
  server/x509/lint_samples_test.cc \
  server/x509/lint_test.cc \
  server/x509/name_constraints_test.cc \
  server/x509/names_test.cc \
  server/x509/ocsp_test.cc \
  server/x509/ra_message_test.cc \
  server/x509/signed_request_test.cc \
  server/x509/samples.inc \
  server/x509/testing.cc server/x509/testing.h
x509_test_CPPFLAGS = $(AM_CPPFLAGS) $(OPENSSL_CFLAGS) $(GTEST_CFLAGS) -DCHANCERY_SOURCE_DIR='"$(abs_top_srcdir)"'
x509_test_LDADD = $(X509_LIBS) $(GTEST_LIBS)
EXTRA_DIST += server/x509/make-samples

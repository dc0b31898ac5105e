noinst_LIBRARIES += libacme.a
libacme_a_SOURCES = \
  clients/acme/account_keys.cc clients/acme/account_keys.h \
  clients/acme/account_limit.cc clients/acme/account_limit.h \
  clients/acme/accounts.cc \
  clients/acme/authorizations.cc \
  clients/acme/caa.cc \
  clients/acme/certificates.cc \
  clients/acme/challenge.cc clients/acme/challenge.h \
  clients/acme/directory.cc \
  clients/acme/dns01.cc clients/acme/dns01.h \
  clients/acme/fetch.cc clients/acme/fetch.h \
  clients/acme/handshake.cc clients/acme/handshake.h \
  clients/acme/http01.cc \
  clients/acme/identifiers.cc clients/acme/identifiers.h \
  clients/acme/jwk.cc clients/acme/jwk.h \
  clients/acme/jws.cc clients/acme/jws.h \
  clients/acme/new_order.cc clients/acme/new_order.h \
  clients/acme/nonce.cc clients/acme/nonce.h \
  clients/acme/orders.cc \
  clients/acme/panel.cc clients/acme/panel.h \
  clients/acme/problems.cc clients/acme/problems.h \
  clients/acme/quorum.cc clients/acme/quorum.h \
  clients/acme/reach.cc clients/acme/reach.h \
  clients/acme/renewal.cc \
  clients/acme/service.cc clients/acme/service.h \
  clients/acme/targets.cc clients/acme/targets.h \
  clients/acme/tlsalpn01.cc clients/acme/tlsalpn01.h \
  clients/acme/urls.cc clients/acme/urls.h \
  clients/acme/validator.cc clients/acme/validator.h \
  clients/acme/vantage_message.cc clients/acme/vantage_message.h
libacme_a_CPPFLAGS = $(AM_CPPFLAGS) $(CURL_CFLAGS) $(SSL_CFLAGS) $(ZMQ_CFLAGS)
ACME_LIBS = libacme.a libzmqgateway.a libhttp.a $(DNS_LIBS) $(X509_LIBS) $(CURL_LIBS) $(SSL_LIBS) $(ZMQ_LIBS)

UNIT_TESTS += acme_test
acme_test_SOURCES = clients/acme/account_limit_test.cc clients/acme/acme_test.cc clients/acme/challenge_test.cc clients/acme/identifiers_test.cc clients/acme/jws_test.cc clients/acme/quorum_test.cc clients/acme/targets_test.cc clients/acme/vantage_message_test.cc
acme_test_CPPFLAGS = $(AM_CPPFLAGS) $(GTEST_CFLAGS)
acme_test_LDADD = $(ACME_LIBS) $(HTTP_LIBS) $(GTEST_LIBS)

noinst_LIBRARIES += libra.a
libra_a_SOURCES = \
  clients/ra/ca_host.cc clients/ra/ca_host.h \
  clients/ra/command.cc clients/ra/command.h \
  clients/ra/data_directory.cc clients/ra/data_directory.h \
  clients/ra/environment.cc clients/ra/environment.h \
  clients/ra/relay.cc clients/ra/relay.h \
  clients/ra/remote_ra.cc clients/ra/remote_ra.h \
  clients/ra/renewal.cc clients/ra/renewal.h
libra_a_CPPFLAGS = $(AM_CPPFLAGS) $(ZMQ_CFLAGS)
RA_LIBS = libra.a libhttp.a libzmqgateway.a $(ZMQ_LIBS)

UNIT_TESTS += ra_test
ra_test_SOURCES = clients/ra/ra_test.cc server/x509/testing.cc server/x509/testing.h
ra_test_CPPFLAGS = $(AM_CPPFLAGS) $(GTEST_CFLAGS)
ra_test_LDADD = $(RA_LIBS) $(HTTP_LIBS) $(ZMQ_LIBS) $(GTEST_LIBS)

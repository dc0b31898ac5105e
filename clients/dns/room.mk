noinst_LIBRARIES += libdns.a
libdns_a_SOURCES = \
  clients/dns/address.cc clients/dns/address.h \
  clients/dns/caa.cc clients/dns/caa.h \
  clients/dns/lookup.cc clients/dns/lookup.h \
  clients/dns/records.cc clients/dns/records.h
libdns_a_CPPFLAGS = $(AM_CPPFLAGS) $(UNBOUND_CFLAGS)
DNS_LIBS = libdns.a libbase.a $(UNBOUND_LIBS)

UNIT_TESTS += dns_test
dns_test_SOURCES = clients/dns/caa_test.cc clients/dns/records_test.cc
dns_test_CPPFLAGS = $(AM_CPPFLAGS) $(GTEST_CFLAGS)
dns_test_LDADD = $(DNS_LIBS) $(BASE_LIBS) $(GTEST_LIBS)

noinst_LIBRARIES += libapi.a
libapi_a_SOURCES = \
  clients/api/administration.cc \
  clients/api/body.cc clients/api/body.h \
  clients/api/certificates.cc \
  clients/api/errors.cc clients/api/errors.h \
  clients/api/magic.cc clients/api/magic.h \
  clients/api/older.cc \
  clients/api/open.cc \
  clients/api/openapi.cc clients/api/openapi.h \
  clients/api/own.cc \
  clients/api/routes.cc clients/api/routes.def clients/api/routes.h clients/api/route_lists.h \
  clients/api/service.cc clients/api/service.h
# The uPKI dialect that both front ends speak is the ZMQ room's.
API_LIBS = libapi.a libhttp.a libzmqgateway.a $(CLIENT_LIBS) $(X509_LIBS)

UNIT_TESTS += api_test
api_test_SOURCES = clients/api/administration_test.cc clients/api/api_test.cc
api_test_CPPFLAGS = $(AM_CPPFLAGS) $(GTEST_CFLAGS)
api_test_LDADD = $(API_LIBS) $(HTTP_LIBS) $(GTEST_LIBS)

noinst_LIBRARIES += libhttp.a
libhttp_a_SOURCES = \
  clients/http/admission.cc clients/http/admission.h \
  clients/http/caller.cc clients/http/caller.h \
  clients/http/certificate_keeper.cc clients/http/certificate_keeper.h \
  clients/http/connection.cc clients/http/connection.h \
  clients/http/fair_queue.cc clients/http/fair_queue.h \
  clients/http/gateway.cc clients/http/gateway.h \
  clients/http/head.cc clients/http/head.h \
  clients/http/loop.cc clients/http/loop.h \
  clients/http/message.cc clients/http/message.h \
  clients/http/parking.cc clients/http/parking.h \
  clients/http/pool.cc clients/http/pool.h \
  clients/http/publish.cc clients/http/publish.h \
  clients/http/router.cc clients/http/router.h \
  clients/http/server.cc clients/http/server.h \
  clients/http/session.h \
  clients/http/socket_session.cc \
  clients/http/settings.cc clients/http/settings.h \
  clients/http/tls.cc clients/http/tls.h
libhttp_a_CPPFLAGS = $(AM_CPPFLAGS) $(EVENT_CFLAGS) $(SSL_CFLAGS)
HTTP_LIBS = libhttp.a $(CLIENT_LIBS) $(X509_LIBS) $(WIRE_LIBS) $(EVENT_SSL_LIBS) $(EVENT_LIBS) $(SSL_LIBS) -lpthread

pkglibexec_PROGRAMS += chancery-http
chancery_http_SOURCES = clients/http/chancery-http.cc
chancery_http_CPPFLAGS = $(AM_CPPFLAGS) $(EVENT_CFLAGS)
chancery_http_LDADD = $(RA_LIBS) $(ACME_LIBS) $(API_LIBS) $(HTTP_LIBS) $(ZMQ_LIBS)

UNIT_TESTS += http_test
http_test_SOURCES = clients/http/admission_test.cc clients/http/fair_queue_test.cc clients/http/gateway_test.cc clients/http/http_test.cc \
  clients/http/parking_test.cc
http_test_CPPFLAGS = $(AM_CPPFLAGS) $(GTEST_CFLAGS) $(EVENT_CFLAGS)
http_test_LDADD = $(HTTP_LIBS) $(GTEST_LIBS)

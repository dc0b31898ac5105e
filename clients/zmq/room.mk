noinst_LIBRARIES += libzmqgateway.a
libzmqgateway_a_SOURCES = \
  clients/zmq/dialect.cc clients/zmq/dialect.h \
  clients/zmq/tasks.cc clients/zmq/tasks.h \
  clients/zmq/view.cc clients/zmq/view.h
libzmqgateway_a_CPPFLAGS = $(AM_CPPFLAGS) $(OPENSSL_CFLAGS)

pkglibexec_PROGRAMS += chancery-zmq
chancery_zmq_SOURCES = clients/zmq/chancery-zmq.cc
chancery_zmq_CPPFLAGS = $(AM_CPPFLAGS) $(ZMQ_CFLAGS)
chancery_zmq_LDADD = libzmqgateway.a $(CLIENT_LIBS) $(X509_LIBS) $(ZMQ_LIBS) -lpthread

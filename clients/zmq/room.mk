noinst_LIBRARIES += libzmqgateway.a
libzmqgateway_a_SOURCES = \
  clients/zmq/acme_tasks.cc \
  clients/zmq/backend.cc clients/zmq/backend.h \
  clients/zmq/broker.cc clients/zmq/broker.h \
  clients/zmq/ca_tasks.cc \
  clients/zmq/command_task.cc \
  clients/zmq/curve.cc clients/zmq/curve.h \
  clients/zmq/curve_door.cc clients/zmq/curve_door.h \
  clients/zmq/curve_key.cc clients/zmq/curve_key.h \
  clients/zmq/dialect.cc clients/zmq/dialect.h \
  clients/zmq/door.cc clients/zmq/door.h \
  clients/zmq/greeting.cc clients/zmq/greeting.h \
  clients/zmq/guard.cc clients/zmq/guard.h \
  clients/zmq/older_nodes.cc clients/zmq/older_nodes.h \
  clients/zmq/older_tasks.cc \
  clients/zmq/params.cc clients/zmq/params.h \
  clients/zmq/seed_limit.cc clients/zmq/seed_limit.h \
  clients/zmq/task_list.h \
  clients/zmq/tasks.cc clients/zmq/tasks.def clients/zmq/tasks.h \
  clients/zmq/thread.h \
  clients/zmq/settings.cc clients/zmq/settings.h \
  clients/zmq/ticket.cc clients/zmq/ticket.h \
  clients/zmq/view.cc clients/zmq/view.h \
  clients/zmq/zmtp.cc clients/zmq/zmtp.h
libzmqgateway_a_CPPFLAGS = $(AM_CPPFLAGS) $(OPENSSL_CFLAGS) $(ZMQ_CFLAGS)

pkglibexec_PROGRAMS += chancery-zmq
chancery_zmq_SOURCES = \
  clients/zmq/chancery-zmq.cc \
  clients/zmq/probe.cc clients/zmq/probe.h \
  clients/zmq/serve.cc clients/zmq/serve.h
chancery_zmq_CPPFLAGS = $(AM_CPPFLAGS) $(ZMQ_CFLAGS)
chancery_zmq_LDADD = libzmqgateway.a $(CLIENT_LIBS) $(X509_LIBS) $(ZMQ_LIBS) -lpthread

UNIT_TESTS += zmq_test
zmq_test_SOURCES = clients/zmq/broker_test.cc clients/zmq/dialect_test.cc clients/zmq/older_tasks_test.cc clients/zmq/seed_limit_test.cc clients/zmq/settings_test.cc clients/zmq/task_refusals_test.cc clients/zmq/tasks_test.cc clients/zmq/testing.h clients/zmq/zmtp_test.cc
zmq_test_CPPFLAGS = $(AM_CPPFLAGS) $(GTEST_CFLAGS) $(ZMQ_CFLAGS)
zmq_test_LDADD = libzmqgateway.a $(CLIENT_LIBS) $(X509_LIBS) $(GTEST_LIBS) $(ZMQ_LIBS) -lpthread

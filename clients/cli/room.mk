noinst_LIBRARIES += libcli.a
libcli_a_SOURCES = \
  clients/cli/answer_files.cc clients/cli/answer_files.h \
  clients/cli/arguments.cc clients/cli/arguments.h \
  clients/cli/login.cc clients/cli/login.h \
  clients/cli/completion.cc clients/cli/completion.h \
  clients/cli/local_verbs.cc clients/cli/local_verbs.h \
  clients/cli/more_options.h \
  clients/cli/order_watch.cc clients/cli/order_watch.h \
  clients/cli/output.cc clients/cli/output.h \
  clients/cli/report.cc clients/cli/report.h \
  clients/cli/rollover.cc clients/cli/rollover.h \
  clients/cli/request_options.cc clients/cli/request_options.h \
  clients/cli/steps.cc clients/cli/steps.h \
  clients/cli/secret_verbs.cc clients/cli/secret_verbs.h \
  clients/cli/upki.cc clients/cli/upki.h \
  clients/cli/upki_server.cc clients/cli/upki_server.h \
  clients/cli/watch.cc clients/cli/watch.h
libcli_a_CPPFLAGS = $(AM_CPPFLAGS) $(OPENSSL_CFLAGS)
CLI_LIBS = libcli.a $(CLIENT_LIBS) $(X509_LIBS)

bin_PROGRAMS += chancery
chancery_SOURCES = clients/cli/chancery.cc clients/cli/line.cc clients/cli/line.h clients/cli/usage.cc clients/cli/usage.h
chancery_LDADD = $(CLI_LIBS)

UNIT_TESTS += cli_test
cli_test_SOURCES = clients/cli/cli_test.cc clients/cli/order_watch_test.cc clients/cli/report_test.cc clients/cli/rollover_test.cc
cli_test_CPPFLAGS = $(AM_CPPFLAGS) $(GTEST_CFLAGS)
cli_test_LDADD = $(CLI_LIBS) $(GTEST_LIBS)

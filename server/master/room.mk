noinst_LIBRARIES += libmaster.a
libmaster_a_SOURCES = \
  server/master/account.cc server/master/account.h \
  server/master/activation.cc server/master/activation.h \
  server/master/admission.cc server/master/admission.h \
  server/master/background.cc server/master/background.h \
  server/master/check.cc server/master/check.h \
  server/master/configuration.cc server/master/configuration.h \
  server/master/door.cc server/master/door.h \
  server/master/kinds.cc server/master/kinds.h \
  server/master/loop.cc server/master/loop.h \
  server/master/master.cc server/master/master.h \
  server/master/notify.cc server/master/notify.h \
  server/master/occasional.h \
  server/master/options.cc server/master/options.h \
  server/master/pass_book.cc server/master/pass_book.h \
  server/master/pass_window.cc server/master/pass_window.h \
  server/master/recipes.cc server/master/recipes.h \
  server/master/reload.cc server/master/reload.h \
  server/master/rules_gate.cc server/master/rules_gate.h \
  server/master/run_directory.cc server/master/run_directory.h \
  server/master/run_server.cc server/master/run_server.h \
  server/master/server_log.cc server/master/server_log.h \
  server/master/spawn.cc server/master/spawn.h \
  server/master/supervisor.cc server/master/supervisor.h \
  server/master/terminal.cc server/master/terminal.h \
  server/master/throttle.cc server/master/throttle.h \
  server/master/worker_pool.cc server/master/worker_pool.h
libmaster_a_CPPFLAGS = $(AM_CPPFLAGS) $(EVENT_CFLAGS)
MASTER_LIBS = libmaster.a $(EVENT_LIBS)

# The master with a worker that does next to nothing: for faults, and for measuring what the master itself costs.
noinst_PROGRAMS += chanceryd-stand-in
chanceryd_stand_in_SOURCES = server/chanceryd.cc server/master/stand_in_worker.cc
chanceryd_stand_in_LDADD = $(MASTER_LIBS) $(CONFIG_LIBS)

UNIT_TESTS += master_test
master_test_SOURCES = \
  server/master/activation_test.cc \
  server/master/admission_test.cc \
  server/master/options_test.cc \
  server/master/pass_book_test.cc \
  server/master/pass_window_test.cc \
  server/master/reload_test.cc \
  server/master/supervisor_test.cc \
  server/master/throttle_test.cc \
  server/master/stand_in_worker.cc
master_test_CPPFLAGS = $(AM_CPPFLAGS) $(GTEST_CFLAGS)
master_test_LDADD = $(MASTER_LIBS) $(CONFIG_LIBS) $(GTEST_LIBS)

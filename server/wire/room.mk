noinst_LIBRARIES += libwire.a
libwire_a_SOURCES = \
  server/wire/command_lists.h server/wire/request_lists.h \
  server/wire/commands.cc server/wire/commands.def server/wire/commands.h \
  server/wire/json.cc server/wire/json.h \
  server/wire/message.cc server/wire/message.h
libwire_a_CPPFLAGS = $(AM_CPPFLAGS) $(JSON_CFLAGS)
WIRE_LIBS = libwire.a $(BASE_LIBS)

UNIT_TESTS += wire_test
wire_test_SOURCES = server/wire/wire_test.cc
wire_test_CPPFLAGS = $(AM_CPPFLAGS) $(GTEST_CFLAGS)
wire_test_LDADD = $(WIRE_LIBS) $(GTEST_LIBS)

noinst_LIBRARIES += libclient.a
libclient_a_SOURCES = \
  clients/lib/client.cc clients/lib/client.h \
  clients/lib/complaints.cc clients/lib/complaints.h \
  clients/lib/curl_handles.h \
  clients/lib/repeat.cc clients/lib/repeat.h \
  clients/lib/request.cc clients/lib/request.h \
  clients/lib/rows.cc clients/lib/rows.h
CLIENT_LIBS = libclient.a $(WIRE_LIBS)

# Stubs and the manual of the commands come from the command table.
noinst_PROGRAMS += generate-stubs
generate_stubs_SOURCES = clients/lib/generate_stubs.cc
generate_stubs_LDADD = $(CLIENT_LIBS)

clients/lib/calls.h: generate-stubs
	$(AM_V_GEN)$(MKDIR_P) $(@D) && ./generate-stubs --cpp > $@.new && mv $@.new $@
BUILT_SOURCES += clients/lib/calls.h
CLEANFILES += clients/lib/calls.h

# The examples that tests run as users would.
noinst_PROGRAMS += import-csrs-example renew-expiring-example revoke-leaver-example
import_csrs_example_SOURCES = clients/lib/examples/import_csrs.cc
import_csrs_example_LDADD = $(CLIENT_LIBS)
clients/lib/examples/import_csrs.$(OBJEXT): clients/lib/calls.h
renew_expiring_example_SOURCES = clients/lib/examples/renew_expiring.cc
renew_expiring_example_LDADD = $(CLIENT_LIBS)
clients/lib/examples/renew_expiring.$(OBJEXT): clients/lib/calls.h
revoke_leaver_example_SOURCES = clients/lib/examples/revoke_leaver.cc
revoke_leaver_example_LDADD = $(CLIENT_LIBS)
clients/lib/examples/revoke_leaver.$(OBJEXT): clients/lib/calls.h
noinst_PROGRAMS += ask-and-wait-example
ask_and_wait_example_SOURCES = clients/lib/examples/ask_and_wait.cc
ask_and_wait_example_LDADD = $(CLIENT_LIBS)
noinst_PROGRAMS += issue-example
issue_example_SOURCES = clients/lib/examples/issue.cc
issue_example_LDADD = $(CLIENT_LIBS)
clients/lib/examples/issue.$(OBJEXT): clients/lib/calls.h
noinst_PROGRAMS += list-example
list_example_SOURCES = clients/lib/examples/list.cc
list_example_LDADD = $(CLIENT_LIBS)
clients/lib/examples/list.$(OBJEXT): clients/lib/calls.h

.PHONY: docs-commands
docs: docs-commands
docs-commands: generate-stubs
	$(AM_V_GEN)./generate-stubs --doc > $(top_srcdir)/doc/commands.md

UNIT_TESTS += complaints_test
complaints_test_SOURCES = clients/lib/complaints_test.cc
complaints_test_CPPFLAGS = $(AM_CPPFLAGS) $(GTEST_CFLAGS)
complaints_test_LDADD = $(CLIENT_LIBS) $(GTEST_LIBS)

UNIT_TESTS += client_test
client_test_SOURCES = clients/lib/client_test.cc
client_test_CPPFLAGS = $(AM_CPPFLAGS) $(GTEST_CFLAGS)
client_test_LDADD = $(CLIENT_LIBS) $(GTEST_LIBS)
clients/lib/client_test-client_test.$(OBJEXT): clients/lib/calls.h

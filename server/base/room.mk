noinst_LIBRARIES += libbase.a
libbase_a_SOURCES = \
  server/base/address.cc server/base/address.h \
  server/base/approval_text.h \
  server/base/anchored_regex.cc server/base/anchored_regex.h \
  server/base/bytes.cc server/base/bytes.h \
  server/base/calendar.cc server/base/calendar.h \
  server/base/clock.cc server/base/clock.h \
  server/base/code_pages.cc server/base/code_pages.h \
  server/base/error_codes.def \
  server/base/fd.cc server/base/fd.h \
  server/base/file.cc server/base/file.h \
  server/base/key_spec.cc server/base/key_spec.h \
  server/base/landlock.cc server/base/landlock.h \
  server/base/late_library.cc server/base/late_library.h \
  server/base/no_new_code.cc server/base/no_new_code.h \
  server/base/no_processes.cc server/base/no_processes.h \
  server/base/seed.h \
  server/base/log.cc server/base/log.h \
  server/base/mail_address.cc server/base/mail_address.h \
  server/base/glob.h \
  server/base/name_pattern.cc server/base/name_pattern.h \
  server/base/names.cc server/base/names.h \
  server/base/memory_limit.cc server/base/memory_limit.h \
  server/base/network.cc server/base/network.h \
  server/base/rate_limit.h \
  server/base/notice_text.cc server/base/notice_text.h \
  server/base/process.cc server/base/process.h \
  server/base/ready_words.h \
  server/base/realm_passes.cc server/base/realm_passes.h \
  server/base/result.cc server/base/result.h \
  server/base/role.cc server/base/role.h \
  server/base/scoreboard.cc server/base/scoreboard.h \
  server/base/socket_address.cc server/base/socket_address.h \
  server/base/syscall_filter.cc server/base/syscall_filter.h \
  server/base/terminal.cc server/base/terminal.h \
  server/base/text.cc server/base/text.h \
  server/base/text_pattern.cc server/base/text_pattern.h \
  server/base/user.cc server/base/user.h \
  server/base/week_window.cc server/base/week_window.h \
  server/base/wiping.cc server/base/wiping.h \
  server/base/xml_text.cc server/base/xml_text.h \
  server/base/z85.cc server/base/z85.h
libbase_a_CPPFLAGS = $(AM_CPPFLAGS) $(SPDLOG_CFLAGS) $(RE2_CFLAGS)
BASE_LIBS = libbase.a $(SPDLOG_LIBS) $(RE2_LIBS)

UNIT_TESTS += base_test
base_test_SOURCES = server/base/base_test.cc server/base/file_test.cc server/base/code_pages_test.cc server/base/forms_test.cc server/base/late_library_test.cc server/base/name_pattern_test.cc server/base/network_test.cc server/base/notice_text_test.cc server/base/no_processes_test.cc server/base/realm_passes_test.cc server/base/scoreboard_test.cc server/base/socket_address_test.cc server/base/week_window_test.cc server/base/text_pattern_test.cc
base_test_CPPFLAGS = $(AM_CPPFLAGS) $(GTEST_CFLAGS)
base_test_LDADD = $(BASE_LIBS) $(GTEST_LIBS)

noinst_LIBRARIES += libvalidate.a
libvalidate_a_SOURCES = \
  clients/validate/answer.cc clients/validate/answer.h \
  clients/validate/settings.cc clients/validate/settings.h
VALIDATE_LIBS = libvalidate.a $(ACME_LIBS) $(HTTP_LIBS) $(ZMQ_LIBS)

sbin_PROGRAMS += chancery-validate
chancery_validate_SOURCES = clients/validate/chancery-validate.cc clients/validate/serve.cc clients/validate/serve.h
chancery_validate_CPPFLAGS = $(AM_CPPFLAGS) $(ZMQ_CFLAGS)
chancery_validate_LDADD = $(VALIDATE_LIBS)

UNIT_TESTS += validate_test
validate_test_SOURCES = clients/validate/answer_test.cc clients/validate/settings_test.cc
validate_test_CPPFLAGS = $(AM_CPPFLAGS) $(GTEST_CFLAGS)
validate_test_LDADD = $(VALIDATE_LIBS) $(GTEST_LIBS)

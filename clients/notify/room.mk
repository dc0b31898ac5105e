noinst_LIBRARIES += libnotify.a
libnotify_a_SOURCES = \
  clients/notify/back_off.h \
  clients/notify/directory.cc clients/notify/directory.h \
  clients/notify/ldap_publish.cc clients/notify/ldap_publish.h \
  clients/notify/hook.cc clients/notify/hook.h \
  clients/notify/message.cc clients/notify/message.h \
  clients/notify/publish.cc clients/notify/publish.h \
  clients/notify/settings.cc clients/notify/settings.h \
  clients/notify/transfer.cc clients/notify/transfer.h
libnotify_a_CPPFLAGS = $(AM_CPPFLAGS) $(CURL_CFLAGS) $(LDAP_CFLAGS) $(OPENSSL_CFLAGS)
NOTIFY_LIBS = libnotify.a $(CLIENT_LIBS) $(X509_LIBS) $(CRYPTO_LIBS) $(CURL_LIBS) $(LDAP_LIBS)

pkglibexec_PROGRAMS += chancery-notify
chancery_notify_SOURCES = \
  clients/notify/chancery-notify.cc \
  clients/notify/serve.cc clients/notify/serve.h
chancery_notify_LDADD = $(NOTIFY_LIBS)

UNIT_TESTS += notify_test
notify_test_SOURCES = clients/notify/notify_test.cc
notify_test_CPPFLAGS = $(AM_CPPFLAGS) $(GTEST_CFLAGS)
notify_test_LDADD = $(NOTIFY_LIBS) $(GTEST_LIBS)

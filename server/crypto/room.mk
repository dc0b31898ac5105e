# libcrypto is OpenSSL's, so this room's library has the project's trade in its name.
noinst_LIBRARIES += libpkicrypto.a
libpkicrypto_a_SOURCES = \
  server/crypto/algorithms.h \
  server/crypto/derive.cc server/crypto/derive.h \
  server/crypto/digest.cc server/crypto/digest.h \
  server/crypto/file_name.cc server/crypto/file_name.h \
  server/crypto/handles.h \
  server/crypto/hmac.cc server/crypto/hmac.h \
  server/crypto/hmac_drbg.cc server/crypto/hmac_drbg.h \
  server/crypto/password.cc server/crypto/password.h \
  server/crypto/key.h \
  server/crypto/block_list.cc server/crypto/block_list.h \
  server/crypto/key_check.cc \
  server/crypto/private_key.cc \
  server/crypto/public_key.cc \
  server/crypto/share_files.cc server/crypto/share_files.h \
  server/crypto/shares.cc server/crypto/shares.h \
  server/crypto/signature.cc server/crypto/signature.h \
  server/crypto/spki.cc server/crypto/spki.h \
  server/crypto/weak_rsa.cc server/crypto/weak_rsa.h
libpkicrypto_a_CPPFLAGS = $(AM_CPPFLAGS) $(OPENSSL_CFLAGS)
CRYPTO_LIBS = libpkicrypto.a $(BASE_LIBS) $(OPENSSL_LIBS)

UNIT_TESTS += crypto_test
crypto_test_SOURCES = server/crypto/crypto_test.cc server/crypto/derive_test.cc server/crypto/file_name_test.cc server/crypto/password_test.cc server/crypto/shares_test.cc server/crypto/weak_moduli.inc
crypto_test_CPPFLAGS = $(AM_CPPFLAGS) $(OPENSSL_CFLAGS) $(GTEST_CFLAGS) -DCHANCERY_SOURCE_DIR='"$(abs_top_srcdir)"'
crypto_test_LDADD = $(CRYPTO_LIBS) $(GTEST_LIBS)
EXTRA_DIST += t/data/ca-from-secret.txt

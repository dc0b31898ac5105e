noinst_LIBRARIES += libclient.a
libclient_a_SOURCES = clients/lib/client.cc clients/lib/client.h
CLIENT_LIBS = libclient.a $(WIRE_LIBS)

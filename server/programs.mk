# chanceryd and chancery-signer
sbin_PROGRAMS += chanceryd
chanceryd_SOURCES = server/chanceryd.cc
chanceryd_LDADD = $(MASTER_LIBS) $(WORKER_LIBS)

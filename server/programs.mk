# chanceryd and chancery-signer
sbin_PROGRAMS += chanceryd
chanceryd_SOURCES = server/chanceryd.cc
chanceryd_LDFLAGS = $(AM_LDFLAGS) $(IMAGE_LDFLAGS)
chanceryd_LDADD = $(MASTER_LIBS) $(WORKER_LIBS)

pkglibexec_PROGRAMS += chancery-signer
chancery_signer_SOURCES = server/chancery-signer.cc
chancery_signer_LDADD = $(SIGNER_LIBS)

# make bench: rates as ratios to what the machine could do at best, both measured in the same run.
EXTRA_PROGRAMS += bench-load
bench_load_SOURCES = bench/audit.cc bench/load.cc bench/load.h bench/zmq.cc
bench_load_CPPFLAGS = $(AM_CPPFLAGS) $(SQLITE_CFLAGS) $(ZMQ_CFLAGS)
bench_load_LDADD = $(SIGNER_LIBS) $(SQLITE_LIBS) $(ZMQ_LIBS)
EXTRA_DIST += bench/run
CLEANFILES += bench-load

.PHONY: bench
bench: all bench-load
	CHANCERY_PROGRAMS=$(abs_builddir) /usr/bin/python3 $(srcdir)/bench/run $(BENCH_OPTIONS)

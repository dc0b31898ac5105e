# make bench: rates as ratios to what the machine could do at best, both measured in the same run.
EXTRA_PROGRAMS += bench-load bench-acme
bench_load_SOURCES = bench/audit.cc bench/load.cc bench/load.h bench/policy.cc bench/zmq.cc
bench_load_CPPFLAGS = $(AM_CPPFLAGS) $(SQLITE_CFLAGS) $(ZMQ_CFLAGS)
bench_load_LDADD = $(SIGNER_LIBS) $(CONFIG_LIBS) $(SQLITE_LIBS) $(ZMQ_LIBS)
bench_acme_SOURCES = bench/acme.cc bench/acme_client.cc bench/acme_client.h bench/acme_world.cc bench/acme_world.h
bench_acme_CPPFLAGS = $(AM_CPPFLAGS) $(CURL_CFLAGS) $(EVENT_CFLAGS)
bench_acme_LDADD = $(X509_LIBS) $(WIRE_LIBS) $(CURL_LIBS) $(EVENT_LIBS) -levent_pthreads -lpthread
EXTRA_DIST += bench/run bench/measure.py bench/acme_rates.py bench/policy_times.py bench/realm_rates.py bench/request_rates.py \
  bench/socket_rates.py bench/zmq_rates.py
CLEANFILES += bench-load bench-acme

.PHONY: bench
bench: all bench-load bench-acme
	CHANCERY_PROGRAMS=$(abs_builddir) /usr/bin/python3 $(srcdir)/bench/run $(BENCH_OPTIONS)

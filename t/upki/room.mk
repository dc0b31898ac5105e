# The C++ side of t/test_upki_conformance.py.
noinst_PROGRAMS += upki-driver
upki_driver_SOURCES = t/upki/driver.cc
upki_driver_CPPFLAGS = $(AM_CPPFLAGS) $(ZMQ_CFLAGS)
upki_driver_LDADD = $(WIRE_LIBS) $(ZMQ_LIBS)
EXTRA_DIST += t/upki/cases.json

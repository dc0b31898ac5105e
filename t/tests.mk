# System tests go into a distribution as they lie there.
EXTRA_DIST += run-demo server/ROOMS .clang-format .clang-tidy doc/promises.md t/promises.txt t/make-promises t/make-acme-conformance t/moving_clock.c
.PHONY: docs-promises docs-acme-conformance
docs: docs-promises docs-acme-conformance
docs-promises:
	$(AM_V_GEN)$(top_srcdir)/t/make-promises > $(top_srcdir)/doc/promises.md
docs-acme-conformance:
	$(AM_V_GEN)/usr/bin/python3 $(top_srcdir)/t/make-acme-conformance > $(top_srcdir)/doc/acme-conformance.md
dist-hook:
	$(MKDIR_P) $(distdir)/t
	cp -p $(srcdir)/t/*.py $(distdir)/t/

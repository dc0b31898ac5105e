# System tests go into a distribution as they lie there.
EXTRA_DIST += run-demo server/ROOMS .clang-format .clang-tidy doc/promises.md t/promises.txt t/make-promises
.PHONY: docs-promises
docs: docs-promises
docs-promises:
	$(AM_V_GEN)$(top_srcdir)/t/make-promises > $(top_srcdir)/doc/promises.md
dist-hook:
	$(MKDIR_P) $(distdir)/t
	cp -p $(srcdir)/t/*.py $(distdir)/t/

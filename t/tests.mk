# System tests go into a distribution as they lie there.
EXTRA_DIST += run-demo server/ROOMS .clang-format .clang-tidy
dist-hook:
	$(MKDIR_P) $(distdir)/t
	cp -p $(srcdir)/t/*.py $(distdir)/t/

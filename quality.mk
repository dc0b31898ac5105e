# make lint, make sanitize: what is no part of a build. Both take a while; HACKING says how long.
SOURCES_UNDER = $$(cd $(abs_top_srcdir) && find server clients bench t -name '*.cc' | sort)
LINT_JOBS = $$(nproc)
LINT_FLAGS = -std=c++20 -I$(abs_top_srcdir) -I$(abs_top_builddir) -DCHANCERY_VERSION='"$(VERSION)"' \
  -DCHANCERY_LIBEXECDIR='"/"' -DCHANCERY_SYSCONFDIR='"/"' -DCHANCERY_LOCALSTATEDIR='"/"' -DCHANCERY_SOURCE_DIR='"$(abs_top_srcdir)"' \
  $(OPENSSL_CFLAGS) $(SQLITE_CFLAGS) $(ZMQ_CFLAGS) $(EVENT_CFLAGS) $(CURL_CFLAGS) $(JSON_CFLAGS) $(YAML_CFLAGS) $(PUGIXML_CFLAGS) $(GTEST_CFLAGS)

.PHONY: lint lint-format lint-house lint-tidy sanitize
lint: lint-format lint-house lint-tidy

lint-format:
	cd $(abs_top_srcdir) && find server clients bench t \( -name '*.cc' -o -name '*.h' \) | sort | xargs clang-format --dry-run -Werror

lint-house:
	/usr/bin/python3 -m pytest -q -p no:cacheprovider $(abs_top_srcdir)/t/test_house.py

# Generated headers must be there; the compiler's own warnings are configure's business. The flags go through a file, since their
# quotes would not survive the shells on the way.
lint-tidy: all
	printf '%s\n' $(LINT_FLAGS) > lint.flags
	cd $(abs_top_srcdir) && printf '%s\n' $(SOURCES_UNDER) | xargs -P $(LINT_JOBS) -n 1 sh -c \
	  'log="$(abs_top_builddir)/lint.$$$$"; xargs -d "\n" clang-tidy --quiet "$$0" -- < "$(abs_top_builddir)/lint.flags" > "$$log" 2>&1 || { cat "$$log" >&2; rm -f "$$log"; exit 1; }; rm -f "$$log"'
CLEANFILES += lint.flags

# Unit and system tests with programs that watch their own memory and arithmetic, in a build of their own below this one.
sanitize:
	mkdir -p sanitize
	cd sanitize && { test -f Makefile || $(abs_top_srcdir)/configure --quiet --enable-werror --with-sanitizers=address,undefined CXXFLAGS="-O1 -g1"; }
	cd sanitize && CHANCERY_BUILD=$(abs_builddir)/sanitize $(abs_top_srcdir)/run-tests

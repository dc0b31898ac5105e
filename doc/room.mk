# Documents. Those that have a table behind them are made of it by `make docs` and committed; t/test_docs.py looks whether they are
# current.
noinst_PROGRAMS += doc-tables
doc_tables_SOURCES = doc/tables.cc
doc_tables_LDADD = libapi.a $(X509_LIBS) $(CONFIG_LIBS) $(WIRE_LIBS)

MANUAL_PAGES = \
  doc/man/chancery.1 doc/man/ca.config.yml.5 doc/man/chancery-profile.5 doc/man/chancery.xml.5 doc/man/chancery-protocol.7 \
  doc/man/chancery-http.8 doc/man/chancery-notify.8 doc/man/chancery-signer.8 doc/man/chancery-validate.8 doc/man/chancery-zmq.8 doc/man/chanceryd.8
dist_man_MANS += $(MANUAL_PAGES)

.PHONY: docs-pages
docs: docs-pages
docs-pages: doc-tables
	$(AM_V_GEN)./doc-tables | $(top_srcdir)/doc/make-pages $(top_srcdir)/doc

EXTRA_DIST += doc/make-pages doc/upki.md.in doc/api.md doc/errors.md doc/lints.md $(MANUAL_PAGES:=.in)
dist_doc_DATA = doc/department.md doc/policy.md doc/acme.md doc/acme-accounts.md doc/acme-conformance.md doc/acme-vantage.md doc/api.md doc/commands.md doc/settings.md doc/errors.md doc/four-eyes.md doc/lints.md doc/keys.md doc/key-block-lists.md doc/upkeep.md doc/rollover.md doc/ceremony.md doc/upki.md doc/upki-access.md doc/upki-remote-ra.md doc/upki-migration.md doc/upki-ra.md doc/ca-from-secret.md doc/people.md doc/moving.md doc/enrolment.md doc/services.md

# The Perl client: Client.pm is written by hand, Commands.pm comes from the command table.
chanceryperldir = $(perllibdir)/Chancery
dist_chanceryperl_DATA = clients/perl/lib/Chancery/Client.pm clients/perl/lib/Chancery/Error.pm clients/perl/lib/Chancery/Request.pm
nodist_chanceryperl_DATA = clients/perl/lib/Chancery/Commands.pm

clients/perl/lib/Chancery/Commands.pm: generate-stubs
	$(AM_V_GEN)$(MKDIR_P) $(@D) && ./generate-stubs --perl > $@.new && mv $@.new $@
BUILT_SOURCES += clients/perl/lib/Chancery/Commands.pm
CLEANFILES += clients/perl/lib/Chancery/Commands.pm
EXTRA_DIST += clients/perl/examples/import-csrs.pl clients/perl/examples/issue.pl clients/perl/examples/list.pl clients/perl/examples/ask-and-wait.pl clients/perl/examples/decide.pl clients/perl/examples/renew-expiring.pl clients/perl/examples/revoke-leaver.pl t/perl/client.t

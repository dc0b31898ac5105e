# What make install puts beside the programs: the unit, the SysV script, the configuration and the shipped realms.
EXTRA_DIST += etc/chancery.service.in etc/chancery-validate.service.in etc/chancery.sysusers init.d/chancery.in

fill_in = $(SED) -e 's,@sbindir@,$(sbindir),g' -e 's,@sysconfdir@,$(sysconfdir),g'
etc/chancery.service: etc/chancery.service.in Makefile
	$(AM_V_GEN)$(MKDIR_P) etc && $(fill_in) $(top_srcdir)/etc/chancery.service.in > $@
etc/chancery-validate.service: etc/chancery-validate.service.in Makefile
	$(AM_V_GEN)$(MKDIR_P) etc && $(fill_in) $(top_srcdir)/etc/chancery-validate.service.in > $@
init.d/chancery: init.d/chancery.in Makefile
	$(AM_V_GEN)$(MKDIR_P) init.d && $(fill_in) $(top_srcdir)/init.d/chancery.in > $@ && chmod +x $@
CLEANFILES += etc/chancery.service etc/chancery-validate.service init.d/chancery

# The script asks the program itself what may come next.
completionsdir = $(datadir)/bash-completion/completions
completions_DATA = etc/completions/chancery
etc/completions/chancery: chancery$(EXEEXT)
	$(AM_V_GEN)$(MKDIR_P) etc/completions && ./chancery$(EXEEXT) completion > $@
CLEANFILES += etc/completions/chancery

systemdsystemunit_DATA = etc/chancery.service etc/chancery-validate.service
initdir = $(sysconfdir)/init.d
init_SCRIPTS = init.d/chancery
sysusersdir = $(prefix)/lib/sysusers.d
samplesdir = $(datadir)/chancery
nobase_dist_samples_DATA = \
  realms/default/ca.config.yml realms/devices/ca.config.yml realms/devices/profiles/device.yml
dist_samples_DATA = etc/chancery.xml etc/chancery.xml.sample etc/ca.config.yml.sample etc/ceremony.yml.sample

# A configuration that is there already belongs to the operator.
configuration = $(DESTDIR)$(sysconfdir)/chancery/chancery.xml
install-data-local:
	$(MKDIR_P) "$(DESTDIR)$(sysconfdir)/chancery" "$(DESTDIR)$(sysusersdir)"
	test -e "$(configuration)" || $(INSTALL_DATA) $(top_srcdir)/etc/chancery.xml "$(configuration)"
	$(INSTALL_DATA) $(top_srcdir)/etc/chancery.sysusers "$(DESTDIR)$(sysusersdir)/chancery.conf"
uninstall-local:
	rm -f "$(DESTDIR)$(sysusersdir)/chancery.conf"
	if cmp -s $(top_srcdir)/etc/chancery.xml "$(configuration)"; then rm -f "$(configuration)"; fi

#!/usr/bin/perl
# issue.pl REALM CSR-FILE: has a request certified and prints the certificate.
# From a source tree: PERL5LIB=build/clients/perl/lib:clients/perl/lib perl clients/perl/examples/issue.pl REALM CSR-FILE
use strict;
use warnings;
use Chancery::Client;

my ($realm, $file) = @ARGV == 2 ? @ARGV : die "usage: issue.pl REALM CSR-FILE\n";
open my $in, '<', $file or die "$file: $!\n";
my $csr = do { local $/; <$in> };
my $issued = eval { Chancery::Client->new(realm => $realm)->certificate_issue(csr => $csr, profile => 'server') };
die "issue.pl: $@\n" unless $issued;
print $issued->{certificate};

#!/usr/bin/perl
# list.pl REALM PROFILE: the realm's certificates of one profile, newest first: serial number, end of validity, subject.
# From a source tree: PERL5LIB=build/clients/perl/lib:clients/perl/lib perl clients/perl/examples/list.pl REALM PROFILE
use strict;
use warnings;
use open qw(:std :encoding(UTF-8));
use Chancery::Client;

my ($realm, $profile) = @ARGV == 2 ? @ARGV : die "usage: list.pl REALM PROFILE\n";
eval {
    # A server that restarts meanwhile is waited for: certificate.search only reads.
    my $client = Chancery::Client->new(realm => $realm, timeout => 10, reconnect => 30);
    my $next   = $client->each('certificate.search', profile => $profile);
    while (my $row = $next->()) { print "$row->{serial} $row->{not_after} $row->{subject}\n" }
    1;
} or do {
    my $error = $@;
    die $error unless ref $error && $error->isa('Chancery::Error');
    print {*STDERR} $error->code, ': ', $error->message, "\n", length $error->hint ? 'hint: ' . $error->hint . "\n" : ();
    exit 1;
};

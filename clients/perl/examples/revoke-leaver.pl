#!/usr/bin/perl
# revoke-leaver.pl [--reason WORD] [--apply] REALM WHO...: revokes the certificates in force of somebody who leaves. WHO is an identity that
# asked for certificates ("unix:alice", "user:alice"), an e-mail address among their names, or a common name that they begin with.
# Without --apply it only lists them: look first, then say it again.
# From a source tree: PERL5LIB=build/clients/perl/lib:clients/perl/lib perl clients/perl/examples/revoke-leaver.pl …
use strict;
use warnings;
use open qw(:std :encoding(UTF-8));
use Getopt::Long qw(GetOptions);
use Chancery::Client;

my %option = (reason => 'affiliationChanged');
GetOptions(\%option, 'reason=s', 'apply') && @ARGV >= 2 or die "usage: revoke-leaver.pl [--reason WORD] [--apply] REALM WHO...\n";
my ($realm, @who) = @ARGV;

# How the server finds what is theirs.
sub filter_for {
    my ($who) = @_;
    return (requester => $who)      if $who =~ /\A[a-z]+:/;
    return (san       => "EMAIL:$who") if $who =~ /@/;
    return (subject   => $who);
}

my $failed = 0;
eval {
    my $client = Chancery::Client->new(realm => $realm);
    my %found;
    for my $who (@who) {
        my $next = $client->each('certificate.search', state => 'valid', filter_for($who));
        while (my $row = $next->()) { $found{$row->{serial}} = $row }
    }
    for my $serial (sort keys %found) {
        my $what = "$serial $found{$serial}{profile} $found{$serial}{subject}";
        if (!$option{apply}) { print "would revoke $what\n"; next }
        if (eval { $client->certificate_revoke(serial => $serial, reason => $option{reason}); 1 }) { print "revoked $what\n"; next }
        # Somebody else was faster: what was wanted is so.
        if (ref $@ && $@->code eq 'conflict') { print "revoked already: $what\n"; next }
        print "not revoked: $what: $@\n";
        $failed++;
    }
    print scalar(keys %found), " certificates\n";
    $client->crl_issue if $option{apply} && %found;    # at once, not at its next turn
    1;
} or die "revoke-leaver.pl: $@\n";
exit($failed ? 1 : 0);

#!/usr/bin/perl
# ask-and-wait.pl [--wait SECONDS] [--comment TEXT] [--attach FILE] REALM PROFILE CSR CRT: asks for the certificate of a request, waits until
# others have approved it, and writes the certificate with its chain. Run it again whenever it ended before: beside CRT it keeps the
# id of what it asked for, so it asks once.
# From a source tree: PERL5LIB=build/clients/perl/lib:clients/perl/lib perl clients/perl/examples/ask-and-wait.pl …
use strict;
use warnings;
use open qw(:std :encoding(UTF-8));
use Getopt::Long qw(GetOptions);
use Chancery::Client;

my %option = (wait => 3600);
GetOptions(\%option, 'wait=f', 'comment=s', 'attach=s@') && @ARGV == 4 or die "usage: ask-and-wait.pl [--wait SECONDS] [--comment TEXT] [--attach FILE] REALM PROFILE CSR CRT\n";
my ($realm, $profile, $csr, $crt) = @ARGV;

sub read_text  { my ($file) = @_; open my $in, '<', $file or die "$file: $!\n"; local $/; return scalar <$in> }
sub write_text {
    my ($file, $text) = @_;
    open my $out, '>', "$file.new" or die "$file.new: $!\n";
    print {$out} $text or die "$file.new: $!\n";
    close $out or die "$file.new: $!\n";
    rename "$file.new", $file or die "$file: $!\n";
    return;
}

sub asked {
    my ($client) = @_;
    my $mark = "$crt.request";
    return $client->find_request(read_text($mark)) if -e $mark;
    my $request = $client->request(csr => read_text($csr), profile => $profile, defined $option{comment} ? (comment => $option{comment}) : ());
    write_text($mark, $request->id);
    $request->comment('evidence', @{$option{attach}}) if $option{attach};
    return $request;
}

eval {
    my $client  = Chancery::Client->new(realm => $realm, reconnect => 30);
    my $request = asked($client);
    print 'request ', $request->id, ' of digest ', $request->digest, "\n";
    my $state = $request->wait(timeout => $option{wait});
    die "the request is $state\n" unless $state eq 'approved' || $state eq 'issued';
    my $made = $request->pickup;
    write_text($crt, join '', $made->{certificate}, @{$made->{chain} // []});
    print "certificate $made->{serial} until $made->{not_after}\n";
    1;
} or die "ask-and-wait.pl: $@";

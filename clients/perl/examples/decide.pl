#!/usr/bin/perl
# decide.pl [--approve TEXT | --reject TEXT] REALM GLOB...: shows the requests that wait and whose names all match one of the globs, and
# with --approve or --reject decides about each of them, for that reason. What may not be decided by whoever runs it is passed over.
# From a source tree: PERL5LIB=build/clients/perl/lib:clients/perl/lib perl clients/perl/examples/decide.pl …
use strict;
use warnings;
use open qw(:std :encoding(UTF-8));
use Getopt::Long qw(GetOptions);
use Chancery::Client;

my %option;
GetOptions(\%option, 'approve=s', 'reject=s') && @ARGV >= 2 && !(defined $option{approve} && defined $option{reject})
    or die "usage: decide.pl [--approve TEXT | --reject TEXT] REALM GLOB...\n";
my ($realm, @globs) = @ARGV;
my @patterns = map { my $glob = quotemeta; $glob =~ s/\\\*/[^.]+/g; qr/\ADNS:$glob\z/i } @globs;

sub is_mine {
    my ($request) = @_;
    my @names = @{$request->get->{sans} // []};
    return @names && !grep { my $name = $_; !grep { $name =~ $_ } @patterns } @names;
}

# @return what was done.
sub decide {
    my ($request) = @_;
    return $request->approve(comment => $option{approve})->state if defined $option{approve};
    return $request->reject($option{reject})->state if defined $option{reject};
    return 'waits';
}

my $refused = 0;
eval {
    my $client = Chancery::Client->new(realm => $realm, reconnect => 30);
    my $next   = $client->requests(state => 'pending');
    my @mine;    # first all of them: what is decided leaves the list under our feet
    while (my $request = $next->()) { push @mine, $request if is_mine($request) }
    for my $request (@mine) {
        my $what = join ' ', $request->id, $request->get->{requester}, @{$request->get->{sans}};
        my $done = eval { decide($request) };
        if (defined $done) { print "$done: $what\n"; next }
        die $@ unless ref $@ && $@->code =~ /\A(?:denied|conflict|policy_refused)\z/;
        print "not decided: $what: $@\n";
        $refused++;
    }
    print scalar(@mine), " requests\n";
    1;
} or die "decide.pl: $@\n";
exit($refused ? 1 : 0);

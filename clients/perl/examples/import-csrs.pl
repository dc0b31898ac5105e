#!/usr/bin/perl
# import-csrs.pl [--profile NAME] REALM FOLDER: has every *.csr of a folder certified and writes the certificate with its chain beside it,
# as *.crt; what is refused gets a *.err that says why. A request that has its *.crt is passed over, and the same request never makes
# two certificates, so the script may be run by cron, and killed.
# From a source tree: PERL5LIB=build/clients/perl/lib:clients/perl/lib perl clients/perl/examples/import-csrs.pl …
use strict;
use warnings;
use Digest::SHA qw(sha256_hex);
use Getopt::Long qw(GetOptions);
use Chancery::Client;

my %option = (profile => 'server');
GetOptions(\%option, 'profile=s') && @ARGV == 2 or die "usage: import-csrs.pl [--profile NAME] REALM FOLDER\n";
my ($realm, $folder) = @ARGV;

sub content_of {
    my ($file) = @_;
    open my $in, '<:raw', $file or die "$file: $!\n";
    local $/ = undef;
    return scalar <$in>;
}

sub write_whole {
    my ($file, $text) = @_;
    open my $out, '>:raw', "$file.new" or die "$file.new: $!\n";
    print {$out} $text;
    close $out or die "$file.new: $!\n";
    rename "$file.new", $file or die "$file: $!\n";
    return;
}

opendir my $listing, $folder or die "$folder: $!\n";
my @stems = sort map { /\A(.+)\.csr\z/ ? "$folder/$1" : () } readdir $listing;
my $client = eval { Chancery::Client->new(realm => $realm, reconnect => 30) } or die "import-csrs.pl: $@\n";
my ($made, $refused) = (0, 0);
for my $stem (@stems) {
    next if -e "$stem.crt";
    my $csr = content_of("$stem.csr");
    my $issued = eval { $client->certificate_issue(csr => $csr, profile => $option{profile}, idempotency_key => 'import-csrs ' . sha256_hex($csr)) };
    if ($issued) {
        write_whole("$stem.crt", join '', $issued->{certificate}, @{$issued->{chain}});
        unlink "$stem.err";
        print "$stem.crt: $issued->{serial} until $issued->{not_after}\n";
        $made++;
    } else {
        die "import-csrs.pl: $@\n" unless ref $@ && $client->connected;    # nobody answers: the rest waits for the next run
        write_whole("$stem.err", "$@\n");
        print "$stem.csr: $@\n";
        $refused++;
    }
}
print "$made made, $refused refused\n";
exit($refused ? 1 : 0);

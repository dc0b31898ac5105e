#!/usr/bin/perl
# renew-expiring.pl [--days N] [--profile NAME] [--apply] REALM DIRECTORY: certifies anew, for the same keys and names, what ends within N
# days (default 30), and writes each certificate with its chain to DIRECTORY/SERIAL-OF-THE-OLD-ONE.pem. Without --apply it only says
# what it would do. It may be run as often as one likes, and killed: nothing is issued twice.
# From a source tree: PERL5LIB=build/clients/perl/lib:clients/perl/lib perl clients/perl/examples/renew-expiring.pl …
use strict;
use warnings;
use open qw(:std :encoding(UTF-8));
use Getopt::Long qw(GetOptions);
use POSIX qw(strftime);
use Chancery::Client;

my %option = (days => 30);
GetOptions(\%option, 'days=i', 'profile=s', 'apply') && @ARGV == 2 or die "usage: renew-expiring.pl [--days N] [--profile NAME] [--apply] REALM DIRECTORY\n";
my ($realm, $directory) = @ARGV;
-d $directory or die "$directory: no directory\n";

sub instant { return strftime '%Y-%m-%dT%H:%M:%SZ', gmtime time + 86400 * shift }

# Whether somebody has a newer one of the same subject and profile that lasts longer.
sub has_successor {
    my ($client, $old) = @_;
    my $newest = $client->certificate_get(dn => $old->{subject});
    return $newest->{serial} ne $old->{serial} && $newest->{profile} eq $old->{profile} && $newest->{state} eq 'valid' && $newest->{not_after} gt instant($option{days});
}

sub write_whole {
    my ($file, $text) = @_;
    open my $out, '>', "$file.new" or die "$file.new: $!\n";
    print {$out} $text;
    close $out or die "$file.new: $!\n";
    rename "$file.new", $file or die "$file: $!\n";
    return;
}

sub renew {
    my ($client, $old) = @_;
    # Whoever is killed from here on finds its mark at the next run, and the key gives it the same certificate then.
    write_whole("$directory/$old->{serial}.begun", '');
    my $new = $client->certificate_renew(serial => $old->{serial}, idempotency_key => "renew-expiring $old->{serial}");
    write_whole("$directory/$old->{serial}.pem", join '', $new->{certificate}, @{$new->{chain}});
    unlink "$directory/$old->{serial}.begun";
    return "renewed $old->{serial} as $new->{serial} until $new->{not_after}: $old->{subject}";
}

my $failed = 0;
eval {
    my $client = Chancery::Client->new(realm => $realm, reconnect => 30);
    my $next   = $client->each('certificate.search', state => 'valid', expires_after => instant(0), expires_before => instant($option{days}),
        defined $option{profile} ? (profile => $option{profile}) : ());
    while (my $old = $next->()) {
        next if has_successor($client, $old) && !-e "$directory/$old->{serial}.begun";
        my $said = $option{apply} ? eval { renew($client, $old) } : "would renew $old->{serial}, which ends $old->{not_after}: $old->{subject}";
        $failed++ unless defined $said;
        print $said // "kept $old->{serial}: $@", "\n";
    }
    1;
} or die "renew-expiring.pl: $@\n";
exit($failed ? 1 : 0);

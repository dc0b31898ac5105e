package Chancery::Error;

use strict;
use warnings;
use overload '""' => sub { my $self = shift; return $self->message . (length $self->hint ? ' (' . $self->hint . ')' : '') }, bool => sub { 1 }, fallback => 1;

=encoding UTF-8

=head1 NAME

Chancery::Error - what a call to Chancery died of

=head1 SYNOPSIS

    use Chancery::Client;
    my $pki = Chancery::Client->new(realm => 'default');
    my $found = eval { $pki->certificate_get(serial => $serial) } or do {
        die $@ if !ref $@ || $@->code ne 'not_found';
        print "no such certificate\n";
    };

=head1 DESCRIPTION

What fails in L<Chancery::Client> dies with one. As a text it is one line, the message with the hint in parentheses.

=head1 METHODS

=head2 code()

A word for programs, C<not_found>; L<Chancery::Commands/ERRORS> has all of them with what to do about each.

=head2 message()

One line for people: what was found and what was expected.

=head2 hint()

Advice; may be empty.

=head2 new(%parts)

One of that C<code>, C<message> and C<hint>.

=head2 throw(%parts)

Dies with such a one: for code above the client that fails the same way.

=cut

sub new     { my ($class, %self) = @_; return bless {code => 'internal', message => '', hint => '', %self}, $class }
sub throw   { my ($class, %self) = @_; die $class->new(%self) }
sub code    { return $_[0]{code} }
sub message { return $_[0]{message} }
sub hint    { return $_[0]{hint} // '' }

=head1 SEE ALSO

L<Chancery::Client>, L<Chancery::Commands>

=cut

1;

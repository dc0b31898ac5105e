package Chancery::Error;

use strict;
use warnings;
use overload '""' => sub { my $self = shift; return $self->message . (length $self->hint ? ' (' . $self->hint . ')' : '') }, bool => sub { 1 }, fallback => 1;

sub new     { my ($class, %self) = @_; return bless {code => 'internal', message => '', hint => '', %self}, $class }
sub throw   { my ($class, %self) = @_; die $class->new(%self) }
sub code    { return $_[0]{code} }
sub message { return $_[0]{message} }
sub hint    { return $_[0]{hint} // '' }

package Chancery::Client;

use strict;
use warnings;
use parent 'Chancery::Commands';

use Errno qw(EAGAIN EINTR EWOULDBLOCK);
use IO::Select;
use IO::Socket::UNIX;
use JSON::PP ();
use Socket ();
use Time::HiRes ();

use constant MAX_REPLY_BYTES => 64 * 1024 * 1024;

=encoding UTF-8

=head1 NAME

Chancery::Client - talks to chanceryd

=head1 SYNOPSIS

    my $client = Chancery::Client->new(realm => 'default');
    my $issued = $client->certificate_issue(csr => $pem, profile => 'server');
    my $next   = $client->iterator('certificate.search', 'certificates', {state => 'valid'});
    while (my $row = $next->()) { print "$row->{serial}\n" }

Every failure is a Chancery::Error with C<code>, C<message> and C<hint>; as a text it is one line. After an error of the connection
itself (C<closed>, C<timeout>, C<malformed>) further calls are refused, for nobody knows whether the command was carried out.

=head1 WHERE PERL FINDS IT

C<make install>, configured with C<--prefix=/usr>, puts both modules where Perl looks. In a source tree L<Chancery::Commands>, which comes from the command table, is in the
build directory, and Perl is told of both halves:

    PERL5LIB=build/clients/perl/lib:clients/perl/lib perl clients/perl/examples/issue.pl default host.csr

=head1 METHODS

Those of L<Chancery::Commands>, one for each command, and:

=head2 new(socket => PATH, realm => NAME, front_end => NAME, timeout => SECONDS, session => BOOLEAN)

Connects and opens a session; C<session =E<gt> 0> leaves that out.

=cut

sub new {
    my ($class, %options) = @_;
    my $path = $options{socket} // $ENV{CHANCERY_SOCKET} // '/run/chancery/chanceryd.sock';
    my $socket = IO::Socket::UNIX->new(Type => Socket::SOCK_STREAM(), Peer => $path)
        or Chancery::Error->throw(code => 'unavailable', message => "connect $path: $!", hint => 'is chanceryd running, is this its socket, and does <socket> of chancery.xml let you in?');
    $socket->blocking(0);
    my $self = bless {socket => $socket, timeout => $options{timeout} // 60, buffer => '', last_id => 0, json => JSON::PP->new->utf8}, $class;
    return $self if exists $options{session} && !$options{session};
    my %session = map { defined $options{$_} ? ($_ => $options{$_}) : () } qw(realm front_end);
    $self->{identity} = $self->call('session.open', \%session);
    return $self;
}

=head2 call($method, \%params)

One command; gives its result.

=cut

sub call {
    my ($self, $method, $params) = @_;
    Chancery::Error->throw(code => 'closed', message => 'the connection to the server has ended', hint => 'connect again') unless $self->{socket};
    my $id = ++$self->{last_id};
    my $request = {jsonrpc => '2.0', id => $id, method => $method, params => _typed($method, $params // {})};
    my $deadline = Time::HiRes::time() + $self->{timeout};
    $self->_send($self->{json}->encode($request) . "\n", $deadline);
    return $self->_result($id, $self->_receive($deadline));
}

=head2 iterator($method, $rows, \%params)

A function that gives the next row of a paging command, and undef after the last; C<$rows> names the member that holds them.

=cut

sub iterator {
    my ($self, $method, $rows, $params) = @_;
    my %params = %{$params // {}};
    my ($last, @page) = (0);
    return sub {
        while (!@page && !$last) {
            my $answer = $self->call($method, \%params);
            Chancery::Error->throw(code => 'malformed', message => "a page without $rows") unless ref $answer->{$rows} eq 'ARRAY';
            @page = @{$answer->{$rows}};
            $params{after} = $answer->{next};
            $last = !length($answer->{next} // '');
        }
        return shift @page;
    };
}

# Perl does not tell 30 from "30"; the command table does.
sub _typed {
    my ($method, $params) = @_;
    my $types = $Chancery::Commands::TYPES{$method} // {};
    my %typed;
    for my $name (keys %$params) {
        my ($value, $type) = ($params->{$name}, $types->{$name} // 'any');
        $typed{$name} =
              $type eq 'boolean' ? ($value ? JSON::PP::true() : JSON::PP::false())
            : $type eq 'integer' && defined $value && $value =~ /\A-?[0-9]{1,18}\z/ ? 0 + $value
            : $type eq 'texts' && ref $value eq 'ARRAY' ? [map { "$_" } @$value]
            : defined $value && !ref $value && $type =~ /\A(?:text|word|hex|pem|time)\z/ ? "$value"
            :                                                                             $value;
    }
    return \%typed;
}

sub _hang_up {
    my ($self, %error) = @_;
    close delete $self->{socket};
    Chancery::Error->throw(%error);
}

sub _wait {
    my ($self, $what, $deadline) = @_;
    my $left = $deadline - Time::HiRes::time();
    return if $left > 0 && IO::Select->new($self->{socket})->$what($left);
    return if Time::HiRes::time() < $deadline;    # a signal; the caller tries again
    return $self->_hang_up(code => 'timeout', message => "no answer within $self->{timeout} seconds");
}

sub _send {
    my ($self, $line, $deadline) = @_;
    local $SIG{PIPE} = 'IGNORE';
    while (length $line) {
        my $written = syswrite $self->{socket}, $line;
        if (defined $written) {
            substr $line, 0, $written, '';
        } elsif ($! == EAGAIN || $! == EWOULDBLOCK || $! == EINTR) {
            $self->_wait('can_write', $deadline);
        } else {
            return;    # a server that hangs up says why first; that is still there to be read
        }
    }
    return;
}

sub _receive {
    my ($self, $deadline) = @_;
    my $end;
    while (($end = index $self->{buffer}, "\n") < 0) {
        $self->_hang_up(code => 'too_large', message => 'the reply is above ' . MAX_REPLY_BYTES . ' octets') if length $self->{buffer} > MAX_REPLY_BYTES;
        my $got = sysread $self->{socket}, $self->{buffer}, 65536, length $self->{buffer};
        next if $got;
        $self->_hang_up(code => 'closed', message => 'the server closed the connection') if defined $got;
        $self->_hang_up(code => 'io', message => "read: $!") unless $! == EAGAIN || $! == EWOULDBLOCK || $! == EINTR;
        $self->_wait('can_read', $deadline);
    }
    my $line = substr $self->{buffer}, 0, $end + 1, '';
    return $line;
}

sub _result {
    my ($self, $id, $line) = @_;
    my $reply = eval { $self->{json}->decode($line) };
    $self->_hang_up(code => 'malformed', message => 'the server\'s reply is no JSON object') unless ref $reply eq 'HASH';
    my $error = $reply->{error};
    if (ref $error eq 'HASH') {
        my $data = ref $error->{data} eq 'HASH' ? $error->{data} : {};
        my %error = (code => $data->{code} // 'internal', message => $error->{message} // '', hint => $data->{hint} // '');
        $self->_hang_up(%error) unless defined $reply->{id} && $reply->{id} eq $id;
        Chancery::Error->throw(%error);
    }
    $self->_hang_up(code => 'malformed', message => 'the server\'s reply answers another request') unless defined $reply->{id} && $reply->{id} eq $id;
    $self->_hang_up(code => 'malformed', message => 'the server\'s reply has no result') unless exists $reply->{result};
    return $reply->{result};
}

1;

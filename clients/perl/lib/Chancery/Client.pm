package Chancery::Client;

use strict;
use warnings;
use parent 'Chancery::Commands';

use Chancery::Error ();
use Chancery::Request ();

use Errno qw(EAGAIN ECONNRESET EINTR EWOULDBLOCK);
use IO::Select;
use IO::Socket::UNIX;
use JSON::PP ();
use List::Util ();
use Socket ();
use Time::HiRes ();

use constant {
    MAX_REPLY_BYTES => 64 * 1024 * 1024,
    DEFAULT_SOCKET  => '/run/chancery/chanceryd.sock',
    FIRST_PAUSE     => 0.02,                             # seconds between attempts to connect anew
    LONGEST_PAUSE   => 1,
};

# What a server that restarts answers, or does not.
my %IS_PASSING = map { $_ => 1 } qw(closed unavailable busy);
my %IS_OPTION  = map { $_ => 1 } qw(socket realm front_end timeout reconnect session);

=encoding UTF-8

=head1 NAME

Chancery::Client - talks to chanceryd

=head1 SYNOPSIS

    use Chancery::Client;

    my $client = Chancery::Client->new(realm => 'default', timeout => 10, reconnect => 30);
    print 'I am ', $client->identity->{identity}, "\n";

    # One command is one method.
    my $made = $client->certificate_generate(cn => 'host.example.com', profile => 'server', key => 'ec:P-256');
    print $made->{certificate}, $made->{private_key};

    # Lists come in pages; this walks over all of them.
    my $next = $client->each('certificate.search', profile => 'server', state => 'valid');
    while (my $row = $next->()) {
        print "$row->{serial} $row->{not_after} $row->{subject}\n";
    }

    # What fails dies with an object.
    eval { $client->certificate_get(serial => '01'); 1 } or do {
        my $error = $@;
        die $error unless ref $error && $error->isa('Chancery::Error') && $error->code eq 'not_found';
        print 'none: ', $error->message, "\n";
    };

=head1 DESCRIPTION

One object is one connection to chanceryd's socket and, but for C<< session => 0 >>, one session in one realm. Methods block until the
answer is there. The object is not to be shared by processes or threads: what forks connects anew in the child.

Texts are Perl character strings. Times are RFC 3339 UTC texts (C<2030-01-31T12:00:00Z>), certificates and requests PEM, serial numbers
lower-case hexadecimal. A parameter that a command takes as integer or boolean may be given as any Perl scalar.

=head1 WHERE PERL FINDS IT

C<make install>, configured with C<--prefix=/usr>, puts both modules where Perl looks. In a source tree L<Chancery::Commands>, which
comes from the command table, is in the build directory, and Perl is told of both halves:

    PERL5LIB=build/clients/perl/lib:clients/perl/lib perl clients/perl/examples/issue.pl default host.csr

=head1 METHODS

Those of L<Chancery::Commands>, one for each command, and the following.

=head2 new(%options)

Connects and opens a session. Options:

=over

=item socket =E<gt> PATH

Path of the server's socket; default is the environment variable C<CHANCERY_SOCKET>, else F</run/chancery/chanceryd.sock>.

=item realm =E<gt> NAME

The realm to work in; default is the server's default realm.

=item front_end =E<gt> NAME

Name of the configured front end to act as; default is to act as oneself.

=item timeout =E<gt> SECONDS

The longest that a call may take, in seconds, fractions allowed; default 60.

=item reconnect =E<gt> SECONDS

For how many seconds a call tries to connect anew when the server went away; default 0: not at all. See L</RECONNECTING>.

=item session =E<gt> BOOLEAN

With C<0> no session is opened: enough for C<server_ping>, C<server_status>, C<server_describe> and C<realm_list>, and for who
calls C<session_open> by hand.

=back

Dies with C<unavailable> when nobody can be reached, C<invalid_params> for an unknown option, C<not_found> for an unknown realm, and as
C<call> does.

=cut

sub new {
    my ($class, %options) = @_;
    my ($unknown) = sort grep { !$IS_OPTION{$_} } keys %options;
    Chancery::Error->throw(code => 'invalid_params', message => "unknown option \"$unknown\"", hint => 'options are ' . join ', ', sort keys %IS_OPTION) if defined $unknown;
    my $path = $options{socket} // (length($ENV{CHANCERY_SOCKET} // '') ? $ENV{CHANCERY_SOCKET} : DEFAULT_SOCKET);
    my $self = bless {path => $path, timeout => $options{timeout} // 60, reconnect => $options{reconnect} // 0, may_reconnect => 1, last_id => 0, json => JSON::PP->new->utf8}, $class;
    $self->_connect;
    return $self if exists $options{session} && !$options{session};
    my %session = map { defined $options{$_} ? ($_ => $options{$_}) : () } qw(realm front_end);
    $self->call('session.open', \%session);
    return $self;
}

=head2 call($method, \%params)

One command by its name on the wire, C<certificate.issue>; gives its result, a hash reference. The methods of L<Chancery::Commands> are
this with the name filled in. Dies with a L<Chancery::Error|/ERRORS>.

=cut

sub call {
    my ($self, $method, $params) = @_;
    $params = _typed($method, $params // {});
    my $renews = $self->{reconnect} > 0 && $self->{may_reconnect};
    $self->reconnect if $renews && !$self->_is_usable;
    my $result;
    if (!eval { $result = $self->_exchange($method, $params); 1 }) {
        my $error = $@;
        # Once only: a request that ends two connections is not met by a restart.
        die $error unless $renews && !$self->connected && ref $error && $IS_PASSING{$error->code} && _is_repeatable($method, $params);
        $self->reconnect;
        $result = $self->_exchange($method, $params);
    }
    $self->_note_session($method, $params, $result);
    return $result;
}

=head2 each($method, %params)

An iterator over all rows of a command that pages: a function that gives the next row, and undef after the last. Commands that page, and
what a row is: C<certificate.search> (as C<certificate_get> gives), C<node.list> (as C<node_get>), C<audit.list> (a record),
C<acme.account.list> (as C<acme_account_get>), C<acme.order.list> (an order's id), C<identity.list> (as C<identity_get>), C<token.list>. C<limit> among the parameters is the size of a page,
1 to 1000. Nothing is asked before the first row is; an error comes from where the row is asked for. Dies with C<invalid_params> for a
command without pages.

=cut

sub each {    ## no critic (ProhibitBuiltinHomonyms)
    my ($self, $method, %params) = @_;
    my $rows = $Chancery::Commands::ROWS{$method}
        // Chancery::Error->throw(code => 'invalid_params', message => "$method has no pages", hint => 'those with pages are ' . join ', ', sort keys %Chancery::Commands::ROWS);
    return $self->iterator($method, $rows, \%params);
}

=head2 iterator($method, $rows, \%params)

As C<each>, with the name of the member that holds the rows, C<certificates>; for commands that this module does not know.

=cut

sub iterator {
    my ($self, $method, $rows, $params) = @_;
    my %params = %{$params // {}};
    my ($last, @page) = (0);
    return sub {
        while (!@page && !$last) {
            my $answer = $self->call($method, \%params);
            Chancery::Error->throw(code => 'malformed', message => "a page without $rows") unless ref $answer->{$rows} eq 'ARRAY';
            my $next = $answer->{next} // '';
            Chancery::Error->throw(code => 'malformed', message => 'a page that is followed by itself') if length $next && $next eq ($params{after} // '');
            @page = @{$answer->{$rows}};
            $params{after} = $next;
            $last = !length $next;
        }
        return shift @page;
    };
}

=head2 request(%params)

Asks for something that others have to agree to, by C<request.create>: C<csr> and C<profile>, or C<kind> and what that takes. Gives a
L<Chancery::Request>, which has the rest of its life.

    my $request = $client->request(kind => 'renewal', serial => $serial, comment => 'moves to a new key', csr => $csr);

=head2 find_request($id)

The L<Chancery::Request> of that id. Dies with C<not_found>.

=head2 requests(%filter)

An iterator over the requests that one may see, newest first, as objects: a function that gives the next L<Chancery::Request>, and undef
after the last. The filter is that of C<request.list>: C<state>, C<requester>, C<mine>, and C<limit>, the size of a page.

=cut

sub request {
    my ($self, %params) = @_;
    return Chancery::Request->new($self, $self->call('request.create', \%params));
}

sub find_request {
    my ($self, $id) = @_;
    return Chancery::Request->new($self, $self->call('request.get', {request => $id}));
}

sub requests {
    my ($self, %filter) = @_;
    my $next = $self->each('request.list', %filter);
    return sub {
        my $row = $next->() // return;
        return Chancery::Request->new($self, $row);
    };
}

=head2 certificates(%filter)

C<each> over C<certificate.search>: the rows of certificates that match, of a C<profile>, a C<requester>, a C<state>, names and times.

=cut

sub certificates {
    my ($self, %filter) = @_;
    return $self->each('certificate.search', %filter);
}

=head2 login($stack, %secrets)

C<session_login> by a login stack of the realm: C<user> and C<password>, or C<token>, as the stack asks for; by a Unix user, nothing. Gives
what C<identity> gives from then on. Dies with C<auth_failed> for every reason alike, with C<busy> after too many failures (the hint says
how long to wait), and with C<denied> without a role in this realm. The connection is not made anew from then on.

    $client->login('staff', user => 'alice', password => $password);
    $client->login('machines', token => $token);

=cut

sub login {
    my ($self, $stack, %secrets) = @_;
    my ($unknown) = sort grep { !/\A(?:user|password|token)\z/ } keys %secrets;
    Chancery::Error->throw(code => 'invalid_params', message => "login: unknown option \"$unknown\"", hint => 'options are password, token, user') if defined $unknown;
    return $self->call('session.login', {stack => $stack, map { defined $secrets{$_} ? ($_ => $secrets{$_}) : () } keys %secrets});
}

=head2 identity()

What C<session_open> or C<session_login> gave: a hash reference with C<realm>, C<identity>, C<roles> and C<challenge>; undef without a
session.

=cut

sub identity { return $_[0]{identity} }

=head2 timeout(), timeout($seconds)

The longest that a call may take; with a number, that of the calls from now on.

=cut

sub timeout {
    my ($self, @seconds) = @_;
    ($self->{timeout}) = @seconds if @seconds;
    return $self->{timeout};
}

=head2 connected()

Whether the connection stood at the end of the last call. That the server has gone since then shows at the next.

=cut

sub connected { return defined $_[0]{socket} }

=head2 reconnect()

Leaves the connection, connects again and opens a session as the one before, if there was one. Tries once, and again until the
C<reconnect> seconds are over as long as nobody listens or the server is busy or not ready. Dies with C<closed> after C<session_login> or
C<session_close>, and as C<new> does.

=cut

sub reconnect {
    my ($self) = @_;
    Chancery::Error->throw(code => 'closed', message => 'this session cannot be opened anew', hint => 'make a new client; after session_login, log in again') unless $self->{may_reconnect};
    my ($deadline, $pause) = (Time::HiRes::time() + $self->{reconnect}, FIRST_PAUSE);
    until (eval { $self->_reconnect_once; 1 }) {
        my $error = $@;
        my $left  = $deadline - Time::HiRes::time();
        die $error unless ref $error && $IS_PASSING{$error->code} && $left > 0;
        Time::HiRes::sleep(List::Util::min($pause, $left));
        $pause = List::Util::min($pause * 2, LONGEST_PAUSE);
    }
    return;
}

=head1 RECONNECTING

After an error of the connection itself (C<closed>, C<timeout>, C<too_large>, C<malformed>, C<io>) C<connected> is false, for nobody
knows whether the command was carried out. Without C<reconnect> every further call is refused with C<closed>. With it, a call

=over

=item *

connects first, if the connection has ended, and opens a session as the one before: nothing was sent, so any command may do that;

=item *

sends its request once more over a new connection if the old one ended without an answer, and only a command that reads, or
C<certificate_issue> and C<certificate_renew> with an C<idempotency_key>. L<Chancery::Commands> says of each command whether it is
repeatable. Others die with C<closed>; whether they were carried out is to be looked up. A request that timed out is never sent again.

=back

A session after C<session_login> or C<session_close> is not opened anew, since the new one would be another.

=head1 ERRORS

Whatever fails dies with a L<Chancery::Error>: a code for programs, a message for people, and a hint. The server's codes stand in
L<Chancery::Commands/ERRORS>. The client's own are C<unavailable> (nobody listens), C<closed> (the connection has ended), C<timeout>,
C<too_large> (an answer above 64 MiB), C<malformed> (an answer that is none), C<invalid_params> (an unknown option, or C<each> of a
command without pages) and C<io>.

=head1 ENVIRONMENT

=over

=item CHANCERY_SOCKET

Path of the server's socket, where C<new> is given none.

=back

=head1 SEE ALSO

L<Chancery::Commands>, L<Chancery::Request>, chancery(1), chancery-protocol(7)

=cut

sub _connect {
    my ($self) = @_;
    my $socket = IO::Socket::UNIX->new(Type => Socket::SOCK_STREAM(), Peer => $self->{path})
        or Chancery::Error->throw(code => 'unavailable', message => "connect $self->{path}: $!", hint => 'is chanceryd running, is this its socket, and does <socket> of chancery.xml let you in?');
    $socket->blocking(0);
    @$self{qw(socket buffer)} = ($socket, '');
    return;
}

sub _reconnect_once {
    my ($self) = @_;
    close delete $self->{socket} if $self->{socket};
    $self->_connect;
    return unless $self->{session};
    return if eval { $self->{identity} = $self->_exchange('session.open', $self->{session}); 1 };
    my $error = $@;
    close delete $self->{socket} if $self->{socket};    # never one without its session
    die $error;
}

sub _exchange {
    my ($self, $method, $params) = @_;
    Chancery::Error->throw(code => 'closed', message => 'the connection to the server has ended', hint => 'connect again') unless $self->{socket};
    my $id = ++$self->{last_id};
    my $deadline = Time::HiRes::time() + $self->{timeout};
    $self->_send($self->{json}->encode({jsonrpc => '2.0', id => $id, method => $method, params => $params}) . "\n", $deadline);
    return $self->_result($id, $self->_receive($deadline));
}

sub _note_session {
    my ($self, $method, $params, $result) = @_;
    $self->{session}       = $params if $method eq 'session.open';
    $self->{identity}      = $result if $method eq 'session.open' || $method eq 'session.login';
    $self->{may_reconnect} = 0       if $method eq 'session.login' || $method eq 'session.close';
    return;
}

sub _is_repeatable {
    my ($method, $params) = @_;
    my $when = $Chancery::Commands::REPEATABLE{$method} // 'never';
    return $when eq 'always' || $when eq 'keyed' && length($params->{idempotency_key} // '');
}

# Between calls the server sends nothing but its last words and the end.
sub _is_usable {
    my ($self) = @_;
    return $self->{socket} && !length $self->{buffer} && !IO::Select->new($self->{socket})->can_read(0);
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
            : defined $value && !ref $value && $type =~ /\A(?:text|word|hex|pem|file|time)\z/ ? "$value"
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
        $self->_hang_up(code => 'closed', message => 'the server closed the connection') if defined $got || $! == ECONNRESET;    # reset: it hung up on an unread request
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

# The Perl client against a fake server: a child that answers each request by the next of its lines.
use strict;
use warnings;
use Test::More;

use File::Temp qw(tempdir);
use IO::Socket::UNIX;
use JSON::PP;
use POSIX ();
use Time::HiRes ();

use Chancery::Client;

my $directory = tempdir(CLEANUP => 1);
my $parent    = $$;
my @children;
END { local $?; if ($$ == $parent) { kill TERM => @children; waitpid $_, 0 for @children } }

# Each answer is a function of the request; undef is silence.
sub client_of {
    my ($options, @answers) = @_;
    my $path = "$directory/" . @children . '.sock';
    my $listener = IO::Socket::UNIX->new(Type => SOCK_STREAM, Local => $path, Listen => 1) or die "$path: $!";
    my $pid = fork // die "fork: $!";
    if (!$pid) { serve($listener, @answers); POSIX::_exit(0) }
    push @children, $pid;
    close $listener;
    return Chancery::Client->new(socket => $path, timeout => 5, session => 0, %$options);
}

sub serve {
    my ($listener, @answers) = @_;
    my $peer = $listener->accept;
    $peer->autoflush(1);
    for my $answer (@answers) {
        if (!ref $answer) {    # NEXT: hang up, serve the next connection
            close $peer;
            $peer = $listener->accept;
            $peer->autoflush(1);
            next;
        }
        defined(my $line = <$peer>) or return;
        my $text = $answer->(decode_json($line), $line);
        if (defined $text) { print {$peer} $text } else { sleep 60 }
    }
}
use constant NEXT => 'next';
sub failing { my ($code) = @_; return sub { encode_json({jsonrpc => '2.0', id => $_[0]{id}, error => {message => 'no', data => {code => $code}}}) . "\n" } }
sub mute    { return '' }

sub result { my ($request, $result) = @_; return encode_json({jsonrpc => '2.0', id => $request->{id}, result => $result}) . "\n" }
sub echo   { my ($request, $line) = @_; return result($request, {line => $line, %{$request->{params}}}) }

sub error_of {
    my ($call) = @_;
    eval { $call->(); 1 } and return Chancery::Error->new(code => 'none');
    return ref $@ ? $@ : Chancery::Error->new(code => "no object: $@");
}

subtest 'success' => sub {
    my $client = client_of({}, (\&echo) x 3);
    my $issued = $client->certificate_issue(csr => 'pem', days => '30', sans => ['DNS:a', 7]);
    is_deeply [@$issued{qw(csr days sans)}], ['pem', 30, ['DNS:a', '7']], 'params arrive';
    like $issued->{line}, qr/"days":30\b/,          'an integer is no text';
    like $issued->{line}, qr/"method":"certificate.issue"/, 'the method';
    like $client->crl_issue(if_due => 1)->{line}, qr/"if_due":true/, 'a boolean is no number';
    like $client->certificate_get(serial => 12)->{line}, qr/"serial":"12"/, 'a serial is a text';
};

subtest 'session' => sub {
    my $client = client_of({session => 1, realm => 'devices', front_end => 'http'}, \&echo);
    is $client->{identity}{realm},     'devices', 'realm';
    is $client->{identity}{front_end}, 'http',    'front end';
};

subtest 'pages' => sub {
    my $client = client_of({}, sub { result($_[0], {nodes => [{cn => 'a'}, {cn => 'b'}], next => 'k'}) },
        sub { result($_[0], {nodes => [{cn => $_[0]{params}{after}}]}) });
    my $next = $client->iterator('node.list', 'nodes', {limit => 2});
    my @names;
    while (my $row = $next->()) { push @names, $row->{cn} }
    is_deeply \@names, [qw(a b k)], 'all rows, and the key of the second page';
    is $next->(), undef, 'stays at its end';
};

subtest 'error object' => sub {
    my $client = client_of({}, sub {
        my ($request) = @_;
        return encode_json({jsonrpc => '2.0', id => $request->{id}, error => {code => -32010, message => 'no such node', data => {code => 'not_found', hint => 'node list'}}}) . "\n";
    }, \&echo);
    my $error = error_of(sub { $client->node_get(cn => 'x') });
    isa_ok $error, 'Chancery::Error';
    is $error->code, 'not_found', 'code';
    is "$error", 'no such node (node list)', 'text';
    ok $client->server_ping, 'the connection goes on';
};

for my $case (
    ['garbage',        sub { "garbage\n" },                                    'malformed'],
    ['an array',       sub { "[]\n" },                                         'malformed'],
    ['another id',     sub { result({id => 99}, {}) },                         'malformed'],
    ['no result',      sub { qq({"jsonrpc":"2.0","id":1}\n) },                 'malformed'],
    ['half a line',    sub { '{"jsonrpc"' },                                   'closed'],
    ['a last word',    sub { qq({"id":null,"error":{"message":"full","data":{"code":"busy"}}}\n) }, 'busy'],
    ) {
    my ($name, $answer, $want) = @$case;
    subtest $name => sub {
        my $client = client_of({}, $answer);
        is error_of(sub { $client->server_ping })->code, $want,    'code';
        is error_of(sub { $client->server_ping })->code, 'closed', 'further calls are refused';
    };
}

subtest 'timeout' => sub {
    my $client = client_of({timeout => 0.3}, sub { undef });
    my $start = Time::HiRes::time();
    is error_of(sub { $client->server_ping })->code, 'timeout', 'code';
    cmp_ok Time::HiRes::time() - $start, '<', 3, 'soon';
    is error_of(sub { $client->server_ping })->code, 'closed', 'further calls are refused';
};

subtest 'each' => sub {
    my $client = client_of({}, sub { result($_[0], {nodes => [{cn => 'a'}], next => 'k'}) },
        sub { result($_[0], {nodes => [], next => 'l'}) }, sub { result($_[0], {nodes => [{cn => $_[0]{params}{after}}]}) },
        sub { result($_[0], {nodes => [], next => 'm'}) }, sub { result($_[0], {nodes => [], next => 'm'}) });
    my $next = $client->each('node.list', limit => 1);
    my @names;
    while (my $row = $next->()) { push @names, $row->{cn} }
    is_deeply \@names, [qw(a l)], 'all rows';
    is error_of($client->each('node.list'))->code, 'malformed', 'a page that is followed by itself';
    is error_of(sub { $client->each('node.get') })->code, 'invalid_params', 'a command without pages';
};

subtest 'reconnect: what reads is asked again, in a session as before' => sub {
    my $client = client_of({session => 1, realm => 'devices', reconnect => 5}, \&echo, \&mute, NEXT, \&echo, \&echo);
    is $client->node_get(cn => 'a')->{cn}, 'a', 'answer';
    is $client->identity->{realm}, 'devices', 'realm';
    ok $client->connected, 'connected';
};

for my $case (['with its key', {idempotency_key => 'k'}, 'none'], ['without a key', {}, 'closed'], ['with an empty key', {idempotency_key => ''}, 'closed']) {
    my ($name, $more, $want) = @$case;
    subtest "reconnect: an issuance $name" => sub {
        my $client = client_of({reconnect => 5}, \&mute, NEXT, \&echo);
        is error_of(sub { $client->certificate_issue(csr => 'pem', %$more) })->code, $want, 'code';
    };
}

subtest 'reconnect: what acts goes out once' => sub {
    my $client = client_of({reconnect => 5}, \&mute, NEXT, \&echo);
    is error_of(sub { $client->certificate_revoke(serial => '01') })->code, 'closed', 'the first says so';
    is $client->certificate_revoke(serial => '02')->{serial}, '02', 'the next connects first';
};

subtest 'reconnect: an end before the call is seen' => sub {
    my $client = client_of({reconnect => 5}, \&echo, NEXT, \&echo);
    $client->server_ping;
    ok(IO::Select->new($client->{socket})->can_read(5), 'the end is here');
    is $client->certificate_revoke(serial => '01')->{serial}, '01', 'so anything may go';
};

subtest 'reconnect: waits until the server is ready' => sub {
    my $client = client_of({session => 1, reconnect => 5}, \&echo, \&mute, NEXT, failing('unavailable'), NEXT, NEXT, \&echo, \&echo);
    ok $client->ca_get, 'answer';
};

subtest 'reconnect: repeats once' => sub {
    my $client = client_of({reconnect => 5}, \&mute, NEXT, \&mute, NEXT, \&echo);
    is error_of(sub { $client->ca_get })->code, 'closed', 'code';
};

subtest 'reconnect: a session that is refused' => sub {
    my $client = client_of({session => 1, reconnect => 5}, \&echo, \&mute, NEXT, failing('denied'), \&echo);
    is error_of(sub { $client->ca_get })->code, 'denied', 'code';
    ok !$client->connected, 'none without its session';
};

for my $last (qw(session_login session_close)) {
    subtest "reconnect: not after $last" => sub {
        my $client = client_of({session => 1, reconnect => 5}, \&echo, \&echo, NEXT, \&echo, \&echo);
        $client->$last;
        is error_of(sub { $client->ca_get })->code, 'closed', 'call';
        is error_of(sub { $client->reconnect })->code, 'closed', 'reconnect';
    };
}

subtest 'reconnect: when it is asked for' => sub {
    my $client = client_of({}, \&mute, NEXT, \&echo);
    is error_of(sub { $client->ca_get })->code, 'closed', 'code';
    is error_of(sub { $client->ca_get })->code, 'closed', 'refused';
    $client->reconnect;
    ok $client->ca_get, 'answer';
};

subtest 'timeouts' => sub {
    my $client = client_of({reconnect => 5}, sub { undef });
    is $client->timeout, 5, 'as given';
    $client->timeout(0.2);
    is error_of(sub { $client->ca_get })->code, 'timeout', 'what timed out is not asked again';
};

is error_of(sub { Chancery::Client->new(time_out => 5) })->code, 'invalid_params', 'an unknown option';
{
    local $ENV{CHANCERY_SOCKET} = "$directory/from-environment";
    like error_of(sub { Chancery::Client->new })->message, qr/from-environment/, 'the environment';
}
my $start = Time::HiRes::time();
is error_of(sub { Chancery::Client->new(socket => "$directory/none", reconnect => 60) })->code, 'unavailable', 'new tries once';
cmp_ok Time::HiRes::time() - $start, '<', 5, 'at once';
is error_of(sub { Chancery::Client->new(socket => "$directory/none") })->code, 'unavailable', 'nobody listens';

done_testing;

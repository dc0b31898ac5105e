package Chancery::Request;

use strict;
use warnings;

use List::Util ();
use MIME::Base64 ();
use Time::HiRes ();

use constant {
    FIRST_PAUSE   => 0.1,    # seconds between two looks at a request that is waited for
    LONGEST_PAUSE => 5,
};

my %IS_END = map { $_ => 1 } qw(issued done rejected withdrawn expired failed);

=encoding UTF-8

=head1 NAME

Chancery::Request - the life of a request that others have to agree to

=head1 SYNOPSIS

    use Chancery::Client;

    # Who asks
    my $client  = Chancery::Client->new(realm => 'default');
    my $request = $client->request(csr => $csr, profile => 'webserver', comment => 'the new shop');
    print 'ask for approval of ', $request->id, "\n";
    if ($request->wait(timeout => 3600) eq 'approved') {
        print $request->pickup->{certificate};
    }

    # Who decides
    my $next = $client->requests(state => 'pending');
    while (my $one = $next->()) {
        print $one->get->{content};
        $one->approve(comment => 'I know that server');
    }

=head1 DESCRIPTION

One object is one request as it was when it was last looked at. What is decided is decided for that: when something else would come of
the request by now, C<approve>, C<reject> and C<withdraw> die with C<conflict>, and C<refresh> shows what. Objects come from
L<Chancery::Client/request> and its neighbours, and live no longer than their client. See doc/four-eyes.md for what all of it means.

=head1 METHODS

Each gives the request itself, unless it says something else, so that they can be put behind each other. All die as
L<Chancery::Client/call> does: with C<not_found> for a request that is not there or is nobody's business, with C<denied> for who may not,
with C<conflict> for what the request's state does not allow.

=head2 new($client, \%row)

For L<Chancery::Client>. The row is what C<request.create>, C<request.get> or a row of C<request.list> has.

=cut

sub new {
    my ($class, $client, $row) = @_;
    return bless {client => $client, row => $row}, $class;
}

=head2 id()

The request's id.

=head2 state()

C<pending>, C<approved>, C<processing>, C<issued>, C<done>, C<rejected>, C<withdrawn>, C<expired> or C<failed>.

=head2 digest()

SHA-256 of its content, which approvals are given for.

=cut

sub id     { return $_[0]{row}{request} }
sub state  { return $_[0]{row}{state} }
sub digest { return $_[0]{row}{digest} }

=head2 has_ended()

Whether nothing becomes of it any more: it is C<issued>, C<done>, C<rejected>, C<withdrawn>, C<expired> or C<failed>.

=cut

sub has_ended { return $IS_END{$_[0]->state} ? 1 : 0 }

=head2 get()

All that C<request.get> says of it, a hash reference: content, approvals, history, attachments.

=cut

sub get {
    my ($self) = @_;
    $self->refresh unless $self->{row}{history};
    return $self->{row};
}

=head2 refresh()

Looks again.

=cut

sub refresh {
    my ($self) = @_;
    return $self->_keep($self->{client}->call('request.get', {request => $self->id}));
}

=head2 approve(%options)

Approves what was looked at. C<comment>; where approvals are signed, C<certificate> (PEM) and C<signature> (base64), which may also be a
function: it gets the octets to sign and gives the octets of the signature.

    $request->approve(certificate => $pem, signature => sub { $key->sign($_[0]) });

=cut

sub approve {
    my ($self, %options) = @_;
    my $signature = $options{signature};
    $options{signature} = MIME::Base64::encode_base64($signature->('chancery request approval 1' . "\n" . $self->digest . "\n"), '') if ref $signature eq 'CODE';
    return $self->_decide('request.approve', %options);
}

=head2 reject($why)

Refuses it, for a reason that the history keeps.

=head2 withdraw($why)

Takes back one's own; the reason may be left out.

=cut

sub reject   { my ($self, $why) = @_; return $self->_decide('request.reject',   comment => $why) }
sub withdraw { my ($self, $why) = @_; return $self->_decide('request.withdraw', defined $why ? (comment => $why) : ()) }

=head2 comment($text, @files)

Adds a comment, and files of evidence: each a path, or a hash reference with C<name>, C<type> and C<octets>. Dies with C<io> for a file
that cannot be read.

=cut

sub comment {
    my ($self, $text, @files) = @_;
    my %params = (request => $self->id, comment => $text);
    $params{attachments} = [map { _attachment($_) } @files] if @files;
    return $self->_keep($self->{client}->call('request.comment', \%params));
}

=head2 retry($why)

For operators: has a request that failed tried again. The reason may be left out.

=cut

sub retry {
    my ($self, $why) = @_;
    return $self->_keep($self->{client}->call('request.retry', {request => $self->id, defined $why ? (comment => $why) : ()}));
}

=head2 pickup()

Has an approved request done and gives what came of it, a hash reference: of a certificate, what C<certificate_issue> gives. It may be
called again and again, by the requester and by operators, after a lost connection as well: one certificate comes of a request.

=cut

sub pickup {
    my ($self) = @_;
    my $made = $self->{client}->call('request.pickup', {request => $self->id});
    $self->{row} = {%{$self->{row}}, state => $made->{state}, defined $made->{serial} ? (serial => $made->{serial}) : ()};
    delete $self->{row}{history};
    return $made;
}

=head2 wait(%options)

Looks until the request is in one of the states of C<until>, an array reference (left out: anything but C<pending> and C<processing>),
or has ended, or C<timeout> seconds (left out: 60) are over. Gives the state then, which the time may have ended as it was.

=cut

sub wait {    ## no critic (ProhibitBuiltinHomonyms)
    my ($self, %options) = @_;
    my %is_wanted = map { $_ => 1 } @{$options{until} // [qw(approved issued done rejected withdrawn expired failed)]};
    my ($deadline, $pause) = (Time::HiRes::time() + ($options{timeout} // 60), FIRST_PAUSE);
    until ($is_wanted{$self->refresh->state} || $self->has_ended) {
        my $left = $deadline - Time::HiRes::time();
        last if $left <= 0;
        Time::HiRes::sleep(List::Util::min($pause, $left));
        $pause = List::Util::min($pause * 2, LONGEST_PAUSE);
    }
    return $self->state;
}

sub _decide {
    my ($self, $method, %params) = @_;
    return $self->_keep($self->{client}->call($method, {request => $self->id, digest => $self->digest, %params}));
}

sub _keep {
    my ($self, $row) = @_;
    $self->{row} = $row;
    return $self;
}

sub _attachment {
    my ($file) = @_;
    return {name => $file->{name}, type => $file->{type}, data => MIME::Base64::encode_base64($file->{octets}, '')} if ref $file;
    open my $in, '<:raw', $file or Chancery::Error->throw(code => 'io', message => "$file: $!");
    my $octets = do { local $/; <$in> };
    my ($name) = $file =~ m{([^/]+)\z};
    return {name => $name, type => 'application/octet-stream', data => MIME::Base64::encode_base64($octets // '', '')};
}

=head1 SEE ALSO

L<Chancery::Client>, chancery-protocol(7)

=cut

1;

# clients/perl

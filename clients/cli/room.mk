# clients/cli

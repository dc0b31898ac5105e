# clients/acme

# clients/http

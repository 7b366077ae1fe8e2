"""The only process that faces the network with TLS: ends it, asks for a client certificate, routes by path."""

"""The audience over HTTP: routes that a watch adds to the service's application."""

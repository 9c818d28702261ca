"""Real processes for tests: a database, a broker, the desk's web server, worker and beat, a browser."""

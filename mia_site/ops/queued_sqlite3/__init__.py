"""The database backend of the desk's SQLite (settings.DATABASES); `base` is what Django asks for."""

"""Products: the only writers of what is handed to the user."""

"""Acquisition: a foreign product made ready to be read window by window, and checked whole."""

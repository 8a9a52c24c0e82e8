"""Label schemes: enums with one code a class, chosen by `where`, never added."""

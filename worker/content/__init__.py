"""Content: lessons and questions made from open data sets, and how they get into the database."""

"""Rows -> files, and files -> rows again: tables that no kill can tear, and what lies beside."""

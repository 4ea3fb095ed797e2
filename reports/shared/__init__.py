"""What several pages and formats are made of: documents, wording, plots, limits."""

"""What commands write: files, standard streams, progress, summaries."""

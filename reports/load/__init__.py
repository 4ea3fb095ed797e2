"""The load page: its sentence, figures and charts."""

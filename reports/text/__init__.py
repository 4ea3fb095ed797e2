"""Words, numbers and their rendering: languages, phrases, fitting, escaping for Markdown."""

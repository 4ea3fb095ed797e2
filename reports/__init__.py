"""Reports: results documents in, HTML, JUnit XML and terminal text out.

Every report is a pure function of one document (``schemas/results.schema.json``,
``schemas/load.schema.json``): same document, same bytes. Nothing here knows how a document came
to be, and nothing of the rest of the project is imported.
"""

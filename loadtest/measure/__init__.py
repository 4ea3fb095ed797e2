"""What is measured, in slices of a second, and the document made of it."""

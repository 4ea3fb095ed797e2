"""A report as a browser would take it apart."""

from html.parser import HTMLParser

VOID = {"meta", "link", "br", "input", "hr", "img"}
SVG_LEAVES = {"line", "rect", "circle", "path"}
ALLOWED = {
    "html", "head", "meta", "title", "style", "body", "a", "header", "div", "p", "strong", "span",
    "h1", "h2", "h3", "h4", "dl", "dt", "dd", "bdi", "time", "main", "section", "table", "caption",
    "thead", "tbody", "tr", "th", "td", "ul", "ol", "li", "details", "summary", "code", "form",
    "label", "select", "option", "input", "button", "output", "nav", "article", "footer", "script",
    "figure", "figcaption", "svg", "g", "tspan", "mark", "b", "i", "text", "fieldset", "legend", *SVG_LEAVES,
}  # fmt: skip


class Page(HTMLParser):
    """A page's elements, ids, links and text; checks on the way that every element is closed."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.source = source
        self.stack: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self.styles: list[str] = []
        self.words: list[str] = []
        self.feed(source)
        self.close()
        assert self.stack == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.elements.append((tag, values))
        assert len(values) == len(attrs)
        if values.get("id"):
            self.ids.append(values["id"] or "")
        if "href" in values:
            self.links.append(values["href"] or "")
        if tag not in VOID:
            self.stack.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in SVG_LEAVES
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.stack.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.stack and self.stack[-1] in ("script", "style"):
            (self.scripts if self.stack[-1] == "script" else self.styles).append(data)
        else:
            self.words.append(data)

    def handle_comment(self, data: str) -> None:
        raise AssertionError(f"a comment: {data}")

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def part(self, start: str, end: str = "</article>") -> str:
        """The source from `start` to the next `end`."""
        position = self.source.index(start)
        return self.source[position : self.source.index(end, position)]

"""What a page says to its reader, without what is compared letter by letter: codes, serials, fields of RFCs."""

from html.parser import HTMLParser

_VOID = {"meta", "link", "input", "img", "br", "path", "rect", "circle", "hr"}
_NOT_READ = {"script", "style", "code", "pre", "svg", "textarea"}
_SPOKEN = ("placeholder", "aria-label", "title", "alt")


class Reading(HTMLParser):
    """`said` has each piece of text, and what browsers say of a field or button. `en` marks an English link."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.said: list[str] = []
        self._open: list[bool] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: text or "" for name, text in attrs}
        quiet = tag in _NOT_READ or "mono" in given.get("class", "").split() or given.get("lang") == "en"
        if not quiet and not any(self._open):
            self.said += [given[name] for name in _SPOKEN if given.get(name)]
        if tag not in _VOID:
            self._open.append(quiet)

    def handle_endtag(self, tag: str) -> None:
        if tag not in _VOID and self._open:
            self._open.pop()

    def handle_data(self, data: str) -> None:
        if data.strip() and not any(self._open):
            self.said.append(" ".join(data.split()))

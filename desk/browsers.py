"""Which browser on which system, from what a browser says of itself. Pure; believes it, for it opens nothing."""

# The first that is found: most browsers also claim to be some other.
_BROWSERS = (
    ("Edg", "Edge"),
    ("OPR", "Opera"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Firefox", "Firefox"),
    ("FxiOS", "Firefox"),
    ("CriOS", "Chrome"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("CrOS", "ChromeOS"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)


def browser_of(said: str) -> tuple[str, str]:
    """Browser and system, for example `("Firefox", "Windows")`; each empty when it is not known."""
    return _first(said, _BROWSERS), _first(said, _SYSTEMS)


def _first(said: str, names: tuple[tuple[str, str], ...]) -> str:
    return next((name for mark, name in names if mark in said), "")

"""The two parts of a mail, from the same words: plain text, and a page that Outlook and a phone show alike. Pure.

Outlook draws with Word: tables and styles in place, no other layout, nothing fetched from elsewhere. Refuses pictures.
"""

import html as markup
import re
from collections.abc import Iterator

from delivery.parcel import Letterhead, Parcel
from delivery.words import Button, plain_text, urls
from facts.languages import Speaker, speaking
from storage.tables import OutboxKind

PREFERENCES = "/preferences"  # behind the address of the personal page
WHY = "/why"  # the same, of a reminder

_FONT = "font-family:Arial,Helvetica,sans-serif"
_TEXT = f"{_FONT};font-size:16px;line-height:24px;color:#17324d"
_SMALL = f"{_FONT};font-size:14px;line-height:20px;color:#455b71"
_PARAGRAPH = f'<p style="margin:0 0 16px 0;{_TEXT}">'
_BLUE = "#0066cc"
_BLOCK = re.compile(r"<(blockquote|pre)\b[^<>]*>(.*?)</\1>", re.DOTALL | re.IGNORECASE)
_LINK = re.compile(r"<a\s+(?=[^<>]*href=)", re.IGNORECASE)
_AROUND = {"blockquote": "border-left:4px solid #0066cc", "pre": "background-color:#f2f5f8"}

_PAGE = """<!DOCTYPE html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light">
<title>{subject}</title>
</head>
<body style="margin:0;padding:0;background-color:#f2f5f8">
<table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0" bgcolor="#f2f5f8">
<tr><td align="center" style="padding:16px 8px">
<!--[if mso]><table role="presentation" width="600" cellpadding="0" cellspacing="0" border="0"><tr><td><![endif]-->
<table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0" style="max-width:600px">
<tr><td align="left" bgcolor="#0066cc" style="padding:16px 20px">
{head}
</td></tr>
<tr><td align="left" bgcolor="#ffffff" style="padding:24px 20px 8px 20px">
{content}
</td></tr>
<tr><td align="left" style="padding:16px 20px">
{foot}
</td></tr>
</table>
<!--[if mso]></td></tr></table><![endif]-->
</td></tr>
</table>
</body>
</html>
"""


def text_part(parcel: Parcel, left_out: list[str]) -> str:
    """`left_out`: sentences about files that do not go along."""
    _ = speaking(parcel.language)
    parts = [plain_text(parcel.words.html), *left_out]
    parts.extend(f"{button.text}: {button.url}" for button in urls(parcel.words))
    if parcel.personal_url:
        parts.append(f"{_('Reply or see everything on your page:')} {parcel.personal_url}")
    parts.extend(_how_to_reply(parcel, _))
    signed = "\n".join(_signature(parcel.office, _))
    if signed:
        parts.append(f"-- \n{signed}")
    if parcel.personal_url:
        if parcel.kind is OutboxKind.REMINDER:
            parts.append(f"{_('Why do I get this?')} {parcel.personal_url}{WHY}")
        parts.append(f"{_('Language, and how we write to you:')} {parcel.personal_url}{PREFERENCES}")
    return "\n\n".join(parts) + "\n"


def html_part(parcel: Parcel, subject: str, left_out: list[str]) -> str:
    """The same as a page."""
    _ = speaking(parcel.language)
    buttons = [*urls(parcel.words), *_personal_button(parcel, _)]
    parts = list(_paragraphs(str(parcel.words.html)))
    parts.extend(f"{_PARAGRAPH}{markup.escape(line)}</p>" for line in left_out)
    parts.extend(_button(one) for one in buttons[:1])
    parts.extend(f"{_PARAGRAPH}{_link(one.text, one.url or '')}</p>" for one in buttons[1:])
    parts.extend(f"{_PARAGRAPH}{markup.escape(line)}</p>" for line in _how_to_reply(parcel, _))
    return _PAGE.format(
        language=parcel.language.value,
        subject=markup.escape(subject),
        head=_head(parcel.office),
        content="\n".join(parts),
        foot=_foot(parcel, _),
    )


def _how_to_reply(parcel: Parcel, _: Speaker) -> list[str]:
    """To whoever we know: their replies find their place."""
    return [] if parcel.referent_id is None else [_("You can also simply reply to this e-mail.")]


def _personal_button(parcel: Parcel, _: Speaker) -> list[Button]:
    return [Button(_("Open your page"), url=parcel.personal_url)] if parcel.personal_url else []


def _signature(office: Letterhead, _: Speaker) -> Iterator[str]:
    yield from (line for line in (office.name, office.authority) if line)
    if office.phone:
        yield _("Telephone: {number}", number=f"{office.phone}{f' ({office.hours})' if office.hours else ''}")
    elif office.hours:
        yield office.hours
    if office.email:
        yield _("E-mail: {address}", address=office.email)


def _head(office: Letterhead) -> str:
    parts = []
    if office.authority:
        style = f"margin:0;{_FONT};font-size:14px;line-height:20px;color:#ffffff"
        parts.append(f'<p style="{style}">{markup.escape(office.authority)}</p>')
    style = f"margin:0;{_FONT};font-size:20px;line-height:28px;font-weight:bold;color:#ffffff"
    return "\n".join([*parts, f'<p style="{style}">{markup.escape(office.name)}</p>'])


def _foot(parcel: Parcel, _: Speaker) -> str:
    lines = [markup.escape(line) for line in _signature(parcel.office, _)]
    parts = [f'<p style="margin:0 0 12px 0;{_SMALL}">{"<br>".join(lines)}</p>'] if lines else []
    if parcel.personal_url:
        links = [_link(_("Language, and how we write to you"), parcel.personal_url + PREFERENCES)]
        if parcel.kind is OutboxKind.REMINDER:
            links.insert(0, _link(_("Why do I get this?"), parcel.personal_url + WHY))
        parts.append(f'<p style="margin:0;{_SMALL}">{" · ".join(links)}</p>')
    return "\n".join(parts)


def _button(button: Button) -> str:
    """Padded on the cell for Outlook, which knows no padding of links, and on the link for a thumb."""
    style = f"display:inline-block;padding:12px 24px;{_FONT};font-size:16px;line-height:24px;font-weight:bold"
    cell = f'bgcolor="{_BLUE}" style="border-radius:4px;mso-padding-alt:12px 24px"'
    return (
        '<table role="presentation" cellpadding="0" cellspacing="0" border="0" style="margin:0 0 16px 0">'
        f'<tr><td {cell}><a href="{markup.escape(button.url or "")}" '
        f'style="{style};color:#ffffff;text-decoration:none">{markup.escape(button.text)}</a></td></tr></table>'
    )


def _link(text: str, url: str) -> str:
    return f'<a href="{markup.escape(url)}" style="color:{_BLUE}">{markup.escape(text)}</a>'


def _paragraphs(html: str) -> Iterator[str]:
    """Paragraphs are parted by empty lines; quotations and preformatted text are boxes of their own."""
    html = _LINK.sub(f'<a style="color:{_BLUE}" ', html)
    at = 0
    for found in _BLOCK.finditer(html):
        yield from _plain(html[at : found.start()])
        tag, at = found[1].lower(), found.end()
        style = f"margin:0 0 16px 0;padding:8px 12px;{_AROUND[tag]};{_TEXT}"
        yield f'<div style="{style}">{found[2].strip().replace(chr(10), "<br>" + chr(10))}</div>'
    yield from _plain(html[at:])


def _plain(html: str) -> Iterator[str]:
    for block in html.split("\n\n"):
        if block.strip():
            yield f"{_PARAGRAPH}{block.strip().replace(chr(10), '<br>' + chr(10))}</p>"

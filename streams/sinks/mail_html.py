"""The HTML of a mail: it loads nothing from anywhere, and sets no colours.

Without colours of its own it is dark where the reader's mail program is dark, and every picture's
content is in its alternative text too.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Final

from streams.sinks.mail_letter import Letter, Story, printable

_BODY_STYLE: Final = "font-family:system-ui,sans-serif;line-height:1.5;max-width:42em"
_IMAGE_STYLE: Final = "max-width:100%;height:auto"


def html(letter: Letter, pictures: Sequence[str | None]) -> str:
    """Return a mail's HTML.

    Args:
        letter: What to say.
        pictures: For each of its stories the Content-ID of its chart, without angle brackets.
    """
    parts = [_paragraph(each) for each in letter.opening]
    parts += [f"<p>{_link(letter.confirm)}</p>"] if letter.confirm else []
    if letter.contents:
        items = (f"<li>{_contents(letter, i)}</li>" for i in range(len(letter.contents)))
        parts.append(f"<ol>{''.join(items)}</ol>")
    for i, (story, picture) in enumerate(zip(letter.stories, pictures, strict=True), start=1):
        parts.append(_story(story, picture, i))
    parts += [_paragraph(letter.disclaimer)] if letter.disclaimer else []
    parts.append("<hr>")
    parts += [f"<p><small>{escape(each)}</small></p>" for each in letter.footer]
    if letter.unsubscribe:
        link = f'<a href="{escape(letter.unsubscribe)}">No more of these mails</a>'
        parts.append(f"<p><small>{link}</small></p>")
    return printable(
        '<!doctype html>\n<html lang="en">\n<head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        '<meta name="color-scheme" content="light dark">'
        f"<title>{escape(letter.subject)}</title></head>\n"
        f'<body style="{_BODY_STYLE}">\n' + "\n".join(parts) + "\n</body>\n</html>\n"
    )


def _story(story: Story, picture: str | None, number: int) -> str:
    parts = [f'<h2 id="alert-{number}">{escape(story.headline)}</h2>']
    if picture and story.chart:
        parts.append(
            f'<p><img src="cid:{escape(picture)}" alt="{escape(story.chart.alternative)}" '
            f'width="600" style="{_IMAGE_STYLE}"></p>'
        )
    parts += [_paragraph(each) for each in story.paragraphs]
    if story.incidents:
        items = (f'<li dir="auto">{escape(each)}</li>' for each in story.incidents)
        parts.append(f"<ul>{''.join(items)}</ul>")
    parts += [f"<p>{_link(story.page)}</p>"] if story.page else []
    return "\n".join(parts)


def _contents(letter: Letter, index: int) -> str:
    text = escape(letter.contents[index])
    is_told = index < len(letter.stories)
    return f'<a href="#alert-{index + 1}">{text}</a>' if is_told else text


def _paragraph(text: str) -> str:
    return f'<p dir="auto">{escape(text).replace(chr(10), "<br>")}</p>'


def _link(url: str) -> str:
    return f'<a href="{escape(url)}">{escape(url)}</a>'

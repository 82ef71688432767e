"""Reads what is written about a person: e-mail, phone, language, name. Pure; refuses, never mends.

Raises RegistryRefused with the sentence to show.
"""

import re

from facts.languages import N_, Language
from facts.mail_addresses import read_address
from registry.report import EMPTY_CELL, RegistryRefused

PHONE = re.compile(r"\+?[0-9]{5,15}")

LANGUAGES = {
    "": Language.IT,
    "it": Language.IT,
    "ita": Language.IT,
    "italiano": Language.IT,
    "en": Language.EN,
    "eng": Language.EN,
    "inglese": Language.EN,
    "english": Language.EN,
}

NOT_AN_EMAIL = N_("{found} is not an e-mail address.")
NOT_A_PHONE = N_("{found} is not a phone number.")
NOT_A_LANGUAGE = N_("{found} is not a language we speak. Write it or en.")


def read_name(text: str) -> str:
    """The name, with single spaces."""
    name = " ".join(text.split())
    if not name:
        raise RegistryRefused(EMPTY_CELL)
    return name


def read_email(text: str) -> str:
    """The address in lower case."""
    if not text.strip():
        raise RegistryRefused(EMPTY_CELL)
    email = read_address(text)
    if email is None:
        raise RegistryRefused(NOT_AN_EMAIL, found=text.strip())
    return email


def read_phone(text: str) -> str:
    """Digits, with a plus in front when there is one; "" when nothing is written."""
    phone = re.sub(r"[\s./()-]", "", text)
    if phone and not PHONE.fullmatch(phone):
        raise RegistryRefused(NOT_A_PHONE, found=text.strip())
    return phone


def read_language(text: str) -> Language:
    """Italian unless something else is written."""
    language = LANGUAGES.get(text.strip().lower())
    if language is None:
        raise RegistryRefused(NOT_A_LANGUAGE, found=text.strip())
    return language

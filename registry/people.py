"""Reads what is written about a person: e-mail, phone, language, name. Pure; refuses, never mends.

Raises RegistryRefused with the sentence to show.
"""

import re

from facts.languages import N_, Language
from registry.report import EMPTY_CELL, RegistryRefused

LONGEST_EMAIL = 254  # RFC 5321 §4.5.3.1.3
EMAIL = re.compile(r"[^\s@<>(),;:\"\[\]\\]{1,64}@[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?\.[a-z0-9-]{2,}")
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
    """The address in lower case: two people never differ by capitals alone."""
    email = text.strip().lower()
    if not email:
        raise RegistryRefused(EMPTY_CELL)
    if len(email) > LONGEST_EMAIL or not EMAIL.fullmatch(email) or ".." in email:
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

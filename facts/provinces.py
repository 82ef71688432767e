"""The names of the provinces of Lombardy by the first three digits of their municipalities' ISTAT codes. Pure."""

PROVINCES = {
    "012": "Varese",
    "013": "Como",
    "014": "Sondrio",
    "015": "Milano",
    "016": "Bergamo",
    "017": "Brescia",
    "018": "Pavia",
    "019": "Cremona",
    "020": "Mantova",
    "097": "Lecco",
    "098": "Lodi",
    "108": "Monza e della Brianza",
}

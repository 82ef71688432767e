"""The columns of the files that are imported: our names, and every header they are known by. Pure data."""

from registry.sheets import Columns

PROJECT_ALIASES = {
    "cup": ("CUP", "Codice CUP"),
    "local_code": ("Codice Locale Progetto", "CLP"),
    "measure": ("Codice Univoco Submisura", "Codice Submisura"),
    "parent_measure": ("Codice Univoco Misura",),
    "measure_name": ("Descrizione Submisura",),
    "parent_measure_name": ("Descrizione Misura",),
    "istat": ("Codice ISTAT", "Codice ISTAT Comune", "Codice Comune ISTAT"),
    "province": ("Provincia", "Codice Provincia"),
    "municipality": ("Comune",),
    "municipality_name": ("Descrizione Comune",),
    "address": ("Indirizzo",),
    "title": ("Titolo Progetto",),
    "body": ("Soggetto Attuatore",),
    "total": ("Finanziamento Totale",),
    "pnrr": ("Finanziamento PNRR",),
    "paid": ("Pagamenti Totali", "Pagamenti"),
}

# Headers of the Italia Domani files (projects, locations, payments) that hold nothing we keep.
UNREAD = """
Programma;Missione;Descrizione Missione;Componente;Descrizione Componente;ID Misura;ID Submisura;Codice CID;
Amministrazione Titolare;Codice Identificativo Procedura di Attivazione;Titolo Procedura;
Tipologia Procedura di Attivazione;Stato CUP;Stato Avanzamento Progetto;CUP Codice Natura;CUP Descrizione Natura;
CUP Codice Tipologia;CUP Descrizione Tipologia;CUP Codice Settore;CUP Descrizione Settore;CUP Codice Sottosettore;
CUP Descrizione Sottosettore;CUP Codice Categoria;CUP Descrizione Categoria;Sintesi Progetto;
Descrizione Tipo Aiuto;Finanziamento - Stato;Finanziamento Stato - Bilancio;Finanziamento Stato - FOI;
Finanziamento Prosecuzione Opere Pubbliche - FPOP;Finanziamento UE (Diverso da PNRR);Finanziamento Regione;
Finanziamento Provincia;Finanziamento Comune;Finanziamento Altro Pubblico;Finanziamento Privato;
Finanziamento da Reperire;Finanziamento PNC;Altri Fondi;Finanziamento Totale Pubblico;
Finanziamento Totale Pubblico Netto;Codice Fiscale Soggetto Attuatore;Flag Progetti in Essere;
Data Inizio Progetto Prevista;Data Inizio Progetto Effettiva;Data Fine Progetto Prevista;
Data Fine Progetto Effettiva;Data di Estrazione;Data Ultima Validazione;Esito Ultima Validazione;
Codice Fase Iter di Progetto;Descrizione Fase Iter di Progetto;Stato Fase Iter di Progetto;Regione;
Descrizione Regione;Descrizione Provincia;CAP;Percentuale di Localizzazione
"""

PROJECTS = Columns(
    aliases=PROJECT_ALIASES,
    needed=frozenset({"cup", "local_code", "measure"}),
    spare=frozenset({"parent_measure", "parent_measure_name", "province", "municipality_name"}),
    ignored=frozenset(text.strip() for text in UNREAD.split(";")),
)

REFERENTS = Columns(
    aliases={
        "name": ("nome", "nome e cognome", "referente", "name"),
        "email": ("email", "e-mail", "posta elettronica", "indirizzo e-mail"),
        "pec": ("pec",),
        "own_pec": ("pec del referente", "pec personale", "own pec"),
        "phone": ("telefono", "cellulare", "phone"),
        "organization": ("ente", "comune", "organizzazione", "organization"),
        "role": ("ruolo", "role"),
        "cups": ("cup", "progetti", "projects"),
        "language": ("lingua", "language"),
        "new_actor": ("altro attore", "nuovo ente", "new actor"),
        "substitute": ("sostituto", "e-mail del sostituto", "substitute"),
    },
    needed=frozenset({"name", "email", "organization"}),
    spare=frozenset({"pec", "own_pec", "phone", "language", "new_actor", "substitute"}),
)

DEADLINES = Columns(
    aliases={
        "title": ("titolo", "title"),
        "form": ("modulo", "form"),
        "form_version": ("versione", "versione del modulo", "version"),
        "subject": ("per", "soggetto", "subject"),
        "recurrence": ("ricorrenza", "recurrence"),
        "first_on": ("data", "dal", "date"),
        "day": ("giorno", "day"),
        "until": ("fino al", "until"),
        "scope": ("ambito", "scope"),
        "moved": ("se festivo", "spostamento", "moved"),
        "grace": ("tolleranza", "giorni di tolleranza", "grace"),
        "done_when": ("conclusa quando", "conclusione", "done when"),
    },
    needed=frozenset({"title", "recurrence", "first_on"}),
    spare=frozenset({"form", "form_version", "subject", "until", "moved", "grace", "done_when"}),
)

"""What the demo knows already: answers at hand, and four questions that everybody reads. By the rules, like anybody."""

from datetime import datetime

from sqlmodel import Session

from answering import faq, saved
from answering.categories import Wished as WishedCategory
from answering.categories import add_category

REPORTING, DEADLINES = "Rendicontazione e ReGiS", "Scadenze e aggiornamenti"
CATEGORIES = ((REPORTING, "Reporting and ReGiS", 19), (DEADLINES, "Deadlines and updates", 10))

# Title, text, English text, category.
SAVED = (
    (
        "CUP: dove si trova e dove va scritto",
        "Buongiorno {nome},\n"
        "il CUP ha 15 caratteri e si trova nell'atto che approva il progetto. Va riportato su ogni documento del "
        "progetto: atti, contratti, fatture e mandati di pagamento.\n"
        "Se in una fattura manca, scriveteci prima di pagarla: vediamo insieme come sistemarla.",
        "Good morning {name},\n"
        "the CUP has 15 characters; it stands in the act that approves the project. It goes on every document of the "
        "project: acts, contracts, invoices and payment orders.\n"
        "If an invoice lacks it, write to us before you pay: we will look together at how to mend it.",
        REPORTING,
    ),
    (
        "Questo aggiornamento e ReGiS",
        "Buongiorno {nome},\n"
        "l'aggiornamento che mandate qui serve al nostro ufficio per seguire «{progetto}». Non sostituisce ReGiS: là i "
        "dati li registra il soggetto attuatore, con le scadenze indicate dall'amministrazione titolare.",
        "",
        REPORTING,
    ),
    (
        "Documenti per la rendicontazione",
        "Buongiorno {nome},\n"
        "per la rendicontazione di «{progetto}» servono il provvedimento di liquidazione, la fattura e il mandato "
        "quietanzato di ogni spesa, tutti con il CUP. Potete allegarli rispondendo a questo messaggio.",
        "",
        REPORTING,
    ),
    (
        "Rinvio di una scadenza",
        "Buongiorno {nome},\n"
        "abbiamo letto la vostra richiesta (domanda n. {numero}). Per spostare la scadenza ci serve sapere il motivo e "
        "una nuova data realistica. Intanto mandate quello che c'è: un aggiornamento parziale è meglio di niente.",
        "Good morning {name},\n"
        "we have read your request (question no. {number}). To move the deadline we need to know why, and a new date "
        "that you can keep. Meanwhile send what you have: part of an update is better than none.",
        DEADLINES,
    ),
    (
        "Come scriverci con la PEC",
        "Buongiorno {nome},\n"
        "potete scriverci anche dalla PEC di {ente}: la ricevuta di consegna prova che il messaggio è "
        "arrivato. Nell'oggetto scrivete il CUP del progetto, così lo smistiamo subito.",
        "",
        "",
    ),
)

# Question, answer, and the same in English; category.
FAQ = (
    (
        "Che cos'è il CUP e dove lo trovo?",
        "Il CUP, codice unico di progetto, identifica un progetto di investimento pubblico. Ha 15 caratteri. Lo trovi "
        "nell'atto che approva il progetto e nella tua pagina personale, accanto al titolo.",
        "What is the CUP, and where do I find it?",
        "The CUP is the code of a public investment project. It has 15 characters. You find it in the act that "
        "approves the project, and on your personal page, beside the title.",
        REPORTING,
    ),
    (
        "Devo inserire i dati anche in ReGiS?",
        "Sì. L'aggiornamento che mandi qui serve all'ufficio per seguire il progetto e non sostituisce ReGiS. In ReGiS "
        "i dati li registra il soggetto attuatore.",
        "Do I have to enter the data in ReGiS as well?",
        "Yes. The update that you send here lets the office follow the project; it does not replace ReGiS. There the "
        "implementing body enters the data.",
        REPORTING,
    ),
    (
        "Entro quando va inviato l'aggiornamento, e se non ci sono novità?",
        "La data è nel promemoria e nella tua pagina personale. Se non è cambiato nulla, basta dirlo: premi «Nessuna "
        "novità» sotto il promemoria, oppure rispondi all'e-mail con «nessuna novità».",
        "",
        "",
        DEADLINES,
    ),
    (
        "Posso mandare i documenti con la PEC?",
        "Sì, dalla PEC del tuo ente. Conserva la ricevuta di consegna: prova che il messaggio è arrivato. Per le foto "
        "e i documenti di ogni giorno bastano la chat o la tua pagina personale.",
        "",
        "",
        DEADLINES,
    ),
)


def learn(session: Session, officer_id: int, now: datetime) -> None:
    """Categories, answers at hand, and what everybody reads."""
    numbers = {
        name: add_category(session, officer_id, WishedCategory(name, english, hours), now=now).id
        for name, english, hours in CATEGORIES
    }
    for title, text, text_en, category in SAVED:
        wished_answer = saved.Wished(title, text, text_en, numbers.get(category))
        saved.add_saved(session, officer_id, wished_answer, now=now)
    for question, answer, question_en, answer_en, category in FAQ:
        wished = faq.Wished(question, answer, question_en, answer_en, numbers.get(category))
        entry = faq.propose(session, officer_id, wished, question_id=None, now=now)
        faq.publish(session, entry.id, officer_id, wished, version=entry.version, now=now)

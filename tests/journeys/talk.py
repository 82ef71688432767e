"""How a person talks with the bot in a journey: says or presses, and waits for what comes back."""

from sandbox.people import Message, Person

PATIENCE = 60.0


async def says(person: Person, text: str, expecting: str = "", *, reply_to: int | None = None) -> Message:
    """Sends a text and waits for an answer of the bot that contains `expecting`."""
    after = _last(person)
    person.sends(text, reply_to)
    return await person.wait_for_message(expecting, after=after, timeout=PATIENCE)


async def presses(person: Person, label: str, expecting: str = "") -> Message:
    """Presses the newest button whose label contains `label`, and waits likewise."""
    after = _last(person)
    for message in reversed(person.from_bot):
        whole = next((each for each in message.labels if label in each), None)
        if whole is not None:
            person.presses_label(whole, message)
            return await person.wait_for_message(expecting, after=after, timeout=PATIENCE)
    raise AssertionError(f"no button {label!r}; the last message was {person.last.text!r} {person.last.labels}")


async def gives_an_update(person: Person, *, progress: str = "45,5") -> Message:
    """Walks the whole dialogue for a person with one project; returns the receipt."""
    await says(person, "/aggiorna", "A che punto è il progetto?")
    return await answers_everything(person, progress=progress)


async def answers_everything(person: Person, *, progress: str = "45,5") -> Message:
    """From the first question of the form to the receipt."""
    await presses(person, "Esecuzione dei lavori", "Quanto dei lavori")
    await says(person, progress, "Quanto avete speso")
    await says(person, "250.000,00", "Quando pensate di finire?")
    await says(person, "30 giugno 2027", "C'è qualche problema")
    await presses(person, "No", "Vuoi aggiungere una nota?")
    await presses(person, "Salta", "È tutto giusto?")
    return await presses(person, "Invia", "ricevuto")


def _last(person: Person) -> int:
    return person.chat[-1].id if person.chat else 0

"""Files that people send: what the bot sees of them, fetches, and is refused."""

import base64

import httpx
import pytest
from telegram import Bot

from sandbox.people import Document, Photo, Video, Voice
from sandbox.pictures import dimensions, plain_png
from sandbox.telegram import CannotDo, Drop, Fault, Person, TelegramSandbox
from tests.sandbox.conftest import TOKEN, Caller, Clock

MIB = 1024 * 1024
UNAVAILABLE = "Bad Request: wrong file_id or the file is temporarily unavailable"


async def fetch(call: Caller, path: str) -> httpx.Response:
    return await call.client.get(f"/file/bot{TOKEN}/{path}")


async def test_a_document_can_be_fetched_as_it_was_sent(call: Caller, ada: Person) -> None:
    sent = ada.sends_document("relazione finale.pdf", content=b"%PDF-1.7 \r\n\x00", caption="Ecco la relazione")

    (update,) = (await call("getUpdates"))["result"]
    document = update["message"]["document"]
    link = (await call("getFile", file_id=document["file_id"]))["result"]
    bytes_ = await fetch(call, link["file_path"])

    assert (document["file_name"], document["mime_type"]) == ("relazione finale.pdf", "application/pdf")
    assert document["file_size"] == link["file_size"] == 12
    assert link["file_unique_id"] == document["file_unique_id"]
    assert bytes_.content == sent.content == b"%PDF-1.7 \r\n\x00"
    assert update["message"]["caption"] == sent.text == "Ecco la relazione"


async def test_the_largest_size_of_a_photo_is_the_original(call: Caller, ada: Person) -> None:
    original = plain_png(1000, 500, 30)
    sizes = ada.sends_photo(content=original).raw["photo"]

    files = []
    for size in sizes:
        link = (await call("getFile", file_id=size["file_id"]))["result"]
        files.append((await fetch(call, link["file_path"])).content)

    assert [(size["width"], size["height"]) for size in sizes] == [(90, 45), (320, 160), (800, 400), (1000, 500)]
    assert files[-1] == original
    assert [dimensions(file) for file in files] == [(90, 45), (320, 160), (800, 400), (1000, 500)]
    assert len({size["file_unique_id"] for size in sizes}) == 4


@pytest.mark.parametrize(("size", "answer"), [(25 * MIB, "Bad Request: file is too big"), (12_345, UNAVAILABLE)])
async def test_a_file_that_is_only_claimed_is_never_fetched(call: Caller, ada: Person, size: int, answer: str) -> None:
    sent = ada.sends_document("grande.pdf", size=size)

    assert sent.raw["document"]["file_size"] == size
    assert sent.content is None
    assert await call.error("getFile", file_id=sent.file_id) == answer


async def test_twenty_mebibytes_can_be_fetched_and_a_byte_more_cannot(call: Caller, ada: Person) -> None:
    fits = ada.sends_document(content=bytes(20 * MIB))
    too_big = ada.sends_document(content=bytes(20 * MIB + 1))

    assert (await call("getFile", file_id=fits.file_id))["ok"]
    assert await call.error("getFile", file_id=too_big.file_id) == "Bad Request: file is too big"


async def test_a_file_can_expire(call: Caller, ada: Person, telegram: TelegramSandbox) -> None:
    sent = ada.sends_voice(content=b"OggS")
    path = (await call("getFile", file_id=sent.file_id))["result"]["file_path"]
    telegram.expire(sent.file_id)

    assert await call.error("getFile", file_id=sent.file_id) == UNAVAILABLE
    assert (await fetch(call, path)).json() == {"ok": False, "error_code": 404, "description": "Not Found"}
    assert await call.error("getFile", file_id="AgADinvented") == UNAVAILABLE
    assert await call.error("getFile") == "Bad Request: file_id not specified"


async def test_a_link_lives_for_an_hour(call: Caller, ada: Person, clock: Clock) -> None:
    sent = ada.sends_document()
    path = (await call("getFile", file_id=sent.file_id))["result"]["file_path"]

    clock.now += 3600
    still = await fetch(call, path)
    clock.now += 1
    late = await fetch(call, path)
    await call("getFile", file_id=sent.file_id)

    assert (still.status_code, late.status_code) == (200, 404)
    assert (await fetch(call, path)).content == sent.content


async def test_a_path_is_only_for_this_bot(call: Caller, ada: Person) -> None:
    path = (await call("getFile", file_id=ada.sends_document().file_id))["result"]["file_path"]

    foreign = await call.client.get(f"/file/bot1:other/{path}")
    invented = await fetch(call, "documents/file_99.pdf")

    assert (foreign.status_code, invented.status_code) == (401, 404)


async def test_a_download_can_break_halfway(bot: Bot, ada: Person, telegram: TelegramSandbox) -> None:
    file = await bot.get_file(ada.sends_document(content=bytes(1000)).file_id)
    telegram.faults = lambda method, params: Fault(drop=Drop.AFTER) if method == "download" else None

    async with httpx.AsyncClient() as client:
        with pytest.raises(
            httpx.RemoteProtocolError, match="peer closed connection without sending complete message body"
        ):
            await client.get(str(file.file_path))
    telegram.faults = None

    assert (entry := telegram.ledger.accepted("download")[0]).answered is False
    assert str(file.file_path).endswith(entry.params["file_path"])


async def test_an_album_is_separate_updates_with_one_number(call: Caller, ada: Person) -> None:
    ada.sends_album([Photo(), Video(), Photo()], caption="Il cantiere")
    ada.sends_album([Document("a.pdf"), Document("b.pdf")])

    messages = [update["message"] for update in (await call("getUpdates"))["result"]]

    assert [message.get("caption") for message in messages] == ["Il cantiere", None, None, None, None]
    first, second = messages[0]["media_group_id"], messages[3]["media_group_id"]
    assert [message["media_group_id"] for message in messages] == [first] * 3 + [second] * 2
    assert first != second
    with pytest.raises(CannotDo):
        ada.sends_album([Photo()])


async def test_a_caption_can_be_edited_and_a_place_cannot(call: Caller, ada: Person) -> None:
    photo = ada.sends_photo(caption="Prima /aiuto")
    place = ada.sends_location(45.46, 9.19)
    ada.edits(photo.id, "Dopo")

    edited = (await call("getUpdates"))["result"][-1]["edited_message"]

    assert (edited["caption"], "text" in edited, "caption_entities" in edited) == ("Dopo", False, False)
    assert edited["photo"] == photo.raw["photo"]
    assert edited["edit_date"] == edited["date"]
    with pytest.raises(CannotDo):
        ada.edits(place.id, "Altrove")


async def test_a_file_is_replaced_as_telegram_does_it(call: Caller, ada: Person) -> None:
    photo = ada.sends_photo(caption="Prima", content=plain_png(20, 20))
    first = photo.file_id
    ada.edits(photo.id, media=Document("sal.pdf"))
    text = ada.sends("Solo parole")
    ada.edits(text.id, "Parole e foto", media=Photo())
    ada.edits(photo.id, "")

    edited = [one["edited_message"] for one in (await call("getUpdates"))["result"] if "edited_message" in one]

    assert [one["message_id"] for one in edited] == [photo.id, text.id, photo.id]
    assert (edited[0]["caption"], edited[0]["document"]["file_name"], "photo" in edited[0]) == (
        "Prima",
        "sal.pdf",
        False,
    )
    assert edited[0]["document"]["file_id"] != first
    assert (edited[1]["caption"], "text" in edited[1], len(edited[1]["photo"]) > 1) == ("Parole e foto", False, True)
    assert "caption" not in edited[2]


async def test_what_cannot_be_replaced_is_refused(ada: Person) -> None:
    voice, words = ada.sends_voice(), ada.sends("Ciao")
    part = ada.sends_album([Photo(), Photo()])[0]

    for message, text, media in (
        (voice, None, Photo()),
        (words, "x", Voice()),
        (part, None, Document()),
        (words, "", None),
    ):
        with pytest.raises(CannotDo):
            ada.edits(message.id, text, media=media)
    ada.edits(voice.id, "Ascolta")
    ada.edits(part.id, media=Video())


async def test_every_kind_comes_as_telegram_describes_it(call: Caller, ada: Person) -> None:
    ada.sends_voice(duration=7)
    ada.sends_video(duration=9)
    ada.sends_location(45.46, 9.19)
    ada.sends_contact("+39000", "Bruno", user_id=1002)

    voice, video, place, contact = (update["message"] for update in (await call("getUpdates"))["result"])

    assert (voice["voice"]["duration"], voice["voice"]["mime_type"]) == (7, "audio/ogg")
    assert (video["video"]["duration"], video["video"]["mime_type"]) == (9, "video/mp4")
    assert place["location"] == {"latitude": 45.46, "longitude": 9.19}
    assert contact["contact"] == {"phone_number": "+39000", "first_name": "Bruno", "user_id": 1002}


async def test_a_person_deletes_what_the_bot_then_cannot_answer(call: Caller, ada: Person) -> None:
    sent = ada.sends("ciao")
    ada.deletes(sent.id)

    refused = await call.error("sendMessage", chat_id=ada.id, text="x", reply_parameters={"message_id": sent.id})

    assert refused == "Bad Request: message to be replied not found"
    assert len((await call("getUpdates"))["result"]) == 1
    with pytest.raises(CannotDo):
        ada.deletes(sent.id)


async def test_files_are_sent_over_http_as_json(web: httpx.AsyncClient, ada: Person) -> None:
    path = f"/sandbox/people/{ada.id}/send"
    content = base64.b64encode(b"\x00\xff").decode()

    document = (await web.post(path, json={"document": {"name": "a.bin", "content": content}, "caption": "c"})).json()
    claimed = (await web.post(path, json={"document": {"name": "b.pdf", "size": 25 * MIB}})).json()
    album = (await web.post(path, json={"album": [{"photo": {}}, {"video": {}}], "caption": "due"})).json()
    part = (await web.post(path, json={"photo": {}, "media_group_id": "77"})).json()
    place = (await web.post(path, json={"location": {"latitude": 1.5, "longitude": 2.5}})).json()
    await web.post("/sandbox/files/expire", json={"file_id": document["raw"]["document"]["file_id"]})

    assert ada.by_id[document["id"]].content == b"\x00\xff"
    assert claimed["raw"]["document"]["file_size"] == 25 * MIB
    assert [sorted(message["raw"].keys() & {"photo", "video", "caption"}) for message in album["messages"]] == [
        ["caption", "photo"],
        ["video"],
    ]
    assert part["raw"]["media_group_id"] == "77"
    assert place["raw"]["location"] == {"latitude": 1.5, "longitude": 2.5}
    assert (
        await web.post(f"/bot{TOKEN}/getFile", json={"file_id": ada.by_id[document["id"]].file_id})
    ).status_code == 400
    assert (await web.post("/sandbox/files/expire", json={"file_id": "x"})).status_code == 422
    assert (await web.post(path, json={"document": {"content": "not base64"}})).status_code == 422


async def test_files_are_uploaded_over_http_as_a_form(web: httpx.AsyncClient, ada: Person) -> None:
    path = f"/sandbox/people/{ada.id}/send"
    asked = ada.sends("prima")

    one = await web.post(path, data={"reply_to": str(asked.id)}, files={"document": ("nota.txt", b"ciao\r\n")})
    photos = [("photo", ("1.jpg", plain_png(40, 30))), ("photo", ("2.jpg", plain_png(40, 30)))]
    album = await web.post(path, data={"caption": "due"}, files=photos)
    voice = await web.post(path, data={"duration": "4"}, files={"voice": ("v.mp3", b"ID3")})
    broken = await web.post(path, content=b"--", headers={"content-type": "multipart/form-data"})

    sent = ada.by_id[one.json()["id"]]
    assert (sent.content, sent.reply_to, sent.raw["document"]["file_name"]) == (b"ciao\r\n", asked.id, "nota.txt")
    assert [message["raw"].get("caption") for message in album.json()["messages"]] == ["due", None]
    assert voice.json()["raw"]["voice"]["mime_type"] == "audio/mpeg"
    assert voice.json()["raw"]["voice"]["duration"] == 4
    assert broken.status_code == 422


async def test_a_file_is_looked_at_or_saved_but_never_run(web: httpx.AsyncClient, ada: Person) -> None:
    page = ada.sends_document("x.html", content=b"<script>")
    photo = ada.sends_photo()

    saved = await web.get(f"/sandbox/files/{page.file_id}")
    seen = await web.get(f"/sandbox/files/{photo.file_id}")

    assert saved.headers["content-disposition"] == "attachment; filename*=UTF-8''x.html"
    assert saved.headers["content-type"] == "application/octet-stream"
    assert saved.headers["x-content-type-options"] == "nosniff"
    assert saved.headers["content-security-policy"] == "sandbox"
    assert (seen.headers["content-type"], seen.content) == ("image/png", photo.content)
    assert (await web.get("/sandbox/files/x")).status_code == 404

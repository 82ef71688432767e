// One person's chat with the bot: what the server says of it is drawn, what the person does is sent.
import { forget, prepare, take, waiting } from "./attach.js";
import { drawn, element, short } from "./shown.js";

const base = `/sandbox/people/${document.body.dataset.person}`;
const get = (id) => document.getElementById(id);
const log = get("log");
const day = new Intl.DateTimeFormat("it", { weekday: "long", day: "numeric", month: "long", timeZone: "Europe/Rome" });

const messages = new Map(); // id -> what the server says of it
const shown = new Map(); // id, or album -> its node
const answers = new Map(); // query id -> button
let version = 0;
let replyTo = null;
let editing = null;
let payload = document.body.dataset.payload;
let blocked = false;

// ---- messages on the page

const keyOf = (data) => data.raw.media_group_id || data.id;
const hands = { command: (text) => send({ text }), press, reply: startReply, edit: startEdit };

function place(data) {
  messages.set(data.id, data);
  redraw(keyOf(data));
}

function redraw(key) {
  const parts = [...messages.values()].filter((data) => keyOf(data) === key);
  const known = shown.get(key);
  if (!parts.length) return known?.remove();
  const node = drawn(parts, hands);
  node.dataset.day = day.format(new Date(parts[0].raw.date * 1000));
  shown.set(key, node);
  if (known) return known.replaceWith(node);
  const last = log.querySelector("article:last-of-type");
  if (!last || last.dataset.day !== node.dataset.day) {
    log.append(element("p", { className: "day", textContent: node.dataset.day }));
  }
  log.append(node);
}

function remove(id) {
  const data = messages.get(id);
  if (!data) return;
  messages.delete(id);
  redraw(keyOf(data));
}

// ---- what a person does

async function post(path, given) {
  const sent = given instanceof FormData;
  const answer = await fetch(`${base}/${path}`, {
    method: "POST",
    headers: sent ? {} : { "content-type": "application/json" },
    body: sent ? given : JSON.stringify(given),
  });
  const result = await answer.json();
  if (!answer.ok) throw new Error(result.error);
  return result;
}

async function send(given) {
  try {
    if (given instanceof FormData && replyTo) given.set("reply_to", replyTo);
    else if (replyTo) given.reply_to = replyTo;
    await post("send", given);
    stopWriting();
    return true;
  } catch {
    toast("Il messaggio non è partito. Riprova tra un momento.");
    return false;
  }
}

async function change(id, text, files) {
  files?.data.set("message_id", id);
  files?.data.set("text", text);
  try {
    await post("edit", files ? files.data : { message_id: id, text });
    stopWriting();
    return true;
  } catch {
    toast("La modifica non è partita. Riprova tra un momento.");
    return false;
  }
}

async function press(button, messageId, data) {
  button.setAttribute("aria-busy", "true");
  try {
    const made = await post("press", { message_id: messageId, data });
    answers.set(made.query_id, button);
    setTimeout(() => button.removeAttribute("aria-busy"), 10000);
  } catch {
    button.removeAttribute("aria-busy");
    toast("Questo pulsante non c'è più.");
  }
}

function about(title, id) {
  get("risposta-titolo").textContent = title;
  get("risposta-testo").textContent = short(messages.get(id).raw);
  get("risposta").hidden = false;
  get("testo").focus();
}

function startReply(id) {
  stopWriting();
  replyTo = id;
  about("In risposta a", id);
}

function startEdit(id) {
  stopWriting();
  forget();
  editing = id;
  const { raw } = messages.get(id);
  get("testo").value = raw.text ?? raw.caption ?? "";
  about(captioned(id) ? "Modifica la didascalia, o scegli un altro file al posto di" : "Modifica", id);
}

const captioned = (id) => id && messages.get(id).raw.text === undefined;

function stopWriting() {
  if (editing) get("testo").value = "";
  replyTo = null;
  editing = null;
  get("risposta").hidden = true;
}

function toast(text) {
  const node = get("avviso");
  node.textContent = text;
  node.hidden = false;
  clearTimeout(toast.timer);
  toast.timer = setTimeout(() => { node.hidden = true; }, 6000);
}

// ---- what the server says

function answered(item) {
  const button = answers.get(item.query_id);
  if (!item.answered || !button) return;
  answers.delete(item.query_id);
  button.removeAttribute("aria-busy");
  if (!item.text) return;
  if (!item.show_alert) return toast(item.text);
  get("finestra-testo").textContent = item.text;
  get("finestra").showModal();
}

function showCommands(commands) {
  get("menu").hidden = !commands.length;
  get("comandi-lista").replaceChildren(...commands.map((command) => {
    const name = element("strong", { textContent: `/${command.command}` });
    const button = element("button", { type: "button" }, name, element("span", { textContent: command.description }));
    button.onclick = () => { toggleMenu(false); send({ text: `/${command.command}` }); };
    return element("li", {}, button);
  }));
}

function showKeyboard(rows) {
  get("tastiera").hidden = !rows.length || blocked;
  get("tastiera").replaceChildren(...rows.map((row) => element("div", { className: "row" }, ...row.map((button) => {
    const text = typeof button === "string" ? button : button.text;
    const press = () => send({ text });
    return element("button", { type: "button", className: "inline-button", textContent: text, onclick: press });
  }))));
}

function toggleMenu(open) {
  get("comandi").hidden = !open;
  get("menu").setAttribute("aria-expanded", String(open));
  if (open) get("comandi-lista").querySelector("button").focus();
}

function showState(state) {
  blocked = state.blocked;
  const empty = messages.size === 0;
  get("blocca").textContent = blocked ? "Sblocca" : "Blocca";
  get("blocca").setAttribute("aria-pressed", String(blocked));
  get("bloccato").hidden = !blocked;
  get("inizio").hidden = blocked || !(empty || payload);
  get("inizio-testo").textContent = payload
    ? "Hai aperto un link di invito. Premi Avvia per continuare."
    : "Premi Avvia per iniziare a parlare con il bot.";
  get("scrivi").hidden = blocked || (empty && !state.started);
}

function apply(state) {
  const near = log.scrollHeight - log.scrollTop - log.clientHeight < 120;
  for (const data of state.messages) place(data);
  for (const id of state.deleted) remove(id);
  for (const item of state.presses) answered(item);
  showCommands(state.commands);
  showState(state);
  showKeyboard(state.keyboard);
  version = state.version;
  if (near || state.messages.some((data) => !data.from_bot)) log.scrollTop = log.scrollHeight;
}

async function follow() {
  let wait = 0;
  for (;;) {
    try {
      const answer = await fetch(`${base}/chat?after=${version}&wait=${wait}`);
      if (answer.status === 409) return toast("Questa persona non c'è più: la simulazione è ripartita. Ricarica la pagina.");
      apply(await answer.json());
      wait = 20;
    } catch {
      toast("La simulazione non risponde. Riprovo tra poco.");
      await new Promise((resolve) => setTimeout(resolve, 2000));
    }
  }
}

// ---- hands

const attachments = prepare(send, toast);

get("scrivi").onsubmit = async (event) => {
  event.preventDefault();
  const field = get("testo");
  const text = field.value.trim();
  if (!text && !waiting() && !captioned(editing)) return;
  if (editing && waiting() > 1) return toast("Un messaggio ha un solo file: scegline uno.");
  field.value = "";
  const files = take(text);
  const id = editing;
  const gone = id ? await change(id, text, files) : await send(files ? files.data : { text });
  if (!gone) field.value = text;
  if (!gone && files) files.putBack();
  field.focus();
};

get("testo").onkeydown = (event) => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    get("scrivi").requestSubmit();
  }
};

get("avvia").onclick = async () => {
  const text = payload ? `/start ${payload}` : "/start";
  payload = "";
  history.replaceState(null, "", location.pathname);
  get("inizio").hidden = true;
  await send({ text });
  get("testo").focus();
};

get("menu").onclick = () => toggleMenu(get("comandi").hidden);
get("risposta-annulla").onclick = stopWriting;
get("blocca").onclick = () => post("block", { blocked: !blocked });
get("persona").onchange = (event) => {
  location.href = `/sandbox/chat/${event.target.value}${payload ? `?start=${payload}` : ""}`;
};
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  if (attachments.close()) return get("allega").focus();
  if (get("comandi").hidden) return stopWriting();
  toggleMenu(false);
  get("menu").focus();
});
// A picture that comes late must not push the newest message out of sight.
log.addEventListener("load", () => { log.scrollTop = log.scrollHeight; }, true);

follow();

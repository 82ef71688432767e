// One person's chat with the bot. Text only ever becomes text nodes: what Telegram marked as bold, link or code is
// built from its entities (offsets in UTF-16 units, which is how JavaScript counts too), never from HTML.
"use strict";

const person = document.body.dataset.person;
const base = `/sandbox/people/${person}`;
const get = (id) => document.getElementById(id);
const log = get("log");
const day = new Intl.DateTimeFormat("it", { weekday: "long", day: "numeric", month: "long", timeZone: "Europe/Rome" });
const hour = new Intl.DateTimeFormat("it", { hour: "2-digit", minute: "2-digit", timeZone: "Europe/Rome" });

const messages = new Map(); // id -> { data, node }
const waiting = new Map(); // query id -> button
let version = 0;
let replyTo = null;
let payload = document.body.dataset.payload;
let blocked = false;

function element(name, props = {}, ...children) {
  const node = Object.assign(document.createElement(name), props);
  node.append(...children);
  return node;
}

function link(href, text) {
  return element("a", { href, target: "_blank", rel: "noreferrer", textContent: text });
}

// ---- text with entities

const PLAIN = { bold: "strong", italic: "em", underline: "u", strikethrough: "s", code: "code", pre: "pre" };

function wrap(entity, text, inner) {
  const type = entity.type;
  if (PLAIN[type]) return element(PLAIN[type], {}, ...inner);
  if (type.endsWith("blockquote")) return element("blockquote", {}, ...inner);
  if (type === "spoiler") return spoiler(inner);
  if (type === "bot_command") {
    return element("button", { type: "button", className: "command", textContent: text, onclick: () => send(text) });
  }
  const href = { url: text, text_link: entity.url, email: `mailto:${text}` }[type];
  if (href && /^(https?:|mailto:|tg:)/i.test(href)) return link(href, text);
  return element("span", {}, ...inner);
}

function spoiler(inner) {
  const node = element("button", { type: "button", className: "spoiler", ariaLabel: "Mostra il testo nascosto" });
  node.onclick = () => node.replaceWith(element("span", {}, ...inner));
  node.append("▒▒▒▒▒▒");
  return node;
}

function marked(text, entities, start, end) {
  const nodes = [];
  let at = start;
  for (let i = 0; i < entities.length; i += 1) {
    const entity = entities[i];
    const stop = entity.offset + entity.length;
    if (entity.offset < at || stop > end) continue;
    nodes.push(text.slice(at, entity.offset));
    const within = entities.slice(i + 1).filter((other) => other.offset < stop);
    nodes.push(wrap(entity, text.slice(entity.offset, stop), marked(text, within, entity.offset, stop)));
    at = stop;
  }
  nodes.push(text.slice(at, end));
  return nodes;
}

// ---- one message

function body(raw) {
  if (raw.text !== undefined) {
    const entities = (raw.entities || []).slice().sort((a, b) => a.offset - b.offset || b.length - a.length);
    return marked(raw.text, entities, 0, raw.text.length);
  }
  if (raw.document) return [element("em", { textContent: `File: ${raw.document.file_name}` }), ` ${raw.caption || ""}`];
  if (raw.photo) return [element("em", { textContent: "Foto" }), ` ${raw.caption || ""}`];
  return [element("em", { textContent: "Messaggio che questa pagina non sa mostrare" })];
}

function short(raw) {
  const text = raw.text || raw.caption || "un file";
  return text.length > 80 ? `${text.slice(0, 79)}…` : text;
}

function keyboard(data) {
  const rows = (data.raw.reply_markup && data.raw.reply_markup.inline_keyboard) || [];
  const box = element("div", { className: "inline" });
  for (const row of rows) {
    const line = element("div", { className: "row" });
    for (const button of row) line.append(inlineButton(data.id, button));
    box.append(line);
  }
  return rows.length ? [box] : [];
}

function inlineButton(messageId, button) {
  if (button.url) {
    const node = link(button.url, `${button.text} ↗`);
    node.className = "inline-button";
    return node;
  }
  const node = element("button", { type: "button", className: "inline-button", textContent: button.text });
  node.onclick = () => press(node, messageId, button.callback_data);
  return node;
}

function draw(data) {
  const raw = data.raw;
  const mine = !data.from_bot;
  const bubble = element("div", { className: "bubble" });
  if (raw.reply_to_message) {
    bubble.append(element("p", { className: "quoted", textContent: short(raw.reply_to_message) }));
  }
  bubble.append(element("div", { className: "text" }, ...body(raw)));
  const time = new Date(raw.date * 1000);
  const meta = element("p", { className: "meta" });
  const reply = element("button", { type: "button", className: "reply", textContent: "Rispondi" });
  reply.onclick = () => startReply(data.id);
  meta.append(reply, element("span", { textContent: `${raw.edit_date ? "modificato · " : ""}${hour.format(time)}` }));
  bubble.append(meta);
  bubble.onclick = (event) => {
    if (!event.target.closest("a, button") && !String(getSelection())) startReply(data.id);
  };
  const who = element("span", { className: "hidden", textContent: mine ? "Tu: " : "Bot: " });
  const node = element("article", { className: mine ? "message mine" : "message" }, who, bubble, ...keyboard(data));
  node.dataset.day = day.format(time);
  return node;
}

function place(data) {
  const node = draw(data);
  const known = messages.get(data.id);
  messages.set(data.id, { data, node });
  if (known) return known.node.replaceWith(node);
  const last = log.querySelector("article:last-of-type");
  if (!last || last.dataset.day !== node.dataset.day) {
    log.append(element("p", { className: "day", textContent: node.dataset.day }));
  }
  log.append(node);
}

// ---- what a person does

async function post(path, given) {
  const answer = await fetch(`${base}/${path}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(given),
  });
  const result = await answer.json();
  if (!answer.ok) throw new Error(result.error);
  return result;
}

async function send(text) {
  try {
    await post("send", replyTo ? { text, reply_to: replyTo } : { text });
    stopReply();
    return true;
  } catch {
    toast("Il messaggio non è partito. Riprova tra un momento.");
    return false;
  }
}

async function press(button, messageId, data) {
  button.setAttribute("aria-busy", "true");
  try {
    const made = await post("press", { message_id: messageId, data });
    waiting.set(made.query_id, button);
    setTimeout(() => button.removeAttribute("aria-busy"), 10000);
  } catch {
    button.removeAttribute("aria-busy");
    toast("Questo pulsante non c'è più.");
  }
}

function startReply(id) {
  replyTo = id;
  get("risposta-testo").textContent = short(messages.get(id).data.raw);
  get("risposta").hidden = false;
  get("testo").focus();
}

function stopReply() {
  replyTo = null;
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
  const button = waiting.get(item.query_id);
  if (!item.answered || !button) return;
  waiting.delete(item.query_id);
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
    button.onclick = () => { toggleMenu(false); send(`/${command.command}`); };
    return element("li", {}, button);
  }));
}

function showKeyboard(rows) {
  get("tastiera").hidden = !rows.length || blocked;
  get("tastiera").replaceChildren(...rows.map((row) => element("div", { className: "row" }, ...row.map((button) => {
    const text = typeof button === "string" ? button : button.text;
    return element("button", { type: "button", className: "inline-button", textContent: text, onclick: () => send(text) });
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

get("scrivi").onsubmit = async (event) => {
  event.preventDefault();
  const field = get("testo");
  const text = field.value.trim();
  if (!text) return;
  field.value = "";
  if (!(await send(text))) field.value = text;
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
  await send(text);
  get("testo").focus();
};

get("menu").onclick = () => toggleMenu(get("comandi").hidden);
get("risposta-annulla").onclick = stopReply;
get("blocca").onclick = () => post("block", { blocked: !blocked });
get("persona").onchange = (event) => { location.href = `/sandbox/chat/${event.target.value}${payload ? `?start=${payload}` : ""}`; };
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  if (!get("comandi").hidden) { toggleMenu(false); get("menu").focus(); } else stopReply();
});

follow();

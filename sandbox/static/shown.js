// How a message looks. Text only ever becomes text nodes: what Telegram marked as bold, link or code is built from its
// entities (offsets in UTF-16 units, which is how JavaScript counts too), never from HTML.

const hour = new Intl.DateTimeFormat("it", { hour: "2-digit", minute: "2-digit", timeZone: "Europe/Rome" });
const number = new Intl.NumberFormat("it", { maximumFractionDigits: 1 });
const place = new Intl.NumberFormat("it", { maximumFractionDigits: 5 });
const PLAIN = { bold: "strong", italic: "em", underline: "u", strikethrough: "s", code: "code", pre: "pre" };

export function element(name, props = {}, ...children) {
  const node = Object.assign(document.createElement(name), props);
  node.append(...children);
  return node;
}

export function link(href, text) {
  return element("a", { href, target: "_blank", rel: "noreferrer", textContent: text });
}

export function short(raw) {
  const text = raw.text || raw.caption || kindOf(raw);
  return text.length > 80 ? `${text.slice(0, 79)}…` : text;
}

function kindOf(raw) {
  const names = { photo: "Foto", video: "Video", voice: "Nota vocale", location: "Posizione", contact: "Contatto" };
  const kind = Object.keys(names).find((name) => raw[name]);
  return kind ? names[kind] : raw.document ? raw.document.file_name : "Messaggio";
}

// ---- text with entities

function wrap(entity, text, inner, command) {
  const type = entity.type;
  if (PLAIN[type]) return element(PLAIN[type], {}, ...inner);
  if (type.endsWith("blockquote")) return element("blockquote", {}, ...inner);
  if (type === "spoiler") return spoiler(inner);
  if (type === "bot_command") {
    return element("button", { type: "button", className: "command", textContent: text, onclick: () => command(text) });
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

function marked(text, entities, start, end, command) {
  const nodes = [];
  let at = start;
  for (let i = 0; i < entities.length; i += 1) {
    const entity = entities[i];
    const stop = entity.offset + entity.length;
    if (entity.offset < at || stop > end) continue;
    nodes.push(text.slice(at, entity.offset));
    const within = entities.slice(i + 1).filter((other) => other.offset < stop);
    const inner = marked(text, within, entity.offset, stop, command);
    nodes.push(wrap(entity, text.slice(entity.offset, stop), inner, command));
    at = stop;
  }
  nodes.push(text.slice(at, end));
  return nodes;
}

function words(raw, command) {
  const text = raw.text ?? raw.caption;
  if (text === undefined) return [];
  const entities = (raw.entities || raw.caption_entities || []).slice();
  entities.sort((a, b) => a.offset - b.offset || b.length - a.length);
  return [element("div", { className: "text" }, ...marked(text, entities, 0, text.length, command))];
}

// ---- files and the rest

function size(bytes) {
  if (bytes < 1000) return `${bytes} byte`;
  return bytes < 1000000 ? `${number.format(bytes / 1000)} kB` : `${number.format(bytes / 1000000)} MB`;
}

const address = (file) => `/sandbox/files/${file.file_id}`;

function photo(raw) {
  const largest = raw.photo[raw.photo.length - 1];
  const image = element("img", { src: address(largest), alt: raw.caption || "Foto", loading: "lazy" });
  image.width = largest.width;
  image.height = largest.height;
  return element("a", { href: image.src, target: "_blank", className: "picture" }, image);
}

function saved(data) {
  const file = data.raw.document;
  const name = element("span", { className: "file-name", textContent: file.file_name });
  const about = element("span", { className: "file-size", textContent: size(file.file_size) });
  if (!data.has_file) return element("span", { className: "file" }, name, about);
  return element("a", { href: address(file), download: file.file_name, className: "file" }, name, about);
}

function played(kind, file, label) {
  const node = element(kind, { src: address(file), controls: true, preload: "metadata", className: "played" });
  node.setAttribute("aria-label", label);
  return node;
}

function content(data) {
  const raw = data.raw;
  if (raw.photo) return photo(raw);
  if (raw.document) return saved(data);
  if (raw.voice) return played("audio", raw.voice, "Nota vocale");
  if (raw.video) return played("video", raw.video, "Video");
  if (raw.location) {
    const { latitude, longitude } = raw.location;
    return element("div", { className: "text", textContent: `Posizione: ${place.format(latitude)}; ${place.format(longitude)}` });
  }
  if (raw.contact) {
    const name = [raw.contact.first_name, raw.contact.last_name].filter(Boolean).join(" ");
    return element("div", { className: "text", textContent: `Contatto: ${name}, ${raw.contact.phone_number}` });
  }
  return element("em", { textContent: "Messaggio che questa pagina non sa mostrare" });
}

function contents(parts) {
  const nodes = parts.filter((data) => data.raw.text === undefined).map(content);
  if (nodes.length < 2) return nodes;
  const grid = parts.every((data) => data.raw.photo || data.raw.video);
  return [element("div", { className: grid ? "album grid" : "album" }, ...nodes)];
}

// ---- the whole bubble

function buttons(data, hands) {
  const rows = (data.raw.reply_markup && data.raw.reply_markup.inline_keyboard) || [];
  const box = element("div", { className: "inline" });
  for (const row of rows) {
    box.append(element("div", { className: "row" }, ...row.map((button) => inlineButton(data.id, button, hands))));
  }
  return rows.length ? [box] : [];
}

function inlineButton(messageId, button, hands) {
  if (button.url) {
    const node = link(button.url, `${button.text} ↗`);
    node.className = "inline-button";
    return node;
  }
  const node = element("button", { type: "button", className: "inline-button", textContent: button.text });
  node.onclick = () => hands.press(node, messageId, button.callback_data);
  return node;
}

function acts(parts, mine, hands) {
  const act = (text, run) => element("button", { type: "button", className: "act", textContent: text, onclick: run });
  const found = [act("Rispondi", () => hands.reply(parts[0].id))];
  const written = parts.find((data) => data.raw.text !== undefined || data.raw.caption) || parts[0];
  if (mine && !written.raw.location && !written.raw.contact) {
    found.unshift(act("Modifica", () => hands.edit(written.id)));
  }
  return found;
}

// One message, or all parts of an album. `hands`: what a person can do (command, press, reply, edit).
export function drawn(parts, hands) {
  const first = parts[0].raw;
  const mine = !parts[0].from_bot;
  const bubble = element("div", { className: "bubble" });
  if (first.reply_to_message) {
    bubble.append(element("p", { className: "quoted", textContent: short(first.reply_to_message) }));
  }
  bubble.append(...contents(parts), ...parts.flatMap((data) => words(data.raw, hands.command)));
  const edited = parts.some((data) => data.raw.edit_date);
  const when = `${edited ? "modificato · " : ""}${hour.format(new Date(first.date * 1000))}`;
  bubble.append(element("p", { className: "meta" }, ...acts(parts, mine, hands), element("span", { textContent: when })));
  bubble.onclick = (event) => {
    if (!event.target.closest("a, button, audio, video") && !String(getSelection())) hands.reply(parts[0].id);
  };
  const who = element("span", { className: "hidden", textContent: mine ? "Tu: " : "Bot: " });
  const under = parts.flatMap((data) => buttons(data, hands));
  return element("article", { className: mine ? "message mine" : "message" }, who, bubble, ...under);
}

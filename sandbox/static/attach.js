// What a person can attach: files, photos, a place, a contact, a voice note. Sends nothing by itself: it hands on.

const get = (id) => document.getElementById(id);
const MOST = 10; // parts of an album

let chosen = []; // kind and file of what waits to be sent
let recorder = null;
let ticking = 0;

function show(text, { send = false } = {}) {
  get("allegato-testo").textContent = text;
  get("allegato").hidden = false;
  get("voce-invia").hidden = !send;
}

export function forget() {
  chosen = [];
  get("allegato").hidden = true;
  get("voce-scelta").hidden = true;
  get("testo").placeholder = "Messaggio";
  if (recorder) stop(() => {});
}

export const waiting = () => chosen.length;

// The form to send, with this caption, and what to do should it not leave; null when nothing waits.
export function take(caption) {
  if (!chosen.length) return null;
  const files = chosen;
  const data = new FormData();
  for (const [kind, file] of files) data.append(kind, file, file.name);
  data.set("caption", caption);
  forget();
  return { data, putBack: () => wait(files) };
}

function wait(files) {
  chosen = files;
  const names = files.map(([, file]) => file.name);
  show(names.length === 1 ? names[0] : `${names.length} file: ${names.join(", ")}`);
  get("testo").placeholder = "Didascalia";
  get("testo").focus();
}

function choose(files, kindOf, toast) {
  if (!files.length) return;
  if (files.length > MOST) return toast(`Puoi inviare al massimo ${MOST} file insieme.`);
  wait([...files].map((file) => [kindOf(file), file]));
}

// ---- voice

const clock = (passed) => `${Math.floor(passed / 60000)}:${String(Math.floor(passed / 1000) % 60).padStart(2, "0")}`;

function stop(use) {
  const { media, parts, since } = recorder;
  recorder = null;
  clearInterval(ticking);
  media.onstop = () => {
    for (const track of media.stream.getTracks()) track.stop();
    use(new Blob(parts, { type: media.mimeType }), Math.max(1, Math.round((Date.now() - since) / 1000)));
  };
  media.stop();
}

async function record(toast) {
  let stream;
  try {
    stream = await navigator.mediaDevices.getUserMedia({ audio: true });
  } catch {
    show("Il microfono non è disponibile.");
    get("voce-scelta").hidden = false;
    return;
  }
  const kind = ["audio/ogg;codecs=opus", "audio/webm;codecs=opus"].find((type) => MediaRecorder.isTypeSupported(type));
  const media = new MediaRecorder(stream, kind ? { mimeType: kind } : {});
  const parts = [];
  recorder = { media, parts, since: Date.now() };
  media.ondataavailable = (event) => parts.push(event.data);
  media.onerror = () => { forget(); toast("La registrazione si è interrotta."); };
  media.start();
  const tick = () => show(`Registro ${clock(Date.now() - recorder.since)}`, { send: true });
  tick();
  ticking = setInterval(tick, 1000);
}

function voice(file, seconds, name) {
  const data = new FormData();
  data.append("voice", file, name);
  if (seconds) data.set("duration", seconds);
  return data;
}

// ---- hands

// `send(body)` takes a form or an object; `toast(text)` tells.
export function prepare(send, toast) {
  const panel = get("allegati");
  const open = (yes) => {
    panel.hidden = !yes;
    get("allega").setAttribute("aria-expanded", String(yes));
    if (yes) panel.querySelector("button").focus();
  };
  const on = (id, run) => { get(id).onclick = () => { open(false); run(); }; };
  get("allega").onclick = () => open(panel.hidden);
  on("allega-file", () => get("file").click());
  on("allega-foto", () => get("foto").click());
  on("allega-voce", () => record(toast));
  on("allega-posizione", () => get("posizione").showModal());
  on("allega-contatto", () => get("contatto").showModal());
  get("file").onchange = (event) => { choose(event.target.files, () => "document", toast); event.target.value = ""; };
  get("foto").onchange = (event) => {
    choose(event.target.files, (file) => (file.type.startsWith("video/") ? "video" : "photo"), toast);
    event.target.value = "";
  };
  get("audio").onchange = (event) => {
    const [file] = event.target.files;
    forget();
    if (file) send(voice(file, 0, file.name));
    event.target.value = "";
  };
  get("voce-scelta").onclick = () => get("audio").click();
  get("voce-invia").onclick = () => {
    get("allegato").hidden = true;
    stop((blob, seconds) => send(voice(blob, seconds, blob.type.includes("ogg") ? "nota.oga" : "nota.weba")));
  };
  get("allegato-annulla").onclick = forget;
  get("posizione-form").onsubmit = () => {
    const value = (id) => Number(get(id).value);
    send({ location: { latitude: value("latitudine"), longitude: value("longitudine") } });
  };
  get("contatto-form").onsubmit = () => {
    const contact = { phone_number: get("telefono").value.trim(), first_name: get("nome").value.trim() };
    if (get("cognome").value.trim()) contact.last_name = get("cognome").value.trim();
    send({ contact });
  };
  for (const button of document.querySelectorAll("dialog [value=annulla]")) {
    button.onclick = (event) => { event.preventDefault(); button.closest("dialog").close(); };
  }
  return { close: () => { const was = !panel.hidden; open(false); return was; } };
}

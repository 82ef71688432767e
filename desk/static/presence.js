// Listens to who else is at this question and to what arrives meanwhile; says when its own reader types. Without it
// the page says who was there when it was loaded.
"use strict";
(function () {
  const box = document.querySelector("[data-presence]");
  const hint = document.querySelector("[data-meanwhile]");
  if (!box || !hint || !window.EventSource) {
    return;
  }
  const QUIET = 15000; // milliseconds without a key after which nobody is typing
  const AGAIN = 10000;
  const token = document.querySelector('input[name="csrf"]');
  let stream = null;

  function heard(event) {
    const now = JSON.parse(event.data);
    box.textContent = now.people;
    box.hidden = !now.people;
    const arrived = now.newest > Number(box.dataset.newest);
    const changed = now.version > Number(box.dataset.version);
    hint.querySelector("[data-arrived]").hidden = !arrived;
    hint.querySelector("[data-changed]").hidden = arrived || !changed;
    hint.hidden = !arrived && !changed;
  }

  function listen() {
    // Not in a page that nobody sees: a browser keeps only six connections to one place.
    if (document.hidden && stream) {
      stream.close();
      stream = null;
    } else if (!document.hidden && !stream) {
      stream = new EventSource(box.dataset.presence);
      stream.onmessage = heard;
    }
  }

  // The thread, the state and the version as they are now; forms stay, with all that was typed and chosen.
  async function renew() {
    const answer = await fetch(box.dataset.presence.replace(/\/presence$/, ""));
    if (!answer.ok || answer.redirected) {
      return;
    }
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    [".thread", ".states"].forEach(function (part) {
      document.querySelector(part).replaceWith(fresh.querySelector(part));
    });
    const now = fresh.querySelector("[data-presence]").dataset;
    document.querySelectorAll('input[name="version"]').forEach(function (field) {
      field.value = now.version;
    });
    box.dataset.newest = now.newest;
    box.dataset.version = now.version;
    hint.hidden = true;
    const last = document.querySelector(".thread > li:last-child");
    last.tabIndex = -1;
    last.focus();
  }

  let typing = false;
  let told = 0;
  let rest = null;
  function tell(writing) {
    typing = writing;
    told = Date.now();
    const form = new URLSearchParams({ csrf: token.value, writing: writing ? "1" : "" });
    fetch(box.dataset.presence, { method: "POST", body: form, keepalive: true }).catch(function () {});
  }
  function stopped() {
    clearTimeout(rest);
    if (typing) {
      tell(false);
    }
  }
  function typed(event) {
    if (!token || event.target.tagName !== "TEXTAREA") {
      return;
    }
    if (!typing || Date.now() - told > AGAIN) {
      tell(true);
    }
    clearTimeout(rest);
    rest = setTimeout(stopped, QUIET);
  }

  document.addEventListener("visibilitychange", listen);
  window.addEventListener("pagehide", stopped);
  document.querySelector(".question-main").addEventListener("input", typed);
  hint.querySelector("[data-renew]").addEventListener("click", renew);
  listen();
})();

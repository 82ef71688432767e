// Saves a form while it is filled in, and puts what changed in its place: nobody's caret moves, no letter is lost.
// Without this file the same form works with its buttons.
"use strict";
(() => {
  const form = document.getElementById("fill");
  if (!form || !window.htmx) return;
  document.documentElement.classList.add("js");
  const state = document.getElementById("fill-state");
  const RETRY = 5000; // milliseconds
  let later = 0; // the timer of the next try
  let running = 0;
  let waiting = null; // the button that was pressed while something was being saved
  let before = new Map(); // what stood in each control when the request left

  const standsIn = (control) => (/^(radio|checkbox)$/.test(control.type) ? control.checked : control.value);
  const controlsOf = (part) => part.querySelectorAll("input:not([type=hidden]):not([type=file]), select, textarea");
  const remember = () => { before = new Map([...controlsOf(form)].map((one) => [one, standsIn(one)])); };
  const touched = (part) => [...controlsOf(part)].some((one) => before.has(one) && before.get(one) !== standsIn(one));

  function tell(text, failed = false) {
    state.textContent = text;
    state.classList.toggle("failed", failed);
  }

  // --- what comes back

  function reconcile(old, fresh, added) {
    const coming = new Set([...fresh.children].map((one) => one.id));
    for (const mine of [...old.children]) if (!coming.has(mine.id)) mine.remove();
    let place = old.firstElementChild;
    for (const next of [...fresh.children]) {
      const mine = [...old.children].find((one) => one.id === next.id);
      if (!mine) {
        old.insertBefore(next, place);
        added.push(next);
        continue;
      }
      if (mine !== place) old.insertBefore(mine, place);
      place = renewed(mine, next, added).nextElementSibling;
    }
  }

  function renewed(mine, next, added) {
    if (next.hasAttribute("data-same")) return mine;
    if (next.hasAttribute("data-list")) {
      reconcile(mine, next, added);
      return mine;
    }
    if (!next.dataset.look) return mine.outerHTML === next.outerHTML ? mine : replaced(mine, next, added);
    if (touched(mine)) return mine; // they are writing there: the next answer sees to it
    if (mine.dataset.look !== next.dataset.look) return replaced(mine, next, added);
    if (mine.dataset.state !== next.dataset.state) takeOver(mine, next);
    return mine;
  }

  function replaced(mine, next, added) {
    mine.replaceWith(next); // htmx puts focus and caret back, by the id
    added.push(next);
    return next;
  }

  function takeOver(mine, next) {
    for (const control of controlsOf(next)) {
      const there = mine.querySelector(`[id="${control.id}"]`);
      if (!there || (there === document.activeElement && /^text/.test(there.type))) continue;
      if (/^(radio|checkbox)$/.test(there.type)) there.checked = control.checked;
      else there.value = control.value;
    }
    mine.dataset.state = next.dataset.state;
  }

  htmx.defineExtension("fill", {
    handleSwap(style, target, fragment) {
      if (style !== "keyed") return false;
      const added = [];
      reconcile(target, fragment.querySelector("#fill-part"), added);
      tell(document.getElementById("fill-now").textContent, false);
      return added;
    },
  });

  // --- what leaves

  form.addEventListener("htmx:configRequest", (event) => {
    const uploading = event.detail.elt.type === "file" ? event.detail.elt.name : null;
    for (const name of [...event.detail.formData.keys()])
      if (name.startsWith("file:") && name !== uploading) event.detail.formData.delete(name);
    // htmx sends the button that has the focus along, pressed or not: who came to it with the Tab key has not pressed it.
    event.detail.formData.delete("action");
    if (event.detail.elt.tagName === "BUTTON") event.detail.formData.append("action", event.detail.elt.value);
    const looks = [...form.querySelectorAll("[data-look]")].map((one) => `${one.dataset.key}=${one.dataset.look}.${one.dataset.state}`);
    event.detail.formData.append("looks", looks.join(" "));
  });
  form.addEventListener("htmx:beforeRequest", () => { running += 1; remember(); });
  form.addEventListener("htmx:afterRequest", (event) => {
    running -= 1;
    for (const bar of form.querySelectorAll("progress.upload")) bar.hidden = true;
    const focus = event.detail.xhr && event.detail.xhr.getResponseHeader("X-Focus");
    const place = focus && document.getElementById(decodeURIComponent(focus));
    if (place) place.focus();
    if (waiting && running === 0) {
      const button = waiting;
      waiting = null;
      form.requestSubmit(button.isConnected ? button : null);
    }
  });
  document.body.addEventListener("htmx:beforeSwap", (event) => {
    if (event.detail.xhr.status === 409 && event.detail.xhr.getResponseHeader("HX-Retarget")) {
      event.detail.shouldSwap = true;
      event.detail.isError = false;
    }
  });
  document.body.addEventListener("htmx:afterSwap", () => {
    const title = document.getElementById("fill-conflict-title");
    if (title) title.focus();
  });
  form.addEventListener("htmx:responseError", () => tell(state.dataset.failed, true));
  const again = () => { clearTimeout(later); if (state.classList.contains("failed")) htmx.trigger(form, "change"); };
  form.addEventListener("htmx:sendError", () => {
    tell(state.dataset.offline, true);
    later = setTimeout(again, RETRY);
  });
  window.addEventListener("online", again);
  form.addEventListener("submit", (event) => {
    if (running === 0) return;
    event.preventDefault();
    waiting = event.submitter;
  });

  // --- small things that only a script can do

  form.addEventListener("focusin", (event) => {
    const field = event.target.closest("[data-key]");
    if (field) document.getElementById("fill-step").value = field.dataset.key;
  });
  form.addEventListener("htmx:xhr:progress", (event) => {
    const bar = event.target.type === "file" && document.getElementById(event.target.id.replace(/^f-/, "p-"));
    if (!bar || !event.detail.lengthComputable) return;
    bar.hidden = false;
    bar.value = (100 * event.detail.loaded) / event.detail.total;
  });
  form.addEventListener("click", (event) => {
    const button = event.target.closest("[data-position]");
    if (!button) return;
    const said = button.parentElement.querySelector("[data-problem]");
    const sorry = () => { said.textContent = said.dataset.problem; };
    if (!navigator.geolocation) return sorry();
    navigator.geolocation.getCurrentPosition((found) => {
      const [latitude, longitude] = [document.getElementById(button.dataset.position), document.getElementById(`${button.dataset.position}::2`)];
      latitude.value = found.coords.latitude.toFixed(6);
      longitude.value = found.coords.longitude.toFixed(6);
      said.textContent = "";
      longitude.dispatchEvent(new Event("change", { bubbles: true }));
    }, sorry);
  });
})();

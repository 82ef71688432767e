// The keys of the desk (desk/keys.py says which). Never while something is being typed, never with Ctrl, Alt or Cmd.
"use strict";
(function () {
  const PLACES = {
    q: "/desk/questions",
    m: "/desk/questions?view=mine",
    u: "/desk/updates",
    d: "/desk/deadlines",
    p: "/desk/projects",
    r: "/desk/referents",
  };
  const PATIENCE = 1500; // milliseconds between g and the key after it
  let going = 0;

  function find(selector) {
    return document.querySelector("main " + selector);
  }

  function press(selector) {
    const found = find(selector);
    if (found) {
      found.click();
    }
  }

  // What a colleague has in hand is not taken by a slip: there the key only leads to the button.
  function take() {
    const button = find('form[action$="/take"] button');
    if (button && find('.question-main[data-state="new"]')) {
      button.click();
    } else if (button) {
      button.focus();
    }
  }

  function write(selector) {
    const box = find(selector);
    if (box) {
      const folded = box.closest("details");
      if (folded) {
        folded.open = true;
      }
      box.focus();
    }
  }

  // One line on or back, from the one that has the focus.
  function walk(step) {
    const next = find(step > 0 ? '.question-list a[rel="next"]' : '.question-list a[rel="prev"]');
    if (find(".question-main")) {
      if (next) {
        next.click();
      }
      return;
    }
    const lines = [...document.querySelectorAll("main tbody tr, main .cards > li")]
      .map((row) => row.querySelector("a"))
      .filter((link) => link && link.offsetParent);
    const row = document.activeElement.closest("tr, .cards > li");
    const here = lines.findIndex((link) => row && row.contains(link));
    const wanted = lines[here < 0 ? 0 : here + step];
    if (wanted) {
      wanted.focus();
    }
  }

  async function help() {
    const answer = await fetch("/desk/keys");
    if (!answer.ok || answer.redirected) {
      location.assign("/desk/keys");
      return;
    }
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const dialog = document.createElement("dialog");
    dialog.className = "keys-dialog";
    const title = page.querySelector("h1");
    title.id = "keys-title";
    title.className = "h4";
    dialog.setAttribute("aria-labelledby", title.id);
    const close = document.createElement("form");
    close.method = "dialog";
    const button = document.createElement("button");
    button.className = "btn btn-primary btn-sm";
    button.textContent = document.querySelector("[data-keys]").dataset.close;
    close.append(button);
    dialog.append(title, page.querySelector(".keys-sheet"), close);
    dialog.addEventListener("close", () => dialog.remove());
    document.body.append(dialog);
    dialog.showModal();
  }

  const ACTS = {
    "?": help,
    "/": () => write('input[type="search"]'),
    j: () => walk(1),
    k: () => walk(-1),
    r: () => write(".answer-form textarea"),
    n: () => write("#f-note"),
    t: take,
    c: () => press('.question-main form[action$="/close"] button, .question-main a[href$="/close"]'),
  };

  document.addEventListener("keydown", function (event) {
    const at = event.target;
    const ticks = at.type === "checkbox" || at.type === "radio";
    const writes = at.isContentEditable || (/^(INPUT|TEXTAREA|SELECT)$/.test(at.tagName) && !ticks);
    const other = event.ctrlKey || event.altKey || event.metaKey || event.repeat || event.defaultPrevented;
    if (writes || other || document.querySelector("dialog[open]")) {
      return;
    }
    const place = Date.now() - going < PATIENCE ? PLACES[event.key] : undefined;
    going = event.key === "g" ? Date.now() : 0;
    if (place) {
      event.preventDefault();
      location.assign(place);
    } else if (Object.hasOwn(ACTS, event.key)) {
      event.preventDefault();
      ACTS[event.key]();
    }
  });
})();

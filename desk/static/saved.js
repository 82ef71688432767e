// Saved answers beside the box: narrows the list as one types, puts the text where the cursor is. Without it the page
// comes back with the text at the end.
"use strict";
document.querySelectorAll("[data-saved]").forEach(function (box) {
  const form = box.closest("form");
  const text = form.querySelector("textarea[name=text]");
  const said = form.querySelector(".saved-said");
  const find = box.querySelector("#f-find");
  const list = box.querySelector("select");
  const button = box.querySelector("button");
  const groups = Array.from(list.children).map(function (child) { return child.cloneNode(true); });

  function fold(words) {
    return words.normalize("NFKD").replace(/[\u0300-\u036f]/g, "").toLowerCase();
  }

  function narrow() {
    const wanted = fold(find.value).split(/\s+/).filter(Boolean);
    const fits = function (option) {
      return option.value === "" || wanted.every(function (word) { return fold(option.textContent).includes(word); });
    };
    list.replaceChildren();
    groups.forEach(function (group) {
      const copy = group.cloneNode(true);
      if (copy.tagName === "OPTION") {
        if (fits(copy)) list.append(copy);
        return;
      }
      Array.from(copy.children).forEach(function (option) { if (!fits(option)) option.remove(); });
      if (copy.children.length) list.append(copy);
    });
    const first = Array.from(list.options).find(function (option) { return option.value !== ""; });
    if (wanted.length && first) first.selected = true;
  }

  function insert(words) {
    const before = text.value.slice(0, text.selectionStart);
    const gap = before.trim() && !before.endsWith("\n") ? "\n\n" : "";
    text.focus();
    text.setRangeText(gap + words, text.selectionStart, text.selectionEnd, "end");
    text.dispatchEvent(new Event("input", { bubbles: true }));
  }

  async function put(event) {
    event.preventDefault();
    const fields = new FormData();
    fields.append("csrf", form.elements.csrf.value);
    fields.append("saved", list.value);
    try {
      const answer = await fetch(button.formAction, {
        method: "POST", body: fields, headers: { Accept: "application/json" },
      });
      const found = await answer.json();
      said.textContent = found.problem || found.missing;
      if (found.text) insert(found.text);
    } catch {
      button.removeEventListener("click", put); // the way without a script
      button.click();
    }
  }

  box.querySelector(".saved-find").hidden = false;
  find.addEventListener("input", narrow);
  find.addEventListener("keydown", function (event) {
    if (event.key === "Enter") {
      event.preventDefault(); // it would send the answer
      if (list.value) put(event);
    } else if (event.key === "ArrowDown") {
      event.preventDefault();
      list.focus();
    }
  });
  button.addEventListener("click", put);
});

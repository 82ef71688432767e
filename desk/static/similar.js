// "Use this answer": its text goes to the end of what is typed already. Without it the page comes back with the text.
"use strict";
document.addEventListener("click", function (event) {
  const link = event.target.closest("[data-use]");
  const text = document.getElementById("f-text");
  if (!link || !text) return;
  event.preventDefault();
  const words = link.parentElement.querySelector(".similar-text").textContent;
  const before = text.value.trimEnd();
  text.value = before ? before + "\n\n" + words : words;
  text.dispatchEvent(new Event("input", { bubbles: true }));
  text.focus();
  text.setSelectionRange(text.value.length, text.value.length);
  const said = document.querySelector(".similar-said");
  said.textContent = said.dataset.said;
});

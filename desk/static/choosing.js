// One box chooses every line of the list, or none. Without it each line has its own box.
"use strict";
(function () {
  function boxes() {
    return Array.from(document.querySelectorAll('input[name="pick"]'));
  }
  function show() {
    const all = document.getElementById("f-pick-all");
    if (!all) return;
    const chosen = boxes().filter(function (box) { return box.checked; }).length;
    const bar = all.closest(".pick-all");
    const said = bar.querySelector("[role=status]");
    bar.hidden = false;
    all.checked = chosen > 0 && chosen === boxes().length;
    all.indeterminate = chosen > 0 && !all.checked;
    said.textContent = chosen ? said.dataset.said.replace("{n}", chosen) : "";
  }
  document.addEventListener("change", function (event) {
    if (event.target.id === "f-pick-all") {
      boxes().forEach(function (box) { box.checked = event.target.checked; });
    } else if (event.target.name !== "pick") return;
    show();
  });
  // A list that came while one typed, and boxes that the browser brought back with the page.
  document.addEventListener("htmx:afterSettle", show);
  window.addEventListener("pageshow", show);
  show();
})();

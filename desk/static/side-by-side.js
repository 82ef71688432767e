// Beside the question: shows the line that is open, and folds the panels where they stand below and not beside.
"use strict";
(function () {
  const line = document.querySelector(".question-list .lines a[aria-current]");
  if (line && line.offsetParent) {
    const list = line.closest(".lines");
    list.scrollTop = line.offsetTop - list.offsetTop - list.clientHeight / 3;
  }
  if (!window.matchMedia("(min-width: 992px)").matches) {
    document.querySelectorAll("details.panel[open]").forEach(function (panel) {
      panel.open = false;
    });
  }
})();

// Counts down while an answer can still be stopped, then takes the offer away. Without it the page says the seconds.
"use strict";
document.querySelectorAll("[data-countdown]").forEach(function (box) {
  const shown = box.querySelector("[data-seconds]");
  const end = Date.now() + 1000 * Number(box.dataset.countdown);
  box.removeAttribute("role"); // nobody wants every second read out
  const timer = setInterval(function () {
    const left = Math.ceil((end - Date.now()) / 1000);
    shown.textContent = String(Math.max(0, left));
    if (left <= 0) {
      clearInterval(timer);
      box.remove();
    }
  }, 250);
});

// Local times, and news of fresh mail. Nothing is loaded from elsewhere.
"use strict";

const clock = new Intl.DateTimeFormat("it", { dateStyle: "medium", timeStyle: "short", timeZone: "Europe/Rome" });
for (const time of document.querySelectorAll("time")) time.textContent = clock.format(new Date(time.dateTime));

async function watch(last) {
  for (;;) {
    try {
      const answer = await fetch(`/sandbox/mail.json?after=${last}&wait=20`);
      if (!answer.ok) return;
      const { mails } = await answer.json();
      if (!mails.length) continue;
      const field = document.getElementById("to");
      if (document.activeElement !== field) return location.reload();
      document.getElementById("nuove").hidden = false;
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 2000));
    }
  }
}

if (document.body.dataset.last !== undefined) watch(Number(document.body.dataset.last));

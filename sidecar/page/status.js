"use strict";
// The server draws the page; this fetches it again every two seconds and puts in place what has changed. So there is one
// renderer, and what the page shows without JavaScript is what it shows with it.
(() => {
  const every = 2000, patience = 5000;
  const stale = document.getElementById("stale");
  const brief = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit" });
  let timer = 0, lastAnswer = new Date(), asking = false;

  function place(next) {
    for (const part of document.querySelectorAll("[data-live]")) {
      const now = next.getElementById(part.id);
      if (now === null || now.innerHTML === part.innerHTML) continue;
      part.replaceChildren(...[...now.childNodes].map((node) => document.adoptNode(node)));
    }
    document.title = next.title;
  }

  function show(answered) {
    document.body.classList.toggle("stale", !answered);
    if (stale.hidden !== answered) stale.hidden = answered;
    const words = answered ? "" : `No answer since ${brief.format(lastAnswer)}. What you see is of then.`;
    if (stale.textContent !== words) stale.textContent = words;
  }

  async function refresh() {
    clearTimeout(timer);
    if (asking || document.hidden) return;
    asking = true;
    try {
      const answer = await fetch(location.pathname, { cache: "no-store", signal: AbortSignal.timeout(patience) });
      if (!answer.ok) throw new Error(String(answer.status));
      place(new DOMParser().parseFromString(await answer.text(), "text/html"));
      lastAnswer = new Date();
      show(true);
    } catch {
      show(false);
    }
    asking = false;
    timer = setTimeout(refresh, every);
  }

  document.addEventListener("visibilitychange", refresh);
  timer = setTimeout(refresh, every);
})();

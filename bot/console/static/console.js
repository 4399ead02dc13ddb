// What a page does more with a script: keys, no double sends, the live conversation, times in the reader's zone. Nothing needs it.
"use strict";

document.documentElement.classList.add("js");

const isTyping = (target) => target.closest("input, textarea, select, [contenteditable]") !== null;

// Keys. A letter presses what carries it; what sends something to a customer is only brought under the Enter key.
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) {
    const form = event.target.closest("form");
    if ((event.ctrlKey || event.metaKey) && event.key === "Enter" && event.target.tagName === "TEXTAREA") form.requestSubmit();
    return;
  }
  if (event.key === "Escape" && isTyping(event.target)) {
    event.target.blur();
    return;
  }
  if (isTyping(event.target)) return;
  if (event.key === "/") return reach(event, document.querySelector("#q"));
  const line = walk(event.key);
  if (line) return reach(event, line);
  const wanted = document.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
  if (!wanted) return;
  if (wanted.tagName === "DETAILS") {
    wanted.open = true;
    return reach(event, wanted.querySelector("textarea, input:not([type=hidden])"));
  }
  if (wanted.matches("button.main")) return reach(event, wanted);
  event.preventDefault();
  wanted.click();
});

function reach(event, element) {
  if (!element) return;
  event.preventDefault();
  element.focus();
  element.scrollIntoView({ block: "nearest" });
}

// The line above or below the one in focus.
function walk(key) {
  const lines = [...document.querySelectorAll("[data-lines] a")];
  if (lines.length === 0 || (key !== "j" && key !== "k")) return null;
  const at = lines.indexOf(document.activeElement);
  return lines[Math.min(lines.length - 1, Math.max(0, at + (key === "j" ? 1 : -1)))];
}

// A form is sent once.
document.addEventListener("submit", (event) => {
  if (!event.target.matches("[data-once]")) return;
  if (event.target.dataset.sent) return event.preventDefault();
  event.target.dataset.sent = "yes";
  window.addEventListener("pageshow", () => delete event.target.dataset.sent, { once: true });
});

// Filters work as they are chosen.
document.addEventListener("change", (event) => {
  const form = event.target.closest("[data-submit-on-change]");
  if (form) form.requestSubmit();
});

// The way back after choosing a theme.
for (const back of document.querySelectorAll("[data-back]")) back.value = location.pathname + location.search;

// Times as the reader's clock says them.
function localise(root) {
  for (const time of root.querySelectorAll("time[datetime]")) {
    const at = new Date(time.dateTime);
    time.title = at.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
  }
}

// Editors as tall as what stands in them.
function grow(area) {
  area.style.height = "auto";
  area.style.height = `${area.scrollHeight + 4}px`;
}
for (const area of document.querySelectorAll("textarea[data-grow]")) {
  area.addEventListener("input", () => grow(area));
  area.closest("details")?.addEventListener("toggle", () => grow(area));
}

// Parts that come from the helpdesk, after the page is there.
async function load(place) {
  try {
    const answer = await fetch(place.dataset.load, { headers: { "X-Fragment": "1" } });
    if (!answer.ok) return;
    place.innerHTML = await answer.text();
    localise(place);
  } catch {
    // What the page already shows stands, with a link to the whole conversation.
  }
}

// What is under way is looked at again, unless somebody is writing.
function refresh(place) {
  setTimeout(() => {
    if (document.hidden || isTyping(document.activeElement)) return refresh(place);
    const address = new URL(location.href);
    address.searchParams.delete("said");
    location.replace(address);
  }, Number(place.dataset.refresh));
}

localise(document);
for (const place of document.querySelectorAll("[data-load]")) load(place);
for (const place of document.querySelectorAll("[data-refresh]")) refresh(place);

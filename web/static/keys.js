// Keys for people who prefer them; every page works without. `/` jumps, `?` helps, `j` and `k` walk.
"use strict";

const ROWS = "main tbody tr, main .list > li, main .trail > li, main .cards > *";

function isTyping(element) {
  return element.closest("input, textarea, select, [contenteditable]") !== null;
}

function stops() {
  const links = [...document.querySelectorAll(ROWS)].map((row) =>
    row.matches("a") ? row : row.querySelector("a"),
  );
  return [...new Set(links)].filter((link) => link && link.getClientRects().length > 0);
}

function walk(step) {
  const links = stops();
  const here = links.findIndex((link) => link === document.activeElement);
  const next = here < 0 ? (step > 0 ? 0 : links.length - 1) : here + step;
  links[Math.min(Math.max(next, 0), links.length - 1)]?.focus();
}

function jump() {
  const fields = [...document.querySelectorAll("[data-jump]")];
  const field = fields.find((one) => one.getClientRects().length > 0);
  if (field) {
    field.select();
  } else if (fields.length > 0) {
    location.assign(fields[0].form.action);
  }
}

const KEYS = {
  "/": jump,
  "?": () => document.querySelector("[data-keys]")?.click(),
  j: () => walk(1),
  k: () => walk(-1),
};

document.addEventListener("keydown", (event) => {
  const act = KEYS[event.key];
  if (!act || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) {
    return;
  }
  event.preventDefault();
  act();
});

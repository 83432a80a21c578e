// What the page can do beyond links and forms: keys, dragging over the histogram, cards over claims.
// Everything listens at the document, so that parts that htmx puts in need no care.
"use strict";
document.documentElement.classList.add("js");

// -- keys: / search, j and k through the hits, Enter opens

const hits = () => [...document.querySelectorAll("[data-hit]")];

function move(step) {
  const all = hits();
  if (!all.length) return;
  const at = all.findIndex((hit) => hit.hasAttribute("data-current"));
  const next = all[Math.max(0, Math.min(all.length - 1, at < 0 ? 0 : at + step))];
  if (at >= 0) all[at].removeAttribute("data-current");
  next.setAttribute("data-current", "");
  next.querySelector("[data-open]")?.focus({ preventScroll: true });
  next.scrollIntoView({ block: "nearest" });
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest("input, textarea, select")) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  if (event.key === "/") {
    const box = document.getElementById("q");
    if (box) {
      box.focus();
      box.select();
    } else {
      location.assign("/");
    }
  } else if (event.key === "j" || event.key === "k") {
    move(event.key === "j" ? 1 : -1);
  } else if (event.key === "Escape") {
    hide();
    return;
  } else {
    return;
  }
  event.preventDefault();
});

// -- addresses stay short: what is empty is left out

document.addEventListener("htmx:config:request", (event) => {
  const { method, body } = event.detail.ctx.request;
  if (method !== "GET" || !(body instanceof FormData)) return;
  for (const [name, value] of [...body]) if (value === "") body.delete(name);
});

// -- the histogram: drag from one bar to another

let drag = null;

function columnAt(svg, x) {
  const columns = [...svg.querySelectorAll(".column")];
  const box = svg.getBoundingClientRect();
  const n = Math.floor(((x - box.left) / box.width) * columns.length);
  return Math.max(0, Math.min(columns.length - 1, n));
}

document.addEventListener("pointerdown", (event) => {
  const svg = event.target.closest?.("[data-drag]");
  if (!svg || event.button !== 0) return;
  const from = columnAt(svg, event.clientX);
  drag = { svg, from, to: from, moved: false };
});

document.addEventListener("pointermove", (event) => {
  if (!drag) return;
  drag.to = columnAt(drag.svg, event.clientX);
  drag.moved ||= drag.to !== drag.from;
  const [low, high] = [Math.min(drag.from, drag.to), Math.max(drag.from, drag.to)];
  drag.svg.querySelectorAll(".column").forEach((column, n) => column.classList.toggle("on", drag.moved && n >= low && n <= high));
});

document.addEventListener("pointerup", () => {
  if (!drag) return;
  const { svg, from, to, moved } = drag;
  drag = null;
  if (!moved) return;
  const columns = svg.querySelectorAll(".column");
  const url = new URL(svg.dataset.drag, location.href);
  url.searchParams.set("from", columns[Math.min(from, to)].dataset.since);
  url.searchParams.set("to", columns[Math.max(from, to)].dataset.until);
  // The click that ends the drag must not follow the link under it.
  addEventListener("click", (click) => click.preventDefault(), { capture: true, once: true });
  location.assign(url);
});

document.addEventListener("pointercancel", () => {
  drag?.svg.querySelectorAll(".on").forEach((column) => column.classList.remove("on"));
  drag = null;
});

document.addEventListener("dragstart", (event) => {
  if (event.target.closest?.("[data-drag]")) event.preventDefault();
});

// -- claims in an article: a card beside the words, and the words beside the claim

let card = null;

function light(n, on) {
  document.querySelectorAll("[data-claims]").forEach((part) => {
    if (part.dataset.claims.split(" ").includes(n)) part.classList.toggle("lit", on);
  });
}

function hide() {
  card?.remove();
  card = null;
  document.querySelectorAll(".lit").forEach((part) => part.classList.remove("lit"));
}

function show(part) {
  hide();
  const n = part.dataset.claims.split(" ").pop();
  const claim = document.getElementById(`claim-${n}`);
  if (!claim) return;
  light(n, true);
  card = document.createElement("div");
  card.className = "pop";
  card.setAttribute("role", "tooltip");
  for (const child of claim.children) card.append(child.cloneNode(true));
  document.body.append(card);
  const box = part.getBoundingClientRect();
  const left = Math.min(box.left, document.documentElement.clientWidth - card.offsetWidth - 12);
  const below = box.bottom + card.offsetHeight + 12 < innerHeight;
  card.style.left = `${Math.max(8, left) + scrollX}px`;
  card.style.top = `${(below ? box.bottom + 6 : box.top - card.offsetHeight - 6) + scrollY}px`;
}

document.addEventListener("pointerover", (event) => {
  const part = event.target.closest?.("[data-claims]");
  if (part) return show(part);
  const claim = event.target.closest?.("[data-claim]");
  hide();
  if (claim) light(claim.dataset.claim, true);
});

document.addEventListener("focusin", (event) => {
  const part = event.target.closest?.("[data-claims]");
  if (part) show(part);
});

document.addEventListener("click", (event) => {
  const link = event.target.closest?.(".claim .content a");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  const claim = link.closest("[data-claim]");
  const words = document.getElementById(`w${claim.dataset.claim}`);
  if (!words) return;
  event.preventDefault();
  history.replaceState(null, "", link.getAttribute("href"));
  document.querySelectorAll(".on").forEach((part) => part.classList.remove("on"));
  document.querySelectorAll("[data-claims]").forEach((part) => {
    if (part.dataset.claims.split(" ").includes(claim.dataset.claim)) part.classList.add("on");
  });
  claim.classList.add("on");
  words.scrollIntoView({ block: "center" });
});

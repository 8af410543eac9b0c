"use strict";
(() => {
  const root = document.documentElement;
  const $ = (id) => document.getElementById(id);
  const data = JSON.parse($("data").textContent);
  const ROW = 32, SPARE = 15, LONG = 40;
  root.classList.add("js");

  // Colours: as the system, or one of the two for as long as the page is open.
  const theme = $("theme");
  const themes = [["", "as the system"], ["dark", "dark"], ["light", "light"]];
  let chosen = 0;
  theme.hidden = false;
  theme.addEventListener("click", () => {
    chosen = (chosen + 1) % themes.length;
    if (themes[chosen][0]) root.dataset.theme = themes[chosen][0]; else delete root.dataset.theme;
    theme.textContent = "Colours: " + themes[chosen][1];
  });

  // Words: the glossary's sentence on hover and on focus; Escape closes it, and the pointer may rest on it.
  const tip = $("tip");
  let tipped = null, leaving = 0;
  function showTip(term) {
    clearTimeout(leaving);
    if (tipped === term) return;
    hideTip();
    const entry = $(term.hash.slice(1));
    if (!entry) return;
    tip.textContent = entry.querySelector(".tip-text").textContent;
    tip.hidden = false;
    tipped = term;
    term.setAttribute("aria-describedby", "tip");
    const box = term.getBoundingClientRect();
    const left = Math.max(8, Math.min(box.left, root.clientWidth - tip.offsetWidth - 8));
    const below = box.bottom + tip.offsetHeight + 8 < innerHeight;
    tip.style.left = left + scrollX + "px";
    tip.style.top = (below ? box.bottom + 4 : box.top - tip.offsetHeight - 4) + scrollY + "px";
  }
  function hideTip() {
    if (!tipped) return;
    tipped.removeAttribute("aria-describedby");
    tip.hidden = true;
    tipped = null;
  }
  const termOf = (event) => event.target.closest ? event.target.closest("a.term") : null;
  document.addEventListener("mouseover", (event) => { const term = termOf(event); if (term) showTip(term); else if (tip.contains(event.target)) clearTimeout(leaving); });
  document.addEventListener("mouseout", (event) => { if (termOf(event) || tip.contains(event.target)) { clearTimeout(leaving); leaving = setTimeout(hideTip, 250); } });
  document.addEventListener("focusin", (event) => { const term = termOf(event); if (term && term.matches(":focus-visible")) showTip(term); else if (!tip.contains(event.target)) hideTip(); });
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") hideTip(); });

  // Which part of the page is shown follows from the address, so that links, "back" and bookmarks work.
  let turn = 0;
  async function follow() {
    const mine = ++turn;
    hideTip();
    const id = location.hash.slice(1);
    const host = /^h\d+/.exec(id);
    for (const old of document.querySelectorAll(".here")) old.classList.remove("here");
    if (host && data.views) {
      await open(host[0]);
      if (mine !== turn) return;
    }
    const target = id ? $(id) : null;
    if (!host && target && !target.closest("#fleet")) {  // a word of the glossary, or the skip link: what is shown stays
      const folded = target.closest("details") || target.querySelector("details");
      if (folded) folded.open = true;
    } else if (!host && !data.single) {
      root.dataset.view = "fleet";
      for (const shown of document.querySelectorAll(".host.open")) shown.classList.remove("open");
      paint();
    }
    if (target) {
      target.scrollIntoView();
      if (target.matches(".quotes li")) target.classList.add("here");
      if (target.tabIndex >= -1 && target.hasAttribute("tabindex")) target.focus({ preventScroll: true });
    }
  }
  async function open(id) {
    let view = $(id);
    if (!view) view = await unpack(id);
    for (const shown of document.querySelectorAll(".host.open")) if (shown !== view) shown.classList.remove("open");
    if (!view) return;
    view.classList.add("open");
    root.dataset.view = "host";
  }

  // A large fleet's hosts are packed, each behind a beginning that all share; see page/packing.py.
  let packed = null;
  const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  async function unpack(id) {
    if (!packed && $("packed")) packed = JSON.parse($("packed").textContent);
    if (!packed || !packed.views[id]) return null;
    const views = $("views");
    if (typeof DecompressionStream === "undefined") {
      views.textContent = "This browser cannot unpack the host's page; its diagnosis.json beside this file says the same.";
      return null;
    }
    const stream = new Blob([bytes(packed.start), bytes(packed.views[id])]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
    const text = await new Response(stream).text();
    const old = $(id);
    if (old) return old;
    const kept = views.querySelectorAll(".host");
    if (kept.length >= 20) kept[0].remove();
    // A quotation mark within a text is escaped, so these are attributes and nothing else.
    views.insertAdjacentHTML("beforeend", text.slice(text.indexOf("\0") + 1).replace(/"(#?)h-/g, `"$1${id}`));
    return $(id);
  }

  // From a quote back to the very figure or step from which it was followed.
  let origin = null;
  document.addEventListener("click", (event) => {
    const link = event.target.closest ? event.target.closest("a") : null;
    if (!link) return;
    if (link.matches(".n, .ref")) origin = link;
    else if (link.matches(".back") && origin && origin.isConnected && origin.hash === "#" + link.closest("li").id) {
      event.preventDefault();
      const place = origin.closest("[id]");
      history.pushState(null, "", "#" + place.id);
      for (const old of document.querySelectorAll(".here")) old.classList.remove("here");
      origin.scrollIntoView({ block: "center" });
      origin.focus({ preventScroll: true });
    } else if (link.hash && link.hash === location.hash) follow();
  });

  // The table of hosts: sorted and filtered as data; of many rows only those in view are in the document.
  let order = [], at = { column: null, down: false }, drawn = new Map(), first = -1, last = -1;
  const rows = $("rows"), table = $("table");
  const body = table ? table.tBodies[0] : null;
  const word = (row, name) => { const value = row[data.columns[name]]; return data.interned[name] ? data.words[value] : value; };
  const spare = (height) => { const row = document.createElement("tr"); row.className = "gap"; row.setAttribute("aria-hidden", "true"); const cell = document.createElement("td"); cell.style.height = height + "px"; row.append(cell); return row; };
  const above = spare(0), below = spare(0);
  function draw(place) {
    const row = order[place], line = document.createElement("tr");
    line.setAttribute("aria-rowindex", place + 2);
    for (const name of data.shown) {
      const cell = document.createElement(name === "host" ? "th" : "td");
      cell.className = "k-" + name;
      const text = word(row, name);
      if (name === "host") {
        cell.scope = "row";
        if (row[data.columns.anchor]) { const link = document.createElement("a"); link.href = "#" + row[data.columns.anchor]; link.textContent = text; cell.append(link); } else cell.textContent = text;
      } else if (name === "verdict") { cell.classList.add("v-" + text); cell.textContent = text.replace("_", " "); } else cell.textContent = text;
      if (name === "text" || name === "host" || name === "place" || name === "cause" || name === "victim") cell.title = text;
      line.append(cell);
    }
    return line;
  }
  function paint(all) {
    if (!body) return;
    const whole = all || order.length <= LONG;
    const from = whole ? 0 : Math.max(0, Math.floor(rows.scrollTop / ROW) - SPARE);
    const to = whole ? order.length : Math.min(order.length, from + Math.ceil(rows.clientHeight / ROW) + 2 * SPARE);
    if (from === first && to === last) return;
    for (const [place, line] of drawn) if (place < from || place >= to) { if (line.contains(document.activeElement)) rows.focus({ preventScroll: true }); line.remove(); drawn.delete(place); }
    let next = below;
    for (let place = to - 1; place >= from; place--) {
      let line = drawn.get(place);
      if (!line) { line = draw(place); drawn.set(place, line); body.insertBefore(line, next); }
      next = line;
    }
    above.firstChild.style.height = from * ROW + "px";
    below.firstChild.style.height = (order.length - to) * ROW + "px";
    first = from; last = to;
  }
  function arrange() {
    const form = $("filters"), fields = form.elements;
    const verdicts = new Set([...form.querySelectorAll("[name=verdict]:checked")].map((box) => box.value));
    const cause = fields.cause.value, group = fields.group ? data.groups.indexOf(fields.group.value) : -1;
    const text = fields.text.value.trim().toLowerCase();
    order = data.hosts.filter((row) => verdicts.has(word(row, "verdict")) && (!cause || word(row, "cause") === cause)
      && (group < 0 || row[data.columns.groups].includes(group)) && (!text || haystack(row).includes(text)));
    if (at.column) {
      const verdict = at.column === "verdict";
      const keys = new Map(order.map((row) => [row, verdict ? data.verdicts.indexOf(word(row, "verdict")) : word(row, at.column)]));
      const sign = at.down ? -1 : 1;
      order.sort((one, other) => {
        const a = keys.get(one), b = keys.get(other);
        if (a === b) return 0;
        if (a === "" || a === "-") return 1;
        if (b === "" || b === "-") return -1;
        return sign * (verdict ? a - b : collator.compare(a, b));
      });
    }
    for (const line of drawn.values()) line.remove();
    drawn = new Map(); first = last = -1;
    rows.classList.toggle("long", order.length > LONG);
    table.setAttribute("aria-rowcount", order.length + 1);
    $("shown").textContent = order.length === data.hosts.length ? `${order.length} hosts` : `${order.length} of ${data.hosts.length} hosts`;
    rows.scrollTop = 0;
    paint();
  }
  const collator = new Intl.Collator("en", { numeric: true });
  const searched = new Map();
  function haystack(row) {
    let text = searched.get(row);
    if (text === undefined) searched.set(row, text = data.shown.map((name) => word(row, name)).join("\n").toLowerCase() + "\n" + row[data.columns.groups].map((number) => data.groups[number]).join("\n").toLowerCase());
    return text;
  }
  if (table) {
    body.replaceChildren(above, below);
    for (const head of table.tHead.rows[0].cells) {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = head.textContent;
      head.replaceChildren(button);
      button.addEventListener("click", () => {
        const name = head.dataset.column;
        at = { column: name, down: at.column === name && !at.down };
        for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
        head.setAttribute("aria-sort", at.down ? "descending" : "ascending");
        arrange();
      });
    }
    const form = $("filters");
    form.hidden = false;
    let waiting = 0;
    form.addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(arrange, 60); });
    form.addEventListener("reset", () => setTimeout(arrange));
    form.addEventListener("submit", (event) => event.preventDefault());
    let asked = false;
    rows.addEventListener("scroll", () => { if (!asked) { asked = true; requestAnimationFrame(() => { asked = false; paint(); }); } });
    addEventListener("resize", () => { first = -1; paint(); });
    addEventListener("beforeprint", () => { first = -1; paint(true); });
    addEventListener("afterprint", () => { first = -1; paint(); });
    arrange();
  }
  // Paper has nothing to click on: all that is folded is unfolded for it.
  let folded = [];
  addEventListener("beforeprint", () => { folded = [...document.querySelectorAll("details:not([open])")]; for (const one of folded) one.open = true; });
  addEventListener("afterprint", () => { for (const one of folded) one.open = false; folded = []; });
  if (data.single) { root.dataset.view = "host"; const only = document.querySelector(".host"); if (only) only.classList.add("open"); }
  addEventListener("hashchange", follow);
  follow();
})();

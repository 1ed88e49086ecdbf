"use strict";
// Everything here is a comfort: without it the page shows all it has. What comes from the data is only ever set as text.
(() => {
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const make = (tag, words, kind) => {
    const made = document.createElement(tag);
    made.textContent = words;
    if (kind) made.className = kind;
    return made;
  };
  for (const control of all(".controls")) control.hidden = false;

  // In the frame of a notebook an anchor leads to the notebook itself, and not to a place on this page.
  if (location.protocol === "about:") {
    for (const anchor of all('a[href^="#"]')) {
      anchor.addEventListener("click", (event) => {
        event.preventDefault();
        document.getElementById(anchor.getAttribute("href").slice(1)).scrollIntoView();
      });
    }
  }

  // Models: what is about one that is switched off is hidden; the last one stays.
  const switches = all("[data-switch]");
  const showModels = () => {
    const off = new Set(switches.filter((each) => !each.checked).map((each) => each.dataset.switch));
    for (const each of all("[data-model]")) {
      each.toggleAttribute("hidden", each.dataset.model.split(" ").some((model) => off.has(model)));
    }
  };
  for (const each of switches) {
    each.checked = true; // some browsers remember the last visit
    each.addEventListener("change", () => {
      if (!switches.some((other) => other.checked)) each.checked = true;
      showModels();
    });
  }

  // Sorting: up, down, and back to the order of the page.
  const read = (cell) => {
    const data = cell.querySelector("data");
    const words = cell.dataset.value ?? (data ? data.value : cell.textContent.trim());
    const number = { inf: Infinity, "-inf": -Infinity }[words] ?? (words === "" ? NaN : Number(words));
    return Number.isNaN(number) && words !== "nan" && !cell.classList.contains("n") ? words : number;
  };
  const compare = (a, b) => (typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b), "en", { numeric: true }));
  for (const head of all("th[data-column]")) {
    const table = head.closest("table");
    const body = table.tBodies[0];
    const first = [...body.rows];
    const button = make("span", "", "sort"); // a <button> would be missing where a table head is printed again
    button.setAttribute("role", "button");
    button.setAttribute("tabindex", "0");
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      button.click();
    });
    button.addEventListener("click", () => {
      const was = head.getAttribute("aria-sort");
      const now = was === "ascending" ? "descending" : was === "descending" ? null : "ascending";
      for (const other of all("th[aria-sort]", table)) other.removeAttribute("aria-sort");
      if (now === null) return body.append(...first);
      head.setAttribute("aria-sort", now);
      const sign = now === "ascending" ? 1 : -1;
      const keyed = first.map((row) => [read(row.cells[Number(head.dataset.column)]), row]);
      const missing = (key) => typeof key === "number" && Number.isNaN(key);
      keyed.sort(([a], [b]) => missing(a) - missing(b) || (missing(a) ? 0 : sign * compare(a, b)));
      return body.append(...keyed.map(([, row]) => row));
    });
  }

  // The metrics that are rarely looked at wait until they are asked for; paper has all.
  const more = document.getElementById("all-metrics");
  if (more) {
    const rest = all("tr.more");
    for (const row of rest) row.hidden = true;
    more.addEventListener("click", () => {
      for (const row of rest) row.hidden = false;
      more.parentElement.remove();
    });
  }

  // Groups: rows that have the chosen value of each column.
  const pickers = all("select[data-key]");
  const count = document.getElementById("groups-shown");
  const pick = () => {
    const rows = all("tr[data-keys]");
    for (const row of rows) {
      const keys = row.dataset.keys.split(" ");
      row.hidden = pickers.some((each) => each.value !== "" && keys[Number(each.dataset.key)] !== each.value);
    }
    count.textContent = `${rows.filter((row) => !row.hidden).length} of ${rows.length} shown`;
  };
  for (const each of pickers) {
    each.value = "";
    each.addEventListener("change", pick);
  }

  // Figures: the numbers of the mark that is nearest to the pointer, or that the arrow keys have come to.
  const tip = make("div", "", "tip");
  tip.setAttribute("role", "status");
  tip.hidden = true;
  document.body.append(tip);
  let owner = null; // the figure whose numbers are shown
  const marks = (figure) =>
    all(".hot", figure)
      .flatMap((hot) =>
        hot.dataset.at.split(";").map((item) => {
          const [x, y, ...numbers] = item.split(",");
          const words = () => hot.dataset.say.replace(/\{(\d)\}/g, (_, at) => numbers[Number(at)]);
          return { x: Number(x), y: Number(y), words, along: hot.dataset.along };
        }),
      )
      .sort((a, b) => a.x - b.x || a.y - b.y);
  for (const figure of all("svg.figure")) {
    if (!figure.querySelector(".hot")) continue;
    let known = null;
    let at = -1;
    const ring = document.createElementNS("http://www.w3.org/2000/svg", "circle");
    ring.setAttribute("class", "ring");
    ring.setAttribute("r", "6");
    const hide = () => {
      at = -1;
      ring.remove();
      if (owner === figure) tip.hidden = true;
    };
    const show = (which) => {
      if (which === at) return;
      at = which;
      owner = figure;
      const mark = known[at];
      const box = figure.getBoundingClientRect();
      const scale = box.width / figure.viewBox.baseVal.width;
      ring.setAttribute("cx", mark.x);
      ring.setAttribute("cy", mark.y);
      figure.append(ring);
      tip.textContent = mark.words();
      tip.hidden = false;
      const wide = document.documentElement.clientWidth;
      const left = Math.max(6, Math.min(wide - tip.offsetWidth - 6, box.left + mark.x * scale - tip.offsetWidth / 2));
      const above = box.top + mark.y * scale - tip.offsetHeight - 12;
      tip.style.left = `${left + window.scrollX}px`;
      tip.style.top = `${(above > 0 ? above : box.top + mark.y * scale + 12) + window.scrollY}px`;
    };
    const near = (event) => {
      known ??= marks(figure);
      const box = figure.getBoundingClientRect();
      const scale = box.width / figure.viewBox.baseVal.width;
      const [x, y] = [(event.clientX - box.left) / scale, (event.clientY - box.top) / scale];
      let [best, least] = [-1, 24];
      known.forEach((mark, index) => {
        const off = mark.along ? Math.abs(mark.x - x) : Math.hypot(mark.x - x, mark.y - y);
        if (off < least) [best, least] = [index, off];
      });
      if (best < 0) hide();
      else show(best);
    };
    figure.addEventListener("pointermove", near);
    figure.addEventListener("pointerdown", near);
    figure.addEventListener("pointerleave", (event) => {
      if (event.pointerType !== "touch") hide(); // a finger that is lifted leaves the numbers to be read
    });
    figure.setAttribute("tabindex", "0");
    figure.addEventListener("blur", hide);
    figure.addEventListener("keydown", (event) => {
      known ??= marks(figure);
      const last = known.length - 1;
      const to = { ArrowRight: Math.min(at + 1, last), ArrowLeft: Math.max(at - 1, 0), Home: 0, End: last }[event.key];
      if (event.key === "Escape") hide();
      if (to === undefined || last < 0) return;
      event.preventDefault();
      show(to);
    });
  }
})();

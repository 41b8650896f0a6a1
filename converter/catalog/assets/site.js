/* What every page does: theme, search in the header, filters of tables, keys. Texts of rules are only ever
   set as text, never as markup. */
(function () {
  "use strict";
  const root = document.body.dataset.root;

  /* Theme */
  document.getElementById("theme").addEventListener("click", () => {
    const html = document.documentElement;
    const system = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
    html.dataset.theme = (html.dataset.theme || system) === "dark" ? "light" : "dark";
    try {
      localStorage.setItem("theme", html.dataset.theme);
    } catch {
      /* it holds for this page, then */
    }
  });

  /* Filters of tables: rows that hold every word stay. */
  for (const input of document.querySelectorAll("input[data-filter]")) {
    const rows = [...document.getElementById(input.dataset.filter).tBodies].flatMap((body) => [...body.rows]);
    const texts = rows.map((row) => row.textContent.toLowerCase());
    input.addEventListener("input", () => {
      const wanted = input.value.toLowerCase().split(/\s+/).filter(Boolean);
      rows.forEach((row, number) => {
        row.hidden = !wanted.every((word) => texts[number].includes(word));
      });
    });
  }

  /* On paper nothing can be unfolded. Whole files stay as they are: they are many pages. */
  addEventListener("beforeprint", () => {
    for (const details of document.querySelectorAll("details:not(.file)")) details.open = true;
  });

  /* Search in the header */
  const input = document.getElementById("find");
  const list = document.getElementById("found");
  const form = input.form;

  function engine() {
    if (window.catalogSearch) return window.catalogSearch(root);
    return new Promise((resolve, reject) => {
      const script = document.createElement("script");
      script.src = `${root}assets/search.js`;
      script.onload = () => resolve(window.catalogSearch(root));
      script.onerror = reject;
      document.head.append(script);
    });
  }
  window.catalogEngine = engine;

  function entry(place, title, kind) {
    const item = document.createElement("li");
    const link = document.createElement("a");
    const small = document.createElement("small");
    link.href = root + place;
    link.textContent = title;
    small.textContent = ` ${kind}`;
    link.append(small);
    item.append(link);
    return item;
  }

  async function look() {
    const query = input.value.trim();
    if (!query) {
      list.hidden = true;
      return;
    }
    const search = await engine();
    if (query !== input.value.trim()) return;
    const others = search.others(query).slice(0, 4);
    const rules = search.rules(query).slice(0, 8);
    const entries = [
      ...rules.map((number) => {
        const [place, title, platform] = CATALOG.rules[number];
        return entry(place, title, CATALOG.platforms[platform]);
      }),
      ...others.map(([kind, title, place]) => entry(place, title, kind)),
    ];
    list.replaceChildren(...entries);
    list.dataset.query = query;
    list.hidden = entries.length === 0;
  }

  input.addEventListener("focus", () => engine().catch(() => {}), { once: true });
  input.addEventListener("input", look);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    location.href = `${root}rules.html#q=${encodeURIComponent(input.value.trim())}`;
  });
  document.addEventListener("click", (event) => {
    if (!form.contains(event.target)) list.hidden = true;
  });

  /* Keys: / to search, arrows through what was found, Escape to leave it. */
  document.addEventListener("keydown", (event) => {
    const typing = /^(INPUT|SELECT|TEXTAREA)$/.test(document.activeElement.tagName);
    if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      input.focus();
      return;
    }
    if (!form.contains(document.activeElement)) return;
    const links = [input, ...list.querySelectorAll("a")];
    const at = links.indexOf(document.activeElement);
    if (event.key === "Escape") {
      list.hidden = true;
      input.focus();
    } else if (!list.hidden && event.key === "ArrowDown" && at < links.length - 1) {
      event.preventDefault();
      links[at + 1].focus();
    } else if (!list.hidden && event.key === "ArrowUp" && at > 0) {
      event.preventDefault();
      links[at - 1].focus();
    }
  });
})();

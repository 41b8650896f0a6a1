/* The list of rules: search and filters, kept in the address behind #, so that a view can be sent on. What is
   shown answers the query in data-query. */
(function () {
  "use strict";
  const form = document.getElementById("filters");
  const results = document.getElementById("results");
  const status = document.getElementById("status");
  const beside = document.getElementById("beside");
  const more = document.getElementById("more");
  const further = form.querySelector("details");
  const PAGE = 100;
  let found = [];
  let shown = 0;

  const tacticOf = (tag) => tag.split(":")[0];
  const facets = {
    platform: { names: CATALOG.platforms, of: (rule) => [rule[2]] },
    severity: { names: CATALOG.severities, of: (rule) => [rule[3]] },
    logsource: { names: CATALOG.logsources, of: (rule) => rule[4] },
    reading: { names: CATALOG.readings, of: (rule) => [rule[6]] },
    written: { names: CATALOG.written, of: (rule) => rule[7] },
    loss: { names: CATALOG.losses, of: (rule) => rule[8] },
  };
  const tactics = [...new Set(CATALOG.tags.map(tacticOf))].sort();

  function fill(name, values) {
    for (const value of values) form.elements[name].append(new Option(value, value));
  }
  for (const [name, facet] of Object.entries(facets)) fill(name, facet.names.filter(Boolean).toSorted());
  for (const tactic of tactics) {
    form.elements.tactic.append(new Option(`${tactic} ${CATALOG.tactics[tactic] ?? ""}`.trim(), tactic));
  }

  function read() {
    const given = new URLSearchParams(location.hash.slice(1) || location.search.slice(1));
    for (const element of form.elements) {
      if (element.name) element.value = given.get(element.name) ?? "";
    }
    further.open ||= [...further.querySelectorAll("[name]")].some((element) => element.value);
  }

  function keep() {
    const state = new URLSearchParams();
    for (const [name, value] of new FormData(form)) if (value) state.set(name, value);
    history.replaceState(null, "", `#${state}`);
  }

  function passes(rule) {
    for (const [name, facet] of Object.entries(facets)) {
      const wanted = form.elements[name].value;
      if (wanted && !facet.of(rule).some((number) => facet.names[number] === wanted)) return false;
    }
    const tactic = form.elements.tactic.value;
    const technique = form.elements.technique.value.trim().toUpperCase();
    return (!tactic && !technique) || rule[5].some((number) => isAbout(CATALOG.tags[number], tactic, technique));
  }

  /* Whether a tag is of the tactic and names the technique or one of its sub-techniques, as far as asked. */
  function isAbout(tag, tactic, technique) {
    const [own, named = ""] = tag.split(":");
    return (!tactic || own === tactic) && (!technique || `${named}.`.startsWith(`${technique}.`));
  }

  function cell(row, text) {
    const made = row.insertCell();
    made.textContent = text;
    return made;
  }

  function link(place, text) {
    const made = document.createElement("a");
    made.href = place;
    made.textContent = text;
    return made;
  }

  function badge(name) {
    const made = document.createElement("span");
    made.className = `badge b-${name}`;
    made.textContent = name;
    return made;
  }

  function row([place, title, platform, severity, logsources, tags]) {
    const made = document.createElement("tr");
    cell(made, "").append(link(place, title));
    cell(made, CATALOG.platforms[platform]);
    const level = CATALOG.severities[severity];
    cell(made, "").append(...(level ? [badge(level)] : []));
    cell(made, logsources.map((number) => CATALOG.logsources[number]).join(", "));
    const techniques = tags.map((number) => CATALOG.tags[number].split(":")[1]).filter(Boolean);
    cell(made, [...new Set(techniques)].join(" "));
    return made;
  }

  function show() {
    const next = found.slice(shown, shown + PAGE);
    results.append(...next.map((number) => row(CATALOG.rules[number])));
    shown += next.length;
    more.hidden = shown >= found.length;
  }

  async function update() {
    const query = form.elements.q.value.trim();
    let ranked = CATALOG.rules.keys();
    let others = [];
    if (query) {
      const search = await window.catalogEngine();
      if (query !== form.elements.q.value.trim()) return;
      const start = performance.now();
      ranked = search.rules(query);
      others = search.others(query).slice(0, 10);
      document.body.dataset.searchMilliseconds = (performance.now() - start).toFixed(1);
    }
    found = [...ranked].filter((number) => passes(CATALOG.rules[number]));
    shown = 0;
    results.replaceChildren();
    show();
    const count = found.length.toLocaleString("en");
    status.textContent = found.length === 1 ? "1 rule" : `${count} rules`;
    beside.replaceChildren(
      ...others.map(([kind, title, place]) => {
        const item = document.createElement("li");
        item.append(`${kind} `, link(place, title));
        return item;
      }),
    );
    beside.hidden = others.length === 0;
    results.dataset.query = query;
  }

  form.addEventListener("input", () => {
    keep();
    update();
  });
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => {
    setTimeout(() => {
      keep();
      update();
    });
  });
  more.addEventListener("click", show);
  addEventListener("hashchange", () => {
    read();
    update();
  });
  read();
  update();
})();

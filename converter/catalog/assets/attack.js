/* The matrix, counted over the rules of one platform or log source. The choice is kept in the address. */
(function () {
  "use strict";
  const form = document.getElementById("filters");
  const matrix = document.getElementById("matrix");
  const status = document.getElementById("status");
  const cells = [...matrix.querySelectorAll(".cell")];
  for (const cell of cells) cell.dataset.place = cell.getAttribute("href");

  function read() {
    const given = new URLSearchParams(location.hash.slice(1));
    for (const element of form.elements) {
      if (element.type === "checkbox") element.checked = given.has(element.name);
      else if (element.name) element.value = given.get(element.name) ?? "";
    }
  }

  function keep() {
    const state = new URLSearchParams();
    for (const [name, value] of new FormData(form)) if (value) state.set(name, value);
    history.replaceState(null, "", `#${state}`);
  }

  /* Tag → the rules that name it; a technique counts the rules of its sub-techniques, each rule once. */
  function counted() {
    const platform = CATALOG.platforms.indexOf(form.elements.platform.value);
    const logsource = CATALOG.logsources.indexOf(form.elements.logsource.value);
    const found = new Map();
    CATALOG.rules.forEach((rule, number) => {
      if (form.elements.platform.value && rule[2] !== platform) return;
      if (form.elements.logsource.value && !rule[4].includes(logsource)) return;
      for (const tag of rule[5].map((index) => CATALOG.tags[index])) {
        for (const key of new Set([tag, tag.split(".")[0]])) {
          if (!found.has(key)) found.set(key, new Set());
          found.get(key).add(number);
        }
      }
    });
    return found;
  }

  /* A cell leads to the rules that it counts; a gap to the technique's own page. */
  function target(cell, count) {
    if (!count) return cell.dataset.place;
    const [tactic, technique] = cell.dataset.tag.split(":");
    const asked = new URLSearchParams({ tactic, technique });
    for (const name of ["platform", "logsource"]) {
      if (form.elements[name].value) asked.set(name, form.elements[name].value);
    }
    return `rules.html#${asked}`;
  }

  function update() {
    const found = counted();
    const counts = cells.map((cell) => found.get(cell.dataset.tag)?.size ?? 0);
    const most = Math.max(1, ...counts);
    cells.forEach((cell, index) => {
      const count = counts[index];
      cell.dataset.count = count;
      cell.dataset.heat = count ? Math.max(1, Math.ceil((5 * Math.log(count + 1)) / Math.log(most + 1))) : 0;
      cell.querySelector("b").textContent = count || "";
      cell.href = target(cell, count);
    });
    matrix.classList.toggle("only-gaps", form.elements.gaps.checked);
    matrix.classList.toggle("with-below", form.elements.below.checked);
    for (const tactic of matrix.querySelectorAll(".tactic")) {
      const own = [...tactic.querySelectorAll("li:not(.below li) > .cell")];
      const covered = own.filter((cell) => cell.dataset.count !== "0").length;
      tactic.querySelector("h2 small").textContent = `${covered} of ${own.length}`;
    }
    const own = new Map();
    cells.forEach((cell, index) => {
      const technique = cell.dataset.tag.split(":")[1];
      if (!technique.includes(".")) own.set(technique, (own.get(technique) ?? 0) + counts[index]);
    });
    const covered = [...own.values()].filter(Boolean).length;
    status.textContent = `${covered} of ${own.size} techniques covered, ${own.size - covered} gaps`;
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
  addEventListener("hashchange", () => {
    read();
    update();
  });
  read();
  update();
})();

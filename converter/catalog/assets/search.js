/* The search engine, loaded when somebody searches. catalogSearch(root) gives a promise of
   {rules(query) → numbers of rules, best first; others(query) → [kind, title, place] of other pages}. */
(function () {
  "use strict";

  function load(root, file) {
    return new Promise((resolve, reject) => {
      const script = document.createElement("script");
      script.src = root + file;
      script.onload = resolve;
      script.onerror = () => reject(new Error(`${file} cannot be loaded`));
      document.head.append(script);
    });
  }

  const words = (text) => text.split(/[^\p{L}\p{N}]+/u).filter(Boolean);

  function engine(fields) {
    return new MiniSearch({
      fields,
      tokenize: words,
      searchOptions: {
        tokenize: words,
        combineWith: "AND",
        prefix: true,
        boost: { title: 4, about: 3, fields: 2 },
      },
    });
  }

  async function start(root) {
    await Promise.all([
      window.CATALOG ? null : load(root, "data/rules.js"),
      load(root, "data/search.js"),
      load(root, "assets/minisearch/minisearch.js"),
    ]);
    const others = engine(["title"]);
    others.addAll(CATALOG_TEXT.others.map(([, title], id) => ({ id, title })));
    const rules = engine(["title", "about", "fields", "values"]);
    await rules.addAllAsync(
      CATALOG_TEXT.rules.map(([about, fields, values], id) => ({
        id,
        title: CATALOG.rules[id][1],
        about,
        fields,
        values,
      })),
      { chunkSize: 200 },
    );
    return {
      rules: (query) => rules.search(query).map((hit) => hit.id),
      others: (query) => others.search(query).map((hit) => CATALOG_TEXT.others[hit.id]),
    };
  }

  let started = null;
  window.catalogSearch = (root) => (started ??= start(root));
})();

/* Queries and files: colours for their parts, a button that copies, and keys that scroll. The text itself is
   never changed: parts of it are put into spans, as text. */
(function () {
  "use strict";
  const LONGEST = 60_000; /* characters; of more none are coloured */

  const DOUBLE = /"(?:\\.|[^"\\\n])*"/;
  const SINGLE = /'(?:\\.|[^'\\\n])*'/;
  const HASH = /(?<![^\s])#[^\n]*/;
  const SLASHES = /\/\/[^\n]*|\/\*[^]*?\*\//;
  const NUMBER = /(?<![\w.-])-?\d+(?:\.\d+)?(?![\w.])/;
  const words = (text, flags = "") => new RegExp(`(?<![\\w.])(?:${text.trim().split(/\s+/).join("|")})(?![\\w.])`, flags);
  const any = (...rules) => new RegExp(rules.map((rule) => rule.source).join("|"));

  /* Language → kinds of parts, the first that fits counts. */
  const LANGUAGES = {
    words: {
      string: DOUBLE,
      word: words(`and or not is contains like regex exists cidr ip same as always never gt gte lt lte
        all\\sof any\\sof none\\sof starts\\swith ends\\swith does\\snot\\sexist some\\selement\\sof some\\sof
        step\\s\\d+ not: any\\scase`),
      number: NUMBER,
    },
    eql: {
      comment: SLASHES,
      string: any(/"""[^]*?"""/, DOUBLE),
      word: words(`and or not in where sequence sample by with maxspan until any of like regex true false null
        runs missing like~ in~ regex~`),
      number: NUMBER,
    },
    esql: {
      comment: SLASHES,
      string: any(/"""[^]*?"""/, DOUBLE),
      word: words(
        `from where eval stats by keep drop sort limit rename dissect grok enrich mv_expand metadata and or not in
        like rlike is null true false as asc desc lookup join on with row inlinestats completion`,
        "i",
      ),
      number: NUMBER,
    },
    kuery: { string: DOUBLE, word: words("and or not", "i"), number: NUMBER },
    lucene: { string: DOUBLE, word: words("AND OR NOT TO"), number: NUMBER },
    spl: {
      comment: /```[^]*?```/,
      macro: /`[^`]*`/,
      string: DOUBLE,
      word: any(/(?<=\|\s*)[a-z]\w*/, words("AND OR NOT BY AS IN WHERE OUTPUT OUTPUTNEW XOR LIKE", "i")),
      number: NUMBER,
    },
    python: {
      comment: HASH,
      string: any(/[rbfRBF]{0,2}"""[^]*?"""/, /[rbfRBF]{0,2}'''[^]*?'''/, /[rbfRBF]{0,2}"(?:\\.|[^"\\\n])*"/, /[rbfRBF]{0,2}'(?:\\.|[^'\\\n])*'/),
      word: words(`def return if elif else for while in not and or is None True False import from as class with
        try except finally raise lambda pass break continue global yield del assert async await match case`),
      number: NUMBER,
    },
    yaml: {
      comment: HASH,
      key: /(?<=^[ \t]*(?:- +)*)[\w.$@|*-]+(?=[ \t]*:(?:\s|$))/,
      string: any(DOUBLE, /'(?:''|[^'\n])*'/),
      word: words("true false null and or not of them all"),
      number: NUMBER,
    },
    toml: {
      comment: HASH,
      key: /(?<=^[ \t]*)(?:\[+[^\]\n]*\]+|[\w.-]+(?=[ \t]*=))/,
      string: any(/"""[^]*?"""/, /'''[^]*?'''/, DOUBLE, SINGLE),
      word: words("true false"),
      number: NUMBER,
    },
    conf: { comment: /^#[^\n]*/, key: /^(?:\[[^\]\n]*\]|[\w.-]+(?=[ \t]*=))/, macro: /`[^`]*`/, string: DOUBLE, number: NUMBER },
    json: { key: /"(?:\\.|[^"\\])*"(?=\s*:)/, string: DOUBLE, word: words("true false null"), number: NUMBER },
  };

  function pattern(kinds) {
    const caseless = Object.values(kinds).some((rule) => rule.flags.includes("i"));
    const parts = Object.entries(kinds).map(([kind, rule]) => `(?<${kind}>${rule.source})`);
    return new RegExp(parts.join("|"), caseless ? "gim" : "gm");
  }

  function colour(code) {
    const kinds = LANGUAGES[code.dataset.language];
    const text = code.textContent;
    if (!kinds || text.length > LONGEST || code.dataset.coloured) return;
    code.dataset.coloured = "yes";
    const made = document.createDocumentFragment();
    let at = 0;
    for (const found of text.matchAll(pattern(kinds))) {
      if (!found[0]) continue;
      const kind = Object.keys(found.groups).find((name) => found.groups[name] !== undefined);
      const span = document.createElement("span");
      span.className = `t-${kind}`;
      span.textContent = found[0];
      made.append(text.slice(at, found.index), span);
      at = found.index + found[0].length;
    }
    made.append(text.slice(at));
    code.replaceChildren(made);
  }

  async function copy(text) {
    if (navigator.clipboard) return navigator.clipboard.writeText(text);
    const area = document.createElement("textarea");
    area.value = text;
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    if (!done) throw new Error("copying is not allowed here");
  }

  function button(code) {
    const made = document.createElement("button");
    made.type = "button";
    made.className = "copy";
    made.textContent = "Copy";
    made.setAttribute("aria-label", `Copy ${code.dataset.label || "this text"}`);
    made.addEventListener("click", async () => {
      try {
        await copy(code.textContent);
        made.textContent = "Copied";
      } catch {
        made.textContent = "Not allowed";
      }
      setTimeout(() => (made.textContent = "Copy"), 2000);
    });
    return made;
  }

  /* What is folded away is looked at when it is unfolded. */
  function ready(code) {
    if (code.closest("details:not([open])")) return;
    colour(code);
    const box = code.closest("pre");
    if (box.scrollHeight > box.clientHeight + 1 && !box.hasAttribute("tabindex")) {
      box.tabIndex = 0;
      box.setAttribute("role", "region");
      box.setAttribute("aria-label", code.dataset.label || "Text");
    }
  }

  const all = [...document.querySelectorAll(".code code")];
  for (const code of all) code.closest(".code").prepend(button(code));
  all.forEach(ready);
  for (const details of document.querySelectorAll("details")) {
    details.addEventListener("toggle", () => details.querySelectorAll(".code code").forEach(ready));
  }
})();

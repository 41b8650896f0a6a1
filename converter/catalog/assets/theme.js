/* Before anything is drawn: the theme that was chosen last, if any; otherwise the system's. */
(function () {
  "use strict";
  try {
    const chosen = localStorage.getItem("theme");
    if (chosen === "dark" || chosen === "light") document.documentElement.dataset.theme = chosen;
  } catch {
    /* no storage, no choice */
  }
})();

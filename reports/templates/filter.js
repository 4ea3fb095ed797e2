"use strict";
// Filters the requirements and scenarios of a compliance report. Without it the page shows all.
(() => {
  const form = document.getElementById("filter");
  if (!form) return;
  const control = form.elements;
  const items = Array.from(document.querySelectorAll("[data-clauses]"), (node) => ({
    node,
    clauses: node.dataset.clauses.split(" ").map((clause) => clause.split(":")),
    text: null,
  }));
  const groups = Array.from(document.querySelectorAll(".group"));

  const matches = (item, level, verdict, words) => {
    const clause = item.clauses.some(([itsLevel, itsVerdict]) =>
      (!level || itsLevel === level) &&
      (!verdict || (verdict === "!passed" ? itsVerdict !== "passed" : itsVerdict === verdict)));
    if (!clause || !words.length) return clause;
    item.text ??= item.node.textContent.toLowerCase();
    return words.every((word) => item.text.includes(word));
  };

  const apply = () => {
    const words = control.text.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const item of items) {
      item.node.hidden = !matches(item, control.level.value, control.verdict.value, words);
      if (!item.node.hidden) shown += 1;
    }
    for (const group of groups) {
      group.hidden = !group.querySelector("[data-clauses]:not([hidden])");
    }
    const text = shown === items.length ? control.shown.dataset.all : control.shown.dataset.some;
    control.shown.value = text.replace("%all", items.length).replace("%shown", shown);
    document.documentElement.dataset.language = control.language.value;
  };

  // A link must always lead somewhere, whatever the filter hides.
  const reveal = () => {
    const target = document.getElementById(location.hash.slice(1));
    if (!target || !target.closest("[hidden]")) return;
    control.level.value = control.verdict.value = control.text.value = "";
    apply();
    target.scrollIntoView();
  };

  let waiting = 0;
  form.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(apply, 80);
  });
  form.addEventListener("reset", () => {
    const language = control.language.value;
    setTimeout(() => {
      control.language.value = language;
      apply();
    });
  });
  form.addEventListener("submit", (event) => event.preventDefault());
  window.addEventListener("hashchange", reveal);

  if (document.querySelector(".statement.ja")) {
    control.language.value = document.documentElement.lang;
  } else {
    control.language.closest("label").hidden = true;
  }
  form.hidden = false;
  apply();
})();

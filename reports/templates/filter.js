"use strict";
// Filters the requirements and scenarios of a compliance report, and keeps the filter in the address:
// #filter:level=MUST&verdict=failed. Without this script the page shows all.
(() => {
  const form = document.getElementById("filter");
  if (!form) return;
  const prefix = "#filter:";
  const names = ["level", "verdict", "group", "text"];
  const control = form.elements;
  // What needs nobody's attention.
  const quiet = ["passed", "unselected"];
  const items = Array.from(document.querySelectorAll("[data-clauses]"), (node) => ({
    node,
    clauses: node.dataset.clauses.split(" ").map((clause) => clause.split(":")),
    group: node.closest("[data-group]").dataset.group,
    text: null,
  }));
  const groups = Array.from(document.querySelectorAll("[data-group], .rows-box"));

  const matches = (item, level, verdict, group, words) => {
    if (group && item.group !== group) return false;
    const clause = item.clauses.some(([itsLevel, itsVerdict]) =>
      (!level || itsLevel === level) &&
      (!verdict || (verdict === "!passed" ? !quiet.includes(itsVerdict) : itsVerdict === verdict)));
    if (!clause || !words.length) return clause;
    item.text ??= item.node.textContent.toLowerCase();
    return words.every((word) => item.text.includes(word));
  };

  const settle = () => {
    let shown = 0;
    for (const item of items) {
      if (!item.node.hidden) shown += 1;
    }
    for (const group of groups) {
      group.hidden = !group.querySelector("[data-clauses]:not([hidden])");
    }
    const text = shown === items.length ? control.shown.dataset.all : control.shown.dataset.some;
    const said = text.replace("%all", items.length).replace("%shown", shown);
    if (control.shown.value !== said) control.shown.value = said;
  };

  const apply = () => {
    const [level, verdict, group, text] = names.map((name) => control[name].value);
    const words = text.toLowerCase().split(/\s+/).filter(Boolean);
    for (const item of items) {
      item.node.hidden = !matches(item, level, verdict, group, words);
    }
    settle();
    document.documentElement.dataset.language = control.language.value;
  };

  const write = () => {
    const chosen = new URLSearchParams(names.map((name) => [name, control[name].value]).filter(([, value]) => value));
    const fragment = chosen.size ? prefix + chosen : "";
    history.replaceState(null, "", fragment || location.pathname + location.search);
  };

  const read = () => {
    const chosen = new URLSearchParams(location.hash.slice(prefix.length));
    for (const name of names) {
      control[name].value = chosen.get(name) ?? "";
      // A value that the page does not offer would leave the choice empty, and hide nothing.
      if (control[name].selectedIndex === -1) control[name].value = "";
    }
  };

  // A link must always lead somewhere, whatever the filter hides or is folded.
  const reveal = () => {
    let target = null;
    try {
      target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    } catch {
      return;
    }
    if (!target) return;
    const item = target.closest("[data-clauses]");
    if (item?.hidden) {
      item.hidden = false;
      settle();
    } else if (target.closest("[hidden]")) {
      form.reset();
      return;
    }
    const fold = target.querySelector(":scope > details.drawn, :scope > details.transcript");
    if (fold) fold.open = true;
    target.scrollIntoView();
  };

  const follow = () => {
    if (!location.hash.startsWith(prefix)) return reveal();
    read();
    apply();
    form.scrollIntoView();
  };

  let waiting = 0;
  const changed = () => {
    apply();
    write();
  };
  form.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(changed, 80);
  });
  form.addEventListener("reset", () => {
    const language = control.language.value;
    setTimeout(() => {
      control.language.value = language;
      changed();
    });
  });
  form.addEventListener("submit", (event) => event.preventDefault());
  window.addEventListener("hashchange", follow);

  if (document.querySelector(".statement.ja")) {
    control.language.value = document.documentElement.lang;
  } else {
    control.language.closest("label").hidden = true;
  }
  form.hidden = false;
  apply();
  if (location.hash) follow();
})();

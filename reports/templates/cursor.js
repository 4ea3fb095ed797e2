"use strict";
// Reads a chart at one place in all of its panels, by pointer, finger or keyboard. Without it each place has a title,
// and each chart its table.
(() => {
  for (const chart of document.querySelectorAll(".chart")) {
    const areas = Array.from(chart.querySelectorAll(".panel .area"), (area) => Array.from(area.querySelectorAll(".column")));
    const readout = chart.querySelector(".readout");
    const cursor = chart.querySelector(".cursor");
    const slider = cursor?.querySelector("input");
    const titles = areas[0]?.map((column) => column.textContent);
    if (!readout || !slider || !titles?.length) continue;

    let current = -1;
    const show = (index) => {
      if (index === current || !titles[index]) return;
      for (const columns of areas) {
        columns[current]?.classList.remove("current");
        columns[index].classList.add("current");
      }
      current = index;
      readout.firstElementChild.textContent = titles[index];
      slider.value = index;
      slider.setAttribute("aria-valuetext", titles[index]);
    };
    for (const columns of areas) {
      columns.forEach((column, index) => {
        column.addEventListener("pointerenter", () => show(index));
        column.addEventListener("pointerdown", () => show(index));
      });
    }
    slider.max = titles.length - 1;
    slider.addEventListener("input", () => show(slider.valueAsNumber));
    slider.addEventListener("focus", () => show(slider.valueAsNumber));
    slider.setAttribute("aria-valuetext", titles[0]);
    readout.hidden = cursor.hidden = false;
  }
})();

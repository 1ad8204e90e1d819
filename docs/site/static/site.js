// Whatever scrolls can be reached with the keyboard.
addEventListener("load", () => {
  for (const one of document.querySelectorAll("pre, .pst-scrollable-table-container, .math, div"))
    if (one.scrollWidth > one.clientWidth + 1 && /auto|scroll/.test(getComputedStyle(one).overflowX))
      one.tabIndex = 0;
});

// Whatever scrolls can be reached with the keyboard.
addEventListener("load", () => {
  for (const one of document.querySelectorAll("pre, .pst-scrollable-table-container, .math, div"))
    if (one.scrollWidth > one.clientWidth + 1 && /auto|scroll/.test(getComputedStyle(one).overflowX))
      one.tabIndex = 0;
});

// The picture of a notebook is a link whose words are hidden.
addEventListener("load", () => {
  for (const one of document.querySelectorAll(".sphx-glr-thumbcontainer"))
    for (const link of one.querySelectorAll("a"))
      link.ariaLabel = one.querySelector(".sphx-glr-thumbnail-title")?.textContent ?? "notebook";
});
